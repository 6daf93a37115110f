#include "model/cache.h"

namespace qn::model {
namespace {

Status check_format(const quant::Format& format, const Sizes& sizes, std::string_view what) {
  if (!format.for_cache)
    return fail(Code::unsupported, "{} cache type {}: cannot be written; use F32, F16, BF16, Q8_0 or Q4_0", what, format.name);
  if (sizes.head % format.block_weights != 0)
    return fail(Code::unsupported, "{} cache type {}: blocks of {} do not divide heads of {}; use F16", what, format.name,
                format.block_weights, sizes.head);
  return {};
}

}  // namespace

Result<std::uint64_t> kv_bytes_per_token(const Sizes& sizes, const KvOptions& options) {
  QN_OK(check_format(*options.keys, sizes, "K"));
  QN_OK(check_format(*options.values, sizes, "V"));
  const std::uint64_t per_head = options.keys->row_bytes(sizes.head) + options.values->row_bytes(sizes.head);
  return per_head * static_cast<std::uint64_t>(sizes.kv_heads) * static_cast<std::uint64_t>(sizes.layers);
}

Result<KvCache> KvCache::make(const Model& model, const KvOptions& options, int pages) {
  const Sizes& sizes = model.sizes();
  QN_OK(kv_bytes_per_token(sizes, options));
  KvCache cache;
  cache.pages_ = pages;
  cache.page_tokens_ = options.page_tokens;
  for (int layer = 0; layer < sizes.layers; ++layer) {
    KvPool pool{.key_format = options.keys,
                .value_format = options.values,
                .pages = pages,
                .page_tokens = options.page_tokens,
                .kv_heads = sizes.kv_heads,
                .head = sizes.head};
    const std::size_t key_bytes = pool.key_page_bytes() * static_cast<std::size_t>(pages);
    const std::size_t value_bytes = pool.value_page_bytes() * static_cast<std::size_t>(pages);
    Backend& device = model.placement().device_of(Part::mixer, layer);
    QN_TRY(std::unique_ptr<Buffer> keys, device.allocate(key_bytes));
    QN_TRY(std::unique_ptr<Buffer> values, device.allocate(value_bytes));
    pool.keys = keys->data;
    pool.values = values->data;
    cache.pools_.push_back(pool);
    cache.memory_.push_back(std::move(keys));
    cache.memory_.push_back(std::move(values));
  }
  return cache;
}

}  // namespace qn::model
