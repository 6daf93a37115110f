// One rule's expression as a nondeterministic automaton, on its way to nodes.
#pragma once

#include <cstdint>
#include <vector>

namespace qn::text::grammar {

struct Arc {
  enum class Kind : std::uint8_t { empty, byte, call };
  Kind kind;
  std::uint8_t first = 0, last = 0;
  std::uint32_t rule = 0;
  std::uint32_t to = 0;
};

struct Nfa {
  std::vector<std::vector<Arc>> arcs;  // by state
  std::uint32_t start = 0, exit = 1;

  std::uint32_t add_state() {
    arcs.emplace_back();
    return static_cast<std::uint32_t>(arcs.size() - 1);
  }
  void add_empty(std::uint32_t from, std::uint32_t to) { arcs[from].push_back({Arc::Kind::empty, 0, 0, 0, to}); }
  void add_byte(std::uint32_t from, std::uint8_t first, std::uint8_t last, std::uint32_t to) {
    arcs[from].push_back({Arc::Kind::byte, first, last, 0, to});
  }
  void add_call(std::uint32_t from, std::uint32_t rule, std::uint32_t to) { arcs[from].push_back({Arc::Kind::call, 0, 0, rule, to}); }
};

}  // namespace qn::text::grammar
