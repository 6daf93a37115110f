// A device that stores tokens in pages. The next token is a hash of every token it reads through the page table, so a wrong
// table, a page given away too early or a stale prefix yields a wrong token.
#pragma once

#include <cstdint>
#include <stdexcept>
#include <vector>

#include "sched/step.h"

namespace qn::sched {

class FakeDevice {
 public:
  FakeDevice(int pages, int page_tokens)
      : page_tokens_(page_tokens), cells_(static_cast<std::size_t>(pages) * static_cast<std::size_t>(page_tokens)) {}

  // Writes each token of the step where the table says, with the hash of what stands before it, as keys and values depend on
  // their prefix. Returns the next token of each sequence that wants logits.
  std::vector<TokenId> run(const Step& step) {
    for (const StepSequence& s : step.sequences) {
      for (std::size_t i = 0; i < s.tokens.size(); ++i) {
        const int position = s.first_position + static_cast<int>(i);
        const std::uint64_t prefix = position == 0 ? 0 : cell(s, position - 1).prefix;
        cell(s, position) = {s.tokens[i], mix(prefix, s.tokens[i])};
      }
    }
    std::vector<TokenId> sampled;
    for (const StepSequence& s : step.sequences) {
      if (!s.wants_logits) continue;
      std::uint64_t hash = 0;
      for (int position = 0; position < s.first_position + static_cast<int>(s.tokens.size()); ++position) {
        const Cell& read = cell(s, position);
        hash = mix(mix(hash, read.token), read.prefix);
      }
      sampled.push_back(static_cast<TokenId>(hash % 3));  // few words, so that prefixes are met again
    }
    return sampled;
  }

  // The same model with no pages at all: what the prompt's reply is when nobody else is there.
  static std::vector<TokenId> alone(std::vector<TokenId> tokens, int reply_tokens) {
    const std::size_t prompt = tokens.size();
    while (tokens.size() < prompt + static_cast<std::size_t>(reply_tokens)) {
      std::uint64_t hash = 0, prefix = 0;
      for (const TokenId token : tokens) {
        prefix = mix(prefix, token);
        hash = mix(mix(hash, token), prefix);
      }
      tokens.push_back(static_cast<TokenId>(hash % 3));
    }
    return {tokens.begin() + static_cast<std::ptrdiff_t>(prompt), tokens.end()};
  }

 private:
  struct Cell {
    TokenId token = -1;
    std::uint64_t prefix = 0;
  };

  static std::uint64_t mix(std::uint64_t hash, std::uint64_t value) {
    hash = (hash ^ (value + 0x9E3779B97F4A7C15u)) * 0xBF58476D1CE4E5B9u;
    return hash ^ (hash >> 29);
  }
  static std::uint64_t mix(std::uint64_t hash, TokenId token) { return mix(hash, static_cast<std::uint64_t>(token)); }

  Cell& cell(const StepSequence& s, int position) {
    const PageId page = s.pages.at(static_cast<std::size_t>(position / page_tokens_));
    return cells_.at(static_cast<std::size_t>(page.value) * static_cast<std::size_t>(page_tokens_) +
                     static_cast<std::size_t>(position % page_tokens_));
  }

  int page_tokens_;
  std::vector<Cell> cells_;
};

}  // namespace qn::sched
