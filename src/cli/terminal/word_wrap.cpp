#include "cli/terminal/word_wrap.h"

#include <algorithm>
#include <iterator>

#include "base/result.h"
#include "base/utf8.h"
#include "cli/terminal/columns.h"

namespace qn::cli {
namespace {

constexpr int smallest_columns = 20;
constexpr int margin_columns = 5;  // room for a closing mark, and what users of other tools are used to
constexpr int tab_columns = 8;

// Marks that may not begin a line in Chinese and Japanese.
constexpr char32_t closing_marks[] = {U'、', U'。', U'〉', U'》', U'」', U'』', U'】', U'〕', U'！', U'）',
                                      U'，', U'．', U'：', U'；', U'？', U'］', U'｝', U'…',  U'”',  U'’'};

bool closes(char32_t c) {
  return std::find(std::begin(closing_marks), std::end(closing_marks), c) != std::end(closing_marks);
}

}  // namespace

WordWrap::WordWrap(int columns) {
  if (columns < smallest_columns) return;
  limit_ = columns - margin_columns;
  hard_limit_ = columns;
}

std::string WordWrap::push(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const utf8::Decoded next = utf8::decode(text);
    put(next.code_point, text.substr(0, static_cast<std::size_t>(next.bytes)), out);
    text.remove_prefix(static_cast<std::size_t>(next.bytes));
  }
  return out;
}

void WordWrap::break_line(std::string& out) {
  out += '\n';
  line_columns_ = 0;
  word_.clear();
  word_columns_ = 0;
}

void WordWrap::put(char32_t c, std::string_view bytes, std::string& out) {
  if (c == '\n') return break_line(out);
  const int columns = c == '\t' ? tab_columns - line_columns_ % tab_columns : columns_of(c);
  const bool blank = c == ' ' || c == '\t';
  const bool wide = columns == 2;
  const int allowed = closes(c) ? hard_limit_ : limit_;
  if (limit_ > 0 && line_columns_ + columns > allowed) {
    if (blank) return break_line(out);
    if (wide || word_columns_ == 0 || word_columns_ + columns > limit_) {
      break_line(out);
    } else {
      fmt::format_to(std::back_inserter(out), "\x1b[{}D\x1b[K\n{}", word_columns_, word_);
      line_columns_ = word_columns_;
    }
  }
  out.append(bytes);
  line_columns_ += columns;
  if (blank || wide) {
    word_.clear();
    word_columns_ = 0;
  } else {
    word_.append(bytes);
    word_columns_ += columns;
  }
}

}  // namespace qn::cli
