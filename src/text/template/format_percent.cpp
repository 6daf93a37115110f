// "%(name)-8.3f" % values
//   source   Python library reference, printf-style string formatting
#include <cmath>

#include "base/utf8.h"
#include "text/template/access.h"
#include "text/template/format.h"
#include "text/template/machine.h"
#include "text/template/markup.h"
#include "text/template/operators.h"
#include "text/template/print.h"
#include "text/template/unicode.h"

namespace qn::text::jinja {
namespace {

struct Field {
  bool left = false, plus = false, space = false, alternate = false, zero = false;
  std::int64_t width = 0;
  std::int64_t precision = -1;
  char conversion = 0;
};

// The values that a format consumes one after the other.
class Supply {
 public:
  explicit Supply(const Value& argument) : argument_(argument) {
    if (argument.is(Kind::tuple)) items_ = &argument.as<List>().items;
  }
  Result<Value> next() {
    if (items_ != nullptr) {
      if (at_ >= items_->size()) return type_error("not enough values for the format; add some");
      return (*items_)[at_++];
    }
    if (at_ > 0) return type_error("not enough values for the format; add some");
    ++at_;
    return argument_;
  }
  Result<Value> named(Machine& machine, std::string_view name) {
    if (!argument_.is(Kind::dict)) return type_error("a format with names needs a dict, got {}", type_name(argument_));
    ++at_;
    used_name_ = true;
    QN_OK(machine.work(1));
    if (const Value* found = dict_find(argument_.as<Dict>(), name)) return *found;
    return type_error("the dict for a format has no key {}; add it", quoted(name));
  }
  bool exhausted() const {
    if (items_ != nullptr) return at_ >= items_->size();
    // One value that is no tuple may go unused if it is a mapping or a list.
    return at_ > 0 || argument_.is(Kind::dict) || argument_.is(Kind::list) || argument_.is(Kind::range) || argument_.is(Kind::undefined);
  }

 private:
  const Value& argument_;
  const Values* items_ = nullptr;
  std::size_t at_ = 0;
  bool used_name_ = false;
};

std::string in_base(Int value, int base, bool capitals) {
  auto rest = value < 0 ? -static_cast<unsigned __int128>(value) : static_cast<unsigned __int128>(value);
  if (rest == 0) return "0";
  std::string out;
  for (; rest != 0; rest /= static_cast<unsigned>(base)) {
    const auto digit = static_cast<int>(rest % static_cast<unsigned>(base));
    out.insert(out.begin(), static_cast<char>(digit < 10 ? '0' + digit : (capitals ? 'A' : 'a') + digit - 10));
  }
  return out;
}

Status pad(const Field& field, std::string_view sign, std::string_view body, bool is_number, Text& out) {
  const std::int64_t length = static_cast<std::int64_t>(sign.size()) + count_code_points(body);
  const std::size_t gap = field.width > length ? static_cast<std::size_t>(field.width - length) : 0;
  if (field.left) {
    out.add(sign), out.add(body), out.add(gap, ' ');
  } else if (field.zero && is_number) {
    out.add(sign), out.add(gap, '0'), out.add(body);
  } else {
    out.add(gap, ' '), out.add(sign), out.add(body);
  }
  return out.status();
}

Status print_number_field(const Value& value, const Field& field, Text& out) {
  const char conversion = field.conversion;
  const std::string_view positive = field.plus ? "+" : field.space ? " " : "";
  if (std::string_view("diuxXo").find(conversion) != std::string_view::npos) {
    const bool decimal = conversion == 'd' || conversion == 'i' || conversion == 'u';
    if (!value.is_whole() && !(decimal && value.is(Kind::real)))
      return type_error("%{} needs {}, not {}", conversion, decimal ? "a number" : "an integer", type_name(value));
    Int number = 0;
    if (value.is_whole()) {
      number = value.integer();
    } else {
      QN_TRY(number, truncated(value.real()));
    }
    const int base = decimal ? 10 : conversion == 'o' ? 8 : 16;
    std::string digits = in_base(number, base, conversion == 'X');
    if (field.precision > static_cast<std::int64_t>(digits.size())) {
      if (field.precision > 1000) return fail(Code::too_large, "precision {} in a format; at most 1000 is offered", field.precision);
      digits.insert(0, static_cast<std::size_t>(field.precision) - digits.size(), '0');
    }
    std::string sign(number < 0 ? "-" : positive);
    if (field.alternate && conversion == 'o') sign += "0o";
    if (field.alternate && base == 16) sign += conversion == 'x' ? "0x" : "0X";
    return pad(field, sign, digits, true, out);
  }
  if (!value.is_number()) return type_error("%{} needs a number, not {}", conversion, type_name(value));
  const double real = to_real(value);
  const int precision = field.precision < 0 ? 6 : static_cast<int>(std::min<std::int64_t>(field.precision, 100'000));
  QN_TRY(std::string digits, format_real(real, conversion, precision, field.alternate));
  std::string_view body = digits, sign = positive;
  if (body.substr(0, 1) == "-") {
    sign = "-";
    body.remove_prefix(1);
  }
  return pad(field, sign, body, true, out);
}

Status print_field(Machine& machine, const Value& value, const Field& field, bool markup, Text& out) {
  switch (field.conversion) {
    case 's':
    case 'r':
    case 'a': {
      Text text(machine.budget());
      if (field.conversion == 's') {
        QN_OK(print_value(machine, value, text));
      } else {
        QN_OK(print_repr(machine, value, text));
      }
      std::string shown(text.view());
      if (field.conversion == 'a') {
        std::string ascii;
        for (std::string_view rest = shown; !rest.empty();) {
          const utf8::Decoded next = utf8::decode(rest);
          const auto c = static_cast<unsigned>(next.code_point);
          ascii += c < 0x80      ? std::string(1, static_cast<char>(c))
                   : c < 0x100   ? fmt::format("\\x{:02x}", c)
                   : c < 0x10000 ? fmt::format("\\u{:04x}", c)
                                 : fmt::format("\\U{:08x}", c);
          rest.remove_prefix(static_cast<std::size_t>(next.bytes));
        }
        shown = std::move(ascii);
      }
      if (markup) {
        const Value plain = value.is(Kind::string) && field.conversion == 's' ? value : machine.heap().string(shown);
        QN_TRY(const Value escaped, escape(machine, plain));
        shown = escaped.text();
      }
      std::string_view cut = shown;
      if (field.precision >= 0) cut = cut.substr(0, offset_of(cut, field.precision));
      return pad(field, "", cut, false, out);
    }
    case 'c': {
      std::string character;
      if (value.is(Kind::string) && value.as<Str>().length() == 1) {
        character = value.text();
      } else if (value.is_whole() && value.integer() >= 0 && value.integer() < 0x110000) {
        utf8::append(character, static_cast<char32_t>(value.integer()));
      } else {
        return type_error("%c needs one character, not {}", type_name(value));
      }
      return pad(field, "", character, false, out);
    }
    case 'd':
    case 'i':
    case 'u':
    case 'x':
    case 'X':
    case 'o':
    case 'e':
    case 'E':
    case 'f':
    case 'F':
    case 'g':
    case 'G': return print_number_field(value, field, out);
    default:
      return type_error("unknown conversion %{} in a format; write %% for a percent sign", quoted(std::string_view(&field.conversion, 1)));
  }
}

// Digits, or '*' for a value from the supply.
Status read_count(std::string_view form, std::size_t& at, Supply& supply, std::int64_t& out, bool& negative) {
  if (at < form.size() && form[at] == '*') {
    ++at;
    QN_TRY(const Value value, supply.next());
    if (!value.is_whole()) return type_error("'*' in a format needs an integer, not {}", type_name(value));
    const Int count = value.integer();
    negative = count < 0;
    const Int size = negative ? -count : count;
    out = size > 1'000'000'000 ? 1'000'000'000 : static_cast<std::int64_t>(size);
    return {};
  }
  for (; at < form.size() && form[at] >= '0' && form[at] <= '9'; ++at)
    if (out < 1'000'000'000) out = out * 10 + (form[at] - '0');
  return {};
}

}  // namespace

Result<Value> format_percent(Machine& machine, const Value& form_value, const Value& argument) {
  const std::string_view form = form_value.text();
  const bool markup = is_markup(form_value);
  Supply supply(argument);
  Text out(machine.budget());
  std::size_t at = 0;
  while (at < form.size()) {
    const std::size_t percent = form.find('%', at);
    out.add(form.substr(at, percent - at));
    if (percent == std::string_view::npos) break;
    QN_OK(machine.work(1));
    at = percent + 1;
    Field field;
    bool by_name = false;
    std::string_view name;
    if (at < form.size() && form[at] == '(') {
      int open = 1;
      const std::size_t begin = ++at;
      for (; at < form.size() && open > 0; ++at) open += form[at] == '(' ? 1 : form[at] == ')' ? -1 : 0;
      if (open > 0) return type_error("a format ends inside a name; close the parenthesis");
      name = form.substr(begin, at - begin - 1);
      by_name = true;
    }
    Value value;
    if (by_name) {
      QN_TRY(value, supply.named(machine, name));
    }
    for (; at < form.size(); ++at) {
      const char flag = form[at];
      if (flag == '-') {
        field.left = true;
      } else if (flag == '+') {
        field.plus = true;
      } else if (flag == ' ') {
        field.space = true;
      } else if (flag == '#') {
        field.alternate = true;
      } else if (flag == '0') {
        field.zero = true;
      } else {
        break;
      }
    }
    bool negative = false;
    QN_OK(read_count(form, at, supply, field.width, negative));
    field.left = field.left || negative;
    if (at < form.size() && form[at] == '.') {
      ++at;
      field.precision = 0;
      negative = false;
      QN_OK(read_count(form, at, supply, field.precision, negative));
      if (negative) field.precision = 0;
    }
    while (at < form.size() && (form[at] == 'h' || form[at] == 'l' || form[at] == 'L')) ++at;
    if (at >= form.size()) return type_error("a format ends after '%'; write %% for a percent sign");
    field.conversion = form[at++];
    if (field.conversion == '%') {
      out.add("%");
      continue;
    }
    if (!by_name) {
      QN_TRY(value, supply.next());
    }
    QN_OK(print_field(machine, value, field, markup, out));
  }
  if (!supply.exhausted()) return type_error("not all values are used by the format; remove some");
  QN_TRY(std::string text, out.take());
  return with_markup(machine.heap().string(std::move(text)), markup);
}

}  // namespace qn::text::jinja
