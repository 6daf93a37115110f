// Each byte of the content goes through one state: outside calls, where beginnings of triggers are held back, or somewhere in a run of
// calls, where the steps of a form say what may come. So how the text is cut cannot matter. What a form has read is kept (`raw_`)
// until its call ends: the next form starts over with it, and if none fits it becomes content.
#include "text/chat/reply_parser.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "text/chat/call_readers.h"
#include "text/chat/chat.h"

namespace qn::text {
namespace {

constexpr std::size_t max_name_bytes = 256;
constexpr std::size_t max_warnings = 16;

// Where one is in a list of text and space.
struct Cursor {
  const std::vector<Step>* steps;
  std::size_t step = 0;
  std::size_t byte = 0;  // of a text step
  bool alive = true;

  bool finished() const { return alive && step == steps->size(); }
  void feed(char c) {
    while (alive && step < steps->size()) {
      const Step& at = (*steps)[step];
      if (at.kind == Step::Kind::space) {
        if (is_json_space(c)) return;
        ++step;
      } else if (at.text[byte] == c) {
        if (++byte == at.text.size()) ++step, byte = 0;
        return;
      } else {
        break;
      }
    }
    alive = false;
  }
};

}  // namespace

struct ReplyParser::Machine final : CallSink {
  Machine(Dialect its_dialect, std::string_view prompt, ReplyForm its_form) : dialect(std::move(its_dialect)), form(std::move(its_form)) {
    if (form.split_thinking) splitter.emplace(prompt, std::string(dialect.think.open), std::string(dialect.think.close));
    looking = dialect.has_tools() && !form.tools.empty() && form.choice.kind != ToolChoice::Kind::none;
  }

  // --- what comes out ---

  void add(ReplyPart::Kind kind, std::string_view text) {
    if (text.empty() && kind != ReplyPart::Kind::call_end) return;
    const bool of_call = kind != ReplyPart::Kind::thinking && kind != ReplyPart::Kind::content;
    if (kind != ReplyPart::Kind::call_end && !out.empty() && out.back().kind == kind) {
      out.back().text += text;
    } else {
      out.push_back({kind, std::string(text), of_call ? call : 0});
    }
  }
  void warn(std::string text) {
    if (warnings.size() < max_warnings) warnings.push_back(std::move(text));
  }
  void content(std::string_view text) {
    if (text.empty()) return;
    add(ReplyPart::Kind::content, text);
    at_start = false;
  }

  bool set_name(std::string_view name) override {
    const auto found = std::find_if(form.tools.begin(), form.tools.end(), [&](const Tool& tool) { return tool.name == name; });
    if (found == form.tools.end()) {
      if (unknown.empty()) unknown = std::string(name);
      return false;
    }
    known = &*found;
    return true;
  }
  const Tool* tool() const override { return known; }
  void add_arguments(std::string_view piece) override {
    if (!begun) {
      begun = true;
      if (id.empty() || id.size() > 64) id = make_call_id(dialect.ids, form.call_seed + static_cast<std::uint64_t>(call));
      out.push_back({ReplyPart::Kind::call_begin, known->name, call, id});
    }
    add(ReplyPart::Kind::call_arguments, piece);
  }

  // --- outside ---

  bool starts(const CallForm& candidate) const { return !candidate.only_at_start || at_start; }

  void feed_outside(char byte) {
    held += byte;
    while (!held.empty()) {
      bool waiting = false;
      for (std::size_t i = 0; i < dialect.forms.size(); ++i) {
        const CallForm& candidate = dialect.forms[i];
        if (!starts(candidate) || candidate.trigger.substr(0, held.size()) != held) continue;
        if (candidate.trigger.size() == held.size()) return begin_run(i);
        waiting = true;
      }
      if (waiting) return;
      const char sure = held.front();
      held.erase(0, 1);
      if (is_json_space(sure)) {
        spaces += sure;
        continue;
      }
      // White space beside calls is how they are set apart, and no content.
      if (!after_call) content(spaces);
      spaces.clear();
      after_call = false;
      content({&sure, 1});
    }
  }

  void begin_run(std::size_t form_index) {
    index = form_index;
    input.insert(at, held);
    held.clear();
    in_run = true;
    first_call = true;
    unknown.clear();
    raw.clear();
    begin_phase(current().open.empty() ? Phase::call : Phase::open);
  }

  // --- in a run of calls ---

  enum class Phase {
    open,   // before the first call
    call,   // in one
    after,  // between two, or at the end
  };

  const CallForm& current() const { return dialect.forms[index]; }

  void begin_phase(Phase next) {
    phase = next;
    if (phase == Phase::open) opening = {&current().open};
    if (phase == Phase::after) {
      raw.clear();
      between = {&current().between};
      closing = {&current().close};
      between.alive = !current().between.empty();
      closing.alive = !current().close.empty();
    }
    if (phase != Phase::call) return;
    step = 0;
    begin_step();
    known = nullptr;
    begun = arguments_whole = false;
    id.clear();
  }
  void begin_step() {
    step_text.clear();
    if (step >= current().call.size()) return;
    const Step& now = current().call[step];
    if (now.kind == Step::Kind::arguments) arguments = {};
    if (now.kind == Step::Kind::object) object.emplace(now.text);
    if (now.kind == Step::Kind::parameters) parameters = {};
  }
  void next_step() {
    ++step;
    begin_step();
  }

  void feed_run(char byte) {
    raw += byte;
    switch (phase) {
      case Phase::open:
        opening.feed(byte);
        if (!opening.alive) return give_up();
        if (opening.finished()) begin_phase(Phase::call);
        return;
      case Phase::call:
        switch (feed_call(byte)) {
          case Took::bad: return give_up();
          case Took::last: return end_call();
          default: return;
        }
      case Phase::after:
        between.feed(byte);
        closing.feed(byte);
        if (closing.finished()) return end_run();
        if (between.finished()) return first_call = false, begin_phase(Phase::call);
        if (between.alive || closing.alive) return;
        if (!current().close.empty()) warn("tool call: what follows it is no end of a call; passed on as text");
        return end_run(std::exchange(raw, {}));
    }
  }

  // What the byte is to the call's current step; steps that it ends before are passed by.
  Took feed_call(char byte) {
    while (true) {
      const Step& now = current().call[step];
      Took took = Took::part;
      switch (now.kind) {
        case Step::Kind::text:
          if (now.text[step_text.size()] != byte) return Took::bad;
          step_text += byte;
          took = step_text.size() == now.text.size() ? Took::last : Took::part;
          break;
        case Step::Kind::space: took = is_json_space(byte) ? Took::part : Took::after; break;
        case Step::Kind::name:
        case Step::Kind::id: took = feed_word(now.kind, byte); break;
        case Step::Kind::arguments: took = arguments.feed(byte, *this); break;
        case Step::Kind::object: took = object->feed(byte, *this); break;
        case Step::Kind::parameters: took = parameters.feed(byte, *this); break;
      }
      if (took == Took::part || took == Took::bad) return took;
      if (now.kind >= Step::Kind::arguments) {
        arguments_whole = true;
        whole_bytes = raw.size();
      }
      next_step();
      if (step == current().call.size()) return Took::last;  // the last step ends with a byte of its own
      if (took == Took::last) return Took::part;
    }
  }

  Took feed_word(Step::Kind kind, char byte) {
    const Step& next = current().call[step + 1];
    const bool ends = next.kind == Step::Kind::text ? byte == next.text.front() : byte == '{' || is_json_space(byte);
    if (!ends) {
      step_text += byte;
      return step_text.size() > max_name_bytes ? Took::bad : Took::part;
    }
    if (kind == Step::Kind::id) {
      id = step_text;
      return Took::after;
    }
    return set_name(step_text) ? Took::after : Took::bad;
  }

  void end_call() {
    add(ReplyPart::Kind::call_end, {});
    ++call;
    after_call = true;
    at_start = false;
    spaces.clear();
    unknown.clear();
    if (form.calls == Calls::one) done = true;
    begin_phase(Phase::after);
    if (!between.alive && !closing.alive) end_run();
  }

  // Back outside; `rest` was read but belongs to no call.
  void end_run(std::string rest = {}) {
    in_run = false;
    input.insert(at, rest);
  }

  // The last byte fits no more.
  void give_up() {
    if (phase == Phase::call && begun) {
      if (arguments_whole) return end_late(raw.substr(whole_bytes));
      raw.pop_back();
      break_call();
      --at;
      return end_run();
    }
    if (start_over()) return;
    raw.pop_back();
    --at;
    become_text();
    end_run();
  }
  // A call whose arguments are whole, but what follows is not as it should be.
  void end_late(std::string rest) {
    warn("tool call: it does not end as it should; its arguments are whole and were taken");
    end_call();
    if (in_run) end_run();
    input.insert(at, rest);
  }
  void break_call() {
    warn("tool call: " + quoted(known->name) + " was called with malformed arguments; passed on as text");
    if (!after_call) content(std::exchange(spaces, {}));
    out.push_back({ReplyPart::Kind::call_broken, raw, call});
    at_start = after_call = false;
    ++call;
    ++broken;
  }
  // The same text again, by the next form that begins so.
  bool start_over() {
    if (!first_call) return false;
    for (std::size_t next = index + 1; next < dialect.forms.size(); ++next) {
      if (dialect.forms[next].trigger != current().trigger || !starts(dialect.forms[next])) continue;
      input.insert(at, std::exchange(raw, {}));
      index = next;
      begin_phase(current().open.empty() ? Phase::call : Phase::open);
      return true;
    }
    return false;
  }
  void become_text() {
    if (!unknown.empty() && !(current().only_at_start && first_call)) {
      warn("tool call: there is no function " + quoted(unknown) + "; passed on as text");
    } else if (!current().only_at_start) {
      warn("tool call: malformed; passed on as text");
    }
    if (!after_call) content(spaces);
    spaces.clear();
    after_call = false;
    content(raw);
    raw.clear();
  }

  // --- main line ---

  void run() {
    while (at < input.size() && !done) {
      const char byte = input[at++];
      in_run ? feed_run(byte) : feed_outside(byte);
      if (at > 4096) input.erase(0, std::exchange(at, 0));
    }
    input.clear();
    at = 0;
  }
  void read(std::string_view text) {
    if (!looking) return content(text);
    input += text;
    run();
  }

  void finish() {
    while (in_run && !done && !(phase == Phase::call && begun)) {
      if (phase == Phase::after) return;  // the beginning of an end
      if (!start_over()) break;
      run();
    }
    if (done) return;
    if (in_run && begun && phase == Phase::call) {
      if (!arguments_whole) return break_call();
      return end_call();
    }
    if (in_run) return become_text();
    if (!after_call) content(spaces);
    content(held);
  }

  Dialect dialect;
  ReplyForm form;
  std::optional<ThinkSplitter> splitter;
  bool looking = false;
  bool done = false;
  std::vector<ReplyPart> out;
  std::vector<std::string> warnings;
  int call = 0;    // the one being read, or the next
  int broken = 0;  // of the calls before it

  std::string input;  // content still to be read, from `at`
  std::size_t at = 0;

  bool at_start = true;      // nothing but white space so far
  bool after_call = false;   // and nothing but white space since
  std::string spaces, held;  // white space, then what may be the beginning of a trigger

  bool in_run = false;
  std::size_t index = 0;  // of the form
  Phase phase = Phase::open;
  bool first_call = true;  // of the run
  std::string raw;         // read since the run, or the call after the first, began
  Cursor opening{}, between{}, closing{};
  std::size_t step = 0;
  std::string step_text;  // of a text, name or id: what has been read
  ArgumentsReader arguments;
  std::optional<CallObjectReader> object;
  ParametersReader parameters;
  const Tool* known = nullptr;
  std::string unknown, id;
  bool begun = false;            // call_begin is out
  bool arguments_whole = false;  // what is missing is marks
  std::size_t whole_bytes = 0;   // of raw, up to the arguments' end
};

ReplyParser::ReplyParser(Dialect dialect, std::string_view prompt, ReplyForm form)
    : machine_(std::make_unique<Machine>(std::move(dialect), prompt, std::move(form))) {}
ReplyParser::ReplyParser(ReplyParser&&) noexcept = default;
ReplyParser& ReplyParser::operator=(ReplyParser&&) noexcept = default;
ReplyParser::~ReplyParser() = default;

std::vector<ReplyPart> ReplyParser::push(std::string_view text) {
  Machine& m = *machine_;
  if (m.done) return {};
  if (!m.splitter) {
    m.read(text);
  } else {
    const ThinkSplitter::Parts parts = m.splitter->push(text);
    m.add(ReplyPart::Kind::thinking, parts.thinking);
    m.read(parts.content);
  }
  return std::exchange(m.out, {});
}

std::vector<ReplyPart> ReplyParser::finish() {
  Machine& m = *machine_;
  if (m.done) return {};
  if (m.splitter) {
    const ThinkSplitter::Parts parts = m.splitter->finish();
    m.add(ReplyPart::Kind::thinking, parts.thinking);
    m.read(parts.content);
  }
  if (m.looking) m.finish();
  m.done = true;
  return std::exchange(m.out, {});
}

bool ReplyParser::thinking() const {
  return machine_->splitter && machine_->splitter->inside();
}
bool ReplyParser::done() const {
  return machine_->done;
}
int ReplyParser::calls() const {
  return machine_->call - machine_->broken;
}
const std::vector<std::string>& ReplyParser::warnings() const {
  return machine_->warnings;
}

}  // namespace qn::text
