#include "text/template/tojson.h"

#include <algorithm>
#include <cmath>

#include "base/utf8.h"
#include "text/template/arguments.h"
#include "text/template/operators.h"
#include "text/template/print.h"

namespace qn::text::jinja {
namespace {

struct Style {
  bool ascii = false, sorted = false, lines = false;
  std::string indent, comma = ", ", colon = ": ";
};

class Printer {
 public:
  Printer(Machine& machine, const Style& style, Text& out) : machine_(machine), style_(style), out_(out) {}

  Status print(const Value& value, int level) {
    const Nest nest(machine_.budget());
    if (nest.too_deep()) return nested_too_deep();
    QN_OK(machine_.work(1));
    switch (value.kind()) {
      case Kind::none: out_.add("null"); break;
      case Kind::boolean: out_.add(value.boolean() ? "true" : "false"); break;
      case Kind::integer: out_.add(print_integer(value.integer())); break;
      case Kind::real: out_.add(real_text(value.real())); break;
      case Kind::string: return print_string(value.text());
      case Kind::list:
      case Kind::tuple: return print_list(value.as<List>().items, level);
      case Kind::dict: return print_dict(value.as<Dict>(), level);
      default: return type_error("tojson of {}; make a list or a dict of it first", type_name(value));
    }
    return out_.status();
  }

 private:
  static std::string real_text(double value) {
    if (std::isnan(value)) return "NaN";
    if (std::isinf(value)) return value < 0 ? "-Infinity" : "Infinity";
    return print_real(value);
  }

  void new_line(int level) {
    if (!style_.lines) return;
    out_.add("\n");
    for (int i = 0; i < level; ++i) out_.add(style_.indent);
  }

  Status print_string(std::string_view text) {
    QN_OK(machine_.work(static_cast<std::int64_t>(text.size() / 16)));
    out_.add("\"");
    while (!text.empty() && !out_.full()) {
      const auto plain =
          static_cast<std::size_t>(std::find_if(text.begin(), text.end(), [this](char c) { return needs_escape(c); }) - text.begin());
      out_.add(text.substr(0, plain));
      text.remove_prefix(plain);
      if (text.empty()) break;
      const utf8::Decoded next = utf8::decode(text);
      print_escape(next.code_point);
      text.remove_prefix(static_cast<std::size_t>(next.bytes));
    }
    out_.add("\"");
    return out_.status();
  }

  bool needs_escape(char c) const {
    const auto byte = static_cast<unsigned char>(c);
    return byte < 0x20 || c == '"' || c == '\\' || (style_.ascii && byte >= 0x7F);
  }

  void print_escape(char32_t c) {
    switch (c) {
      case '"': return out_.add("\\\"");
      case '\\': return out_.add("\\\\");
      case '\n': return out_.add("\\n");
      case '\r': return out_.add("\\r");
      case '\t': return out_.add("\\t");
      case '\b': return out_.add("\\b");
      case '\f': return out_.add("\\f");
      case 0x7F: return out_.add("\x7F");
      default: break;
    }
    if (c < 0x10000) return out_.add(fmt::format("\\u{:04x}", static_cast<unsigned>(c)));
    const auto offset = static_cast<unsigned>(c) - 0x10000;
    out_.add(fmt::format("\\u{:04x}\\u{:04x}", 0xD800 + (offset >> 10), 0xDC00 + (offset & 0x3FF)));
  }

  Status print_list(const Values& items, int level) {
    if (items.empty()) {
      out_.add("[]");
      return out_.status();
    }
    out_.add("[");
    for (std::size_t i = 0; i < items.size(); ++i) {
      if (i > 0) out_.add(style_.comma);
      new_line(level + 1);
      QN_OK(print(items[i], level + 1));
    }
    new_line(level);
    out_.add("]");
    return out_.status();
  }

  Status print_key(const Value& key) {
    switch (key.kind()) {
      case Kind::string: return print_string(key.text());
      case Kind::boolean: return print_string(key.boolean() ? "true" : "false");
      case Kind::integer: return print_string(print_integer(key.integer()));
      case Kind::real: return print_string(real_text(key.real()));
      case Kind::none: return print_string("null");
      default: return type_error("tojson of a dict with a key that is {}; keys are text or numbers", type_name(key));
    }
  }

  Status print_dict(const Dict& dict, int level) {
    if (dict.entries.empty()) {
      out_.add("{}");
      return out_.status();
    }
    std::vector<const Dict::Entry*> order;
    QN_OK(machine_.budget().room(dict.entries.size() * sizeof(void*)));
    for (const Dict::Entry& entry : dict.entries) order.push_back(&entry);
    if (style_.sorted) {
      Status status;
      std::stable_sort(order.begin(), order.end(), [&](const Dict::Entry* a, const Dict::Entry* b) {
        const Result<bool> less = is_less(machine_, a->first, b->first);
        if (!less && status) status = tl::unexpected<Error>(less.error());
        return less && *less;
      });
      QN_OK(status);
    }
    out_.add("{");
    for (std::size_t i = 0; i < order.size(); ++i) {
      if (i > 0) out_.add(style_.comma);
      new_line(level + 1);
      QN_OK(print_key(order[i]->first));
      out_.add(style_.colon);
      QN_OK(print(order[i]->second, level + 1));
    }
    new_line(level);
    out_.add("}");
    return out_.status();
  }

  Machine& machine_;
  const Style& style_;
  Text& out_;
};

}  // namespace

Result<Value> to_json(Machine& machine, const Value& subject, CallArguments& arguments) {
  QN_TRY(const Values places, bind_arguments("tojson", arguments, {"ensure_ascii", "indent", "separators", "sort_keys"}, 0));
  Style style;
  style.ascii = true_or(places[0], false);
  style.sorted = true_or(places[3], false);
  const Value& indent = places[1];
  if (indent.is(Kind::string)) {
    style.lines = true;
    style.indent = indent.text();
  } else if (indent.is_whole()) {
    const Int width = indent.integer();
    if (width > 10'000) return fail(Code::too_large, "tojson with an indent of more than 10000; use a smaller one");
    style.lines = true;
    style.indent.assign(width > 0 ? static_cast<std::size_t>(width) : 0, ' ');
  } else if (!indent.is(Kind::missing) && !indent.is(Kind::none)) {
    return type_error("tojson indent needs an integer or text, got {}", type_name(indent));
  }
  if (style.lines) style.comma = ",";
  if (!places[2].is(Kind::missing) && !places[2].is(Kind::none)) {
    if (!places[2].is(Kind::list) && !places[2].is(Kind::tuple)) return type_error("tojson separators need a pair of texts");
    const Values& pair = places[2].as<List>().items;
    if (pair.size() != 2 || !pair[0].is(Kind::string) || !pair[1].is(Kind::string))
      return type_error("tojson separators need a pair of texts");
    style.comma = pair[0].text();
    style.colon = pair[1].text();
  }
  Text out(machine.budget());
  QN_OK(Printer(machine, style, out).print(subject, 0));
  QN_TRY(std::string text, out.take());
  return machine.heap().string(std::move(text));
}

}  // namespace qn::text::jinja
