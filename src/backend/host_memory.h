// Memory of this machine, as the backends that compute on it see it.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "backend/backend.h"

namespace qn {

DeviceInfo host_info(std::string name);

// Zeroed, aligned to a cache line; pages are touched when first used.
//   errors   out_of_memory
Result<std::unique_ptr<Buffer>> allocate_host(std::size_t bytes);

// Whether the tensor is what adopt() may be given: a known format, whole rows, and sizes that fit an int.
//   errors   bad_input, unsupported
Status check_adoptable(const quant::EncodedTensor& tensor);

// All values of a tensor, row after row.
std::vector<float> decode_vector(const quant::EncodedTensor& tensor);

}  // namespace qn
