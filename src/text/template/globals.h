// range, dict, namespace, cycler, joiner, raise_exception, strftime_now.
#pragma once

#include "text/template/value.h"

namespace qn::text::jinja {

Value make_global(Heap& heap, std::string_view name);  // missing when there is none of that name

}  // namespace qn::text::jinja
