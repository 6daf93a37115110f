// Requests as a server reads them, one after another: whole, byte by byte, and cut in two must give the same, and a result must keep what
// the parser promises.
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "api/http/request_parser.h"
#include "base/check.h"

namespace {

using namespace qn;
using State = api::RequestParser::State;

api::Limits small_limits() {
  api::Limits limits;
  limits.request_line_bytes = 256;
  limits.header_bytes = 256;
  limits.all_headers_bytes = 1024;
  limits.header_count = 16;
  limits.body_bytes = 4096;
  return limits;
}

// Everything that can be seen of the requests in pieces that end at each of `ends`.
std::string outcome(std::string_view bytes, const std::vector<std::size_t>& ends) {
  const api::Limits limits = small_limits();
  api::RequestParser parser(limits);
  std::string seen;
  std::size_t begin = 0;
  for (const std::size_t end : ends) {
    std::string_view piece = bytes.substr(begin, end - begin);
    begin = end;
    while (!piece.empty()) {
      const std::size_t before = piece.size();
      const State state = parser.feed(piece);
      QN_CHECK(piece.size() < before || state != State::head, "a parser takes bytes or says why not");
      if (state == State::broken) return seen + "broken: " + parser.error().message;
      QN_CHECK(static_cast<std::int64_t>(parser.body().size()) <= limits.body_bytes, "a body keeps its limit");
      if (state != State::done) continue;
      const api::RequestHead& head = parser.head();
      QN_CHECK(head.target.path == "*" || head.target.path.starts_with('/'), "a path begins with a slash");
      QN_CHECK(head.target.path.find("//") == std::string::npos, "a path is normalized");
      QN_CHECK(static_cast<std::int64_t>(head.headers.size()) <= limits.header_count, "headers keep their limit");
      seen += head.method + " " + head.target.path + "?" + head.target.query + (head.keep_alive ? " keep" : " close");
      for (const auto& [name, value] : head.headers) {
        for (const char c : value) QN_CHECK(c != '\r' && c != '\n' && c != '\0', "no line hides in a value");
        seen += "\n" + name + ": " + value;
      }
      seen += "\n\n" + parser.body() + "\n";
      parser.reset();
    }
  }
  return seen + (parser.idle() ? "idle" : "more");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0 || size > 4096) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  if (bytes.empty()) return 0;
  const std::string whole = outcome(bytes, {bytes.size()});
  std::vector<std::size_t> every;
  for (std::size_t i = 1; i <= bytes.size(); ++i) every.push_back(i);
  QN_CHECK(outcome(bytes, every) == whole, "byte by byte gives the same");
  const std::size_t cut = data[0] % bytes.size();
  QN_CHECK(outcome(bytes, {cut, bytes.size()}) == whole, "cut in two gives the same");
  return 0;
}
