// What a file of this folder defines: `const DialectEntry dialect_NAME`. CMake globs the folder and writes the table.
#pragma once

#include <functional>
#include <string_view>

#include "text/chat/dialect.h"

namespace qn::text {

struct TemplateFacts {
  std::string_view source;
  const std::function<bool(std::string_view)>& has_token;

  bool writes(std::string_view text) const { return source.find(text) != std::string_view::npos; }
};

struct DialectEntry {
  std::string_view names;                    // of vLLM's parsers, a space between two
  bool (*recognises)(const TemplateFacts&);  // true for one dialect at most
  Dialect (*make)(const TemplateFacts&);
};

}  // namespace qn::text
