#include "text/grammar/token_vocabulary.h"

#include "base/check.h"
#include "text/grammar/automaton.h"
#include "text/grammar/mask_cache.h"
#include "text/grammar/masks.h"
#include "text/grammar/token_trie.h"

namespace qn::text {

std::shared_ptr<const TokenVocabulary> TokenVocabulary::make(const Tokenizer& tokenizer, int vocab_size, std::size_t mask_bytes) {
  return std::shared_ptr<const TokenVocabulary>(new TokenVocabulary(tokenizer, vocab_size, mask_bytes));
}

TokenVocabulary::TokenVocabulary(const Tokenizer& tokenizer, int vocab_size, std::size_t mask_bytes)
    : tokenizer_(tokenizer),
      vocab_size_(std::max(vocab_size, tokenizer.vocab_size())),
      trie_(std::make_unique<grammar::TokenTrie>(tokenizer)),
      masks_(std::make_unique<grammar::MaskCache>(mask_bytes)) {}

TokenVocabulary::~TokenVocabulary() = default;

// A reply stands at the start of the root, or where an edge or a call has led it.
void TokenVocabulary::prepare(const Grammar& grammar, std::chrono::milliseconds at_most) const {
  const auto end = std::chrono::steady_clock::now() + at_most;
  const grammar::Automaton& automaton = grammar.automaton();
  std::vector<bool> entered(automaton.nodes.size());
  entered[automaton.rules[automaton.root].start] = true;
  for (const grammar::Node& node : automaton.nodes) {
    for (std::uint32_t i = 0; i < node.edges; ++i) entered[automaton.edges[node.first_edge + i].target] = true;
    for (std::uint32_t i = 0; i < node.calls; ++i) entered[automaton.calls[node.first_call + i].target] = true;
    if (node.loop) entered[automaton.rules[node.rule].start] = true;
  }
  for (std::uint32_t node = 0; node < automaton.nodes.size(); ++node) {
    if (!entered[node] || !automaton.nodes[node].productive || !automaton.goes_on(automaton.nodes[node])) continue;
    if (std::chrono::steady_clock::now() > end) return;
    grammar::node_mask_of(*this, automaton, node, 0);
  }
}

}  // namespace qn::text
