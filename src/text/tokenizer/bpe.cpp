#include "text/tokenizer/bpe.h"

#include <algorithm>
#include <functional>
#include <utility>

#include "text/tokenizer/unicode.h"

namespace qn::text {
namespace {

constexpr std::size_t short_symbols = 40;
constexpr std::size_t max_piece_bytes = std::size_t{1} << 30;  // positions are 32 bits wide; a longer piece is cut here
constexpr std::uint32_t nobody = 0xFFFFFFFF;

}  // namespace

void ByteSymbols::append(std::string_view piece, std::vector<TokenId>& symbols) const {
  for (const char c : piece) {
    const TokenId id = ids_[static_cast<unsigned char>(c)];
    if (id >= 0) symbols.push_back(id);
  }
}

CharacterSymbols::CharacterSymbols(const TokenDictionary& dictionary, TokenId unknown) : dictionary_(dictionary), unknown_(unknown) {
  byte_ids_.fill(-1);
}

void CharacterSymbols::append(std::string_view piece, std::vector<TokenId>& symbols) const {
  bool after_unknown = false;
  while (!piece.empty()) {
    const std::string_view character = piece.substr(0, front(piece.data()).bytes);
    piece.remove_prefix(character.size());
    const bool was_unknown = std::exchange(after_unknown, false);
    if (const TokenId id = dictionary_.find(character); id >= 0) {
      symbols.push_back(id);
      continue;
    }
    const auto byte_id = [this](char c) { return byte_ids_[static_cast<unsigned char>(c)]; };
    if (std::all_of(character.begin(), character.end(), [&](char c) { return byte_id(c) >= 0; })) {
      for (const char c : character) symbols.push_back(byte_id(c));
    } else if (unknown_ >= 0) {
      after_unknown = true;
      if (!was_unknown || !fuse_unknown) symbols.push_back(unknown_);
    }
  }
}

Bpe::Bpe(const PairTable& pairs, const TokenDictionary& dictionary, const FirstSymbols& first_symbols, std::size_t tokens, bool take_whole)
    : pairs_(pairs), dictionary_(dictionary), first_symbols_(first_symbols), take_whole_(take_whole), whole_(tokens) {}

void Bpe::encode(std::string_view piece, Scratch& scratch, std::vector<TokenId>& out) const {
  const TokenId whole = dictionary_.find(piece);
  std::uint8_t known = merges_to_parts;
  if (whole >= 0) {
    known = take_whole_ ? std::uint8_t{merges_to_itself} : whole_[static_cast<std::size_t>(whole)].load(std::memory_order_relaxed);
    if (known == merges_to_itself) {
      out.push_back(whole);
      return;
    }
  }
  const std::size_t before = out.size();
  while (!piece.empty()) {
    std::string_view part = piece.substr(0, max_piece_bytes);
    while (part.size() < piece.size() && (static_cast<unsigned char>(piece[part.size()]) & 0xC0) == 0x80) part.remove_suffix(1);
    piece.remove_prefix(part.size());
    scratch.symbols.clear();
    first_symbols_.append(part, scratch.symbols);
    if (scratch.symbols.size() <= short_symbols) {
      merge_short(scratch.symbols, out);
    } else {
      merge_long(scratch.symbols, scratch, out);
    }
  }
  if (known == not_known) {
    const bool itself = out.size() == before + 1 && out.back() == whole;
    whole_[static_cast<std::size_t>(whole)].store(itself ? merges_to_itself : merges_to_parts, std::memory_order_relaxed);
  }
}

// Looks through all pairs for every merge: quadratic, and the fastest way for a word.
void Bpe::merge_short(std::span<TokenId> symbols, std::vector<TokenId>& out) const {
  std::array<Merge, short_symbols> with_next;
  std::size_t count = symbols.size();
  for (std::size_t i = 0; i + 1 < count; ++i) with_next[i] = pairs_.find(symbols[i], symbols[i + 1]);
  while (count > 1) {
    std::size_t best = 0;
    for (std::size_t i = 1; i + 1 < count; ++i)
      if (with_next[i].rank < with_next[best].rank) best = i;
    if (with_next[best].rank == Merge::never) break;
    symbols[best] = with_next[best].result;
    --count;
    for (std::size_t i = best + 1; i < count; ++i) symbols[i] = symbols[i + 1];
    for (std::size_t i = best + 1; i + 1 < count; ++i) with_next[i] = with_next[i + 1];
    if (best > 0) with_next[best - 1] = pairs_.find(symbols[best - 1], symbols[best]);
    if (best + 1 < count) with_next[best] = pairs_.find(symbols[best], symbols[best + 1]);
  }
  out.insert(out.end(), symbols.begin(), symbols.begin() + static_cast<std::ptrdiff_t>(count));
}

// A linked list of symbols and a heap of (rank, place). An entry is stale, and passed over, when the pair at its place has changed.
void Bpe::merge_long(std::span<const TokenId> symbols, Scratch& scratch, std::vector<TokenId>& out) const {
  auto& nodes = scratch.nodes;
  auto& heap = scratch.heap;
  nodes.resize(symbols.size());
  heap.clear();
  const auto entry = [&nodes](std::uint32_t place) { return std::uint64_t{nodes[place].with_next.rank} << 32 | place; };
  const auto count = static_cast<std::uint32_t>(symbols.size());
  for (std::uint32_t i = 0; i < count; ++i) {
    const bool last = i + 1 == count;
    nodes[i] = {symbols[i], i == 0 ? nobody : i - 1, last ? nobody : i + 1, last ? Merge{} : pairs_.find(symbols[i], symbols[i + 1])};
    if (nodes[i].with_next.rank != Merge::never) heap.push_back(entry(i));
  }
  std::make_heap(heap.begin(), heap.end(), std::greater<>());

  const auto look_again = [&](std::uint32_t place) {
    auto& node = nodes[place];
    node.with_next = node.next == nobody ? Merge{} : pairs_.find(node.id, nodes[node.next].id);
    if (node.with_next.rank == Merge::never) return;
    heap.push_back(entry(place));
    std::push_heap(heap.begin(), heap.end(), std::greater<>());
  };
  while (!heap.empty()) {
    const std::uint64_t top = heap.front();
    std::pop_heap(heap.begin(), heap.end(), std::greater<>());
    heap.pop_back();
    const auto place = static_cast<std::uint32_t>(top);
    if (entry(place) != top) continue;
    auto& node = nodes[place];
    auto& swallowed = nodes[node.next];
    node.id = node.with_next.result;
    node.next = swallowed.next;
    swallowed.with_next = {};
    if (node.next != nobody) nodes[node.next].previous = place;
    if (node.previous != nobody) look_again(node.previous);
    look_again(place);
  }
  for (std::uint32_t i = 0; i != nobody; i = nodes[i].next) out.push_back(nodes[i].id);
}

}  // namespace qn::text
