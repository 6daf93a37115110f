// The tables of filters and tests.
#pragma once

#include <span>
#include <string_view>

#include "text/template/value.h"

namespace qn::text::jinja {

struct CallArguments;

struct FilterEntry {
  std::string_view name;
  Result<Value> (*body)(Machine&, const Value& subject, CallArguments& arguments);
};
const FilterEntry* find_filter(std::string_view name);  // null when there is none

struct TestEntry {
  std::string_view name;
  Result<bool> (*body)(Machine&, const Value& subject, CallArguments& arguments);
};
const TestEntry* find_test(std::string_view name);

std::span<const FilterEntry> text_filters();
std::span<const FilterEntry> sequence_filters();
std::span<const FilterEntry> lazy_filters();
std::span<const FilterEntry> number_filters();

}  // namespace qn::text::jinja
