// Pages: homes for keys and values, page_tokens() positions each. A page's number means the same page in every layer's pool; what
// lies in it is not known here.
// Invariant: free + cached + held == total. A page is held while a sequence refers to it (several may share a full one), cached
// when nobody does but its tokens can still be found, and free otherwise.
// Those who share pages (one salt) are an owner. Who has most pages loses cached ones first, so nobody can push out more of
// another's than it takes for both to have as many, except to hold them.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <unordered_map>
#include <vector>

#include "base/ids.h"

namespace qn::sched {

// Names what a findable page holds: its own tokens after those of the page before it. No two contents ever share a name, so a
// chain of names stands for the whole prefix, and a name outlives its page without meaning anything else.
struct PrefixName {
  std::uint64_t value;  // 0: the empty prefix
  auto operator<=>(const PrefixName&) const = default;
};
constexpr PrefixName no_prefix{0};

class PagePool {
 public:
  PagePool(int pages, int page_tokens);

  int page_tokens() const { return page_tokens_; }
  int total() const { return static_cast<int>(pages_.size()); }
  int free() const { return static_cast<int>(free_.size()); }
  int cached() const { return cached_; }
  int held() const { return total() - free() - cached_; }
  int available() const { return free() + cached_; }  // what take() can still give

  struct Found {
    PageId page;
    PrefixName name;
  };
  // The page that holds exactly these tokens after `before`, computed for the same salt. Takes no reference.
  //   tokens   page_tokens() of them
  std::optional<Found> find(std::uint64_t salt, PrefixName before, std::span<const TokenId> tokens) const;

  // A page to hold: a free one, or else a cached one, which can then no longer be found: of the owner with most pages, held and cached
  // (this one, if it has as many as any), that whose last use is longest ago.
  std::optional<PageId> take(std::uint64_t salt);

  void share(PageId page);    // one more holder of a page that find() returned
  void release(PageId page);  // one holder less; the last one leaves it cached where it can be found, else free

  // From now on the full page can be found. Where another page with the same content can be found already, that one stays the
  // one, and this page ends with its holder. Returns the content's name, for the page that follows.
  PrefixName publish(PageId page, PrefixName before, std::span<const TokenId> tokens);

 private:
  static constexpr std::uint32_t none = ~std::uint32_t{0};

  struct Page {
    int holders = 0;
    std::uint32_t owner = none;   // in owners_; none: the page is free
    PrefixName name = no_prefix;  // no_prefix: cannot be found
    PrefixName before = no_prefix;
    std::uint64_t hash = 0;
    std::vector<TokenId> tokens;               // [page_tokens], compared on every hit: a hash alone proves nothing
    std::uint32_t older = none, newer = none;  // neighbours by last use, while cached
  };

  struct Owner {
    std::uint64_t salt = 0;
    int held = 0, cached = 0;                    // pages; both 0: the place is free for another owner
    std::uint32_t oldest = none, newest = none;  // of the cached ones
    int pages() const { return held + cached; }
  };

  Page& at(PageId page);
  std::uint32_t owner_of(std::uint64_t salt);
  std::uint32_t loser(std::uint32_t taker) const;
  void leave(std::uint32_t owner);
  void link_newest(std::uint32_t index);
  void unlink(std::uint32_t index);

  int page_tokens_;
  std::vector<Page> pages_;
  std::vector<std::uint32_t> free_;                           // a stack
  std::unordered_map<std::uint64_t, std::uint32_t> by_hash_;  // a second content with the same hash is just not findable
  std::vector<Owner> owners_;
  std::vector<std::uint32_t> free_owners_;
  std::unordered_map<std::uint64_t, std::uint32_t> owner_by_salt_;
  int cached_ = 0;
  std::uint64_t last_name_ = 0;
};

}  // namespace qn::sched
