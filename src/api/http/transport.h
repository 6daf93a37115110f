// Transport: the bytes of one client, plain or under TLS. Callbacks come on the loop, never from within the call that asked for them, and
// none comes after close().
#pragma once

#include <functional>
#include <string_view>

namespace qn::api {

enum class Ended {
  no,       // all went well
  orderly,  // reading: the client sends no more
  broken,   // nothing more can be read or written
};

class Transport {
 public:
  virtual ~Transport() = default;

  virtual void start(std::function<void(Ended)> ready) = 0;  // the TLS handshake
  // One read at a time. `bytes` are valid during the callback.
  virtual void read(std::function<void(Ended, std::string_view bytes)> callback) = 0;
  // One write at a time; `bytes` must stay until the callback, which tells how many of the first were taken: at least one.
  virtual void write(std::string_view bytes, std::function<void(Ended, std::size_t taken)> callback) = 0;
  virtual void shut_sending() = 0;  // the client sees the end of what was written
  virtual void close() = 0;
};

}  // namespace qn::api
