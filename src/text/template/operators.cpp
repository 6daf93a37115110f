#include "text/template/operators.h"

#include <cmath>
#include <functional>
#include <limits>

#include "text/template/format.h"
#include "text/template/iterate.h"
#include "text/template/machine.h"
#include "text/template/markup.h"
#include "text/template/print.h"

namespace qn::text::jinja {
namespace {

constexpr Int int_max = (static_cast<Int>(1) << 126) - 1 + (static_cast<Int>(1) << 126);
constexpr std::size_t slots_from = 8;  // entries; fewer are searched one by one

tl::unexpected<Error> overflow() {
  return type_error("integer needs more than 127 bits; use smaller numbers");
}

// -1, 0, 1; 2 when one of them is not a number.
int compare_numbers(const Value& a, const Value& b) {
  if (a.is_whole() && b.is_whole()) return a.integer() < b.integer() ? -1 : a.integer() > b.integer() ? 1 : 0;
  if (a.is(Kind::real) && b.is(Kind::real)) return a.real() < b.real() ? -1 : a.real() > b.real() ? 1 : a.real() == b.real() ? 0 : 2;
  if (a.is(Kind::real)) {
    const int other = compare_numbers(b, a);
    return other == 2 ? 2 : -other;
  }
  // An integer against a real, exactly: by whole parts first.
  const double real = b.real();
  if (std::isnan(real)) return 2;
  if (real >= 0x1p126 * 2) return -1;
  if (real < -0x1p126 * 2) return 1;
  const double whole = std::trunc(real);
  const Int integer = static_cast<Int>(whole);
  if (a.integer() != integer) return a.integer() < integer ? -1 : 1;
  return real > whole ? -1 : real < whole ? 1 : 0;
}

std::uint64_t mix(std::uint64_t x) {
  x ^= x >> 33;
  x *= 0xff51afd7ed558ccdu;
  x ^= x >> 33;
  x *= 0xc4ceb9fe1a85ec53u;
  return x ^ (x >> 33);
}

std::uint64_t hash_text(std::uint64_t seed, std::string_view text) {
  return mix(std::hash<std::string_view>{}(text) ^ seed) + seed;
}

Result<Value> repeat(Machine& machine, const Value& sequence, Int count) {
  Heap& heap = machine.heap();
  if (count < 0) count = 0;
  const auto limit = static_cast<Int>(machine.budget().limits().output_bytes);
  if (sequence.is(Kind::string)) {
    const std::string_view text = sequence.text();
    if (!text.empty() && count > limit / static_cast<Int>(text.size()))
      return tl::unexpected<Error>(machine.budget().room(std::size_t(-1)).error());
    QN_OK(machine.budget().room(text.size() * static_cast<std::size_t>(count)));
    QN_OK(machine.work(1 + static_cast<std::int64_t>(text.size() * static_cast<std::size_t>(count) / 16)));
    std::string out;
    if (!text.empty()) {
      out.reserve(text.size() * static_cast<std::size_t>(count));
      for (Int i = 0; i < count; ++i) out += text;
    }
    return with_markup(heap.string(std::move(out)), is_markup(sequence));
  }
  const Values& items = sequence.as<List>().items;
  if (!items.empty() && count > limit / static_cast<Int>(items.size() * sizeof(Value)))
    return tl::unexpected<Error>(machine.budget().room(std::size_t(-1)).error());
  const std::size_t total = items.size() * static_cast<std::size_t>(items.empty() ? 0 : count);
  QN_OK(machine.budget().room(total * sizeof(Value)));
  QN_OK(machine.work(1 + static_cast<std::int64_t>(total)));
  Values out;
  out.reserve(total);
  if (!items.empty())
    for (Int i = 0; i < count; ++i) out.insert(out.end(), items.begin(), items.end());
  return sequence.is(Kind::tuple) ? heap.tuple(std::move(out)) : heap.list(std::move(out));
}

Result<Value> join_lists(Machine& machine, const Value& a, const Value& b) {
  const Values &left = a.as<List>().items, &right = b.as<List>().items;
  const std::size_t total = left.size() + right.size();
  QN_OK(machine.budget().room(total * sizeof(Value)));
  QN_OK(machine.work(1 + static_cast<std::int64_t>(total)));
  Values out;
  out.reserve(total);
  out.insert(out.end(), left.begin(), left.end());
  out.insert(out.end(), right.begin(), right.end());
  return a.is(Kind::tuple) ? machine.heap().tuple(std::move(out)) : machine.heap().list(std::move(out));
}

Int floor_div(Int a, Int b) {
  const Int quotient = a / b;
  return (a % b != 0 && ((a < 0) != (b < 0))) ? quotient - 1 : quotient;
}

double floor_mod(double a, double b) {
  double rest = std::fmod(a, b);
  if (rest != 0) {
    if ((b < 0) != (rest < 0)) rest += b;
  } else {
    rest = std::copysign(0.0, b);
  }
  return rest;
}

double floor_div(double a, double b) {
  const double rest = std::fmod(a, b);
  double quotient = (a - rest) / b;
  if (rest != 0 && ((b < 0) != (rest < 0))) quotient -= 1;
  if (quotient == 0) return std::copysign(0.0, a / b);
  const double whole = std::floor(quotient);
  return quotient - whole > 0.5 ? whole + 1 : whole;
}

Result<Value> power(const Value& a, const Value& b) {
  if (a.is_whole() && b.is_whole() && b.integer() >= 0) {
    QN_TRY(const Int result, integer_power(a.integer(), b.integer()));
    return Value::of(result);
  }
  const double base = to_real(a), exponent = to_real(b);
  if (base == 0 && exponent < 0) return type_error("zero raised to a negative power");
  if (base < 0 && std::isfinite(base) && std::isfinite(exponent) && exponent != std::floor(exponent))
    return type_error("a negative number raised to a fraction; complex numbers are not offered");
  const double result = std::pow(base, exponent);
  if (std::isinf(result) && std::isfinite(base) && std::isfinite(exponent)) return type_error("number too large for a float");
  return Value::of(result);
}

Result<Value> on_integers(Sign sign, Int a, Int b) {
  Int out = 0;
  switch (sign) {
    case Sign::add:
      if (__builtin_add_overflow(a, b, &out)) return overflow();
      return Value::of(out);
    case Sign::sub:
      if (__builtin_sub_overflow(a, b, &out)) return overflow();
      return Value::of(out);
    case Sign::mul:
      if (__builtin_mul_overflow(a, b, &out)) return overflow();
      return Value::of(out);
    case Sign::div:
      if (b == 0) return type_error("division by zero");
      return Value::of(static_cast<double>(static_cast<long double>(a) / static_cast<long double>(b)));
    case Sign::floordiv:
      if (b == 0) return type_error("integer division or modulo by zero");
      if (b == -1 && a == -int_max - 1) return overflow();
      return Value::of(floor_div(a, b));
    case Sign::mod: {
      if (b == 0) return type_error("integer division or modulo by zero");
      if (b == -1) return Value::of(Int{0});
      const Int rest = a % b;
      return Value::of(rest != 0 && ((rest < 0) != (b < 0)) ? rest + b : rest);
    }
    default: return type_error("operator does not take integers");
  }
}

Result<Value> on_reals(Sign sign, double a, double b) {
  switch (sign) {
    case Sign::add: return Value::of(a + b);
    case Sign::sub: return Value::of(a - b);
    case Sign::mul: return Value::of(a * b);
    default: break;
  }
  if (b == 0) return type_error("float division by zero");
  switch (sign) {
    case Sign::div: return Value::of(a / b);
    case Sign::floordiv: return Value::of(floor_div(a, b));
    case Sign::mod: return Value::of(floor_mod(a, b));
    default: return type_error("operator does not take floats");
  }
}

const char* sign_text(Sign sign) {
  switch (sign) {
    case Sign::add: return "+";
    case Sign::sub: return "-";
    case Sign::mul: return "*";
    case Sign::div: return "/";
    case Sign::floordiv: return "//";
    case Sign::mod: return "%";
    case Sign::pow: return "**";
    default: return "?";
  }
}

bool is_sequence_list(const Value& value) {
  return value.is(Kind::list) || value.is(Kind::tuple);
}

Result<bool> equal_lists(Machine& machine, const Values& a, const Values& b) {
  if (a.size() != b.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i) {
    QN_TRY(const bool same, is_equal(machine, a[i], b[i]));
    if (!same) return false;
  }
  return true;
}

Result<bool> equal_dicts(Machine& machine, Dict& a, Dict& b) {
  if (a.entries.size() != b.entries.size()) return false;
  for (const auto& [key, value] : a.entries) {
    QN_TRY(const Value* other, dict_find(machine, b, key));
    if (other == nullptr) return false;
    QN_TRY(const bool same, is_equal(machine, value, *other));
    if (!same) return false;
  }
  return true;
}

}  // namespace

tl::unexpected<Error> undefined_error(const Value& undefined) {
  return fail(Code::bad_input, "{}; pass it, or test it with 'is defined'", undefined.as<Undefined>().message);
}

double to_real(const Value& number) {
  return number.is(Kind::real) ? number.real() : static_cast<double>(number.integer());
}

Result<Int> truncated(double value) {
  if (std::isnan(value)) return type_error("cannot convert float NaN to integer");
  if (std::isinf(value)) return type_error("cannot convert float infinity to integer");
  if (value >= 0x1p126 * 2 || value < -0x1p126 * 2) return overflow();
  return static_cast<Int>(value);
}

Result<Int> integer_power(Int base, Int exponent) {
  if (base == 0 || base == 1) return exponent == 0 ? Int{1} : base;
  if (base == -1) return exponent % 2 == 0 ? Int{1} : Int{-1};
  if (exponent > 127) return overflow();
  Int out = 1;
  for (Int i = 0; i < exponent; ++i)
    if (__builtin_mul_overflow(out, base, &out)) return overflow();
  return out;
}

bool is_true(const Value& value) {
  switch (value.kind()) {
    case Kind::missing:
    case Kind::none:
    case Kind::undefined: return false;
    case Kind::boolean:
    case Kind::integer: return value.integer() != 0;
    case Kind::real: return value.real() != 0;
    case Kind::string: return !value.text().empty();
    case Kind::list:
    case Kind::tuple: return !value.as<List>().items.empty();
    case Kind::dict: return !value.as<Dict>().entries.empty();
    case Kind::range: return value.as<Range>().length != 0;
    case Kind::view: return !value.as<View>().dict.as<Dict>().entries.empty();
    default: return true;
  }
}

bool is_same(const Value& a, const Value& b) {
  if (a.kind() != b.kind()) return false;
  if (a.is_object()) return a.object() == b.object();
  if (a.is(Kind::real)) return a.real() == b.real();
  return a.is(Kind::none) || a.is(Kind::missing) || a.integer() == b.integer();
}

Result<bool> is_equal(Machine& machine, const Value& a, const Value& b) {
  if (a.is_number() && b.is_number()) return compare_numbers(a, b) == 0;
  if (a.kind() != b.kind()) return false;
  switch (a.kind()) {
    case Kind::none:
    case Kind::missing:
    case Kind::undefined: return true;
    case Kind::string: QN_OK(machine.work(1 + static_cast<std::int64_t>(a.text().size() / 64))); return a.text() == b.text();
    case Kind::range: {
      const Range &x = a.as<Range>(), &y = b.as<Range>();
      return x.length == y.length && (x.length == 0 || (x.start == y.start && (x.length == 1 || x.step == y.step)));
    }
    case Kind::list:
    case Kind::tuple:
    case Kind::dict: break;
    default: return a.object() == b.object();
  }
  if (a.object() == b.object()) return true;
  const Nest nest(machine.budget());
  if (nest.too_deep()) return nested_too_deep();
  QN_OK(machine.work(1));
  if (a.is(Kind::dict)) return equal_dicts(machine, a.as<Dict>(), b.as<Dict>());
  return equal_lists(machine, a.as<List>().items, b.as<List>().items);
}

Result<bool> is_less(Machine& machine, const Value& a, const Value& b) {
  QN_OK(machine.work(1));
  if (a.is(Kind::undefined)) return undefined_error(a);
  if (b.is(Kind::undefined)) return undefined_error(b);
  if (a.is_number() && b.is_number()) return compare_numbers(a, b) == -1;
  if (a.is(Kind::string) && b.is(Kind::string)) return a.text() < b.text();  // UTF-8 sorts like its code points
  if (is_sequence_list(a) && a.kind() == b.kind()) {
    const Nest nest(machine.budget());
    if (nest.too_deep()) return nested_too_deep();
    const Values &x = a.as<List>().items, &y = b.as<List>().items;
    for (std::size_t i = 0; i < x.size() && i < y.size(); ++i) {
      QN_TRY(const bool same, is_equal(machine, x[i], y[i]));
      if (!same) return is_less(machine, x[i], y[i]);
    }
    return x.size() < y.size();
  }
  return type_error("'<' between {} and {}; compare values of one type", type_name(a), type_name(b));
}

Result<bool> compare(Machine& machine, Comparison comparison, const Value& a, const Value& b) {
  switch (comparison) {
    case Comparison::eq: return is_equal(machine, a, b);
    case Comparison::ne: {
      QN_TRY(const bool same, is_equal(machine, a, b));
      return !same;
    }
    case Comparison::in: return contains(machine, b, a);
    case Comparison::not_in: {
      QN_TRY(const bool inside, contains(machine, b, a));
      return !inside;
    }
    case Comparison::lt: return is_less(machine, a, b);
    case Comparison::gt: return is_less(machine, b, a);
    case Comparison::le:
    case Comparison::ge: break;
  }
  const Value &low = comparison == Comparison::le ? a : b, &high = comparison == Comparison::le ? b : a;
  if (low.is_number() && high.is_number()) {
    const int order = compare_numbers(low, high);
    return order == -1 || order == 0;
  }
  QN_TRY(const bool above, is_less(machine, high, low));
  return !above;
}

Result<bool> contains(Machine& machine, const Value& container, const Value& item) {
  QN_OK(machine.work(1));
  switch (container.kind()) {
    case Kind::string:
      if (!item.is(Kind::string)) return type_error("'in' a string needs a string, not {}", type_name(item));
      QN_OK(machine.work(static_cast<std::int64_t>(container.text().size() / 16)));
      return container.text().find(item.text()) != std::string_view::npos;
    case Kind::dict: {
      QN_TRY(const Value* found, dict_find(machine, container.as<Dict>(), item));
      return found != nullptr;
    }
    case Kind::view:
      if (container.as<View>().what == View::Of::keys) {
        QN_TRY(const Value* found, dict_find(machine, container.as<View>().dict.as<Dict>(), item));
        return found != nullptr;
      }
      break;
    default: break;
  }
  if (!is_iterable(container)) return type_error("'in' needs something to look in, not {}", type_name(container));
  QN_TRY(Cursor cursor, Cursor::over(container));
  Value next;
  while (true) {
    QN_TRY(const bool more, cursor.advance(machine, next));
    if (!more) return false;
    QN_TRY(const bool same, is_equal(machine, next, item));
    if (same) return true;
  }
}

Result<Value> arithmetic(Machine& machine, Sign sign, const Value& a, const Value& b) {
  if (a.is_number() && b.is_number()) {
    if (sign == Sign::pow) return power(a, b);
    if (a.is_whole() && b.is_whole()) return on_integers(sign, a.integer(), b.integer());
    return on_reals(sign, to_real(a), to_real(b));
  }
  if (sign == Sign::mod && a.is(Kind::string)) return format_percent(machine, a, b);
  if (a.is(Kind::undefined)) return undefined_error(a);
  if (b.is(Kind::undefined)) return undefined_error(b);
  if (sign == Sign::add && a.is(Kind::string) && b.is(Kind::string)) return join_texts(machine, a, b);
  if (sign == Sign::add && is_sequence_list(a) && a.kind() == b.kind()) return join_lists(machine, a, b);
  if (sign == Sign::mul) {
    if ((a.is(Kind::string) || is_sequence_list(a)) && b.is_whole()) return repeat(machine, a, b.integer());
    if ((b.is(Kind::string) || is_sequence_list(b)) && a.is_whole()) return repeat(machine, b, a.integer());
  }
  return type_error("'{}' between {} and {}; convert one of them", sign_text(sign), type_name(a), type_name(b));
}

Result<Value> negate(Machine&, const Value& value) {
  if (value.is(Kind::real)) return Value::of(-value.real());
  if (value.is_whole()) {
    Int out = 0;
    if (__builtin_sub_overflow(Int{0}, value.integer(), &out)) return overflow();
    return Value::of(out);
  }
  if (value.is(Kind::undefined)) return undefined_error(value);
  return type_error("'-' before {}; it takes numbers", type_name(value));
}

Result<std::uint64_t> hash_of(Machine& machine, const Value& value) {
  const std::uint64_t seed = machine.heap().seed();
  switch (value.kind()) {
    case Kind::missing:
    case Kind::none: return mix(seed + 1);
    case Kind::boolean:
    case Kind::integer: return mix(static_cast<std::uint64_t>(value.integer()) ^ seed);
    case Kind::real:
      // 1.0 and 1 are the same key.
      if (value.real() == std::trunc(value.real()) && std::fabs(value.real()) < 0x1p120)
        return mix(static_cast<std::uint64_t>(static_cast<Int>(value.real())) ^ seed);
      return mix(std::hash<double>{}(value.real()) ^ seed);
    case Kind::string: return hash_text(seed, value.text());
    case Kind::undefined: return mix(seed + 2);
    case Kind::range: return mix(static_cast<std::uint64_t>(value.as<Range>().length) ^ seed);
    case Kind::tuple: {
      const Nest nest(machine.budget());
      if (nest.too_deep()) return nested_too_deep();
      std::uint64_t out = seed + 3;
      for (const Value& item : value.as<List>().items) {
        QN_OK(machine.work(1));
        QN_TRY(const std::uint64_t part, hash_of(machine, item));
        out = mix(out * 31 + part);
      }
      return out;
    }
    case Kind::list:
    case Kind::dict:
    case Kind::view: return type_error("{} cannot be a key; use text or numbers", type_name(value));
    default: return mix(reinterpret_cast<std::uintptr_t>(value.object()) ^ seed);
  }
}

namespace {

// Keys that are strings need no machine; the others compare with is_equal.
template <class Same>
std::size_t probe(const Dict& dict, std::uint64_t hash, Same&& same) {
  const std::size_t mask = dict.slots.size() - 1;
  for (std::size_t at = hash & mask;; at = (at + 1) & mask)
    if (dict.slots[at] == 0 || same(dict.entries[dict.slots[at] - 1].first)) return at;
}

std::uint64_t key_hash(Heap& heap, const Value& key, std::uint64_t known) {
  return key.is(Kind::string) ? hash_text(heap.seed(), key.text()) : known;
}

Status rebuild(Machine* machine, Heap& heap, Dict& dict) {
  std::size_t size = 32;
  while (size < dict.entries.size() * 3) size *= 2;
  heap.grew(dict, (size - dict.slots.size()) * sizeof(std::uint32_t));
  dict.slots.assign(size, 0);
  for (std::size_t i = 0; i < dict.entries.size(); ++i) {
    const Value& key = dict.entries[i].first;
    std::uint64_t hash = 0;
    if (!key.is(Kind::string)) {
      QN_TRY(hash, hash_of(*machine, key));
    }
    const std::size_t at = probe(dict, key_hash(heap, key, hash), [](const Value&) { return false; });
    dict.slots[at] = static_cast<std::uint32_t>(i + 1);
  }
  return {};
}

Status append_entry(Machine* machine, Heap& heap, Dict& dict, std::uint64_t hash, Value key, Value value) {
  dict.entries.emplace_back(std::move(key), std::move(value));
  heap.grew(dict, sizeof(Dict::Entry) * 3 / 2);
  if (dict.entries.size() < slots_from) return {};
  if (dict.slots.size() < dict.entries.size() * 3 / 2) return rebuild(machine, heap, dict);
  const std::size_t at = probe(dict, hash, [](const Value&) { return false; });
  dict.slots[at] = static_cast<std::uint32_t>(dict.entries.size());
  return {};
}

}  // namespace

Result<Value*> dict_find(Machine& machine, Dict& dict, const Value& key) {
  QN_TRY(const std::uint64_t hash, hash_of(machine, key));
  QN_OK(machine.work(1));
  if (dict.slots.empty()) {
    for (auto& [there, value] : dict.entries) {
      QN_TRY(const bool same, is_equal(machine, there, key));
      if (same) return &value;
    }
    return nullptr;
  }
  Status status;
  const std::size_t at = probe(dict, hash, [&](const Value& there) {
    const Result<bool> same = is_equal(machine, there, key);
    if (!same) status = tl::unexpected<Error>(same.error());
    return !same || *same;
  });
  QN_OK(status);
  return dict.slots[at] == 0 ? nullptr : &dict.entries[dict.slots[at] - 1].second;
}

Value* dict_find(Dict& dict, std::string_view key) {
  const auto same = [key](const Value& there) { return there.is(Kind::string) && there.text() == key; };
  if (dict.slots.empty()) {
    for (auto& [there, value] : dict.entries)
      if (same(there)) return &value;
    return nullptr;
  }
  const std::size_t at = probe(dict, hash_text(dict.heap->seed(), key), same);
  return dict.slots[at] == 0 ? nullptr : &dict.entries[dict.slots[at] - 1].second;
}

Status dict_set(Machine& machine, Dict& dict, Value key, Value value) {
  QN_TRY(Value * there, dict_find(machine, dict, key));
  if (there != nullptr) {
    *there = std::move(value);
    return {};
  }
  QN_TRY(const std::uint64_t hash, hash_of(machine, key));
  return append_entry(&machine, machine.heap(), dict, hash, std::move(key), std::move(value));
}

}  // namespace qn::text::jinja
