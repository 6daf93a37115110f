#include "model/importance_collector.h"

#include <gtest/gtest.h>

#include <limits>

#include "backend/ref/ref_backend.h"

namespace qn::model {
namespace {

Tensor view(std::vector<float>& values, int columns) {
  return {reinterpret_cast<std::byte*>(values.data()), Element::f32, static_cast<int>(values.size()) / columns, columns};
}

TEST(ImportanceCollector, squares_are_summed_by_input_over_steps_of_any_length) {
  std::vector<float> first = {1, 2, 3, 4}, second = {5, 6};
  ImportanceCollector collector(CollectOf::layers);
  collector.product("blk.0.attn_q.weight", view(first, 2));
  collector.product("blk.0.attn_q.weight", view(second, 2));
  const file::ImportanceMatrix matrix = collector.matrix();
  EXPECT_EQ(matrix.entries.at("blk.0.attn_q.weight").sums, (std::vector<float>{1 + 9 + 25, 4 + 16 + 36}));
  EXPECT_EQ(matrix.entries.at("blk.0.attn_q.weight").counts, (std::vector<float>{3}));
  EXPECT_TRUE(collector.damaged().empty());
}

TEST(ImportanceCollector, the_output_counts_only_where_asked_for) {
  std::vector<float> x = {1, 2};
  for (const CollectOf which : {CollectOf::layers, CollectOf::layers_and_output}) {
    ImportanceCollector collector(which);
    collector.product("output.weight", view(x, 2));
    collector.product("token_embd.weight", view(x, 2));
    EXPECT_EQ(collector.matrix().entries.size(), which == CollectOf::layers ? 0u : 1u);
  }
}

TEST(ImportanceCollector, an_activation_that_is_no_number_names_its_weight) {
  std::vector<float> x = {1, std::numeric_limits<float>::quiet_NaN()};
  ImportanceCollector collector(CollectOf::layers);
  collector.product("blk.3.ffn_up.weight", view(x, 2));
  EXPECT_EQ(collector.damaged(), "blk.3.ffn_up.weight");
}

TEST(WatchedBackend, a_product_is_shown_under_the_name_of_its_weight_and_comes_out_the_same) {
  const auto plain = make_ref_backend();
  ImportanceCollector collector(CollectOf::layers);
  const auto watched = watch(*plain, collector);
  std::vector<float> weights = {1, 2, 3, 4}, x = {1, 10}, y(2), watched_y(2);
  const quant::EncodedTensor tensor{"blk.0.ffn_up.weight", quant::find_format("F32"), 2, 2, std::as_bytes(std::span(weights))};
  for (Backend* backend : {plain.get(), watched.get()}) {
    const auto weight = backend->adopt(tensor, Use::matrix);
    ASSERT_TRUE(weight);
    const Projection projection[] = {{.weight = weight->get(), .y = view(backend == plain.get() ? y : watched_y, 2)}};
    backend->ops().linear(view(x, 2), projection);
  }
  EXPECT_EQ(y, watched_y);
  EXPECT_EQ(collector.matrix().entries.at("blk.0.ffn_up.weight").sums, (std::vector<float>{1, 100}));
}

}  // namespace
}  // namespace qn::model
