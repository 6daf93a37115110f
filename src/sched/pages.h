// Pages: homes for keys and values, page_tokens() positions each. A page's number means the same page in every layer's pool; what
// lies in it is not known here.
// Invariant: free + cached + held == total. A page is held while a sequence refers to it (several may share a full one), cached
// when nobody does but its tokens can still be found, and free otherwise.
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

  // A page for one owner: a free one, or the cached one whose last use is longest ago, which can then no longer be found.
  std::optional<PageId> take();

  void share(PageId page);    // one more owner of a page that find() returned
  void release(PageId page);  // one owner less; the last one leaves it cached where it can be found, else free

  // From now on the full page can be found. Where another page with the same content can be found already, that one stays the
  // one, and this page ends with its owner. Returns the content's name, for the page that follows.
  PrefixName publish(PageId page, std::uint64_t salt, PrefixName before, std::span<const TokenId> tokens);

 private:
  static constexpr std::uint32_t none = ~std::uint32_t{0};

  struct Page {
    int owners = 0;
    PrefixName name = no_prefix;  // no_prefix: cannot be found
    PrefixName before = no_prefix;
    std::uint64_t salt = 0;
    std::uint64_t hash = 0;
    std::vector<TokenId> tokens;               // [page_tokens], compared on every hit: a hash alone proves nothing
    std::uint32_t older = none, newer = none;  // neighbours by last use, while cached
  };

  Page& at(PageId page);
  void link_newest(std::uint32_t index);
  void unlink(std::uint32_t index);

  int page_tokens_;
  std::vector<Page> pages_;
  std::vector<std::uint32_t> free_;                           // a stack
  std::unordered_map<std::uint64_t, std::uint32_t> by_hash_;  // a second content with the same hash is just not findable
  std::uint32_t oldest_ = none, newest_ = none;
  int cached_ = 0;
  std::uint64_t last_name_ = 0;
};

}  // namespace qn::sched
