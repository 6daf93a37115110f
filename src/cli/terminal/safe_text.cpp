#include "cli/terminal/safe_text.h"

#include "base/utf8.h"

namespace qn::cli {

std::string without_controls(std::string_view text) {
  std::string safe;
  safe.reserve(text.size());
  while (!text.empty()) {
    const utf8::Decoded next = utf8::decode(text);
    const std::size_t bytes = static_cast<std::size_t>(next.bytes);
    const char32_t c = next.code_point;
    const bool control = (c < 0x20 && c != '\n' && c != '\t') || (c >= 0x7f && c <= 0x9f);
    // "\r\n" is a line end of another system, not a return to the first column.
    const bool line_end = c == '\r' && text.size() > 1 && text[1] == '\n';
    if (!next.valid || (control && !line_end))
      utf8::append(safe, 0xfffd);
    else if (!line_end)
      safe.append(text.substr(0, bytes));
    text.remove_prefix(bytes);
  }
  return safe;
}

}  // namespace qn::cli
