// ContentDecoder: a compressed body becomes its bytes as it arrives. It never holds more than `limit` bytes of result, however much smaller
// the body is on the wire.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace qn::api {

class ContentDecoder {
 public:
  virtual ~ContentDecoder() = default;

  // Decodes `bytes` and appends to out.
  //   errors   too_large once out would exceed limit; bad_input: damaged data
  virtual Status feed(std::string_view bytes, std::string& out, std::size_t limit) = 0;
  // The body is complete.
  //   errors   bad_input: it ends in the middle
  virtual Status finish() = 0;
};

// For the value of Content-Encoding, in any case: gzip (x-gzip), zstd.
//   returns  nothing for a coding that is not read; a null pointer for "identity" and ""
std::optional<std::unique_ptr<ContentDecoder>> make_content_decoder(std::string_view encoding);

}  // namespace qn::api
