#include "base/utf8.h"

namespace qn::utf8 {
namespace {

// What a lead byte promises: length, and the range of the second byte (which excludes overlong forms and surrogates).
struct Lead {
  int bytes;
  unsigned char low, high;
};

Lead lead_of(unsigned char c) {
  if (c < 0x80) return {1, 0, 0};
  if (c < 0xC2) return {0, 0, 0};
  if (c < 0xE0) return {2, 0x80, 0xBF};
  if (c == 0xE0) return {3, 0xA0, 0xBF};
  if (c == 0xED) return {3, 0x80, 0x9F};
  if (c < 0xF0) return {3, 0x80, 0xBF};
  if (c == 0xF0) return {4, 0x90, 0xBF};
  if (c < 0xF4) return {4, 0x80, 0xBF};
  if (c == 0xF4) return {4, 0x80, 0x8F};
  return {0, 0, 0};
}

// Bytes of the well-formed beginning of the character at the front: equals lead.bytes when it is whole.
int well_formed_bytes(std::string_view text, const Lead& lead) {
  int have = 1;
  while (have < lead.bytes && static_cast<std::size_t>(have) < text.size()) {
    const auto c = static_cast<unsigned char>(text[static_cast<std::size_t>(have)]);
    const unsigned char low = have == 1 ? lead.low : 0x80;
    const unsigned char high = have == 1 ? lead.high : 0xBF;
    if (c < low || c > high) break;
    ++have;
  }
  return have;
}

}  // namespace

Decoded decode(std::string_view text) {
  const auto first = static_cast<unsigned char>(text[0]);
  if (first < 0x80) return {first, 1, true};
  const Lead lead = lead_of(first);
  if (lead.bytes == 0) return {0xFFFD, 1, false};
  const int have = well_formed_bytes(text, lead);
  if (have < lead.bytes) return {0xFFFD, have, false};
  char32_t c = first & (0x7Fu >> lead.bytes);
  for (int i = 1; i < lead.bytes; ++i) c = (c << 6) | (static_cast<unsigned char>(text[static_cast<std::size_t>(i)]) & 0x3Fu);
  return {c, lead.bytes, true};
}

void append(std::string& out, char32_t c) {
  if (c < 0x80) {
    out += static_cast<char>(c);
  } else if (c < 0x800) {
    out += static_cast<char>(0xC0 | (c >> 6));
    out += static_cast<char>(0x80 | (c & 0x3F));
  } else if (c < 0x10000) {
    out += static_cast<char>(0xE0 | (c >> 12));
    out += static_cast<char>(0x80 | ((c >> 6) & 0x3F));
    out += static_cast<char>(0x80 | (c & 0x3F));
  } else {
    out += static_cast<char>(0xF0 | (c >> 18));
    out += static_cast<char>(0x80 | ((c >> 12) & 0x3F));
    out += static_cast<char>(0x80 | ((c >> 6) & 0x3F));
    out += static_cast<char>(0x80 | (c & 0x3F));
  }
}

std::size_t complete_prefix(std::string_view text) {
  const std::size_t look_back = text.size() < 3 ? text.size() : 3;
  for (std::size_t back = 1; back <= look_back; ++back) {
    const std::size_t start = text.size() - back;
    const auto c = static_cast<unsigned char>(text[start]);
    if (c < 0x80) break;
    const Lead lead = lead_of(c);
    if (lead.bytes == 0) continue;  // a continuation byte: look further back
    const bool unfinished =
        static_cast<std::size_t>(lead.bytes) > back && well_formed_bytes(text.substr(start), lead) == static_cast<int>(back);
    return unfinished ? start : text.size();
  }
  return text.size();
}

bool is_valid(std::string_view text) {
  while (!text.empty()) {
    const Decoded c = decode(text);
    if (!c.valid) return false;
    text.remove_prefix(static_cast<std::size_t>(c.bytes));
  }
  return true;
}

std::string replace_invalid(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const Decoded c = decode(text);
    if (c.valid) {
      out += text.substr(0, static_cast<std::size_t>(c.bytes));
    } else {
      append(out, 0xFFFD);
    }
    text.remove_prefix(static_cast<std::size_t>(c.bytes));
  }
  return out;
}

}  // namespace qn::utf8
