// The head of an answer, as bytes.
#pragma once

#include <string>
#include <string_view>

#include "api/http/message.h"

namespace qn::api {

// "HTTP/1.1 200 OK\r\n", the headers in order, an empty line. Control characters in a value become blanks: nothing can smuggle in a line.
std::string response_head(int status, const Headers& headers);

std::string_view reason_phrase(int status);

// "Fri, 20 Nov 2026 14:00:00 GMT", made once a second.
class HttpDate {
 public:
  std::string now();

 private:
  std::int64_t second_ = -1;
  std::string text_;
};

}  // namespace qn::api
