// "{0.name[key]!r:>8}".format(...)
//   source   Python library reference, format string syntax
#include <algorithm>
#include <cmath>

#include "base/utf8.h"
#include "text/template/access.h"
#include "text/template/format.h"
#include "text/template/machine.h"
#include "text/template/operators.h"
#include "text/template/print.h"
#include "text/template/unicode.h"

namespace qn::text::jinja {
namespace {

struct Spec {
  std::string fill = " ";
  char align = 0, sign = '-', grouping = 0, type = 0;
  bool alternate = false, zero = false;
  std::int64_t width = 0, precision = -1;
};

bool is_align(char c) {
  return c == '<' || c == '>' || c == '=' || c == '^';
}

Result<std::int64_t> read_digits(std::string_view text, std::size_t& at) {
  std::int64_t out = 0;
  for (; at < text.size() && text[at] >= '0' && text[at] <= '9'; ++at) {
    out = out * 10 + (text[at] - '0');
    if (out > 1'000'000'000) return type_error("a number in a format is too large; use a smaller one");
  }
  return out;
}

Result<Spec> read_spec(std::string_view text) {
  Spec out;
  std::size_t at = 0;
  if (!text.empty()) {
    const auto first = static_cast<std::size_t>(utf8::decode(text).bytes);
    if (first < text.size() && is_align(text[first])) {
      out.fill = text.substr(0, first);
      out.align = text[first];
      at = first + 1;
    } else if (is_align(text[0])) {
      out.align = text[0];
      at = 1;
    }
  }
  if (at < text.size() && (text[at] == '+' || text[at] == '-' || text[at] == ' ')) out.sign = text[at++];
  if (at < text.size() && text[at] == '#') out.alternate = true, ++at;
  if (at < text.size() && text[at] == '0') {
    out.zero = true;
    if (out.align == 0) out.align = '=', out.fill = "0";
    ++at;
  }
  QN_TRY(out.width, read_digits(text, at));
  if (at < text.size() && (text[at] == ',' || text[at] == '_')) out.grouping = text[at++];
  if (at < text.size() && text[at] == '.') {
    const std::size_t begin = ++at;
    QN_TRY(out.precision, read_digits(text, at));
    if (at == begin) return type_error("a format has '.' without a precision; add a number");
  }
  if (at < text.size()) out.type = text[at++];
  if (at != text.size()) return type_error("invalid format specification {}", quoted(text));
  return out;
}

Status pad(const Spec& spec, std::string_view sign, std::string_view body, char default_align, Text& out) {
  const char align = spec.align == 0 ? default_align : spec.align;
  const std::int64_t length = static_cast<std::int64_t>(sign.size()) + count_code_points(body);
  const std::int64_t gap = std::max<std::int64_t>(0, spec.width - length);
  const std::int64_t before = align == '<' ? 0 : align == '^' ? gap / 2 : gap;
  const auto fill = [&](std::int64_t count) {
    if (spec.fill.size() == 1) return out.add(static_cast<std::size_t>(count), spec.fill[0]);
    for (std::int64_t i = 0; i < count && out.status(); ++i) out.add(spec.fill);
  };
  if (align == '=') {
    out.add(sign), fill(gap), out.add(body);
  } else {
    fill(before), out.add(sign), out.add(body), fill(gap - before);
  }
  return out.status();
}

std::string with_groups(std::string_view digits, char separator, std::size_t every, std::size_t at_least) {
  std::string whole(digits);
  std::string out;
  const auto grouped = [&] {
    out.clear();
    for (std::size_t i = 0; i < whole.size(); ++i) {
      if (i > 0 && (whole.size() - i) % every == 0) out += separator;
      out += whole[i];
    }
  };
  grouped();
  while (out.size() < at_least) {
    whole.insert(whole.begin(), '0');
    grouped();
  }
  return out;
}

Status format_integer(const Value& value, const Spec& spec, Text& out) {
  if (spec.precision >= 0) return type_error("precision in a format for an integer; remove it");
  const Int number = value.integer();
  if (spec.type == 'c') {
    if (number < 0 || number >= 0x110000 || (number >= 0xD800 && number < 0xE000)) return type_error("format 'c' needs a character code");
    std::string character;
    utf8::append(character, static_cast<char32_t>(number));
    return pad(spec, "", character, '<', out);
  }
  const int base = spec.type == 'b' ? 2 : spec.type == 'o' ? 8 : spec.type == 'x' || spec.type == 'X' ? 16 : 10;
  std::string digits;
  auto rest = number < 0 ? -static_cast<unsigned __int128>(number) : static_cast<unsigned __int128>(number);
  do {
    const auto digit = static_cast<int>(rest % static_cast<unsigned>(base));
    digits.insert(digits.begin(), static_cast<char>(digit < 10 ? '0' + digit : (spec.type == 'X' ? 'A' : 'a') + digit - 10));
    rest /= static_cast<unsigned>(base);
  } while (rest != 0);
  if (spec.grouping == ',' && base != 10) return type_error("',' in a format for base {}; use '_'", base);
  std::string sign = number < 0 ? "-" : spec.sign == '-' ? "" : std::string(1, spec.sign);
  if (spec.alternate && base != 10) sign += std::string("0") + (base == 2 ? 'b' : base == 8 ? 'o' : spec.type);
  if (spec.grouping != 0) {
    const bool zeros = spec.align == '=' && spec.fill == "0" && spec.width < 10'000;
    const std::int64_t room = zeros ? spec.width - static_cast<std::int64_t>(sign.size()) : 0;
    digits = with_groups(digits, spec.grouping, base == 10 ? 3 : 4, static_cast<std::size_t>(std::max<std::int64_t>(room, 0)));
  }
  return pad(spec, sign, digits, '>', out);
}

Status format_float(double value, const Spec& spec, Text& out) {
  std::string digits;
  if (spec.precision > 1000) return fail(Code::too_large, "precision {} in a format; at most 1000 is offered", spec.precision);
  const int precision = static_cast<int>(spec.precision);
  if (spec.type == 0 && precision < 0) {
    digits = print_real(value);
  } else if (spec.type == 0) {
    // Like 'g', with at least one digit after the point.
    QN_TRY(digits, format_real(value, 'g', precision, false));
    if (std::isfinite(value) && digits.find_first_of(".e") == std::string::npos) {
      const auto length = static_cast<int>(digits.size()) - (digits[0] == '-' ? 1 : 0);
      if (length >= std::max(precision, 1)) {
        QN_TRY(digits, format_real(value, 'e', std::max(precision, 1) - 1, false));
      } else {
        digits += ".0";
      }
    }
  } else if (spec.type == '%') {
    QN_TRY(digits, format_real(value * 100, 'f', precision < 0 ? 6 : precision, spec.alternate));
    digits += '%';
  } else {
    QN_TRY(digits, format_real(value, spec.type == 'n' ? 'g' : spec.type, precision < 0 ? 6 : precision, spec.alternate));
  }
  std::string sign = spec.sign == '-' ? "" : std::string(1, spec.sign);
  if (digits[0] == '-') {
    sign = "-";
    digits.erase(0, 1);
  }
  if (spec.grouping != 0 && std::isfinite(value)) {
    const std::size_t whole = std::min(digits.find_first_not_of("0123456789"), digits.size());
    const std::string tail = digits.substr(whole);
    const bool zeros = spec.align == '=' && spec.fill == "0" && spec.width < 10'000;
    const std::int64_t room = zeros ? spec.width - static_cast<std::int64_t>(sign.size() + tail.size()) : 0;
    digits = with_groups(digits.substr(0, whole), spec.grouping, 3, static_cast<std::size_t>(std::max<std::int64_t>(room, 0))) + tail;
  }
  return pad(spec, sign, digits, '>', out);
}

Status format_string(std::string_view text, const Spec& spec, Text& out) {
  if (spec.type != 0 && spec.type != 's') return type_error("format type '{}' for text; use 's'", spec.type);
  if (spec.sign != '-' || spec.grouping != 0 || spec.alternate)
    return type_error("a format for numbers on text; remove the sign or grouping");
  if (spec.align == '=' && !spec.zero) return type_error("'=' alignment in a format for text; use '<'");
  if (spec.precision >= 0) text = text.substr(0, offset_of(text, spec.precision));
  Spec left = spec;
  if (left.align == '=') left.align = '<';
  return pad(left, "", text, '<', out);
}

// Fills in one field: {selector!conversion:spec}.
class Filler {
 public:
  Filler(Machine& machine, const CallArguments& arguments) : machine_(machine), arguments_(arguments) {}

  Status fill(std::string_view form, int depth, Text& out) {
    if (depth > 2) return type_error("fields of a format nest more than twice; flatten them");
    std::size_t at = 0;
    while (at < form.size()) {
      QN_OK(machine_.work(1));
      const std::size_t brace = form.find_first_of("{}", at);
      out.add(form.substr(at, brace - at));
      if (brace == std::string_view::npos) break;
      if (brace + 1 < form.size() && form[brace + 1] == form[brace]) {
        out.add(form.substr(brace, 1));
        at = brace + 2;
        continue;
      }
      if (form[brace] == '}') return type_error("a single '}}' in a format; write '}}}}'");
      std::size_t end = brace + 1;
      for (int open = 1; end < form.size(); ++end) {
        open += form[end] == '{' ? 1 : form[end] == '}' ? -1 : 0;
        if (form[end] == '[' && open == 1) {  // a key may hold braces
          const std::size_t close = form.find(']', end);
          if (close != std::string_view::npos) end = close;
        }
        if (open == 0) break;
      }
      if (end >= form.size()) return type_error("a '{{' in a format is never closed; write '{{{{'");
      QN_OK(fill_one(form.substr(brace + 1, end - brace - 1), depth, out));
      at = end + 1;
    }
    return out.status();
  }

 private:
  Status fill_one(std::string_view field, int depth, Text& out) {
    std::size_t selector_end = 0;
    bool in_key = false;
    for (; selector_end < field.size(); ++selector_end) {
      const char c = field[selector_end];
      if (c == '[') in_key = true;
      if (c == ']') in_key = false;
      if (!in_key && (c == '!' || c == ':')) break;
      if (!in_key && c == '{') return type_error("unexpected '{{' in the name of a field of a format");
    }
    QN_TRY(Value value, select(field.substr(0, selector_end)));
    std::size_t at = selector_end;
    if (at < field.size() && field[at] == '!') {
      if (at + 1 >= field.size()) return type_error("a format ends after '!'; add s, r or a");
      const char conversion = field[at + 1];
      at += 2;
      if (at < field.size() && field[at] != ':') return type_error("expected ':' after the conversion of a format");
      Text text(machine_.budget());
      if (conversion == 's') {
        QN_OK(print_value(machine_, value, text));
      } else if (conversion == 'r' || conversion == 'a') {
        QN_OK(print_repr(machine_, value, text));
      } else {
        return type_error("unknown conversion '!{}' in a format; use s or r", quoted(std::string_view(&conversion, 1)));
      }
      QN_TRY(std::string taken, text.take());
      value = machine_.heap().string(std::move(taken));
    }
    Text spec(machine_.budget());
    if (at < field.size()) QN_OK(fill(field.substr(at + 1), depth + 1, spec));
    return format_field(machine_, value, spec.view(), out);
  }

  Result<Value> select(std::string_view selector) {
    std::size_t end = selector.find_first_of(".[");
    if (end == std::string_view::npos) end = selector.size();
    const std::string_view first = selector.substr(0, end);
    Value value;
    const bool numbered = !first.empty() && first.find_first_not_of("0123456789") == std::string_view::npos;
    if (first.empty() || numbered) {
      if (first.empty() ? explicit_ : automatic_ > 0) return type_error("a format mixes numbered and unnumbered fields; use one kind");
      std::size_t index = automatic_;
      if (first.empty()) {
        ++automatic_;
      } else {
        explicit_ = true;
        std::size_t at = 0;
        QN_TRY(const std::int64_t number, read_digits(first, at));
        index = static_cast<std::size_t>(number);
      }
      if (index >= arguments_.positional.size())
        return type_error("a format asks for value {}, {} are given", index, arguments_.positional.size());
      value = arguments_.positional[index];
    } else {
      const auto found =
          std::find_if(arguments_.named.begin(), arguments_.named.end(), [&](const auto& named) { return named.first == first; });
      if (found == arguments_.named.end()) return type_error("a format asks for {}, which is not given", quoted(first));
      value = found->second;
    }
    while (end < selector.size()) {
      if (selector[end] == '.') {
        const std::size_t stop = std::min(selector.find_first_of(".[", end + 1), selector.size());
        const std::string_view name = selector.substr(end + 1, stop - end - 1);
        if (name.empty()) return type_error("an empty attribute in a format");
        QN_TRY(value, get_attribute(machine_, value, name));
        end = stop;
      } else if (selector[end] == '[') {
        const std::size_t close = selector.find(']', end);
        if (close == std::string_view::npos || close == end + 1) return type_error("an empty or open key in a format");
        const std::string_view key = selector.substr(end + 1, close - end - 1);
        std::size_t at = 0;
        if (key.find_first_not_of("0123456789") == std::string_view::npos) {
          QN_TRY(const std::int64_t number, read_digits(key, at));
          QN_TRY(value, get_item(machine_, value, Value::of(Int{number})));
        } else {
          QN_TRY(value, get_item(machine_, value, machine_.heap().string(std::string(key))));
        }
        end = close + 1;
      } else {
        return type_error("only '.' or '[' may follow ']' in a format");
      }
    }
    return value;
  }

  Machine& machine_;
  const CallArguments& arguments_;
  std::size_t automatic_ = 0;
  bool explicit_ = false;
};

}  // namespace

Status format_field(Machine& machine, const Value& value, std::string_view spec_text, Text& out) {
  if (spec_text.empty()) return print_value(machine, value, out);
  if (!value.is(Kind::string) && !value.is_number())
    return type_error("a format specification for {}; print it as text first", type_name(value));
  QN_TRY(const Spec spec, read_spec(spec_text));
  if (value.is(Kind::string)) return format_string(value.text(), spec, out);
  const bool real_type = spec.type != 0 && std::string_view("eEfFgGn%").find(spec.type) != std::string_view::npos;
  const bool whole_type = spec.type != 0 && std::string_view("bcdoxX").find(spec.type) != std::string_view::npos;
  if (spec.type != 0 && !real_type && !whole_type)
    return type_error("format type '{}' for a number", quoted(std::string_view(&spec.type, 1)));
  if (value.is(Kind::boolean) && spec.type == 0) return format_string(value.boolean() ? "True" : "False", spec, out);
  if (value.is_whole() && (!real_type || spec.type == 'n')) return format_integer(value, spec, out);
  if (whole_type) return type_error("format type '{}' for a float; convert it with int", spec.type);
  return format_float(to_real(value), spec, out);
}

Result<Value> format_braces(Machine& machine, const Value& form, const CallArguments& arguments) {
  Text out(machine.budget());
  QN_OK(Filler(machine, arguments).fill(form.text(), 1, out));
  QN_TRY(std::string text, out.take());
  return machine.heap().string(std::move(text));
}

}  // namespace qn::text::jinja
