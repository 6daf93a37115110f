// Gives every name its place. Jinja decides the scope of a name before it runs: a name assigned anywhere in a block belongs to that
// block, and begins there as a copy of the outer one, as a variable of the render, or as nothing.
//   source   Jinja 3.1, idtracking and the frames of the compiler
#pragma once

#include "text/template/parser.h"

namespace qn::text::jinja {

// Fills slots, hops and tables of the tree.
//   errors   bad_input: jumps outside of loops, assignments to `loop`, filters and tests that do not exist
Status resolve_names(Parsed& parsed, ScopeTable& root, const TemplateLimits& limits);

}  // namespace qn::text::jinja
