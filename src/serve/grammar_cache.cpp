#include "serve/grammar_cache.h"

#include <utility>

namespace qn::serve {

text::SharedGrammar GrammarCache::find(const std::string& source) {
  const std::lock_guard lock(mutex_);
  const auto found = by_source_.find(source);
  if (found == by_source_.end()) return nullptr;
  entries_.splice(entries_.begin(), entries_, found->second);
  return found->second->grammar;
}

void GrammarCache::put(const std::string& source, text::SharedGrammar grammar) {
  const std::lock_guard lock(mutex_);
  if (by_source_.contains(source)) return;
  entries_.push_front({source, std::move(grammar)});
  by_source_.emplace(entries_.front().source, entries_.begin());
  used_ += entries_.front().bytes();
  while (used_ > bytes_ && !entries_.empty()) {
    used_ -= entries_.back().bytes();
    by_source_.erase(entries_.back().source);
    entries_.pop_back();
  }
}

}  // namespace qn::serve
