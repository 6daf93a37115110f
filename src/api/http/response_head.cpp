#include "api/http/response_head.h"

#include <algorithm>
#include <chrono>
#include <ctime>

#include "base/format.h"

namespace qn::api {

std::string_view reason_phrase(int status) {
  constexpr std::pair<int, std::string_view> phrases[] = {
      {100, "Continue"},
      {200, "OK"},
      {201, "Created"},
      {202, "Accepted"},
      {204, "No Content"},
      {400, "Bad Request"},
      {401, "Unauthorized"},
      {403, "Forbidden"},
      {404, "Not Found"},
      {405, "Method Not Allowed"},
      {408, "Request Timeout"},
      {409, "Conflict"},
      {413, "Content Too Large"},
      {414, "URI Too Long"},
      {415, "Unsupported Media Type"},
      {429, "Too Many Requests"},
      {431, "Request Header Fields Too Large"},
      {500, "Internal Server Error"},
      {501, "Not Implemented"},
      {503, "Service Unavailable"},
      {505, "HTTP Version Not Supported"},
      {529, "Overloaded"},
  };
  for (const auto& [known, phrase] : phrases)
    if (known == status) return phrase;
  return "Status";
}

std::string response_head(int status, const Headers& headers) {
  std::string head = fmt::format("HTTP/1.1 {} {}\r\n", status, reason_phrase(status));
  for (const auto& [name, value] : headers) {
    head += name;
    head += ": ";
    for (const char c : value) head += static_cast<unsigned char>(c) < 0x20 || c == 0x7f ? ' ' : c;
    head += "\r\n";
  }
  return head += "\r\n";
}

std::string HttpDate::now() {
  const std::time_t second = std::chrono::system_clock::to_time_t(std::chrono::system_clock::now());
  if (second == second_) return text_;
  second_ = second;
  constexpr std::string_view days = "SunMonTueWedThuFriSat", months = "JanFebMarAprMayJunJulAugSepOctNovDec";
  std::tm t{};
  gmtime_r(&second, &t);
  text_ = fmt::format("{}, {:02} {} {:04} {:02}:{:02}:{:02} GMT", days.substr(static_cast<std::size_t>(t.tm_wday) * 3, 3), t.tm_mday,
                      months.substr(static_cast<std::size_t>(t.tm_mon) * 3, 3), t.tm_year + 1900, t.tm_hour, t.tm_min, t.tm_sec);
  return text_;
}

}  // namespace qn::api
