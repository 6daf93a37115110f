// The tests that stand after `is`.
#include <algorithm>

#include "text/template/arguments.h"
#include "text/template/filters.h"
#include "text/template/iterate.h"
#include "text/template/machine.h"
#include "text/template/markup.h"
#include "text/template/operators.h"
#include "text/template/print.h"
#include "text/template/text_methods.h"

namespace qn::text::jinja {
namespace {

Status no_arguments(std::string_view name, CallArguments& arguments) {
  QN_TRY([[maybe_unused]] const Values places, bind_arguments(name, arguments, {}, 0));
  return {};
}

// A test of the value's kind alone.
template <bool (*holds)(const Value&)>
Result<bool> plain(Machine&, const Value& subject, CallArguments& arguments) {
  QN_OK(no_arguments("a test", arguments));
  return holds(subject);
}

bool is_boolean(const Value& v) {
  return v.is(Kind::boolean);
}
bool is_defined(const Value& v) {
  return !v.is(Kind::undefined);
}
bool is_undefined(const Value& v) {
  return v.is(Kind::undefined);
}
bool is_none(const Value& v) {
  return v.is(Kind::none);
}
bool is_false(const Value& v) {
  return v.is(Kind::boolean) && !v.boolean();
}
bool is_really_true(const Value& v) {
  return v.is(Kind::boolean) && v.boolean();
}
bool is_integer(const Value& v) {
  return v.is(Kind::integer);
}
bool is_real(const Value& v) {
  return v.is(Kind::real);
}
bool is_number(const Value& v) {
  return v.is_number();
}
bool is_string(const Value& v) {
  return v.is(Kind::string);
}
bool is_mapping(const Value& v) {
  return v.is(Kind::dict);
}
bool is_loopable(const Value& v) {
  return is_iterable(v) || v.is(Kind::loop);
}
bool is_sequence(const Value& v) {
  return v.is(Kind::string) || v.is(Kind::list) || v.is(Kind::tuple) || v.is(Kind::dict) || v.is(Kind::range) || v.is(Kind::undefined);
}
bool is_callable(const Value& v) {
  return v.is(Kind::macro) || v.is(Kind::method) || v.is(Kind::function) || v.is(Kind::loop) || v.is(Kind::joiner) || v.is(Kind::undefined);
}
bool is_escaped(const Value& v) {
  return is_markup(v);
}

template <Comparison comparison>
Result<bool> comparing(Machine& machine, const Value& subject, CallArguments& arguments) {
  QN_TRY(const Values places, bind_arguments("a comparison", arguments, {""}, 1));
  return compare(machine, comparison, subject, places[0]);
}

Result<bool> in(Machine& machine, const Value& subject, CallArguments& arguments) {
  QN_TRY(const Values places, bind_arguments("in", arguments, {"seq"}, 1));
  return contains(machine, places[0], subject);
}

Result<bool> remainder_is(Machine& machine, const Value& subject, const Value& divisor, Int wanted) {
  QN_TRY(const Value rest, arithmetic(machine, Sign::mod, subject, divisor));
  return is_equal(machine, rest, Value::of(wanted));
}

template <int wanted>
Result<bool> modulo_two(Machine& machine, const Value& subject, CallArguments& arguments) {
  QN_OK(no_arguments("odd or even", arguments));
  return remainder_is(machine, subject, Value::of(Int{2}), wanted);
}

Result<bool> divisible_by(Machine& machine, const Value& subject, CallArguments& arguments) {
  QN_TRY(const Values places, bind_arguments("divisibleby", arguments, {"num"}, 1));
  return remainder_is(machine, subject, places[0], 0);
}

Result<bool> same_as(Machine&, const Value& subject, CallArguments& arguments) {
  QN_TRY(const Values places, bind_arguments("sameas", arguments, {"other"}, 1));
  // Equal texts of a program are one object in Python more often than not.
  if (subject.is(Kind::string) && places[0].is(Kind::string)) return subject.text() == places[0].text();
  return is_same(subject, places[0]);
}

template <bool (*holds)(std::string_view)>
Result<bool> of_text(Machine& machine, const Value& subject, CallArguments& arguments) {
  QN_OK(no_arguments("lower or upper", arguments));
  QN_TRY(const Value text, to_string(machine, subject));
  return holds(text.text());
}

template <bool filters>
Result<bool> is_known(Machine& machine, const Value& subject, CallArguments& arguments) {
  QN_OK(no_arguments("filter or test", arguments));
  QN_TRY([[maybe_unused]] const std::uint64_t hash, hash_of(machine, subject));
  if (!subject.is(Kind::string)) return false;
  return filters ? find_filter(subject.text()) != nullptr : find_test(subject.text()) != nullptr;
}

constexpr TestEntry entries[] = {
    {"odd", modulo_two<1>},
    {"even", modulo_two<0>},
    {"divisibleby", divisible_by},
    {"defined", plain<is_defined>},
    {"undefined", plain<is_undefined>},
    {"filter", is_known<true>},
    {"test", is_known<false>},
    {"none", plain<is_none>},
    {"boolean", plain<is_boolean>},
    {"false", plain<is_false>},
    {"true", plain<is_really_true>},
    {"integer", plain<is_integer>},
    {"float", plain<is_real>},
    {"lower", of_text<text_is_lower>},
    {"upper", of_text<text_is_upper>},
    {"string", plain<is_string>},
    {"mapping", plain<is_mapping>},
    {"number", plain<is_number>},
    {"sequence", plain<is_sequence>},
    {"iterable", plain<is_loopable>},
    {"callable", plain<is_callable>},
    {"sameas", same_as},
    {"escaped", plain<is_escaped>},
    {"in", in},
    {"==", comparing<Comparison::eq>},
    {"eq", comparing<Comparison::eq>},
    {"equalto", comparing<Comparison::eq>},
    {"!=", comparing<Comparison::ne>},
    {"ne", comparing<Comparison::ne>},
    {">", comparing<Comparison::gt>},
    {"gt", comparing<Comparison::gt>},
    {"greaterthan", comparing<Comparison::gt>},
    {">=", comparing<Comparison::ge>},
    {"ge", comparing<Comparison::ge>},
    {"<", comparing<Comparison::lt>},
    {"lt", comparing<Comparison::lt>},
    {"lessthan", comparing<Comparison::lt>},
    {"<=", comparing<Comparison::le>},
    {"le", comparing<Comparison::le>},
};

}  // namespace

const TestEntry* find_test(std::string_view name) {
  const auto* found = std::find_if(std::begin(entries), std::end(entries), [name](const TestEntry& entry) { return entry.name == name; });
  return found == std::end(entries) ? nullptr : found;
}

}  // namespace qn::text::jinja
