// Filters on lists, dicts and other iterables that give their whole answer at once.
#include <algorithm>

#include "text/template/access.h"
#include "text/template/arguments.h"
#include "text/template/filters.h"
#include "text/template/operators.h"
#include "text/template/print.h"
#include "text/template/sequences.h"

namespace qn::text::jinja {
namespace {

Case case_of(const Value& case_sensitive) {
  return true_or(case_sensitive, false) ? Case::sensitive : Case::ignored;
}

Result<Value> attr(Machine& machine, const Value& subject, CallArguments& arguments) {
  QN_TRY(const Values places, bind_arguments("attr", arguments, {"name"}, 1));
  QN_TRY(const Value name, string_or(machine, "attr", places[0], ""));
  return get_attribute_only(machine, subject, name.text());
}

Result<Value> default_filter(Machine& machine, const Value& subject, CallArguments& arguments) {
  QN_TRY(const Values places, bind_arguments("default", arguments, {"default_value", "boolean"}, 0));
  const bool absent = subject.is(Kind::undefined) || (true_or(places[1], false) && !is_true(subject));
  if (!absent) return subject;
  return places[0].is(Kind::missing) ? machine.heap().borrowed("") : places[0];
}

Result<Value> dictsort(Machine& machine, const Value& subject, CallArguments& arguments) {
  QN_TRY(const Values places, bind_arguments("dictsort", arguments, {"case_sensitive", "by", "reverse"}, 0));
  QN_TRY(const Value by, string_or(machine, "dictsort", places[1], "key"));
  if (by.text() != "key" && by.text() != "value") return type_error("dictsort by {}; sort by 'key' or 'value'", quoted(by.text()));
  if (!subject.is(Kind::dict)) return type_error("dictsort of {}; it takes a dict", type_name(subject));
  Values items, keys;
  for (const auto& [key, value] : subject.as<Dict>().entries) {
    QN_OK(machine.work(1));
    QN_TRY(Value sort_key, fold_case(machine, by.text() == "key" ? key : value, case_of(places[0])));
    keys.push_back(std::move(sort_key));
    items.push_back(machine.heap().pair(key, value));
  }
  QN_OK(sort_by(machine, items, keys, true_or(places[2], false) ? Order::descending : Order::ascending));
  return machine.heap().list(std::move(items));
}

Result<Value> first(Machine& machine, const Value& subject, CallArguments& arguments) {
  QN_TRY(const Values places, bind_arguments("first", arguments, {}, 0));
  QN_TRY(Cursor cursor, Cursor::over(subject));
  Value out;
  QN_TRY(const bool any, cursor.advance(machine, out));
  return any ? out : machine.heap().undefined("no first item, sequence was empty");
}

Result<Value> last(Machine& machine, const Value& subject, CallArguments& arguments) {
  QN_TRY(const Values places, bind_arguments("last", arguments, {}, 0));
  if (subject.is(Kind::iterator)) return type_error("last of a generator; make a list of it first");
  if (!is_iterable(subject)) return type_error("last of {}; it takes a list or text", type_name(subject));
  QN_TRY(const std::int64_t length, length_of(subject));
  if (length == 0) return machine.heap().undefined("no last item, sequence was empty");
  if (subject.is(Kind::dict)) return subject.as<Dict>().entries.back().first;
  if (subject.is(Kind::view)) {
    const auto& [key, value] = subject.as<View>().dict.as<Dict>().entries.back();
    const View::Of what = subject.as<View>().what;
    return what == View::Of::keys ? key : what == View::Of::values ? value : machine.heap().pair(key, value);
  }
  return get_item(machine, subject, Value::of(Int{length - 1}));
}

Result<Value> length(Machine&, const Value& subject, CallArguments& arguments) {
  QN_TRY(const Values places, bind_arguments("length", arguments, {}, 0));
  QN_TRY(const std::int64_t count, length_of(subject));
  return Value::of(Int{count});
}

Result<Value> list(Machine& machine, const Value& subject, CallArguments& arguments) {
  QN_TRY(const Values places, bind_arguments("list", arguments, {}, 0));
  QN_TRY(Values items, collect(machine, subject));
  return machine.heap().list(std::move(items));
}

Result<Value> join(Machine& machine, const Value& subject, CallArguments& arguments) {
  QN_TRY(const Values places, bind_arguments("join", arguments, {"d", "attribute"}, 0));
  QN_TRY(const Value separator, to_string(machine, places[0].is(Kind::missing) ? machine.heap().borrowed("") : places[0]));
  QN_TRY(const AttributePath path, AttributePath::read(places[1]));
  QN_TRY(Cursor cursor, Cursor::over(subject));
  Text out(machine.budget());
  Value item;
  for (bool is_first = true;; is_first = false) {
    QN_TRY(const bool more, cursor.advance(machine, item));
    if (!more) break;
    if (!is_first) out.add(separator.text());
    QN_TRY(item, path.of(machine, std::move(item)));
    QN_OK(print_value(machine, item, out));
    QN_OK(out.status());
  }
  QN_TRY(std::string text, out.take());
  return machine.heap().string(std::move(text));
}

enum class Extreme { least, greatest };

Result<Value> extreme(Machine& machine, const Value& subject, CallArguments& arguments, Extreme which) {
  QN_TRY(const Values places, bind_arguments(which == Extreme::least ? "min" : "max", arguments, {"case_sensitive", "attribute"}, 0));
  QN_TRY(const AttributePath path, AttributePath::read(places[1]));
  QN_TRY(Cursor cursor, Cursor::over(subject));
  Value best = Value::missing(), best_key, item;
  while (true) {
    QN_TRY(const bool more, cursor.advance(machine, item));
    if (!more) break;
    QN_TRY(Value key, path.of(machine, item));
    QN_TRY(key, fold_case(machine, std::move(key), case_of(places[0])));
    bool better = best.is(Kind::missing);
    if (!better) {
      QN_TRY(better, which == Extreme::least ? is_less(machine, key, best_key) : is_less(machine, best_key, key));
    }
    if (!better) continue;
    best = item;
    best_key = std::move(key);
  }
  if (best.is(Kind::missing)) return machine.heap().undefined("no aggregated item, sequence was empty");
  return best;
}

Result<Value> min(Machine& machine, const Value& subject, CallArguments& arguments) {
  return extreme(machine, subject, arguments, Extreme::least);
}
Result<Value> max(Machine& machine, const Value& subject, CallArguments& arguments) {
  return extreme(machine, subject, arguments, Extreme::greatest);
}

Result<Value> reverse(Machine& machine, const Value& subject, CallArguments& arguments) {
  QN_TRY(const Values places, bind_arguments("reverse", arguments, {}, 0));
  if (subject.is(Kind::string)) return get_slice(machine, subject, Value(), Value(), Value::of(Int{-1}));
  QN_TRY(Values items, collect(machine, subject));
  std::reverse(items.begin(), items.end());
  if (subject.is(Kind::iterator)) return machine.heap().list(std::move(items));
  return iterator_over(machine.heap(), std::move(items));
}

Result<Value> sort(Machine& machine, const Value& subject, CallArguments& arguments) {
  QN_TRY(const Values places, bind_arguments("sort", arguments, {"reverse", "case_sensitive", "attribute"}, 0));
  std::vector<AttributePath> paths;
  if (places[2].is(Kind::string)) {
    std::string_view rest = places[2].text();
    while (true) {
      const std::size_t comma = rest.find(',');
      QN_TRY(AttributePath path, AttributePath::read(machine.heap().string(std::string(rest.substr(0, comma)))));
      paths.push_back(std::move(path));
      if (comma == std::string_view::npos) break;
      rest.remove_prefix(comma + 1);
    }
  } else {
    QN_TRY(AttributePath path, AttributePath::read(places[2]));
    paths.push_back(std::move(path));
  }
  QN_TRY(Values items, collect(machine, subject));
  Values keys;
  keys.reserve(items.size());
  for (const Value& item : items) {
    Values key;
    for (const AttributePath& path : paths) {
      QN_TRY(Value part, path.of(machine, item));
      QN_TRY(part, fold_case(machine, std::move(part), case_of(places[1])));
      key.push_back(std::move(part));
    }
    QN_OK(machine.work(1));
    keys.push_back(machine.heap().list(std::move(key)));
  }
  QN_OK(sort_by(machine, items, keys, true_or(places[0], false) ? Order::descending : Order::ascending));
  return machine.heap().list(std::move(items));
}

Result<Value> groupby(Machine& machine, const Value& subject, CallArguments& arguments) {
  QN_TRY(const Values places, bind_arguments("groupby", arguments, {"attribute", "default", "case_sensitive"}, 1));
  QN_TRY(const AttributePath path, AttributePath::read(places[0]));
  QN_TRY(Values items, collect(machine, subject));
  // The keys are sorted along, so each item carries its own.
  Values keys, carried;
  for (const Value& item : items) {
    QN_TRY(const Value plain, path.of(machine, item, places[1]));
    QN_TRY(Value key, fold_case(machine, plain, case_of(places[2])));
    Values three{item, plain, key};
    carried.push_back(machine.heap().tuple(std::move(three)));
    keys.push_back(std::move(key));
  }
  QN_OK(sort_by(machine, carried, keys, Order::ascending));
  Values groups, members;
  const auto close = [&](const Value& grouper) {
    Value group = machine.heap().pair(grouper, machine.heap().list(std::move(members)));
    group.as<List>().group = true;
    groups.push_back(std::move(group));
    members = {};
  };
  const auto part = [&](std::size_t i, std::size_t which) -> const Value& { return carried[i].as<List>().items[which]; };
  std::size_t begin = 0;
  for (std::size_t i = 0; i < carried.size(); ++i) {
    QN_OK(machine.work(1));
    if (i > begin) {
      QN_TRY(const bool same, is_equal(machine, part(begin, 2), part(i, 2)));
      if (!same) {
        close(part(begin, 1));
        begin = i;
      }
    }
    members.push_back(part(i, 0));
  }
  if (!members.empty()) close(part(begin, 1));
  return machine.heap().list(std::move(groups));
}

Result<Value> sum(Machine& machine, const Value& subject, CallArguments& arguments) {
  QN_TRY(const Values places, bind_arguments("sum", arguments, {"attribute", "start"}, 0));
  QN_TRY(const AttributePath path, AttributePath::read(places[0]));
  Value total = places[1].is(Kind::missing) ? Value::of(Int{0}) : places[1];
  if (total.is(Kind::string)) return type_error("sum of text; use join");
  QN_TRY(Cursor cursor, Cursor::over(subject));
  Value item;
  while (true) {
    QN_TRY(const bool more, cursor.advance(machine, item));
    if (!more) return total;
    QN_TRY(item, path.of(machine, std::move(item)));
    QN_TRY(total, arithmetic(machine, Sign::add, total, item));
  }
}

constexpr FilterEntry entries[] = {
    {"attr", attr},         {"count", length},    {"d", default_filter}, {"default", default_filter},
    {"dictsort", dictsort}, {"first", first},     {"groupby", groupby},  {"join", join},
    {"last", last},         {"length", length},   {"list", list},        {"max", max},
    {"min", min},           {"reverse", reverse}, {"sort", sort},        {"sum", sum},
};

}  // namespace

std::span<const FilterEntry> sequence_filters() {
  return entries;
}

}  // namespace qn::text::jinja
