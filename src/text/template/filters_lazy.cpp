// Filters that answer one item at a time, when asked: an error in them is an error only if somebody gets that far.
#include "text/template/arguments.h"
#include "text/template/filters.h"
#include "text/template/operators.h"
#include "text/template/sequences.h"

namespace qn::text::jinja {
namespace {

// Begins at the first question: a generator function of Python runs nothing before.
struct Lazy : Iterator {
  Lazy(Heap& owner, Value iterable, CallArguments with) : Iterator(owner), subject(std::move(iterable)), arguments(std::move(with)) {}
  void clear() override {
    subject = Value();
    arguments = {};
    cursor = Cursor();
  }
  virtual Status begin(Machine& machine) = 0;
  virtual Result<bool> produce(Machine& machine, Value& out) = 0;
  Result<bool> advance(Machine& machine, Value& out) final {
    if (!begun) {
      begun = true;
      QN_OK(begin(machine));
    }
    if (done) return false;
    QN_TRY(const bool more, produce(machine, out));
    done = !more;
    return more;
  }
  Status open(const Value& iterable) {
    QN_TRY(cursor, Cursor::over(iterable));
    return {};
  }

  Value subject;
  CallArguments arguments;
  Cursor cursor;
  bool begun = false, done = false;
};

// The first positional argument, taken out.
Value take_first(CallArguments& arguments) {
  Value out = std::move(arguments.positional.front());
  arguments.positional.erase(arguments.positional.begin());
  return out;
}

struct Mapped : Lazy {
  using Lazy::Lazy;
  void clear() override {
    Lazy::clear();
    otherwise = Value::missing();
  }
  Status begin(Machine&) override {
    done = !is_true(subject);
    if (done) return {};
    if (arguments.positional.empty()) {
      Value attribute = Value::missing();
      for (auto& [name, value] : arguments.named) {
        if (name == "attribute") {
          attribute = value;
        } else if (name == "default") {
          otherwise = value;
        } else {
          return type_error("map() has no argument {}; see docs/templates.md", quoted(name));
        }
      }
      if (attribute.is(Kind::missing)) return type_error("map() needs the name of a filter, or attribute=");
      QN_TRY(path, AttributePath::read(attribute));
    } else {
      const Value name = take_first(arguments);
      if (name.is(Kind::string)) filter = find_filter(name.text());
      if (filter == nullptr) return type_error("map() with an unknown filter; see docs/templates.md for those there are");
    }
    return open(subject);
  }
  Result<bool> produce(Machine& machine, Value& out) override {
    Value item;
    QN_TRY(const bool more, cursor.advance(machine, item));
    if (!more) return false;
    const Nest nest(machine.budget());
    if (nest.too_deep()) return nested_too_deep();
    QN_TRY(out, filter == nullptr ? path.of(machine, std::move(item), otherwise) : machine.apply_filter(*filter, item, arguments));
    return true;
  }
  const FilterEntry* filter = nullptr;
  AttributePath path;
  Value otherwise = Value::missing();
};

struct Selected : Lazy {
  enum class Keep { passing, failing };
  enum class Of { item, attribute };
  Selected(Heap& owner, Value iterable, CallArguments with, Keep keep_which, Of of_what)
      : Lazy(owner, std::move(iterable), std::move(with)), keep(keep_which), what(of_what) {}
  Status begin(Machine&) override {
    done = !is_true(subject);
    if (done) return {};
    if (what == Of::attribute) {
      if (arguments.positional.empty()) return type_error("selectattr() and rejectattr() need the name of an attribute");
      QN_TRY(path, AttributePath::read(take_first(arguments)));
    }
    if (!arguments.positional.empty()) {
      const Value name = take_first(arguments);
      if (name.is(Kind::string)) test = find_test(name.text());
      if (test == nullptr) return type_error("select() or reject() with an unknown test; see docs/templates.md for those there are");
    }
    return open(subject);
  }
  Result<bool> produce(Machine& machine, Value& out) override {
    const Nest nest(machine.budget());
    if (nest.too_deep()) return nested_too_deep();
    while (true) {
      QN_TRY(const bool more, cursor.advance(machine, out));
      if (!more) return false;
      QN_TRY(Value tested, path.of(machine, out));
      if (test != nullptr) {
        QN_TRY(tested, machine.apply_test(*test, tested, arguments));
      }
      if (is_true(tested) == (keep == Keep::passing)) return true;
    }
  }
  const TestEntry* test = nullptr;
  AttributePath path;
  Keep keep;
  Of what;
};

struct Batched : Lazy {
  using Lazy::Lazy;
  void clear() override {
    Lazy::clear();
    pending.clear();
    fill = Value::missing();
  }
  Status begin(Machine&) override {
    QN_TRY(const Values places, bind_arguments("batch", arguments, {"linecount", "fill_with"}, 1));
    QN_TRY(count, integer_or("batch", places[0], 0));
    if (!places[1].is(Kind::none)) fill = places[1];
    return open(subject);
  }
  Result<bool> produce(Machine& machine, Value& out) override {
    Value item;
    while (true) {
      QN_TRY(const bool more, cursor.advance(machine, item));
      if (!more) break;
      const bool full = static_cast<Int>(pending.size()) == count;
      if (full) out = machine.heap().list(std::exchange(pending, {}));
      pending.push_back(std::move(item));
      if (full) return true;
    }
    if (pending.empty()) return false;
    if (!fill.is(Kind::missing)) {
      if (count > machine.budget().limits().range)
        return fail(Code::too_large, "batch() of more than {} items; use fewer", machine.budget().limits().range);
      while (static_cast<Int>(pending.size()) < count) pending.push_back(fill);
    }
    out = machine.heap().list(std::exchange(pending, {}));
    return true;
  }
  Int count = 0;
  Values pending;
  Value fill = Value::missing();
};

struct Sliced : Lazy {
  using Lazy::Lazy;
  void clear() override {
    Lazy::clear();
    items.clear();
    fill = Value::missing();
  }
  Status begin(Machine& machine) override {
    QN_TRY(const Values places, bind_arguments("slice", arguments, {"slices", "fill_with"}, 1));
    QN_TRY(slices, integer_or("slice", places[0], 0));
    if (!places[1].is(Kind::none)) fill = places[1];
    QN_TRY(items, collect(machine, subject));
    if (slices == 0) return type_error("slice() into zero parts; use one or more");
    return {};
  }
  Result<bool> produce(Machine& machine, Value& out) override {
    QN_OK(machine.work(1));
    if (number >= slices) return false;
    const auto length = static_cast<Int>(items.size());
    const Int each = length / slices, longer = length % slices;
    const Int begin_at = number * each + std::min(number, longer);
    const Int end = begin_at + each + (number < longer ? 1 : 0);
    Values part(items.begin() + static_cast<std::ptrdiff_t>(begin_at), items.begin() + static_cast<std::ptrdiff_t>(end));
    if (!fill.is(Kind::missing) && number >= longer) part.push_back(fill);
    out = machine.heap().list(std::move(part));
    ++number;
    return true;
  }
  Int slices = 0, number = 0;
  Values items;
  Value fill = Value::missing();
};

struct Items : Lazy {
  using Lazy::Lazy;
  Status begin(Machine& machine) override {
    done = subject.is(Kind::undefined);
    if (done) return {};
    if (!subject.is(Kind::dict)) return type_error("items of {}; it takes a dict", type_name(subject));
    return open(machine.heap().make<View>(0, subject, View::Of::items));
  }
  Result<bool> produce(Machine& machine, Value& out) override { return cursor.advance(machine, out); }
};

struct Unique : Lazy {
  using Lazy::Lazy;
  void clear() override {
    Lazy::clear();
    seen = Value();
  }
  Status begin(Machine& machine) override {
    QN_TRY(const Values places, bind_arguments("unique", arguments, {"case_sensitive", "attribute"}, 0));
    how = true_or(places[0], false) ? Case::sensitive : Case::ignored;
    QN_TRY(path, AttributePath::read(places[1]));
    seen = machine.heap().make<Dict>(0);
    return open(subject);
  }
  Result<bool> produce(Machine& machine, Value& out) override {
    while (true) {
      QN_TRY(const bool more, cursor.advance(machine, out));
      if (!more) return false;
      QN_TRY(Value key, path.of(machine, out));
      QN_TRY(key, fold_case(machine, std::move(key), how));
      QN_TRY(const Value* there, dict_find(machine, seen.as<Dict>(), key));
      if (there != nullptr) continue;
      QN_OK(dict_set(machine, seen.as<Dict>(), std::move(key), Value()));
      return true;
    }
  }
  Case how = Case::ignored;
  AttributePath path;
  Value seen;
};

template <class T>
Result<Value> lazily(Machine& machine, const Value& subject, CallArguments& arguments) {
  return machine.heap().make<T>(0, subject, std::move(arguments));
}

template <Selected::Keep keep, Selected::Of what>
Result<Value> select(Machine& machine, const Value& subject, CallArguments& arguments) {
  return machine.heap().make<Selected>(0, subject, std::move(arguments), keep, what);
}

constexpr FilterEntry entries[] = {
    {"batch", lazily<Batched>},
    {"items", lazily<Items>},
    {"map", lazily<Mapped>},
    {"reject", select<Selected::Keep::failing, Selected::Of::item>},
    {"rejectattr", select<Selected::Keep::failing, Selected::Of::attribute>},
    {"select", select<Selected::Keep::passing, Selected::Of::item>},
    {"selectattr", select<Selected::Keep::passing, Selected::Of::attribute>},
    {"slice", lazily<Sliced>},
    {"unique", lazily<Unique>},
};

}  // namespace

std::span<const FilterEntry> lazy_filters() {
  return entries;
}

}  // namespace qn::text::jinja
