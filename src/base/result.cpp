#include "base/result.h"

#include "base/utf8.h"

namespace qn {

std::string Quoted::operator()(std::string_view outside, std::size_t max_bytes) const {
  std::string out = "'";
  std::size_t at = 0;
  while (at < outside.size()) {
    if (out.size() > max_bytes) {
      out += "…";
      break;
    }
    const utf8::Decoded c = utf8::decode(outside.substr(at));
    const auto byte = static_cast<unsigned char>(outside[at]);
    if (!c.valid || byte < 0x20 || byte == 0x7f || (c.code_point >= 0x80 && c.code_point < 0xa0)) {
      for (int i = 0; i < c.bytes; ++i)
        out += fmt::format("\\x{:02x}", static_cast<unsigned char>(outside[at + static_cast<std::size_t>(i)]));
    } else {
      out += outside.substr(at, static_cast<std::size_t>(c.bytes));
    }
    at += static_cast<std::size_t>(c.bytes);
  }
  return out + "'";
}

}  // namespace qn
