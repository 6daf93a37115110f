#include "backend/host_memory.h"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <fstream>
#include <limits>
#include <utility>

namespace qn {
namespace {

class HostBuffer final : public Buffer {
 public:
  HostBuffer(std::byte* at, std::size_t size, std::size_t mapped) : mapped_(mapped) {
    data = at;
    bytes = size;
  }
  ~HostBuffer() override { ::munmap(data, mapped_); }
  HostBuffer(const HostBuffer&) = delete;
  HostBuffer& operator=(const HostBuffer&) = delete;

 private:
  std::size_t mapped_;
};

std::uint64_t meminfo_bytes(std::string_view key) {
  std::ifstream file("/proc/meminfo");
  std::string name, unit;
  for (std::uint64_t kib = 0; file >> name >> kib; std::getline(file, unit))
    if (name == key) return kib * 1024;
  return 0;
}

constexpr std::size_t huge_page = std::size_t{2} << 20;

}  // namespace

DeviceInfo host_info(std::string name) {
  return {std::move(name), meminfo_bytes("MemTotal:"), meminfo_bytes("MemAvailable:")};
}

Result<std::unique_ptr<Buffer>> allocate_host(std::size_t bytes) {
  const std::size_t page = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
  void* at = MAP_FAILED;
  std::size_t mapped = 0, slack = 0;
  if (bytes <= std::numeric_limits<std::size_t>::max() - page - huge_page) {
    mapped = std::max((bytes + page - 1) / page * page, page);
    slack = mapped >= huge_page ? huge_page : 0;  // to begin where a huge page can
    at = ::mmap(nullptr, mapped + slack, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  }
  if (at == MAP_FAILED)
    return fail(Code::out_of_memory, "memory: {} bytes wanted, {} available; use a smaller model or context", bytes,
                meminfo_bytes("MemAvailable:"));
  auto* data = static_cast<std::byte*>(at);
  if (slack > 0) {
    const std::size_t skipped = (huge_page - reinterpret_cast<std::uintptr_t>(at) % huge_page) % huge_page;
    if (skipped > 0) ::munmap(data, skipped);
    data += skipped;
    ::munmap(data + mapped, slack - skipped);
    // Fewer faults, and keys and values are read across many pages: their addresses are found sooner. Refusal costs nothing.
    ::madvise(data, mapped, MADV_HUGEPAGE);
  }
  return std::make_unique<HostBuffer>(data, bytes, mapped);
}

Status check_adoptable(const quant::EncodedTensor& tensor) {
  constexpr std::int64_t most = std::numeric_limits<int>::max();
  if (tensor.format == nullptr || tensor.format->dequantize == nullptr)
    return fail(Code::unsupported, "tensor {}: a format that this build cannot read; convert the model", quoted(tensor.name));
  const quant::Format& format = *tensor.format;
  if (tensor.rows < 1 || tensor.rows > most || tensor.columns < 1 || tensor.columns > most || tensor.columns % format.block_weights != 0)
    return fail(Code::bad_input, "tensor {}: shape {} x {} is not whole {} blocks of {}; the file is damaged", quoted(tensor.name),
                tensor.rows, tensor.columns, format.name, format.block_weights);
  if (tensor.bytes.size() / format.row_bytes(tensor.columns) < static_cast<std::size_t>(tensor.rows))
    return fail(Code::bad_input, "tensor {}: {} bytes for {} rows of {}; the file is damaged", quoted(tensor.name), tensor.bytes.size(),
                tensor.rows, format.row_bytes(tensor.columns));
  return {};
}

std::vector<float> decode_vector(const quant::EncodedTensor& tensor) {
  std::vector<float> values(static_cast<std::size_t>(tensor.rows * tensor.columns));
  const quant::Format& format = *tensor.format;
  format.dequantize(tensor.bytes.data(), values.data(), values.size() / static_cast<std::size_t>(format.block_weights));
  return values;
}

}  // namespace qn
