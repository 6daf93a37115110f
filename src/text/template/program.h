// A parsed template: the tree, its names and constants. Immutable and shared by every render.
#pragma once

#include <string>
#include <vector>

#include "text/template/ast.h"
#include "text/template/template.h"

namespace qn::text::jinja {

struct Program {
  TemplateLimits limits;
  std::vector<std::string> names;
  std::vector<Constant> constants;
  std::vector<std::string> words;  // for mentions(): names and string literals, sorted
  Body body;
  ScopeTable scope;
};

}  // namespace qn::text::jinja
