// What several filters share: looking up an attribute path in items, and sorting as Python's sorted() does.
#pragma once

#include <string>
#include <variant>
#include <vector>

#include "text/template/machine.h"

namespace qn::text::jinja {

enum class Case { sensitive, ignored };

// "a.b.0" of an item, by the rules of x[...]; the item itself when there is no path.
class AttributePath {
 public:
  //   attribute   text, an integer, or missing/none for the item itself
  static Result<AttributePath> read(const Value& attribute);
  Result<Value> of(Machine& machine, Value item, const Value& otherwise = Value::missing()) const;
  std::size_t bytes() const { return parts_.size() * sizeof(Part); }

 private:
  using Part = std::variant<Int, std::string>;
  std::vector<Part> parts_;
};

Result<Value> fold_case(Machine& machine, Value value, Case how);  // text in lower case, when case is ignored

enum class Order { ascending, descending };
// Sorts items by their keys, stably.
Status sort_by(Machine& machine, Values& items, const Values& keys, Order order);

Value iterator_over(Heap& heap, Values items);  // runs once

}  // namespace qn::text::jinja
