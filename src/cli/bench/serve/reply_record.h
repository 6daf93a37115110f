// A streamed reply as it came, and what it says. While a load runs only bytes and times are kept, so that a client on the server's own
// machine takes little from it; what the events mean is read afterwards.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"

namespace qn::cli {

using Moment = std::chrono::nanoseconds;  // of one steady clock

struct ReplyRecord {
  struct Mark {
    std::size_t end;  // bytes [0, end) were there
    Moment at;
  };
  Moment sent{}, ended{};
  int status = 0;
  std::string bytes;  // of the body: server-sent events, or one JSON text where it failed
  std::vector<Mark> marks;
  std::optional<Error> failure;  // of the connection
};

struct ReplyTimes {
  std::chrono::duration<double, std::milli> first{}, whole{};  // from the sending: to the first text, to the end
  std::vector<double> gaps_ms;                                 // between pieces of text
  int prompt_tokens = 0, cached_tokens = 0, output_tokens = 0;
  // Between tokens on average, the first one left out; 0 where there is only one.
  double per_token_ms() const { return output_tokens < 2 ? 0 : (whole - first).count() / (output_tokens - 1); }
};

//   errors   io: the connection; internal: the server's status or error, in its own words; bad_input: no event stream
Result<ReplyTimes> read_reply(const ReplyRecord& record);

}  // namespace qn::cli
