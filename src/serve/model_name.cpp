#include "serve/model_name.h"

#include <algorithm>

namespace qn::serve {

std::string plain_name(std::string_view name) {
  std::string plain(name);
  std::transform(plain.begin(), plain.end(), plain.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  for (const std::string_view begin : {"registry.ollama.ai/", "library/"})
    if (plain.starts_with(begin)) plain.erase(0, begin.size());
  constexpr std::string_view implied = ":latest";
  if (plain.ends_with(implied)) plain.resize(plain.size() - implied.size());
  return plain;
}

bool matches_name(std::string_view pattern, std::string_view name) {
  const std::string wanted = plain_name(name);
  if (!pattern.ends_with('*')) return plain_name(pattern) == wanted;
  return wanted.starts_with(plain_name(pattern.substr(0, pattern.size() - 1)));
}

}  // namespace qn::serve
