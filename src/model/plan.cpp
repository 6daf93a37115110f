#include "model/plan.h"

namespace qn::model {
namespace {

double gib(std::uint64_t bytes) {
  return static_cast<double>(bytes) / (1 << 30);
}

}  // namespace

Result<MemoryPlan> plan_memory(const file::Checkpoint& checkpoint, const Description& description, const ForwardOptions& options) {
  MemoryPlan plan;
  for (const file::TensorEntry& tensor : checkpoint.tensors) plan.weight_bytes += tensor.bytes.size();
  QN_TRY(plan.kv_bytes_per_token, kv_bytes_per_token(description.sizes, options.kv));
  plan.kv_bytes = plan.kv_bytes_per_token * static_cast<std::uint64_t>(options.kv.page_tokens) * static_cast<std::uint64_t>(options.pages);
  plan.working_bytes = working_bytes(*description.architecture, description.sizes, options);
  return plan;
}

Status check_fits(const MemoryPlan& plan, std::uint64_t available_bytes) {
  if (plan.total_bytes() <= available_bytes) return {};
  const std::uint64_t fixed_bytes = plan.weight_bytes + plan.working_bytes;
  const std::uint64_t tokens = fixed_bytes < available_bytes ? (available_bytes - fixed_bytes) / plan.kv_bytes_per_token : 0;
  const std::string remedy = tokens >= 256 ? fmt::format("a context of {} tokens would fit (--ctx {})", tokens, tokens / 256 * 256)
                                           : "use a smaller model or a smaller quantization";
  return fail(Code::out_of_memory,
              "memory: {:.2f} GiB needed (weights {:.2f}, KV cache {:.2f}, working buffers {:.2f}), {:.2f} GiB available; {}",
              gib(plan.total_bytes()), gib(plan.weight_bytes), gib(plan.kv_bytes), gib(plan.working_bytes), gib(available_bytes), remedy);
}

}  // namespace qn::model
