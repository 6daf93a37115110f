#include "text/template/budget.h"

namespace qn::text::jinja {

namespace {
constexpr std::int64_t steps_between_looks = 4096;  // at the clock
}

Budget::Budget(const TemplateLimits& limits)
    : limits_(limits), deadline_(std::chrono::steady_clock::now() + std::chrono::milliseconds(limits.milliseconds)) {}

Status Budget::work(std::int64_t units) {
  steps_ += units;
  if (steps_ > limits_.steps)
    return fail(Code::too_large, "more than {} steps; shorten the messages or simplify the template", limits_.steps);
  QN_OK(room(0));
  if (steps_ >= next_look_) {
    next_look_ = steps_ + steps_between_looks;
    if (std::chrono::steady_clock::now() > deadline_)
      return fail(Code::too_large, "not done after {} ms; shorten the messages or simplify the template", limits_.milliseconds);
  }
  return {};
}

Status Budget::room(std::size_t bytes) const {
  if (bytes > limits_.output_bytes || alive_bytes_ > limits_.output_bytes - bytes)
    return fail(Code::too_large, "more than {} bytes of text and values alive at once; shorten the messages", limits_.output_bytes);
  return {};
}

tl::unexpected<Error> nested_too_deep() {
  return fail(Code::too_large, "values, calls or blocks nest too deep; flatten them");
}

}  // namespace qn::text::jinja
