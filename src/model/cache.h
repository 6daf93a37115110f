// KvCache: one pool of pages a layer, each in the memory of the device that holds the layer's mixer.
#pragma once

#include <memory>
#include <vector>

#include "model/model.h"

namespace qn::model {

struct KvOptions {
  const quant::Format* keys;  // f32, f16, bf16, or a quantized format that is quickly written: Format::for_cache
  const quant::Format* values;
  int page_tokens = 32;
};

// Bytes that one token takes in all layers.
//   errors   unsupported: a format that cannot hold heads of this size
Result<std::uint64_t> kv_bytes_per_token(const Sizes& sizes, const KvOptions& options);

class KvCache {
 public:
  //   errors   out_of_memory, unsupported
  static Result<KvCache> make(const Model& model, const KvOptions& options, int pages);

  const KvPool& pool(int layer) const { return pools_[static_cast<std::size_t>(layer)]; }
  int pages() const { return pages_; }
  int page_tokens() const { return page_tokens_; }

 private:
  std::vector<KvPool> pools_;
  std::vector<std::unique_ptr<Buffer>> memory_;
  int pages_ = 0, page_tokens_ = 0;
};

}  // namespace qn::model
