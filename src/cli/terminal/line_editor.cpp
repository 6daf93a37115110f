#include "cli/terminal/line_editor.h"

#include <histedit.h>
#include <poll.h>
#include <unistd.h>

#include <cerrno>
#include <clocale>
#include <csignal>
#include <deque>
#include <optional>
#include <utility>

#include "base/utf8.h"
#include "cli/terminal/columns.h"
#include "cli/terminal/interrupt.h"

namespace qn::cli {
namespace {

constexpr std::string_view paste_on = "\x1b[?2004h", paste_off = "\x1b[?2004l";
constexpr std::string_view paste_begin = "\x1b[200~", paste_end = "\x1b[201~";
constexpr int escape_wait_ms = 30;  // bytes of one key sequence come closer together than this
constexpr int history_lines = 100;

std::wstring to_wide(std::string_view text) {
  std::wstring wide;
  while (!text.empty()) {
    const utf8::Decoded next = utf8::decode(text);
    wide += static_cast<wchar_t>(next.code_point);
    text.remove_prefix(static_cast<std::size_t>(next.bytes));
  }
  return wide;
}

std::string to_utf8(std::wstring_view wide) {
  std::string text;
  for (wchar_t c : wide) utf8::append(text, static_cast<char32_t>(c));
  return text;
}

// Set by signals while a line is read: the terminal changed its size, or Ctrl-Z.
volatile std::sig_atomic_t resized = 0, suspended = 0;
extern "C" void on_resize(int) {
  resized = 1;
}
extern "C" void on_suspend(int) {
  suspended = 1;
}

class WatchedSignal {
 public:
  WatchedSignal(int signal, void (*handler)(int)) : signal_(signal) {
    struct sigaction action {};
    action.sa_handler = handler;
    sigaction(signal, &action, &before_);
  }
  ~WatchedSignal() { sigaction(signal_, &before_, nullptr); }
  WatchedSignal(const WatchedSignal&) = delete;
  WatchedSignal& operator=(const WatchedSignal&) = delete;

 private:
  int signal_;
  struct sigaction before_ {};
};

void write_out(std::FILE* out, std::string_view text) {
  std::fwrite(text.data(), 1, text.size(), out);
  std::fflush(out);
}

}  // namespace

struct LineEditor::State {
  std::FILE* in = nullptr;
  std::FILE* out = nullptr;
  EditLine* editor = nullptr;
  HistoryW* history = nullptr;
  std::wstring prompt;
  std::string placeholder;
  bool pasting = false;
  bool interrupted = false;
  bool placeholder_shown = false;
  std::deque<unsigned char> ahead;  // read while looking for a paste mark, already known not to be one

  ~State() {
    if (editor != nullptr) el_end(editor);
    if (history != nullptr) history_wend(history);
  }

  // What a signal asked for while we waited.
  void follow_terminal() {
    if (std::exchange(resized, 0) != 0) el_resize(editor);
    if (std::exchange(suspended, 0) == 0) return;
    hide_placeholder();
    el_wset(editor, EL_PREP_TERM, 0);
    write_out(out, paste_off);
    ::raise(SIGSTOP);
    write_out(out, paste_on);
    el_wset(editor, EL_PREP_TERM, 1);
    el_wset(editor, EL_REFRESH);
  }

  // The next byte of the terminal; none at the end of input or after Ctrl-C.
  std::optional<unsigned char> next_byte() {
    while (true) {
      if (Interrupt::pending()) {
        interrupted = true;
        return std::nullopt;
      }
      follow_terminal();
      // A signal between the look at its flag and this wait is not lost: it has made the second descriptor readable.
      pollfd wait[] = {{fileno(in), POLLIN, 0}, {Interrupt::wake_descriptor(), POLLIN, 0}};
      if (poll(wait, 2, -1) < 0) continue;
      if (wait[1].revents != 0) Interrupt::drain();
      if (wait[0].revents == 0) continue;
      unsigned char byte = 0;
      const ssize_t got = ::read(fileno(in), &byte, 1);
      if (got == 1) return byte;
      if (got == 0 || errno != EINTR) return std::nullopt;
    }
  }

  bool more_comes() const {
    pollfd wait{fileno(in), POLLIN, 0};
    return poll(&wait, 1, escape_wait_ms) == 1;
  }

  // After ESC: a paste mark is taken away and remembered; anything else goes to `ahead`.
  bool take_paste_mark() {
    std::string seen(1, '\x1b');
    while (paste_begin.starts_with(seen) || paste_end.starts_with(seen)) {
      if (seen == paste_begin || seen == paste_end) {
        pasting = seen == paste_begin;
        return true;
      }
      if (!more_comes()) break;
      const auto byte = next_byte();
      if (!byte) break;
      seen += static_cast<char>(*byte);
    }
    ahead.insert(ahead.end(), seen.begin(), seen.end());
    return false;
  }

  std::optional<unsigned char> next_key_byte() {
    while (true) {
      if (!ahead.empty()) {
        const unsigned char byte = ahead.front();
        ahead.pop_front();
        return byte;
      }
      const auto byte = next_byte();
      if (!byte) return byte;
      if (*byte == 0x1b) {
        take_paste_mark();
        continue;
      }
      // Pasted control characters are not keys.
      if (pasting && (*byte < 0x20 || *byte == 0x7f) && *byte != '\n' && *byte != '\r' && *byte != '\t') continue;
      return byte;
    }
  }

  void update_placeholder() {
    const LineInfoW* line = el_wline(editor);
    const bool wanted = !placeholder.empty() && line->lastchar == line->buffer && ahead.empty() && !pasting;
    const int room = terminal_columns(out) - static_cast<int>(prompt.size()) - 1;
    if (wanted && columns_of(placeholder) <= room) {
      write_out(out, fmt::format("\x1b[2m{}\x1b[0m\x1b[{}D", placeholder, columns_of(placeholder)));
      placeholder_shown = true;
    }
  }

  void hide_placeholder() {
    if (!placeholder_shown) return;
    write_out(out, "\x1b[K");
    placeholder_shown = false;
  }

  // 1 with a character, 0 at the end of input, -1 after Ctrl-C.
  int next_character(wchar_t* character) {
    update_placeholder();
    std::string bytes;
    while (true) {
      const auto byte = next_key_byte();
      hide_placeholder();
      if (!byte) return interrupted ? -1 : 0;
      bytes += static_cast<char>(*byte);
      if (utf8::complete_prefix(bytes) == bytes.size()) break;
    }
    *character = static_cast<wchar_t>(utf8::decode(bytes).code_point);
    return 1;
  }

  static State& of(EditLine* editor) {
    void* state = nullptr;
    el_wget(editor, EL_CLIENTDATA, &state);
    return *static_cast<State*>(state);
  }
};

Result<std::unique_ptr<LineEditor>> LineEditor::make(std::FILE* in, std::FILE* out, std::FILE* err) {
  // libedit writes characters as the locale says; on a bare system that is ASCII unless asked otherwise.
  std::setlocale(LC_CTYPE, "");
  if (MB_CUR_MAX < 4) std::setlocale(LC_CTYPE, "C.UTF-8");
  auto state = std::make_unique<State>();
  state->in = in;
  state->out = out;
  state->editor = el_init("quern", in, out, err);
  state->history = history_winit();
  if (state->editor == nullptr || state->history == nullptr)
    return fail(Code::internal, "terminal: it cannot be set up for editing; pipe the prompt in instead");
  EditLine* const editor = state->editor;
  HistEventW event;
  history_w(state->history, &event, H_SETSIZE, history_lines);
  history_w(state->history, &event, H_SETUNIQUE, 1);
  el_wset(editor, EL_CLIENTDATA, static_cast<void*>(state.get()));
  el_wset(editor, EL_EDITOR, L"emacs");
  el_wset(editor, EL_HIST, history_w, state->history);
  el_wset(
      editor, EL_PROMPT, +[](EditLine* e) { return State::of(e).prompt.data(); });
  el_wset(
      editor, EL_GETCFN, +[](EditLine* e, wchar_t* character) { return State::of(e).next_character(character); });
  el_wset(editor, EL_BIND, L"\t", L"ed-insert", nullptr);
  el_wset(editor, EL_BIND, L"^W", L"ed-delete-prev-word", nullptr);
  el_wset(editor, EL_BIND, L"^R", L"em-inc-search-prev", nullptr);
  el_wset(editor, EL_BIND, L"\x1b[3~", L"ed-delete-next-char", nullptr);
  el_wset(editor, EL_BIND, L"\x1b[H", L"ed-move-to-beg", nullptr);
  el_wset(editor, EL_BIND, L"\x1b[F", L"ed-move-to-end", nullptr);
  el_wset(editor, EL_BIND, L"\x1b[1~", L"ed-move-to-beg", nullptr);
  el_wset(editor, EL_BIND, L"\x1b[4~", L"ed-move-to-end", nullptr);
  el_wset(editor, EL_BIND, L"\x1b[1;5C", L"em-next-word", nullptr);
  el_wset(editor, EL_BIND, L"\x1b[1;5D", L"ed-prev-word", nullptr);
  return std::unique_ptr<LineEditor>(new LineEditor(std::move(state)));
}

LineEditor::LineEditor(std::unique_ptr<State> state) : state_(std::move(state)) {}
LineEditor::~LineEditor() = default;

LineEditor::Line LineEditor::read(std::string_view prompt, std::string_view placeholder) {
  State& state = *state_;
  state.prompt = to_wide(prompt);
  state.placeholder = placeholder;
  state.interrupted = false;
  const WatchedSignal resize(SIGWINCH, on_resize), suspend(SIGTSTP, on_suspend);
  el_resize(state.editor);
  write_out(state.out, paste_on);
  int count = 0;
  const wchar_t* typed = el_wgets(state.editor, &count);
  write_out(state.out, paste_off);

  if (state.interrupted) {
    Interrupt::taken();
    const LineInfoW* line = el_wline(state.editor);
    return {End::interrupted, to_utf8({line->buffer, static_cast<std::size_t>(line->lastchar - line->buffer)})};
  }
  if (typed == nullptr || count <= 0) return {End::closed, {}};
  std::wstring_view text(typed, static_cast<std::size_t>(count));
  const bool ended = text.ends_with(L'\n') || text.ends_with(L'\r');
  if (ended) text.remove_suffix(1);
  return {state.pasting ? End::pasted_line : End::line, to_utf8(text)};
}

void LineEditor::remember(std::string_view line) {
  HistEventW event;
  const std::wstring wide = to_wide(line);
  history_w(state_->history, &event, H_ENTER, wide.c_str());
}

}  // namespace qn::cli
