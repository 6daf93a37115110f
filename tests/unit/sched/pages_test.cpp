#include "sched/pages.h"

#include <gtest/gtest.h>

namespace qn::sched {
namespace {

using Tokens = std::vector<TokenId>;

// A pool of `pages` pages of two tokens, all of them published as a chain for salt 0, then released.
PagePool pool_with_chain(int pages, std::vector<PageId>& chain) {
  PagePool pool(pages, 2);
  PrefixName name = no_prefix;
  for (TokenId i = 0; i < pages; ++i) {
    chain.push_back(*pool.take(0));
    name = pool.publish(chain.back(), name, Tokens{i, i});
  }
  for (std::size_t i = chain.size(); i-- > 0;) pool.release(chain[i]);
  return pool;
}

TEST(PagePool, pages_are_free_or_cached_or_held_and_nothing_else) {
  PagePool pool(3, 2);
  EXPECT_EQ(pool.free(), 3);
  const PageId a = *pool.take(0), b = *pool.take(0);
  EXPECT_EQ(pool.held(), 2);
  pool.publish(a, no_prefix, Tokens{1, 2});
  pool.release(a);
  pool.release(b);
  EXPECT_EQ(pool.cached(), 1);
  EXPECT_EQ(pool.held(), 0);
  EXPECT_EQ(pool.free(), 2);
}

TEST(PagePool, an_empty_pool_gives_nothing) {
  PagePool pool(1, 2);
  ASSERT_TRUE(pool.take(0));
  EXPECT_FALSE(pool.take(0));
}

TEST(PagePool, a_published_page_is_found_by_its_tokens_after_its_prefix) {
  PagePool pool(2, 2);
  const PageId a = *pool.take(0), b = *pool.take(0);
  const PrefixName first = pool.publish(a, no_prefix, Tokens{1, 2});
  pool.publish(b, first, Tokens{3, 4});
  EXPECT_EQ(pool.find(0, no_prefix, Tokens{1, 2})->page, a);
  EXPECT_EQ(pool.find(0, first, Tokens{3, 4})->page, b);
  EXPECT_FALSE(pool.find(0, no_prefix, Tokens{3, 4})) << "the same tokens after another prefix are another page";
  EXPECT_FALSE(pool.find(0, first, Tokens{3, 5}));
}

TEST(PagePool, the_same_tokens_after_two_prefixes_are_two_pages_and_both_are_found) {
  PagePool pool(4, 1);
  const PrefixName x = pool.publish(*pool.take(0), no_prefix, Tokens{1}), y = pool.publish(*pool.take(0), no_prefix, Tokens{2});
  const PageId after_x = *pool.take(0), after_y = *pool.take(0);
  pool.publish(after_x, x, Tokens{3});
  pool.publish(after_y, y, Tokens{3});
  EXPECT_EQ(pool.find(0, x, Tokens{3})->page, after_x);
  EXPECT_EQ(pool.find(0, y, Tokens{3})->page, after_y);
}

TEST(PagePool, another_salt_finds_nothing) {
  PagePool pool(1, 2);
  pool.publish(*pool.take(7), no_prefix, Tokens{1, 2});
  EXPECT_TRUE(pool.find(7, no_prefix, Tokens{1, 2}));
  EXPECT_FALSE(pool.find(8, no_prefix, Tokens{1, 2}));
}

TEST(PagePool, a_shared_page_stays_held_until_its_last_holder_leaves) {
  PagePool pool(1, 2);
  const PageId a = *pool.take(0);
  pool.publish(a, no_prefix, Tokens{1, 2});
  pool.share(a);
  pool.release(a);
  EXPECT_EQ(pool.held(), 1);
  EXPECT_FALSE(pool.take(0)) << "a prefix in use is not evicted";
  pool.release(a);
  EXPECT_EQ(pool.cached(), 1);
}

TEST(PagePool, a_cached_page_comes_back_into_use) {
  std::vector<PageId> chain;
  PagePool pool = pool_with_chain(1, chain);
  pool.share(chain[0]);
  EXPECT_EQ(pool.cached(), 0);
  EXPECT_EQ(pool.held(), 1);
}

TEST(PagePool, the_cached_page_used_longest_ago_is_evicted_first) {
  std::vector<PageId> chain;
  PagePool pool = pool_with_chain(3, chain);  // released from the end: the tail is the oldest
  pool.share(chain[2]);
  pool.release(chain[2]);  // now the middle is
  EXPECT_EQ(*pool.take(0), chain[1]);
  EXPECT_EQ(*pool.take(0), chain[0]);
  EXPECT_EQ(*pool.take(0), chain[2]);
}

TEST(PagePool, an_evicted_page_can_no_longer_be_found) {
  std::vector<PageId> chain;
  PagePool pool = pool_with_chain(1, chain);
  EXPECT_TRUE(pool.find(0, no_prefix, Tokens{0, 0}));
  ASSERT_TRUE(pool.take(0));
  EXPECT_FALSE(pool.find(0, no_prefix, Tokens{0, 0}));
}

TEST(PagePool, free_pages_are_given_before_cached_ones) {
  PagePool pool(2, 2);
  const PageId a = *pool.take(0);
  pool.publish(a, no_prefix, Tokens{1, 2});
  pool.release(a);
  EXPECT_NE(*pool.take(0), a);
  EXPECT_EQ(pool.cached(), 1);
}

TEST(PagePool, the_same_content_twice_keeps_one_page_and_one_name) {
  PagePool pool(2, 2);
  const PageId a = *pool.take(0), b = *pool.take(0);
  const PrefixName name = pool.publish(a, no_prefix, Tokens{1, 2});
  EXPECT_EQ(pool.publish(b, no_prefix, Tokens{1, 2}), name);
  pool.release(b);
  EXPECT_EQ(pool.free(), 1) << "the second page ends with its holder";
  EXPECT_EQ(pool.find(0, no_prefix, Tokens{1, 2})->page, a);
}

TEST(PagePool, a_child_whose_parent_was_evicted_is_not_found_under_a_new_parent) {
  PagePool pool(2, 2);
  const PageId a = *pool.take(0), b = *pool.take(0);
  const PrefixName old_parent = pool.publish(a, no_prefix, Tokens{1, 2});
  pool.publish(b, old_parent, Tokens{3, 4});
  pool.release(a);
  const PageId again = *pool.take(0);  // evicts the parent
  const PrefixName new_parent = pool.publish(again, no_prefix, Tokens{8, 9});
  EXPECT_NE(new_parent, old_parent);
  EXPECT_FALSE(pool.find(0, new_parent, Tokens{3, 4}));
}

// One page after the other for `salt`, each published and released: a stream of prompts that nobody asks for again.
void flood(PagePool& pool, std::uint64_t salt, int pages) {
  for (TokenId i = 0; i < pages; ++i) {
    const PageId page = *pool.take(salt);
    pool.publish(page, no_prefix, Tokens{static_cast<TokenId>(1000 * salt) + i, 1});
    pool.release(page);
  }
}

int kept(const PagePool& pool, std::uint64_t salt, int pages) {
  int count = 0;
  for (TokenId i = 0; i < pages; ++i) count += pool.find(salt, no_prefix, Tokens{static_cast<TokenId>(1000 * salt) + i, 1}).has_value();
  return count;
}

TEST(PageOwners, nobody_pushes_out_more_than_half_of_what_another_keeps) {
  PagePool pool(100, 2);
  flood(pool, 1, 100);
  flood(pool, 2, 10000);
  EXPECT_EQ(kept(pool, 1, 100), 50);
  flood(pool, 3, 10000);
  EXPECT_GE(kept(pool, 1, 100), 33);
  EXPECT_EQ(pool.free() + pool.cached() + pool.held(), 100);
}

TEST(PageOwners, who_keeps_little_loses_nothing) {
  PagePool pool(100, 2);
  flood(pool, 1, 20);
  flood(pool, 2, 5000);
  EXPECT_EQ(kept(pool, 1, 20), 20);
}

TEST(PageOwners, what_is_computed_now_goes_before_what_is_kept) {
  PagePool pool(10, 2);
  flood(pool, 1, 10);
  for (int i = 0; i < 10; ++i) EXPECT_TRUE(pool.take(2)) << "one request may need all pages";
  EXPECT_EQ(kept(pool, 1, 10), 0);
}

}  // namespace
}  // namespace qn::sched
