#include "sched/pages.h"

#include <algorithm>

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
  if (page.salt != salt || page.before != before || !std::ranges::equal(page.tokens, tokens)) return std::nullopt;
  return Found{PageId{hit->second}, page.name};
}

std::optional<PageId> PagePool::take() {
  if (free_.empty() && oldest_ == none) return std::nullopt;
  std::uint32_t index;
  if (!free_.empty()) {
    index = free_.back();
    free_.pop_back();
  } else {
    index = oldest_;
    unlink(index);
    by_hash_.erase(pages_[index].hash);
    pages_[index].name = no_prefix;
  }
  pages_[index].owners = 1;
  return PageId{index};
}

void PagePool::share(PageId id) {
  Page& page = at(id);
  QN_CHECK(page.name != no_prefix, "only a findable page is shared");
  if (page.owners++ == 0) unlink(id.value);
}

void PagePool::release(PageId id) {
  Page& page = at(id);
  QN_CHECK(page.owners > 0, "a page is released once by each owner");
  if (--page.owners > 0) return;
  if (page.name != no_prefix) {
    link_newest(id.value);
  } else {
    free_.push_back(id.value);
  }
}

PrefixName PagePool::publish(PageId id, std::uint64_t salt, PrefixName before, std::span<const TokenId> tokens) {
  Page& page = at(id);
  QN_CHECK(page.owners > 0 && page.name == no_prefix, "an owner publishes a page once");
  QN_CHECK(static_cast<int>(tokens.size()) == page_tokens_, "only full pages can be found");
  if (const std::optional<Found> same = find(salt, before, tokens)) return same->name;
  const PrefixName name{++last_name_};
  const std::uint64_t hash = hash_of(salt, before, tokens);
  if (by_hash_.emplace(hash, id.value).second) {
    page.name = name;
    page.before = before;
    page.salt = salt;
    page.hash = hash;
    page.tokens.assign(tokens.begin(), tokens.end());
  }
  return name;
}

void PagePool::link_newest(std::uint32_t index) {
  pages_[index].older = newest_;
  pages_[index].newer = none;
  (newest_ == none ? oldest_ : pages_[newest_].newer) = index;
  newest_ = index;
  ++cached_;
}

void PagePool::unlink(std::uint32_t index) {
  Page& page = pages_[index];
  (page.older == none ? oldest_ : pages_[page.older].newer) = page.newer;
  (page.newer == none ? newest_ : pages_[page.newer].older) = page.older;
  page.older = page.newer = none;
  --cached_;
}

}  // namespace qn::sched
