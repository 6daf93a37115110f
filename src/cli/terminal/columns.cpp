#include "cli/terminal/columns.h"

#include <sys/ioctl.h>
#include <utf8proc.h>

#include <algorithm>

#include "base/utf8.h"

namespace qn::cli {

int columns_of(char32_t code_point) {
  return std::max(0, utf8proc_charwidth(static_cast<utf8proc_int32_t>(code_point)));
}

int columns_of(std::string_view text) {
  int columns = 0;
  while (!text.empty()) {
    const utf8::Decoded next = utf8::decode(text);
    columns += columns_of(next.code_point);
    text.remove_prefix(static_cast<std::size_t>(next.bytes));
  }
  return columns;
}

int terminal_columns(std::FILE* stream) {
  winsize size{};
  if (ioctl(fileno(stream), TIOCGWINSZ, &size) != 0) return 0;
  return size.ws_col;
}

}  // namespace qn::cli
