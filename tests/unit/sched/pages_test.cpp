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
    chain.push_back(*pool.take());
    name = pool.publish(chain.back(), 0, name, Tokens{i, i});
  }
  for (std::size_t i = chain.size(); i-- > 0;) pool.release(chain[i]);
  return pool;
}

TEST(PagePool, pages_are_free_or_cached_or_held_and_nothing_else) {
  PagePool pool(3, 2);
  EXPECT_EQ(pool.free(), 3);
  const PageId a = *pool.take(), b = *pool.take();
  EXPECT_EQ(pool.held(), 2);
  pool.publish(a, 0, no_prefix, Tokens{1, 2});
  pool.release(a);
  pool.release(b);
  EXPECT_EQ(pool.cached(), 1);
  EXPECT_EQ(pool.held(), 0);
  EXPECT_EQ(pool.free(), 2);
}

TEST(PagePool, an_empty_pool_gives_nothing) {
  PagePool pool(1, 2);
  ASSERT_TRUE(pool.take());
  EXPECT_FALSE(pool.take());
}

TEST(PagePool, a_published_page_is_found_by_its_tokens_after_its_prefix) {
  PagePool pool(2, 2);
  const PageId a = *pool.take(), b = *pool.take();
  const PrefixName first = pool.publish(a, 0, no_prefix, Tokens{1, 2});
  pool.publish(b, 0, first, Tokens{3, 4});
  EXPECT_EQ(pool.find(0, no_prefix, Tokens{1, 2})->page, a);
  EXPECT_EQ(pool.find(0, first, Tokens{3, 4})->page, b);
  EXPECT_FALSE(pool.find(0, no_prefix, Tokens{3, 4})) << "the same tokens after another prefix are another page";
  EXPECT_FALSE(pool.find(0, first, Tokens{3, 5}));
}

TEST(PagePool, the_same_tokens_after_two_prefixes_are_two_pages_and_both_are_found) {
  PagePool pool(4, 1);
  const PrefixName x = pool.publish(*pool.take(), 0, no_prefix, Tokens{1}), y = pool.publish(*pool.take(), 0, no_prefix, Tokens{2});
  const PageId after_x = *pool.take(), after_y = *pool.take();
  pool.publish(after_x, 0, x, Tokens{3});
  pool.publish(after_y, 0, y, Tokens{3});
  EXPECT_EQ(pool.find(0, x, Tokens{3})->page, after_x);
  EXPECT_EQ(pool.find(0, y, Tokens{3})->page, after_y);
}

TEST(PagePool, another_salt_finds_nothing) {
  PagePool pool(1, 2);
  pool.publish(*pool.take(), 7, no_prefix, Tokens{1, 2});
  EXPECT_TRUE(pool.find(7, no_prefix, Tokens{1, 2}));
  EXPECT_FALSE(pool.find(8, no_prefix, Tokens{1, 2}));
}

TEST(PagePool, a_shared_page_stays_held_until_its_last_owner_leaves) {
  PagePool pool(1, 2);
  const PageId a = *pool.take();
  pool.publish(a, 0, no_prefix, Tokens{1, 2});
  pool.share(a);
  pool.release(a);
  EXPECT_EQ(pool.held(), 1);
  EXPECT_FALSE(pool.take()) << "a prefix in use is not evicted";
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
  EXPECT_EQ(*pool.take(), chain[1]);
  EXPECT_EQ(*pool.take(), chain[0]);
  EXPECT_EQ(*pool.take(), chain[2]);
}

TEST(PagePool, an_evicted_page_can_no_longer_be_found) {
  std::vector<PageId> chain;
  PagePool pool = pool_with_chain(1, chain);
  EXPECT_TRUE(pool.find(0, no_prefix, Tokens{0, 0}));
  ASSERT_TRUE(pool.take());
  EXPECT_FALSE(pool.find(0, no_prefix, Tokens{0, 0}));
}

TEST(PagePool, free_pages_are_given_before_cached_ones) {
  PagePool pool(2, 2);
  const PageId a = *pool.take();
  pool.publish(a, 0, no_prefix, Tokens{1, 2});
  pool.release(a);
  EXPECT_NE(*pool.take(), a);
  EXPECT_EQ(pool.cached(), 1);
}

TEST(PagePool, the_same_content_twice_keeps_one_page_and_one_name) {
  PagePool pool(2, 2);
  const PageId a = *pool.take(), b = *pool.take();
  const PrefixName name = pool.publish(a, 0, no_prefix, Tokens{1, 2});
  EXPECT_EQ(pool.publish(b, 0, no_prefix, Tokens{1, 2}), name);
  pool.release(b);
  EXPECT_EQ(pool.free(), 1) << "the second page ends with its owner";
  EXPECT_EQ(pool.find(0, no_prefix, Tokens{1, 2})->page, a);
}

TEST(PagePool, a_child_whose_parent_was_evicted_is_not_found_under_a_new_parent) {
  PagePool pool(2, 2);
  const PageId a = *pool.take(), b = *pool.take();
  const PrefixName old_parent = pool.publish(a, 0, no_prefix, Tokens{1, 2});
  pool.publish(b, 0, old_parent, Tokens{3, 4});
  pool.release(a);
  const PageId again = *pool.take();  // evicts the parent
  const PrefixName new_parent = pool.publish(again, 0, no_prefix, Tokens{8, 9});
  EXPECT_NE(new_parent, old_parent);
  EXPECT_FALSE(pool.find(0, new_parent, Tokens{3, 4}));
}

}  // namespace
}  // namespace qn::sched
