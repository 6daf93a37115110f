#include "cli/builtin_model.h"

extern "C" const std::byte qn_builtin_model_begin[];
extern "C" const std::byte qn_builtin_model_end[];

namespace qn::cli {

std::span<const std::byte> builtin_model() {
  return {qn_builtin_model_begin, qn_builtin_model_end};
}

}  // namespace qn::cli
