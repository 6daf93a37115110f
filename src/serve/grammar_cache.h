// GrammarCache: compiled grammars by what they were compiled from. The same schema comes with every request of an application.
// Invariant: sources and grammars together stay within the bound; least recently used go first.
#pragma once

#include <list>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>

#include "text/grammar/grammar.h"

namespace qn::serve {

class GrammarCache {
 public:
  explicit GrammarCache(std::size_t bytes) : bytes_(bytes) {}

  text::SharedGrammar find(const std::string& source);  // null where there is none
  void put(const std::string& source, text::SharedGrammar grammar);

 private:
  struct Entry {
    std::string source;
    text::SharedGrammar grammar;
    std::size_t bytes() const { return 2 * source.size() + grammar->memory_bytes(); }
  };
  const std::size_t bytes_;
  std::mutex mutex_;
  std::list<Entry> entries_;  // most recently used first
  std::unordered_map<std::string_view, std::list<Entry>::iterator> by_source_;
  std::size_t used_ = 0;
};

}  // namespace qn::serve
