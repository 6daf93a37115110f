// The methods of Python's str.
#include <algorithm>

#include "base/utf8.h"
#include "text/template/access.h"
#include "text/template/arguments.h"
#include "text/template/format.h"
#include "text/template/iterate.h"
#include "text/template/markup.h"
#include "text/template/methods.h"
#include "text/template/operators.h"
#include "text/template/text_methods.h"
#include "text/template/unicode.h"

namespace qn::text::jinja {

static std::size_t character_bytes(std::string_view text) {
  return static_cast<std::size_t>(utf8::decode(text).bytes);
}

// Holds for every character, and there is one.
template <class F>
static bool all_of(std::string_view text, F&& f) {
  if (text.empty()) return false;
  for (; !text.empty(); text.remove_prefix(character_bytes(text)))
    if (!f(utf8::decode(text).code_point)) return false;
  return true;
}

static bool has_one_case(std::string_view text, bool (*wanted)(char32_t), bool (*unwanted)(char32_t)) {
  bool cased = false;
  for (; !text.empty(); text.remove_prefix(character_bytes(text))) {
    const char32_t c = utf8::decode(text).code_point;
    if (unwanted(c) || is_title(c)) return false;
    cased = cased || wanted(c);
  }
  return cased;
}

bool text_is_lower(std::string_view text) {
  return has_one_case(text, is_lower, is_upper);
}
bool text_is_upper(std::string_view text) {
  return has_one_case(text, is_upper, is_lower);
}

Result<Value> replace_text(Machine& machine, std::string_view text, std::string_view old, std::string_view fresh, Int count) {
  QN_OK(machine.work(1 + static_cast<std::int64_t>(text.size() / 16)));
  Text out(machine.budget());
  std::size_t at = 0;
  while (count != 0) {
    // An empty `old` stands before every character and at the end.
    const std::size_t found = old.empty() ? at : text.find(old, at);
    if (found == std::string_view::npos || found > text.size()) break;
    QN_OK(machine.work(1));
    --count;
    out.add(text.substr(at, found - at));
    out.add(fresh);
    QN_OK(out.status());
    if (!old.empty()) {
      at = found + old.size();
      continue;
    }
    if (at >= text.size()) {
      at = text.size();
      break;
    }
    const std::size_t step = character_bytes(text.substr(at));
    out.add(text.substr(at, step));
    at += step;
  }
  out.add(text.substr(at));
  QN_TRY(std::string made, out.take());
  return machine.heap().string(std::move(made));
}

Result<std::vector<std::string_view>> split_lines(Machine& machine, std::string_view text, bool keep_ends) {
  QN_OK(machine.work(1 + static_cast<std::int64_t>(text.size() / 16)));
  std::vector<std::string_view> out;
  std::size_t begin = 0, at = 0;
  while (at < text.size()) {
    const std::size_t bytes = character_bytes(text.substr(at));
    if (!ends_line(utf8::decode(text.substr(at)).code_point)) {
      at += bytes;
      continue;
    }
    const std::size_t end = at + bytes + (text[at] == '\r' && at + 1 < text.size() && text[at + 1] == '\n' ? 1 : 0);
    QN_OK(machine.work(1));
    if (out.size() == out.capacity()) QN_OK(machine.budget().room(out.size() * 2 * sizeof(std::string_view)));
    out.push_back(text.substr(begin, (keep_ends ? end : at) - begin));
    begin = at = end;
  }
  if (begin < text.size()) out.push_back(text.substr(begin));
  return out;
}

Result<Value> pad_text(Machine& machine, const Value& text, Int width, std::string_view fill, Align align) {
  const Int length = text.as<Str>().length();
  const Int gap = std::max<Int>(0, width - length);
  if (gap > static_cast<Int>(machine.budget().limits().output_bytes))
    return tl::unexpected<Error>(machine.budget().room(std::size_t(-1)).error());
  // CPython's center puts the odd space on the left when the width is odd, too.
  const Int before = align == Align::left ? 0 : align == Align::right ? gap : gap / 2 + (gap & width & 1);
  Text out(machine.budget());
  const auto add = [&](Int count) {
    if (fill.size() == 1) return out.add(static_cast<std::size_t>(count), fill[0]);
    for (Int i = 0; i < count && out.status(); ++i) out.add(fill);
  };
  add(before);
  out.add(text.text());
  add(gap - before);
  QN_TRY(std::string made, out.take());
  return with_markup(machine.heap().string(std::move(made)), is_markup(text));
}

namespace {

Result<Value> piece(Machine& machine, const Value& self, std::string_view text) {
  return with_markup(machine.heap().string(std::string(text)), is_markup(self));
}

Result<Value> list_of(Machine& machine, const std::vector<std::string_view>& pieces) {
  Values out;
  QN_OK(machine.budget().room(pieces.size() * sizeof(Value)));
  out.reserve(pieces.size());
  for (const std::string_view text : pieces) {
    QN_OK(machine.work(1));
    out.push_back(machine.heap().string(std::string(text)));
  }
  return machine.heap().list(std::move(out));
}

template <Side side>
Result<Value> strip_method(Machine& machine, const Value& self, CallArguments& arguments) {
  QN_TRY(const Values places, bind_arguments("strip", arguments, {""}, 0));
  QN_OK(machine.work(1 + static_cast<std::int64_t>(self.text().size() / 16)));
  if (places[0].is(Kind::missing) || places[0].is(Kind::none)) return piece(machine, self, strip(self.text(), side));
  QN_TRY(const Value set, string_or(machine, "strip", places[0], ""));
  const std::string_view characters_of = set.text();
  QN_OK(machine.work(static_cast<std::int64_t>(self.text().size() / 16 * (1 + characters_of.size()))));
  return piece(machine, self, strip(self.text(), side, &characters_of));
}

enum class From { left, right };

std::vector<std::string_view> split_at_spaces(std::string_view text, Int most, From from) {
  std::vector<std::string_view> out;
  if (from == From::left) {
    text = strip(text, Side::left);
    while (!text.empty() && most != 0) {
      std::size_t end = 0;
      while (end < text.size() && !is_space(utf8::decode(text.substr(end)).code_point)) end += character_bytes(text.substr(end));
      out.push_back(text.substr(0, end));
      text = strip(text.substr(end), Side::left);
      --most;
    }
    if (!text.empty()) out.push_back(strip(text, Side::left));
    return out;
  }
  text = strip(text, Side::right);
  while (!text.empty() && most != 0) {
    std::size_t begin = text.size();
    while (begin > 0) {
      std::size_t before = begin - 1;
      while (before > 0 && (static_cast<unsigned char>(text[before]) & 0xC0) == 0x80) --before;
      if (is_space(utf8::decode(text.substr(before)).code_point)) break;
      begin = before;
    }
    out.push_back(text.substr(begin));
    text = strip(text.substr(0, begin), Side::right);
    --most;
  }
  if (!text.empty()) out.push_back(text);
  std::reverse(out.begin(), out.end());
  return out;
}

Result<std::vector<std::string_view>> split_at(Machine& machine, std::string_view text, std::string_view separator, Int most, From from) {
  std::vector<std::string_view> out;
  while (most != 0) {
    const std::size_t found = from == From::left ? text.find(separator) : text.rfind(separator);
    if (found == std::string_view::npos) break;
    QN_OK(machine.work(1));
    if (out.size() == out.capacity()) QN_OK(machine.budget().room(out.size() * 2 * sizeof(std::string_view)));
    if (from == From::left) {
      out.push_back(text.substr(0, found));
      text.remove_prefix(found + separator.size());
    } else {
      out.push_back(text.substr(found + separator.size()));
      text = text.substr(0, found);
    }
    --most;
  }
  out.push_back(text);
  if (from == From::right) std::reverse(out.begin(), out.end());
  return out;
}

template <From from>
Result<Value> split(Machine& machine, const Value& self, CallArguments& arguments) {
  QN_TRY(const Values places, bind_arguments("split", arguments, {"sep", "maxsplit"}, 0));
  QN_TRY(const Int most, integer_or("split", places[1], -1));
  QN_OK(machine.work(1 + static_cast<std::int64_t>(self.text().size() / 16)));
  if (places[0].is(Kind::missing) || places[0].is(Kind::none)) {
    QN_OK(machine.work(static_cast<std::int64_t>(self.text().size() / 4)));
    QN_OK(machine.budget().room(self.text().size() * 8));
    return list_of(machine, split_at_spaces(self.text(), most, from));
  }
  QN_TRY(const Value separator, string_or(machine, "split", places[0], ""));
  if (separator.text().empty()) return type_error("split with an empty separator; use list for the characters");
  QN_TRY(const std::vector<std::string_view> pieces, split_at(machine, self.text(), separator.text(), most, from));
  return list_of(machine, pieces);
}

template <From from>
Result<Value> partition(Machine& machine, const Value& self, CallArguments& arguments) {
  QN_TRY(const Values places, bind_arguments("partition", arguments, {""}, 1));
  QN_TRY(const Value separator, string_or(machine, "partition", places[0], ""));
  if (separator.text().empty()) return type_error("partition with an empty separator; use a longer one");
  const std::string_view text = self.text();
  const std::size_t found = from == From::left ? text.find(separator.text()) : text.rfind(separator.text());
  Values three(3);
  const bool none = found == std::string_view::npos;
  const std::string_view head = none ? (from == From::left ? text : "") : text.substr(0, found);
  const std::string_view tail = none ? (from == From::left ? "" : text) : text.substr(found + separator.text().size());
  three[0] = machine.heap().string(std::string(head));
  three[1] = none ? machine.heap().borrowed("") : separator;
  three[2] = machine.heap().string(std::string(tail));
  return machine.heap().tuple(std::move(three));
}

Result<Value> splitlines(Machine& machine, const Value& self, CallArguments& arguments) {
  QN_TRY(const Values places, bind_arguments("splitlines", arguments, {"keepends"}, 0));
  QN_TRY(const std::vector<std::string_view> lines, split_lines(machine, self.text(), true_or(places[0], false)));
  return list_of(machine, lines);
}

// The part of self that optional start and end arguments leave, and where it begins.
struct Window {
  std::string_view text;
  std::int64_t begin = 0;
  bool valid = true;  // start lies within the text
};

Result<Window> window(const Value& self, const Value& start, const Value& end) {
  const std::int64_t length = self.as<Str>().length();
  const auto place = [&](const Value& bound, std::int64_t otherwise) -> Result<std::int64_t> {
    if (bound.is(Kind::none) || bound.is(Kind::missing)) return otherwise;
    QN_TRY(Int at, integer_or("find", bound, 0));
    if (at < 0) at = std::max<Int>(0, at + length);
    return static_cast<std::int64_t>(std::min<Int>(at, Int{length} + 1));
  };
  QN_TRY(const std::int64_t first, place(start, 0));
  QN_TRY(std::int64_t past, place(end, length));
  past = std::min(past, length);
  if (first > length) return Window{{}, first, false};
  if (past < first) return Window{{}, first, false};
  return Window{characters(self, first, past - first), first, true};
}

enum class Miss { minus_one, error };

template <From from, Miss miss>
Result<Value> find(Machine& machine, const Value& self, CallArguments& arguments) {
  QN_TRY(const Values places, bind_arguments("find", arguments, {"", "", ""}, 1));
  QN_TRY(const Value wanted, string_or(machine, "find", places[0], ""));
  QN_OK(machine.work(1 + static_cast<std::int64_t>(self.text().size() / 16)));
  QN_TRY(const Window in, window(self, places[1], places[2]));
  const std::size_t found = !in.valid            ? std::string_view::npos
                            : from == From::left ? in.text.find(wanted.text())
                                                 : in.text.rfind(wanted.text());
  if (found != std::string_view::npos) return Value::of(Int{in.begin + count_code_points(in.text.substr(0, found))});
  if (miss == Miss::error) return type_error("text does not contain {}; use find to ask", quoted(wanted.text()));
  return Value::of(Int{-1});
}

Result<Value> count(Machine& machine, const Value& self, CallArguments& arguments) {
  QN_TRY(const Values places, bind_arguments("count", arguments, {"", "", ""}, 1));
  QN_TRY(const Value wanted, string_or(machine, "count", places[0], ""));
  QN_OK(machine.work(1 + static_cast<std::int64_t>(self.text().size() / 8)));
  QN_TRY(const Window in, window(self, places[1], places[2]));
  if (!in.valid) return Value::of(Int{0});
  if (wanted.text().empty()) return Value::of(Int{count_code_points(in.text) + 1});
  Int found = 0;
  for (std::size_t at = in.text.find(wanted.text()); at != std::string_view::npos;
       at = in.text.find(wanted.text(), at + wanted.text().size()))
    ++found;
  return Value::of(found);
}

enum class End { start, finish };

template <End end>
Result<Value> has_affix(Machine& machine, const Value& self, CallArguments& arguments) {
  QN_TRY(const Values places, bind_arguments(end == End::start ? "startswith" : "endswith", arguments, {"", "", ""}, 1));
  QN_OK(machine.work(1));
  QN_TRY(const Window in, window(self, places[1], places[2]));
  Values one{places[0]};
  const Values& affixes = places[0].is(Kind::tuple) ? places[0].as<List>().items : one;
  for (const Value& affix : affixes) {
    if (!affix.is(Kind::string)) return type_error("startswith and endswith need text or a tuple of texts, got {}", type_name(affix));
    const std::string_view text = affix.text();
    if (!in.valid || text.size() > in.text.size()) continue;
    if ((end == End::start ? in.text.substr(0, text.size()) : in.text.substr(in.text.size() - text.size())) == text) return Value::of(true);
  }
  return Value::of(false);
}

template <End end>
Result<Value> remove_affix(Machine& machine, const Value& self, CallArguments& arguments) {
  QN_TRY(const Values places, bind_arguments("removeprefix", arguments, {""}, 1));
  QN_TRY(const Value affix, string_or(machine, "removeprefix", places[0], ""));
  std::string_view text = self.text();
  const std::size_t size = affix.text().size();
  if (size <= text.size()) {
    if (end == End::start && text.substr(0, size) == affix.text()) text.remove_prefix(size);
    if (end == End::finish && text.substr(text.size() - size) == affix.text()) text.remove_suffix(size);
  }
  return piece(machine, self, text);
}

template <std::string (*change)(std::string_view)>
Result<Value> changed(Machine& machine, const Value& self, CallArguments& arguments) {
  QN_TRY(const Values places, bind_arguments("a method of case", arguments, {}, 0));
  QN_OK(machine.budget().room(self.text().size() * 6));
  QN_OK(machine.work(1 + static_cast<std::int64_t>(self.text().size() / 4)));
  return with_markup(machine.heap().string(change(self.text())), is_markup(self));
}

Result<Value> replace(Machine& machine, const Value& self, CallArguments& arguments) {
  QN_TRY(const Values places, bind_arguments("replace", arguments, {"", "", ""}, 2));
  QN_TRY(const Value old, string_or(machine, "replace", places[0], ""));
  QN_TRY(const Value fresh, string_or(machine, "replace", places[1], ""));
  QN_TRY(const Int most, integer_or("replace", places[2], -1));
  return replace_text(machine, self.text(), old.text(), fresh.text(), most);
}

Result<Value> join(Machine& machine, const Value& self, CallArguments& arguments) {
  QN_TRY(const Values places, bind_arguments("join", arguments, {""}, 1));
  QN_TRY(Cursor cursor, Cursor::over(places[0]));
  Text out(machine.budget());
  Value item;
  for (bool is_first = true;; is_first = false) {
    QN_TRY(const bool more, cursor.advance(machine, item));
    if (!more) break;
    if (!item.is(Kind::string)) return type_error("join of {}; its items are text, use the join filter for others", type_name(item));
    if (!is_first) out.add(self.text());
    out.add(item.text());
    QN_OK(out.status());
  }
  QN_TRY(std::string text, out.take());
  return machine.heap().string(std::move(text));
}

template <Align align>
Result<Value> justify(Machine& machine, const Value& self, CallArguments& arguments) {
  QN_TRY(const Values places, bind_arguments("a method of width", arguments, {"", ""}, 1));
  QN_TRY(const Int width, integer_or("a method of width", places[0], 0));
  QN_TRY(const Value fill, string_or(machine, "a method of width", places[1], " "));
  if (fill.as<Str>().length() != 1) return type_error("filling needs exactly one character");
  return pad_text(machine, self, width, fill.text(), align);
}

Result<Value> zfill(Machine& machine, const Value& self, CallArguments& arguments) {
  QN_TRY(const Values places, bind_arguments("zfill", arguments, {""}, 1));
  QN_TRY(const Int width, integer_or("zfill", places[0], 0));
  const std::string_view text = self.text();
  const bool sign = !text.empty() && (text[0] == '+' || text[0] == '-');
  if (!sign) return pad_text(machine, self, width, "0", Align::right);
  const Value digits = machine.heap().string(std::string(text.substr(1)));
  QN_TRY(const Value padded, pad_text(machine, digits, width - 1, "0", Align::right));
  return machine.heap().string(std::string(text.substr(0, 1)) + std::string(padded.text()));
}

Result<Value> expandtabs(Machine& machine, const Value& self, CallArguments& arguments) {
  QN_TRY(const Values places, bind_arguments("expandtabs", arguments, {"tabsize"}, 0));
  QN_TRY(const Int size, integer_or("expandtabs", places[0], 8));
  if (size > 10'000) return fail(Code::too_large, "expandtabs to more than 10000; use a smaller size");
  Text out(machine.budget());
  Int column = 0;
  QN_OK(machine.work(1 + static_cast<std::int64_t>(self.text().size() / 4)));
  for (std::string_view rest = self.text(); !rest.empty();) {
    const std::size_t bytes = character_bytes(rest);
    if (rest[0] == '\t') {
      const Int gap = size > 0 ? size - column % size : 0;
      out.add(static_cast<std::size_t>(gap), ' ');
      column += gap;
    } else {
      out.add(rest.substr(0, bytes));
      column = rest[0] == '\n' || rest[0] == '\r' ? 0 : column + 1;
    }
    QN_OK(out.status());
    rest.remove_prefix(bytes);
  }
  QN_TRY(std::string text, out.take());
  return machine.heap().string(std::move(text));
}

Result<Value> format(Machine& machine, const Value& self, CallArguments& arguments) {
  return format_braces(machine, self, arguments);
}

Result<Value> format_map(Machine& machine, const Value& self, CallArguments& arguments) {
  QN_TRY(const Values places, bind_arguments("format_map", arguments, {""}, 1));
  if (!places[0].is(Kind::dict)) return type_error("format_map needs a dict, got {}", type_name(places[0]));
  CallArguments named;
  for (const auto& [key, value] : places[0].as<Dict>().entries)
    if (key.is(Kind::string)) named.named.emplace_back(key.text(), value);
  return format_braces(machine, self, named);
}

template <bool (*holds)(std::string_view)>
Result<Value> asks(Machine& machine, const Value& self, CallArguments& arguments) {
  QN_TRY(const Values places, bind_arguments("a question about text", arguments, {}, 0));
  QN_OK(machine.work(1 + static_cast<std::int64_t>(self.text().size() / 4)));
  return Value::of(holds(self.text()));
}

bool all_alpha(std::string_view text) {
  return all_of(text, is_alpha);
}
bool all_digit(std::string_view text) {
  return all_of(text, is_digit);
}
bool all_decimal(std::string_view text) {
  return all_of(text, is_decimal);
}
bool all_numeric(std::string_view text) {
  return all_of(text, is_numeric);
}
bool all_alnum(std::string_view text) {
  return all_of(text, [](char32_t c) { return is_alpha(c) || is_numeric(c) || is_digit(c); });
}
bool all_space(std::string_view text) {
  return all_of(text, is_space);
}
bool all_printable(std::string_view text) {
  return text.empty() || all_of(text, is_printable);
}
bool all_ascii(std::string_view text) {
  return text.empty() || all_of(text, [](char32_t c) { return c < 0x80; });
}
bool is_identifier(std::string_view text) {
  return !text.empty() && starts_identifier(utf8::decode(text).code_point) && all_of(text, continues_identifier);
}
bool is_titled(std::string_view text) {
  bool any = false, after_cased = false;
  for (; !text.empty(); text.remove_prefix(character_bytes(text))) {
    const char32_t c = utf8::decode(text).code_point;
    if (is_upper(c) || is_title(c)) {
      if (after_cased) return false;
      any = after_cased = true;
    } else if (is_lower(c)) {
      if (!after_cased) return false;
      any = true;
    } else {
      after_cased = false;
    }
  }
  return any;
}

constexpr MethodRow rows[] = {
    {"strip", strip_method<Side::both>},
    {"lstrip", strip_method<Side::left>},
    {"rstrip", strip_method<Side::right>},
    {"split", split<From::left>},
    {"rsplit", split<From::right>},
    {"splitlines", splitlines},
    {"partition", partition<From::left>},
    {"rpartition", partition<From::right>},
    {"startswith", has_affix<End::start>},
    {"endswith", has_affix<End::finish>},
    {"removeprefix", remove_affix<End::start>},
    {"removesuffix", remove_affix<End::finish>},
    {"replace", replace},
    {"upper", changed<to_upper>},
    {"lower", changed<to_lower>},
    {"casefold", changed<to_lower>},
    {"title", changed<to_title>},
    {"capitalize", changed<to_capitalized>},
    {"swapcase", changed<to_swapped>},
    {"join", join},
    {"find", find<From::left, Miss::minus_one>},
    {"rfind", find<From::right, Miss::minus_one>},
    {"index", find<From::left, Miss::error>},
    {"rindex", find<From::right, Miss::error>},
    {"count", count},
    {"ljust", justify<Align::left>},
    {"rjust", justify<Align::right>},
    {"center", justify<Align::center>},
    {"zfill", zfill},
    {"expandtabs", expandtabs},
    {"format", format},
    {"format_map", format_map},
    {"isalpha", asks<all_alpha>},
    {"isdigit", asks<all_digit>},
    {"isdecimal", asks<all_decimal>},
    {"isnumeric", asks<all_numeric>},
    {"isalnum", asks<all_alnum>},
    {"isspace", asks<all_space>},
    {"islower", asks<text_is_lower>},
    {"isupper", asks<text_is_upper>},
    {"istitle", asks<is_titled>},
    {"isascii", asks<all_ascii>},
    {"isprintable", asks<all_printable>},
    {"isidentifier", asks<is_identifier>},
};

}  // namespace

std::span<const MethodRow> string_methods() {
  return rows;
}

}  // namespace qn::text::jinja
