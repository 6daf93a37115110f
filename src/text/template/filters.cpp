#include "text/template/filters.h"

namespace qn::text::jinja {

const FilterEntry* find_filter(std::string_view name) {
  for (const std::span<const FilterEntry> table : {text_filters(), sequence_filters(), lazy_filters(), number_filters()})
    for (const FilterEntry& entry : table)
      if (entry.name == name) return &entry;
  return nullptr;
}

}  // namespace qn::text::jinja
