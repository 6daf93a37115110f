// A device that stores tokens in pages. The next token is a hash of every token it reads through the page table, so a wrong
// table, a page given away too early or a stale prefix yields a wrong token.
#pragma once

#include <cstdint>
#include <map>
#include <stdexcept>
#include <vector>

#include "sched/step.h"

namespace qn::sched {

class FakeDevice {
 public:
  FakeDevice(int pages, int page_tokens)
      : page_tokens_(page_tokens), cells_(static_cast<std::size_t>(pages) * static_cast<std::size_t>(page_tokens)) {}

  // Writes each token of the step where the table says, with the hash of what stands before it, as keys and values depend on
  // their prefix. Returns, for each sequence, what it says after each of the tokens that are read.
  std::vector<std::vector<TokenId>> run(const Step& step) {
    for (const StepSequence& s : step.sequences) {
      for (std::size_t i = 0; i < s.tokens.size(); ++i) {
        const int position = s.first_position + static_cast<int>(i);
        const std::uint64_t prefix = position == 0 ? 0 : cell(s, position - 1).prefix;
        const TokenId token = s.tokens[i] == chosen_before ? said_.at(s.id) : s.tokens[i];
        cell(s, position) = {token, mix(prefix, token)};
      }
    }
    std::vector<std::vector<TokenId>> said;
    for (const StepSequence& s : step.sequences) {
      said.emplace_back();
      const int end = s.first_position + static_cast<int>(s.tokens.size());
      std::uint64_t hash = 0;
      for (int position = 0; position < end; ++position) {
        const Cell& read = cell(s, position);
        hash = mix(mix(hash, read.token), read.prefix);
        if (position >= end - s.reads) said.back().push_back(word(hash));
      }
      if (s.reads > 0) said_[s.id] = said.back().back();
    }
    return said;
  }

  // A step that has not committed may still be writing: what it wrote is written once more.
  void write_late(const Step& step, const std::vector<std::vector<PageId>>& pages) {
    for (std::size_t i = 0; i < step.sequences.size(); ++i) {
      StepSequence s = step.sequences[i];
      s.pages = pages[i];
      const auto& cells = written_.at({s.id, s.first_position});
      for (std::size_t t = 0; t < cells.size(); ++t) cell(s, s.first_position + static_cast<int>(t)) = cells[t];
      written_.erase({s.id, s.first_position});
    }
  }
  void remember(const Step& step) {
    for (const StepSequence& s : step.sequences) {
      std::vector<Cell>& cells = written_[{s.id, s.first_position}];
      cells.clear();
      for (std::size_t t = 0; t < s.tokens.size(); ++t) cells.push_back(cell(s, s.first_position + static_cast<int>(t)));
    }
  }

  // The same model with no pages at all: what it says after each of these tokens.
  static std::vector<TokenId> says(const std::vector<TokenId>& tokens) {
    std::vector<TokenId> said;
    std::uint64_t hash = 0, prefix = 0;
    for (const TokenId token : tokens) {
      prefix = mix(prefix, token);
      hash = mix(mix(hash, token), prefix);
      said.push_back(word(hash));
    }
    return said;
  }

 private:
  struct Cell {
    TokenId token = -1;
    std::uint64_t prefix = 0;
  };

  static TokenId word(std::uint64_t hash) { return static_cast<TokenId>(hash % 3); }  // few words, so that prefixes are met again
  static std::uint64_t mix(std::uint64_t hash, std::uint64_t value) {
    hash = (hash ^ (value + 0x9E3779B97F4A7C15u)) * 0xBF58476D1CE4E5B9u;
    return hash ^ (hash >> 29);
  }
  static std::uint64_t mix(std::uint64_t hash, TokenId token) { return mix(hash, static_cast<std::uint64_t>(token)); }

  Cell& cell(const StepSequence& s, int position) {
    if (static_cast<std::size_t>(position / page_tokens_) >= s.pages.size()) throw std::out_of_range("no page for a position");
    const PageId page = s.pages[static_cast<std::size_t>(position / page_tokens_)];
    return cells_.at(static_cast<std::size_t>(page.value) * static_cast<std::size_t>(page_tokens_) +
                     static_cast<std::size_t>(position % page_tokens_));
  }

  int page_tokens_;
  std::vector<Cell> cells_;
  std::map<SequenceId, TokenId> said_;                               // last, after its last token
  std::map<std::pair<SequenceId, int>, std::vector<Cell>> written_;  // by steps in flight
};

}  // namespace qn::sched
