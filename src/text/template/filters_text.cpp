// Filters on text.
#include <algorithm>

#include "base/utf8.h"
#include "text/template/access.h"
#include "text/template/arguments.h"
#include "text/template/filters.h"
#include "text/template/format.h"
#include "text/template/markup.h"
#include "text/template/operators.h"
#include "text/template/print.h"
#include "text/template/text_methods.h"
#include "text/template/tojson.h"
#include "text/template/unicode.h"

namespace qn::text::jinja {
namespace {

Result<Value> finish(Machine& machine, Text& out) {
  QN_TRY(std::string text, out.take());
  return machine.heap().string(std::move(text));
}

// A change of case, on str(subject).
template <std::string (*change)(std::string_view)>
Result<Value> changed(Machine& machine, const Value& subject, CallArguments& arguments) {
  QN_TRY(const Values places, bind_arguments("a filter of case", arguments, {}, 0));
  QN_TRY(const Value text, to_string(machine, subject));
  QN_OK(machine.budget().room(text.text().size() * 6));
  QN_OK(machine.work(1 + static_cast<std::int64_t>(text.text().size() / 4)));
  return with_markup(machine.heap().string(change(text.text())), is_markup(text));
}

// Words begin after white space and -({[<; str.title has other rules.
std::string title(std::string_view text) {
  std::string out, word;
  const auto flush = [&] {
    if (word.empty()) return;
    const auto first = static_cast<std::size_t>(utf8::decode(word).bytes);
    out += to_upper(word.substr(0, first));
    out += to_lower(std::string_view(word).substr(first));
    word.clear();
  };
  bool in_gap = false;
  while (!text.empty()) {
    const utf8::Decoded next = utf8::decode(text);
    const bool gap = is_space(next.code_point) || std::u32string_view(U"-({[<").find(next.code_point) != std::u32string_view::npos;
    if (gap != in_gap) flush();
    in_gap = gap;
    word += text.substr(0, static_cast<std::size_t>(next.bytes));
    text.remove_prefix(static_cast<std::size_t>(next.bytes));
  }
  flush();
  return out;
}

Result<Value> center(Machine& machine, const Value& subject, CallArguments& arguments) {
  QN_TRY(const Values places, bind_arguments("center", arguments, {"width"}, 0));
  QN_TRY(const Int width, integer_or("center", places[0], 80));
  QN_TRY(const Value text, to_string(machine, subject));
  return pad_text(machine, text, width, " ", Align::center);
}

Result<Value> escape_filter(Machine& machine, const Value& subject, CallArguments& arguments) {
  QN_TRY(const Values places, bind_arguments("escape", arguments, {}, 0));
  return escape(machine, subject);
}

Result<Value> force_escape(Machine& machine, const Value& subject, CallArguments& arguments) {
  QN_TRY(const Values places, bind_arguments("forceescape", arguments, {}, 0));
  QN_TRY(const Value text, to_string(machine, subject));
  return escape(machine, machine.heap().string(std::string(text.text())));
}

Result<Value> safe(Machine& machine, const Value& subject, CallArguments& arguments) {
  QN_TRY(const Values places, bind_arguments("safe", arguments, {}, 0));
  QN_TRY(const Value text, to_string(machine, subject));
  return with_markup(machine.heap().string(std::string(text.text())), true);
}

Result<Value> format(Machine& machine, const Value& subject, CallArguments& arguments) {
  if (!arguments.positional.empty() && !arguments.named.empty()) return type_error("format with both plain and named values; use one kind");
  QN_TRY(const Value form, to_string(machine, subject));
  Value values;
  if (arguments.named.empty()) {
    values = machine.heap().tuple(std::move(arguments.positional));
  } else {
    values = machine.heap().make<Dict>(0);
    for (auto& [name, value] : arguments.named) QN_OK(dict_set(machine, values.as<Dict>(), machine.heap().string(name), value));
  }
  return format_percent(machine, form, values);
}

Result<Value> indent(Machine& machine, const Value& subject, CallArguments& arguments) {
  QN_TRY(const Values places, bind_arguments("indent", arguments, {"width", "first", "blank"}, 0));
  std::string indention;
  if (places[0].is(Kind::string)) {
    indention = places[0].text();
  } else {
    QN_TRY(const Int width, integer_or("indent", places[0], 4));
    QN_OK(machine.budget().room(width > 0 ? static_cast<std::size_t>(std::min<Int>(width, Int{1} << 40)) : 0));
    indention.assign(width > 0 ? static_cast<std::size_t>(width) : 0, ' ');
  }
  if (subject.is(Kind::undefined)) return undefined_error(subject);
  if (!subject.is(Kind::string)) return type_error("indent of {}; it takes text", type_name(subject));
  const std::string text = std::string(subject.text()) + "\n";
  QN_TRY(const std::vector<std::string_view> lines, split_lines(machine, text, false));
  Text out(machine.budget());
  const bool blank = true_or(places[2], false);
  if (true_or(places[1], false)) out.add(indention);
  for (std::size_t i = 0; i < lines.size(); ++i) {
    QN_OK(machine.work(1));
    if (i > 0) {
      out.add("\n");
      if (blank || !lines[i].empty()) out.add(indention);
    }
    out.add(lines[i]);
    QN_OK(out.status());
  }
  QN_TRY(const Value indented, finish(machine, out));
  return with_markup(indented, is_markup(subject));
}

Result<Value> replace(Machine& machine, const Value& subject, CallArguments& arguments) {
  QN_TRY(const Values places, bind_arguments("replace", arguments, {"old", "new", "count"}, 2));
  QN_TRY(const Value text, to_string(machine, subject));
  QN_TRY(const Value old, to_string(machine, places[0]));
  QN_TRY(const Value fresh, to_string(machine, places[1]));
  Int count = -1;
  if (!places[2].is(Kind::none)) {
    QN_TRY(count, integer_or("replace", places[2], -1));
  }
  return replace_text(machine, text.text(), old.text(), fresh.text(), count);
}

Result<Value> string(Machine& machine, const Value& subject, CallArguments& arguments) {
  QN_TRY(const Values places, bind_arguments("string", arguments, {}, 0));
  return to_string(machine, subject);
}

Result<Value> trim(Machine& machine, const Value& subject, CallArguments& arguments) {
  QN_TRY(const Values places, bind_arguments("trim", arguments, {"chars"}, 0));
  QN_TRY(const Value text, to_string(machine, subject));
  QN_OK(machine.work(1 + static_cast<std::int64_t>(text.text().size() / 16)));
  std::string_view out;
  if (places[0].is(Kind::missing) || places[0].is(Kind::none)) {
    out = strip(text.text(), Side::both);
  } else {
    QN_TRY(const Value set, string_or(machine, "trim", places[0], ""));
    const std::string_view characters_of = set.text();
    QN_OK(machine.work(static_cast<std::int64_t>(text.text().size() * characters_of.size() / 16)));
    out = strip(text.text(), Side::both, &characters_of);
  }
  return with_markup(machine.heap().string(std::string(out)), is_markup(text));
}

Result<Value> truncate(Machine& machine, const Value& subject, CallArguments& arguments) {
  QN_TRY(const Values places, bind_arguments("truncate", arguments, {"length", "killwords", "end", "leeway"}, 0));
  QN_TRY(const Int length, integer_or("truncate", places[0], 255));
  QN_TRY(const Value end, string_or(machine, "truncate", places[2], "..."));
  Int leeway = 5;
  if (!places[3].is(Kind::none)) {
    QN_TRY(leeway, integer_or("truncate", places[3], 5));
  }
  const Int end_length = end.as<Str>().length();
  if (length < end_length) return type_error("truncate to less than the length of its end; use a longer length");
  if (leeway < 0) return type_error("truncate with a negative leeway; use 0 or more");
  QN_TRY(const std::int64_t have, length_of(subject));
  if (have <= length + leeway) return subject;
  if (!subject.is(Kind::string)) return type_error("truncate of {}; it takes text", type_name(subject));
  QN_OK(machine.work(1 + have / 16));
  std::string_view kept = characters(subject, 0, static_cast<std::int64_t>(length - end_length));
  if (!true_or(places[1], false)) kept = kept.substr(0, kept.rfind(' '));
  return machine.heap().string(std::string(kept) + std::string(end.text()));
}

void quote_url(std::string_view text, bool query, Text& out) {
  constexpr std::string_view plain = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-~";
  for (const char c : text) {
    if (out.full()) return;
    if (plain.find(c) != std::string_view::npos || (c == '/' && !query)) {
      out.add(1, c);
    } else if (c == ' ' && query) {
      out.add("+");
    } else {
      out.add(fmt::format("%{:02X}", static_cast<unsigned char>(c)));
    }
  }
}

Result<Value> urlencode(Machine& machine, const Value& subject, CallArguments& arguments) {
  QN_TRY(const Values places, bind_arguments("urlencode", arguments, {}, 0));
  Text out(machine.budget());
  const auto add = [&](const Value& value, bool query) -> Status {
    QN_TRY(const Value text, to_string(machine, value));
    QN_OK(machine.work(1 + static_cast<std::int64_t>(text.text().size())));
    quote_url(text.text(), query, out);
    return out.status();
  };
  if (subject.is(Kind::string) || !is_iterable(subject)) {
    QN_OK(add(subject, false));
    return finish(machine, out);
  }
  const Value pairs = subject.is(Kind::dict) ? machine.heap().make<View>(0, subject, View::Of::items) : subject;
  QN_TRY(const Values items, collect(machine, pairs));
  for (std::size_t i = 0; i < items.size(); ++i) {
    QN_TRY(const Values pair, collect(machine, items[i]));
    if (pair.size() != 2) return type_error("urlencode needs pairs, got one of {} values", pair.size());
    if (i > 0) out.add("&");
    QN_OK(add(pair[0], true));
    out.add("=");
    QN_OK(add(pair[1], true));
  }
  return finish(machine, out);
}

Result<Value> wordcount(Machine& machine, const Value& subject, CallArguments& arguments) {
  QN_TRY(const Values places, bind_arguments("wordcount", arguments, {}, 0));
  QN_TRY(const Value text, to_string(machine, subject));
  QN_OK(machine.work(1 + static_cast<std::int64_t>(text.text().size() / 4)));
  Int count = 0;
  bool inside = false;
  for (std::string_view rest = text.text(); !rest.empty();) {
    const utf8::Decoded next = utf8::decode(rest);
    const bool word = is_word(next.code_point);
    count += word && !inside;
    inside = word;
    rest.remove_prefix(static_cast<std::size_t>(next.bytes));
  }
  return Value::of(count);
}

Result<Value> xmlattr(Machine& machine, const Value& subject, CallArguments& arguments) {
  QN_TRY(const Values places, bind_arguments("xmlattr", arguments, {"autospace"}, 0));
  if (!subject.is(Kind::dict)) return type_error("xmlattr of {}; it takes a dict", type_name(subject));
  Text out(machine.budget());
  bool any = false;
  for (const auto& [key, value] : subject.as<Dict>().entries) {
    if (value.is(Kind::none) || value.is(Kind::undefined)) continue;
    if (!key.is(Kind::string)) return type_error("xmlattr with a key that is {}; keys are text", type_name(key));
    if (key.text().find_first_of(" \t\n\r\f\v/>=") != std::string_view::npos)
      return type_error("xmlattr with the key {}; leave out white space and />=", quoted(key.text()));
    QN_TRY(const Value name, escape(machine, key));
    QN_TRY(const Value shown, escape(machine, value));
    if (any || true_or(places[0], true)) out.add(" ");
    any = true;
    out.add(name.text()), out.add("=\""), out.add(shown.text()), out.add("\"");
    QN_OK(out.status());
  }
  return finish(machine, out);
}

Result<Value> tojson(Machine& machine, const Value& subject, CallArguments& arguments) {
  return to_json(machine, subject, arguments);
}

constexpr FilterEntry entries[] = {
    {"capitalize", changed<to_capitalized>},
    {"center", center},
    {"e", escape_filter},
    {"escape", escape_filter},
    {"forceescape", force_escape},
    {"format", format},
    {"indent", indent},
    {"lower", changed<to_lower>},
    {"replace", replace},
    {"safe", safe},
    {"string", string},
    {"title", changed<title>},
    {"tojson", tojson},
    {"trim", trim},
    {"truncate", truncate},
    {"upper", changed<to_upper>},
    {"urlencode", urlencode},
    {"wordcount", wordcount},
    {"xmlattr", xmlattr},
};

}  // namespace

std::span<const FilterEntry> text_filters() {
  return entries;
}

}  // namespace qn::text::jinja
