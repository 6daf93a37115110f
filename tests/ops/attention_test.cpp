// rotate_and_store and attend: the bits of ref, and bits that depend on the sequence alone: not on pages, chunks, batch or threads.
#include <cmath>

#include "support.h"

namespace qn::test {
namespace {

struct Shape {
  int heads, kv_heads, head;
};

// A backend with one layer's pages, through which sequences are run.
class Layer {
 public:
  Layer(Backend& backend, Shape shape, const quant::Format& keys, const quant::Format& values, int page_tokens, int pages = 64)
      : backend_(backend), shape_(shape) {
    pool_ = {nullptr, nullptr, &keys, &values, pages, page_tokens, shape.kv_heads, shape.head};
    keys_ = std::move(*backend.allocate(pool_.key_page_bytes() * static_cast<std::size_t>(pages)));
    values_ = std::move(*backend.allocate(pool_.value_page_bytes() * static_cast<std::size_t>(pages)));
    std::memset(keys_->data, 0xff, keys_->bytes);  // NaNs: what was never stored must never count
    std::memset(values_->data, 0xff, values_->bytes);
    pool_.keys = keys_->data;
    pool_.values = values_->data;
    norm_ = encode_f32(random_matrix(1, shape.head, 99));
    norm_weight_ = adopt(backend, *norm_, Use::vector);
  }

  struct Piece {             // tokens [from, from + count) of a sequence
    const Matrix* sequence;  // [T, (H + 2K) * head]: q, k, v
    int from, count;
    std::vector<PageId> pages;
  };

  bool with_norm = false;
  bool with_rope = true;
  RopeLayout rope_layout = RopeLayout::halves;
  int rotated = 0;  // 0: the whole head
  int window = 0;

  // One step over all pieces; the outputs [rows of the step, H * head].
  std::vector<float> step(const std::vector<Piece>& pieces) {
    int rows = 0;
    for (const Piece& piece : pieces) rows += piece.count;
    const int turned = rotated > 0 ? rotated : shape_.head;
    Matrix q(rows, shape_.heads * shape_.head), k(rows, shape_.kv_heads * shape_.head), v = k, out = q, cos_sin(rows, turned);
    std::vector<SequenceRows> sequences;
    int row = 0;
    for (const Piece& piece : pieces) {
      sequences.push_back({row, piece.count, piece.from, piece.pages});
      for (int i = 0; i < piece.count; ++i, ++row) {
        const float* from = piece.sequence->values.data() + (piece.from + i) * piece.sequence->columns;
        std::copy_n(from, q.columns, q.tensor().row(row));
        std::copy_n(from + q.columns, k.columns, k.tensor().row(row));
        std::copy_n(from + q.columns + k.columns, v.columns, v.tensor().row(row));
        for (int p = 0; p < turned / 2; ++p) {
          const double angle = (piece.from + i) * std::pow(10000.0, -2.0 * p / turned);
          cos_sin.tensor().row(row)[p] = static_cast<float>(std::cos(angle));
          cos_sin.tensor().row(row)[turned / 2 + p] = static_cast<float>(std::sin(angle));
        }
      }
    }
    const RopeTable rope{rope_layout, turned, cos_sin.tensor()};
    const Weight* norm = with_norm ? norm_weight_.get() : nullptr;
    const auto plan = backend_.ops().plan_attention(sequences, pool_.page_tokens);
    backend_.ops().rotate_and_store(*plan, {q.tensor(), k.tensor(), v.tensor(), norm, norm, 1e-6f, with_rope ? &rope : nullptr}, pool_);
    backend_.ops().attend(*plan, {q.tensor(), out.tensor(), 1 / std::sqrt(static_cast<float>(shape_.head)), window}, pool_);
    return out.values;
  }

  // A whole sequence in pieces of `count` tokens.
  std::vector<float> in_pieces(const Matrix& sequence, int count, const std::vector<PageId>& pages) {
    std::vector<float> all;
    for (int from = 0; from < sequence.rows; from += count) {
      const std::vector<float> part = step({{&sequence, from, std::min(count, sequence.rows - from), pages}});
      all.insert(all.end(), part.begin(), part.end());
    }
    return all;
  }

  // A prompt in one piece, then token by token, as replies come.
  std::vector<float> as_reply(const Matrix& sequence, int prompt, const std::vector<PageId>& pages) {
    std::vector<float> all = step({{&sequence, 0, prompt, pages}});
    for (int from = prompt; from < sequence.rows; ++from) {
      const std::vector<float> part = step({{&sequence, from, 1, pages}});
      all.insert(all.end(), part.begin(), part.end());
    }
    return all;
  }

 private:
  Backend& backend_;
  Shape shape_;
  KvPool pool_;
  std::unique_ptr<Buffer> keys_, values_;
  std::unique_ptr<Encoded> norm_;
  std::unique_ptr<Weight> norm_weight_;
};

Matrix random_sequence(Shape shape, int tokens, std::uint64_t seed) {
  return random_matrix(tokens, (shape.heads + 2 * shape.kv_heads) * shape.head, seed);
}

std::vector<PageId> pages_from(int first, int count, int step = 1) {
  std::vector<PageId> pages;
  for (int i = 0; i < count; ++i) pages.push_back({static_cast<std::uint32_t>(first + i * step)});
  return pages;
}

const quant::Format& format(std::string_view name) {
  return *quant::find_format(name);
}

class Attention : public ::testing::TestWithParam<Isa> {};
INSTANTIATE_TEST_SUITE_P(All, Attention, ::testing::ValuesIn(available_isas()), isa_name);

TEST_P(Attention, gives_the_bits_of_ref_for_every_shape) {
  const auto backend = cpu(GetParam(), 2);
  const auto ref = make_ref_backend();
  for (const Shape shape :
       {Shape{1, 1, 64}, Shape{6, 2, 128}, Shape{7, 1, 96}, Shape{4, 4, 80}, Shape{3, 3, 8}, Shape{4, 2, 40}, Shape{2, 1, 1280}})
    for (const int tokens : {1, 17, 150}) {
      const Matrix sequence = random_sequence(shape, tokens, static_cast<std::uint64_t>(shape.head));
      Layer mine(*backend, shape, format("F16"), format("F32"), 16), wanted(*ref, shape, format("F16"), format("F32"), 16);
      ASSERT_TRUE(same(mine.in_pieces(sequence, tokens, pages_from(3, 10)), wanted.in_pieces(sequence, tokens, pages_from(3, 10))))
          << shape.heads << " heads of " << shape.head << ", " << tokens << " tokens";
    }
}

TEST_P(Attention, gives_the_bits_of_ref_for_every_type_of_keys_and_values) {
  const Shape shape{4, 2, 64};
  const auto backend = cpu(GetParam());
  const auto ref = make_ref_backend();
  const Matrix sequence = random_sequence(shape, 100, 4);
  for (const quant::Format& keys : quant::formats())
    for (const quant::Format& values : quant::formats()) {
      if (!keys.for_cache || !values.for_cache) continue;
      if (shape.head % keys.block_weights != 0 || shape.head % values.block_weights != 0) continue;
      Layer mine(*backend, shape, keys, values, 32), wanted(*ref, shape, keys, values, 32);
      ASSERT_TRUE(same(mine.as_reply(sequence, 95, pages_from(0, 4)), wanted.in_pieces(sequence, 100, pages_from(0, 4))))
          << keys.name << " keys, " << values.name << " values";
    }
}

// Every number of heads that share keys, and sizes of a head beside the ones that vectors like.
TEST_P(Attention, replies_give_the_bits_of_ref_for_every_group_of_heads_and_size_of_head) {
  const auto backend = cpu(GetParam());
  const auto ref = make_ref_backend();
  for (const Shape shape : {Shape{1, 1, 128}, Shape{2, 1, 64}, Shape{3, 1, 64}, Shape{4, 1, 64}, Shape{5, 1, 64}, Shape{6, 1, 64},
                            Shape{7, 1, 64}, Shape{8, 1, 64}, Shape{9, 1, 64}, Shape{12, 1, 64}, Shape{13, 1, 64}, Shape{6, 2, 96},
                            Shape{2, 1, 80}, Shape{3, 1, 256}, Shape{5, 2, 32}, Shape{3, 2, 24}})
    for (const char* type : {"F16", "Q8_0"}) {
      if (shape.head % format(type).block_weights != 0) continue;
      const Matrix sequence = random_sequence(shape, 52, static_cast<std::uint64_t>(shape.heads));
      Layer mine(*backend, shape, format(type), format(type), 16), wanted(*ref, shape, format(type), format(type), 16);
      ASSERT_TRUE(same(mine.as_reply(sequence, 45, pages_from(3, 4)), wanted.in_pieces(sequence, 52, pages_from(3, 4))))
          << shape.heads << " heads of " << shape.head << ", " << type;
    }
}

// More keys than one chunk has; windows that begin and end anywhere; a chunk's results merged by whichever thread comes last.
TEST_P(Attention, several_chunks_give_the_bits_of_ref_on_any_number_of_threads) {
  const Shape shape{3, 1, 64};
  const Matrix sequence = random_sequence(shape, 640, 4);
  for (const int window : {0, 1, 100, 300}) {
    const auto prepare = [&](Backend& backend) {
      Layer layer(backend, shape, format("F16"), format("F16"), 16);
      layer.window = window;
      layer.step({{&sequence, 0, 600, pages_from(0, 40)}});
      return layer;
    };
    const auto run = [&](Layer& layer, int count) {
      std::vector<float> all;
      for (int from = 600; from < 640; from += count) {
        const std::vector<float> part = layer.step({{&sequence, from, count, pages_from(0, 40)}});
        all.insert(all.end(), part.begin(), part.end());
      }
      return all;
    };
    const auto ref = make_ref_backend();
    Layer slow = prepare(*ref);
    const std::vector<float> wanted = run(slow, 40);
    for (const int threads : {1, 2, 7}) {
      const auto backend = cpu(GetParam(), threads);
      Layer fast = prepare(*backend);
      for (const int count : {1, 5, 40})
        ASSERT_TRUE(same(run(fast, count), wanted)) << "window " << window << ", " << threads << " threads, by " << count;
    }
  }
}

TEST_P(Attention, norms_rotations_and_windows_give_the_bits_of_ref) {
  const Shape shape{4, 2, 64};
  const auto backend = cpu(GetParam());
  const auto ref = make_ref_backend();
  const Matrix sequence = random_sequence(shape, 200, 4);
  struct Variant {
    bool norm, rope;
    RopeLayout layout;
    int rotated, window;
  };
  for (const Variant v : {Variant{true, true, RopeLayout::halves, 0, 0}, Variant{false, true, RopeLayout::interleaved, 0, 0},
                          Variant{true, true, RopeLayout::interleaved, 32, 0}, Variant{false, true, RopeLayout::halves, 32, 0},
                          Variant{false, false, RopeLayout::halves, 0, 0}, Variant{false, true, RopeLayout::halves, 0, 1},
                          Variant{false, true, RopeLayout::halves, 0, 63}, Variant{false, true, RopeLayout::halves, 0, 100}}) {
    const auto run = [&](Backend& b) {
      Layer layer(b, shape, format("F16"), format("F16"), 16);
      layer.with_norm = v.norm;
      layer.with_rope = v.rope;
      layer.rope_layout = v.layout;
      layer.rotated = v.rotated;
      layer.window = v.window;
      return layer.in_pieces(sequence, 200, pages_from(0, 13));
    };
    EXPECT_TRUE(same(run(*backend), run(*ref))) << "rotated " << v.rotated << ", window " << v.window;
  }
}

TEST_P(Attention, a_prompt_in_pieces_equals_the_prompt_in_one) {
  const Shape shape{4, 2, 64};
  const auto backend = cpu(GetParam(), 2);
  const Matrix sequence = random_sequence(shape, 170, 4);
  for (const int window : {0, 50}) {
    const auto run = [&](int count) {
      Layer layer(*backend, shape, format("F16"), format("F16"), 16);
      layer.window = window;
      return layer.in_pieces(sequence, count, pages_from(0, 11));
    };
    const std::vector<float> whole = run(170);
    for (const int count : {1, 7, 64}) EXPECT_TRUE(same(run(count), whole)) << "pieces of " << count << ", window " << window;
  }
}

TEST_P(Attention, pages_and_their_size_change_no_bit) {
  const Shape shape{4, 2, 64};
  const auto backend = cpu(GetParam());
  const Matrix sequence = random_sequence(shape, 170, 4);
  const auto run = [&](int page_tokens, std::vector<PageId> pages) {
    Layer layer(*backend, shape, format("F16"), format("F16"), page_tokens);
    return layer.in_pieces(sequence, 170, pages);
  };
  const std::vector<float> wanted = run(16, pages_from(0, 11));
  EXPECT_TRUE(same(run(16, pages_from(60, 11, -3)), wanted));
  EXPECT_TRUE(same(run(32, pages_from(5, 6)), wanted));
  EXPECT_TRUE(same(run(64, pages_from(9, 3)), wanted));
  EXPECT_TRUE(same(run(24, pages_from(0, 8)), wanted));
  EXPECT_TRUE(same(run(256, pages_from(2, 1)), wanted));
}

TEST_P(Attention, a_sequence_alone_equals_the_sequence_in_a_batch_on_any_number_of_threads) {
  const Shape shape{6, 2, 64};
  const Matrix a = random_sequence(shape, 90, 1), b = random_sequence(shape, 33, 2), c = random_sequence(shape, 1, 3);
  const auto alone = cpu(GetParam(), 1);
  Layer single(*alone, shape, format("F16"), format("F16"), 16);
  std::vector<float> wanted;
  for (const Matrix* m : {&a, &b, &c}) {
    const std::vector<float> out = single.in_pieces(*m, m->rows, pages_from(20, 6));
    wanted.insert(wanted.end(), out.begin(), out.end());
  }
  for (const int threads : {1, 2, 3}) {
    const auto backend = cpu(GetParam(), threads);
    Layer layer(*backend, shape, format("F16"), format("F16"), 16);
    EXPECT_TRUE(same(layer.step({{&a, 0, 90, pages_from(0, 6)}, {&b, 0, 33, pages_from(6, 3)}, {&c, 0, 1, pages_from(9, 1)}}), wanted))
        << threads << " threads";
  }
}

TEST_P(Attention, equal_scores_give_the_mean_of_the_values) {
  const Shape shape{1, 1, 32};
  const auto backend = cpu(GetParam());
  Matrix sequence(130, 96);
  for (int t = 0; t < 130; ++t)
    for (int d = 0; d < 32; ++d) sequence.values[static_cast<std::size_t>(t * 96 + 64 + d)] = static_cast<float>(t);
  Layer layer(*backend, shape, format("F32"), format("F32"), 16);
  const std::vector<float> out = layer.in_pieces(sequence, 130, pages_from(0, 9));
  for (int t = 0; t < 130; ++t) EXPECT_NEAR(out[static_cast<std::size_t>(t * 32)], static_cast<float>(t) / 2, 1e-3f);
}

}  // namespace
}  // namespace qn::test
