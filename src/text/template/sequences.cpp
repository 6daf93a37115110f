#include "text/template/sequences.h"

#include <algorithm>
#include <numeric>

#include "text/template/access.h"
#include "text/template/operators.h"
#include "text/template/unicode.h"

namespace qn::text::jinja {
namespace {

struct ListedItems : Iterator {
  ListedItems(Heap& owner, Values values) : Iterator(owner), items(std::move(values)) {}
  void clear() override { items.clear(); }
  Result<bool> advance(Machine&, Value& out) override {
    if (at >= items.size()) return false;
    out = items[at++];
    return true;
  }
  Values items;
  std::size_t at = 0;
};

}  // namespace

Value iterator_over(Heap& heap, Values items) {
  const std::size_t bytes = items.capacity() * sizeof(Value);
  return heap.make<ListedItems>(bytes, std::move(items));
}

Result<AttributePath> AttributePath::read(const Value& attribute) {
  AttributePath out;
  if (attribute.is(Kind::missing) || attribute.is(Kind::none)) return out;
  if (attribute.is_whole()) {
    out.parts_.emplace_back(attribute.integer());
    return out;
  }
  if (!attribute.is(Kind::string)) return type_error("an attribute is named by text or an integer, not {}", type_name(attribute));
  std::string_view rest = attribute.text();
  while (true) {
    const std::size_t dot = rest.find('.');
    const std::string_view part = rest.substr(0, dot);
    if (!part.empty() && part.size() < 30 && part.find_first_not_of("0123456789") == std::string_view::npos) {
      Int number = 0;
      for (const char c : part) number = number * 10 + (c - '0');
      out.parts_.emplace_back(number);
    } else {
      out.parts_.emplace_back(std::string(part));
    }
    if (dot == std::string_view::npos) return out;
    rest.remove_prefix(dot + 1);
  }
}

Result<Value> AttributePath::of(Machine& machine, Value item, const Value& otherwise) const {
  for (const Part& part : parts_) {
    QN_OK(machine.work(1));
    const Int* number = std::get_if<Int>(&part);
    const Value key = number != nullptr ? Value::of(*number) : machine.heap().borrowed(std::get<std::string>(part));
    QN_TRY(item, get_item(machine, item, key));
    if (item.is(Kind::undefined) && !otherwise.is(Kind::missing) && !otherwise.is(Kind::none)) item = otherwise;
  }
  return item;
}

Result<Value> fold_case(Machine& machine, Value value, Case how) {
  if (how == Case::sensitive || !value.is(Kind::string)) return value;
  QN_OK(machine.budget().room(value.text().size() * 6));
  QN_OK(machine.work(1 + static_cast<std::int64_t>(value.text().size() / 8)));
  return machine.heap().string(to_lower(value.text()));
}

Status sort_by(Machine& machine, Values& items, const Values& keys, Order order) {
  std::vector<std::uint32_t> places(items.size());
  std::iota(places.begin(), places.end(), 0);
  Status status;
  // After an error every comparison says "not less", which ends the sort soon and safely.
  std::stable_sort(places.begin(), places.end(), [&](std::uint32_t a, std::uint32_t b) {
    if (!status) return false;
    const Result<bool> less = order == Order::ascending ? is_less(machine, keys[a], keys[b]) : is_less(machine, keys[b], keys[a]);
    if (!less) status = tl::unexpected<Error>(less.error());
    return less && *less;
  });
  QN_OK(status);
  Values sorted;
  sorted.reserve(items.size());
  for (const std::uint32_t place : places) sorted.push_back(std::move(items[place]));
  items = std::move(sorted);
  return {};
}

}  // namespace qn::text::jinja
