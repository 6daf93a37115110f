#include "text/template/print.h"

#include <algorithm>
#include <cmath>

#include "base/json.h"
#include "base/utf8.h"
#include "text/template/iterate.h"
#include "text/template/machine.h"
#include "text/template/unicode.h"

namespace qn::text::jinja {
namespace {

void print_quoted(std::string_view text, Text& out) {
  const bool has_single = text.find('\'') != std::string_view::npos, has_double = text.find('"') != std::string_view::npos;
  const char quote = has_single && !has_double ? '"' : '\'';
  out.add(1, quote);
  while (!text.empty() && !out.full()) {
    const utf8::Decoded next = utf8::decode(text);
    const auto bytes = static_cast<std::size_t>(next.bytes);
    const char32_t c = next.code_point;
    if (c == static_cast<unsigned char>(quote) || c == '\\') {
      out.add(1, '\\');
      out.add(text.substr(0, 1));
    } else if (c == '\n') {
      out.add("\\n");
    } else if (c == '\r') {
      out.add("\\r");
    } else if (c == '\t') {
      out.add("\\t");
    } else if (is_printable(c)) {
      out.add(text.substr(0, bytes));
    } else if (c < 0x100) {
      out.add(fmt::format("\\x{:02x}", static_cast<unsigned>(c)));
    } else if (c < 0x10000) {
      out.add(fmt::format("\\u{:04x}", static_cast<unsigned>(c)));
    } else {
      out.add(fmt::format("\\U{:08x}", static_cast<unsigned>(c)));
    }
    text.remove_prefix(bytes);
  }
  out.add(1, quote);
}

Status print_items(Machine& machine, const Values& items, Text& out) {
  std::string_view separator = "";
  for (const Value& item : items) {
    QN_OK(machine.work(1));
    out.add(separator);
    separator = ", ";
    QN_OK(print_repr(machine, item, out));
  }
  return out.status();
}

Status print_dict(Machine& machine, const Dict& dict, Text& out) {
  out.add("{");
  std::string_view separator = "";
  for (const auto& [key, value] : dict.entries) {
    QN_OK(machine.work(1));
    out.add(separator);
    separator = ", ";
    QN_OK(print_repr(machine, key, out));
    out.add(": ");
    QN_OK(print_repr(machine, value, out));
  }
  out.add("}");
  return out.status();
}

Status print_view(Machine& machine, const Value& value, Text& out) {
  const View& view = value.as<View>();
  out.add(view.what == View::Of::keys ? "dict_keys([" : view.what == View::Of::values ? "dict_values([" : "dict_items([");
  QN_TRY(const Values items, collect(machine, value));
  QN_OK(print_items(machine, items, out));
  out.add("])");
  return {};
}

}  // namespace

std::string print_integer(Int value) {
  if (value == 0) return "0";
  std::string out;
  const bool negative = value < 0;
  auto rest = negative ? -static_cast<unsigned __int128>(value) : static_cast<unsigned __int128>(value);
  for (; rest != 0; rest /= 10) out += static_cast<char>('0' + static_cast<int>(rest % 10));
  if (negative) out += '-';
  std::reverse(out.begin(), out.end());
  return out;
}

std::string print_real(double value) {
  if (std::isnan(value)) return "nan";
  if (std::isinf(value)) return value < 0 ? "-inf" : "inf";
  return json::print_number(value);
}

Status print_value(Machine& machine, const Value& value, Text& out) {
  if (value.is(Kind::string)) {
    out.add(value.text());
    return out.status();
  }
  if (value.is(Kind::undefined)) return {};
  return print_repr(machine, value, out);
}

Status print_repr(Machine& machine, const Value& value, Text& out) {
  const Nest nest(machine.budget());
  if (nest.too_deep()) return nested_too_deep();
  switch (value.kind()) {
    case Kind::missing:
    case Kind::none: out.add("None"); break;
    case Kind::boolean: out.add(value.boolean() ? "True" : "False"); break;
    case Kind::integer: out.add(print_integer(value.integer())); break;
    case Kind::real: out.add(print_real(value.real())); break;
    case Kind::string:
      QN_OK(machine.work(1 + static_cast<std::int64_t>(value.text().size() / 8)));
      if (value.as<Str>().markup) out.add("Markup(");
      print_quoted(value.text(), out);
      if (value.as<Str>().markup) out.add(")");
      break;
    case Kind::list:
      out.add("[");
      QN_OK(print_items(machine, value.as<List>().items, out));
      out.add("]");
      break;
    case Kind::tuple:
      out.add("(");
      QN_OK(print_items(machine, value.as<List>().items, out));
      out.add(value.as<List>().items.size() == 1 ? ",)" : ")");
      break;
    case Kind::dict: return print_dict(machine, value.as<Dict>(), out);
    case Kind::range: {
      const Range& range = value.as<Range>();
      out.add("range(" + print_integer(range.start) + ", " + print_integer(range.stop));
      if (range.step != 1) out.add(", " + print_integer(range.step));
      out.add(")");
      break;
    }
    case Kind::view: return print_view(machine, value, out);
    case Kind::undefined: out.add("Undefined"); break;
    case Kind::namespace_:
      out.add("<Namespace ");
      QN_OK(print_dict(machine, value.as<Namespace>().attributes.as<Dict>(), out));
      out.add(">");
      break;
    case Kind::macro: {
      const MacroBody& macro = *value.as<Macro>().body;
      out.add("<Macro ");
      if (macro.anonymous) {
        out.add("anonymous");
      } else {
        print_quoted(machine.name(macro.name), out);
      }
      out.add(">");
      break;
    }
    case Kind::loop: {
      Loop& loop = value.as<Loop>();
      QN_TRY(const std::int64_t length, loop.length(machine));
      out.add(fmt::format("<LoopContext {}/{}>", loop.index0 + 1, length));
      break;
    }
    case Kind::iterator:
    case Kind::method:
    case Kind::function:
    case Kind::cycler:
    case Kind::joiner:
    case Kind::scope: out.add(fmt::format("<{} object>", type_name(value))); break;
  }
  return out.status();
}

Result<Value> to_string(Machine& machine, const Value& value) {
  if (value.is(Kind::string)) return value;
  Text out(machine.budget());
  QN_OK(print_value(machine, value, out));
  QN_TRY(std::string text, out.take());
  return machine.heap().string(std::move(text));
}

}  // namespace qn::text::jinja
