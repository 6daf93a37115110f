#include "sched/pages.h"

#include <algorithm>
#include <utility>

#include "base/check.h"

namespace qn::sched {
namespace {

std::uint64_t mix(std::uint64_t hash, std::uint64_t value) {
  hash = (hash ^ value) * 0x9E3779B97F4A7C15u;
  return hash ^ (hash >> 32);
}

std::uint64_t hash_of(std::uint64_t salt, PrefixName before, std::span<const TokenId> tokens) {
  std::uint64_t hash = mix(mix(0, salt), before.value);
  for (const TokenId token : tokens) hash = mix(hash, static_cast<std::uint32_t>(token));
  return hash;
}

}  // namespace

PagePool::PagePool(int pages, int page_tokens) : page_tokens_(page_tokens) {
  QN_CHECK(pages > 0 && page_tokens > 0, "a pool has pages, and pages have room");
  pages_.resize(static_cast<std::size_t>(pages));
  for (int page = pages; page-- > 0;) free_.push_back(static_cast<std::uint32_t>(page));  // page 0 is given first
}

PagePool::Page& PagePool::at(PageId page) {
  QN_CHECK(page.value < pages_.size(), "page ids come from this pool");
  return pages_[page.value];
}

std::optional<PagePool::Found> PagePool::find(std::uint64_t salt, PrefixName before, std::span<const TokenId> tokens) const {
  const auto hit = by_hash_.find(hash_of(salt, before, tokens));
  if (hit == by_hash_.end()) return std::nullopt;
  const Page& page = pages_[hit->second];
  if (owners_[page.owner].salt != salt || page.before != before || !std::ranges::equal(page.tokens, tokens)) return std::nullopt;
  return Found{PageId{hit->second}, page.name};
}

std::optional<PageId> PagePool::take(std::uint64_t salt) {
  if (free_.empty() && cached_ == 0) return std::nullopt;
  const std::uint32_t taker = owner_of(salt);
  std::uint32_t index;
  if (!free_.empty()) {
    index = free_.back();
    free_.pop_back();
  } else {
    const std::uint32_t owner = loser(taker);
    index = owners_[owner].oldest;
    unlink(index);
    by_hash_.erase(pages_[index].hash);
    pages_[index].name = no_prefix;
    if (owner != taker) leave(owner);
  }
  pages_[index].holders = 1;
  pages_[index].owner = taker;
  owners_[taker].held += 1;
  return PageId{index};
}

void PagePool::share(PageId id) {
  Page& page = at(id);
  QN_CHECK(page.name != no_prefix, "only a findable page is shared");
  if (page.holders++ > 0) return;
  unlink(id.value);
  owners_[page.owner].held += 1;
}

void PagePool::release(PageId id) {
  Page& page = at(id);
  QN_CHECK(page.holders > 0, "a page is released once by each holder");
  if (--page.holders > 0) return;
  owners_[page.owner].held -= 1;
  if (page.name != no_prefix) {
    link_newest(id.value);
  } else {
    leave(std::exchange(page.owner, none));
    free_.push_back(id.value);
  }
}

PrefixName PagePool::publish(PageId id, PrefixName before, std::span<const TokenId> tokens) {
  Page& page = at(id);
  QN_CHECK(page.holders > 0 && page.name == no_prefix, "a holder publishes a page once");
  QN_CHECK(static_cast<int>(tokens.size()) == page_tokens_, "only full pages can be found");
  const std::uint64_t salt = owners_[page.owner].salt;
  if (const std::optional<Found> same = find(salt, before, tokens)) return same->name;
  const PrefixName name{++last_name_};
  const std::uint64_t hash = hash_of(salt, before, tokens);
  if (by_hash_.emplace(hash, id.value).second) {
    page.name = name;
    page.before = before;
    page.hash = hash;
    page.tokens.assign(tokens.begin(), tokens.end());
  }
  return name;
}

std::uint32_t PagePool::owner_of(std::uint64_t salt) {
  const auto [entry, is_new] = owner_by_salt_.try_emplace(salt, none);
  if (!is_new) return entry->second;
  if (free_owners_.empty()) {
    entry->second = static_cast<std::uint32_t>(owners_.size());
    owners_.emplace_back();
  } else {
    entry->second = free_owners_.back();
    free_owners_.pop_back();
  }
  owners_[entry->second].salt = salt;
  return entry->second;
}

// Who gives a cached page for the taker. A pass over all owners, of which there are as many as salts with pages: few.
std::uint32_t PagePool::loser(std::uint32_t taker) const {
  std::uint32_t most = owners_[taker].cached > 0 ? taker : none;
  for (std::uint32_t i = 0; i < owners_.size(); ++i) {
    if (owners_[i].cached > 0 && (most == none || owners_[i].pages() > owners_[most].pages())) most = i;
  }
  return most;
}

void PagePool::leave(std::uint32_t owner) {  // where that was its last page
  if (owners_[owner].pages() > 0) return;
  owner_by_salt_.erase(owners_[owner].salt);
  free_owners_.push_back(owner);
}

void PagePool::link_newest(std::uint32_t index) {
  Owner& owner = owners_[pages_[index].owner];
  pages_[index].older = owner.newest;
  pages_[index].newer = none;
  (owner.newest == none ? owner.oldest : pages_[owner.newest].newer) = index;
  owner.newest = index;
  owner.cached += 1;
  ++cached_;
}

void PagePool::unlink(std::uint32_t index) {
  Page& page = pages_[index];
  Owner& owner = owners_[page.owner];
  (page.older == none ? owner.oldest : pages_[page.older].newer) = page.newer;
  (page.newer == none ? owner.newest : pages_[page.newer].older) = page.older;
  page.older = page.newer = none;
  owner.cached -= 1;
  --cached_;
}

}  // namespace qn::sched
