// Backend: one device. Memory, weights, transfers, and its ops. backend/ref is the oracle and the template for a new one.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "backend/ops.h"
#include "backend/tensor.h"
#include "base/result.h"
#include "quant/format.h"

namespace qn {

// What a tensor of the file is for: a backend may choose its layout by it.
enum class Use {
  matrix,  // linear(): may be repacked
  table,   // embed(): rows are fetched one by one
  both,    // tied embeddings: embed() and linear()
  vector,  // norms and biases: f32 on the device, whatever the file has
};

struct DeviceInfo {
  std::string name;               // "cpu avx512, 2 threads"
  std::uint64_t memory_bytes;     // in all
  std::uint64_t available_bytes;  // now
};

// Memory of a device; freed with its last owner. Zeroed when made.
class Buffer {
 public:
  virtual ~Buffer() = default;
  std::byte* data = nullptr;
  std::size_t bytes = 0;
};

class Backend {
 public:
  virtual ~Backend() = default;

  virtual DeviceInfo info() const = 0;
  virtual Ops& ops() = 0;

  //   errors   out_of_memory, with both numbers
  virtual Result<std::unique_ptr<Buffer>> allocate(std::size_t bytes) = 0;

  // Takes a tensor of a file: uploads it, keeps pointing into the map, or repacks it. The map outlives the weight.
  //   errors   unsupported: this backend cannot use this format so; out_of_memory
  virtual Result<std::unique_ptr<Weight>> adopt(const quant::EncodedTensor& tensor, Use use) = 0;

  // The calls that follow, from this thread, compute a step of so many rows: how it is best shared depends on that. Until end_step() the
  // device is this thread's: another thread that begins a step waits, and those who wait come in turn. A thread that has several devices
  // begins and ends on them in the order of their addresses.
  virtual void begin_step(int rows) { (void)rows; }
  virtual void end_step() {}

  virtual void upload(Tensor to, const void* from) = 0;  // to.bytes() from host memory
  virtual void download(void* to, Tensor from) = 0;      // waits, then copies
  virtual void wait() = 0;                               // until everything enqueued is done

  // Runs fn. A device with graphs captures it once for a key and replays it after that.
  virtual void replay(std::uint64_t key, const std::function<void()>& fn) = 0;

  // Work on the host that no op waits for: body(worker, index) for each index in [0, count), on the threads that this backend has there,
  // worker in [0, host_workers()). From the thread that calls the ops, between its steps; done on return.
  virtual int host_workers() const { return 1; }
  virtual void on_host(int count, const std::function<void(int worker, int index)>& body) {
    for (int index = 0; index < count; ++index) body(0, index);
  }

  virtual bool supports(Use use, const quant::Format& format) const = 0;
};

}  // namespace qn
