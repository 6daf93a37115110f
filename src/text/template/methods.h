// The methods that templates may call on text, lists, dicts and the rest; the ones that change a value are not among them.
#pragma once

#include "text/template/machine.h"

namespace qn::text::jinja {

MethodBody find_method(Kind of, std::string_view name);  // null when there is none

struct MethodRow {
  std::string_view name;
  MethodBody body;
};
std::span<const MethodRow> string_methods();
std::span<const MethodRow> list_methods();  // of tuples and ranges too
std::span<const MethodRow> dict_methods();
std::span<const MethodRow> loop_methods();
std::span<const MethodRow> cycler_methods();

}  // namespace qn::text::jinja
