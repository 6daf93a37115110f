#include "api/http/request_parser.h"

#include <algorithm>
#include <array>

#include "base/format.h"

namespace qn::api {
namespace {

constexpr std::int64_t chunk_line_bytes = 4096, all_extension_bytes = 8192;

constexpr bool is_token_char(char c) {
  if ((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')) return true;
  return std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
}
bool is_token(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), is_token_char);
}
bool is_field_text(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c == '\t' || (static_cast<unsigned char>(c) >= 0x20 && c != 0x7f); });
}
std::string_view trimmed(std::string_view text) {
  const std::size_t first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

// host, host:port or [v6]:port, and nothing else.
bool is_host(std::string_view text) {
  std::string_view port;
  bool has_port = false;
  if (text.starts_with('[')) {
    const std::size_t close = text.find(']');
    if (close == std::string_view::npos || close < 3) return false;
    const std::string_view address = text.substr(1, close - 1);
    if (address.find_first_not_of("0123456789abcdefABCDEF:.") != std::string_view::npos) return false;
    port = text.substr(close + 1);
    has_port = !port.empty();
    if (has_port && port[0] != ':') return false;
    if (has_port) port.remove_prefix(1);
  } else {
    const std::size_t colon = text.find(':');
    has_port = colon != std::string_view::npos;
    const std::string_view name = text.substr(0, colon);
    const auto fits = [](char c) { return is_token_char(c) && std::string_view("!#$%&'*+^`|~").find(c) == std::string_view::npos; };
    if (name.empty() || !std::all_of(name.begin(), name.end(), fits)) return false;
    if (has_port) port = text.substr(colon + 1);
  }
  return !has_port || (port.size() <= 5 && port.find_first_not_of("0123456789") == std::string_view::npos);
}

// Headers that mean one thing: sent twice, two servers might each believe another one.
constexpr std::string_view single_headers[] = {"host",          "content-length", "transfer-encoding", "content-type", "content-encoding",
                                               "authorization", "origin",         "x-api-key",         "api-key",      "expect"};

}  // namespace

void RequestParser::reset() {
  *this = RequestParser(limits_);
}

RequestParser::State RequestParser::fail(Condition condition, std::string message) {
  error_ = {condition, std::move(message)};
  body_ = {};
  return state_ = State::broken;
}

std::optional<std::string_view> RequestParser::take_line(std::string_view& bytes, std::int64_t most, Condition beyond,
                                                         std::string_view what) {
  if (line_taken_) {  // the line before this one
    line_.clear();
    line_taken_ = false;
  }
  const std::size_t end = bytes.find('\n');
  const std::string_view part = bytes.substr(0, end);
  const std::size_t allowed = static_cast<std::size_t>(most) + 1;  // the CR
  line_ += part.substr(0, allowed + 1 - line_.size());
  bytes.remove_prefix(end == std::string_view::npos ? bytes.size() : end + 1);
  // Whichever fault comes first in the bytes, so that the answer does not depend on how they were cut.
  const std::size_t carriage_return = line_.find('\r');
  if (carriage_return < allowed && carriage_return + 1 < line_.size()) {
    fail(Condition::bad_request, fmt::format("{}: a CR that ends no line; end lines with CRLF", what));
    return std::nullopt;
  }
  if (line_.size() > allowed || (line_.size() == allowed && line_.back() != '\r')) {
    fail(beyond, fmt::format("{}: more than {} bytes; send less", what, most));
    return std::nullopt;
  }
  if (end == std::string_view::npos) return std::nullopt;
  if (carriage_return == std::string::npos) {
    fail(Condition::bad_request, fmt::format("{}: the line ends without CR; end lines with CRLF", what));
    return std::nullopt;
  }
  line_taken_ = true;
  return std::string_view(line_).substr(0, carriage_return);
}

RequestParser::State RequestParser::feed(std::string_view& bytes) {
  const State before = state_;
  while (!bytes.empty() && state_ == before && (state_ == State::head || state_ == State::body)) {
    if (state_ == State::body) {
      if (head_.chunked)
        feed_chunked(bytes);
      else
        take_body_bytes(bytes, left_);
      if (state_ == State::body && !head_.chunked && left_ == 0) finish_body();
    } else if (!request_line_read_) {
      begun_ = true;
      if (const auto line = take_line(bytes, limits_.request_line_bytes, Condition::target_too_long, "request line"))
        read_request_line(*line);
    } else if (const auto line = take_line(bytes, limits_.header_bytes, Condition::headers_too_large, "header")) {
      line->empty() ? finish_head() : read_header(*line);
    }
  }
  return state_;
}

void RequestParser::read_request_line(std::string_view line) {
  if (line.empty() && !empty_line_seen_) {  // RFC 9112 2.2: clients have sent one after a body
    empty_line_seen_ = true;
    begun_ = false;
    return;
  }
  const std::size_t first = line.find(' '), last = line.rfind(' ');
  if (first == std::string_view::npos || first == last) {
    fail(Condition::bad_request, "request line: expected METHOD TARGET HTTP/1.1, separated by single blanks");
    return;
  }
  const std::string_view method = line.substr(0, first), target = line.substr(first + 1, last - first - 1), version = line.substr(last + 1);
  if (!is_token(method)) {
    fail(Condition::bad_request, "request line: the method is not a word");
    return;
  }
  if (version != "HTTP/1.1" && version != "HTTP/1.0") {
    const bool other = version.size() == 8 && version.starts_with("HTTP/") && version[6] == '.';
    fail(other ? Condition::bad_version : Condition::bad_request, "request line: expected HTTP/1.1 or HTTP/1.0 at its end");
    return;
  }
  std::optional<Target> parsed = parse_target(target);
  if (!parsed || (parsed->path == "*" && method != "OPTIONS")) {
    fail(Condition::bad_request, "request target: expected a path that begins with '/', percent-encoded UTF-8");
    return;
  }
  head_.method = method;
  head_.target = *std::move(parsed);
  head_.minor_version = version.back() - '0';
  head_.keep_alive = head_.minor_version == 1;
  target_known_ = true;
  request_line_read_ = true;
}

void RequestParser::read_header(std::string_view line) {
  headers_bytes_ += static_cast<std::int64_t>(line.size()) + 2;
  if (headers_bytes_ > limits_.all_headers_bytes) {
    fail(Condition::headers_too_large, fmt::format("headers: more than {} bytes; send less", limits_.all_headers_bytes));
    return;
  }
  if (static_cast<std::int64_t>(head_.headers.size()) >= limits_.header_count) {
    fail(Condition::headers_too_large, fmt::format("headers: more than {}; send fewer", limits_.header_count));
    return;
  }
  const std::size_t colon = line.find(':');
  if (colon == std::string_view::npos || !is_token(line.substr(0, colon))) {
    fail(Condition::bad_request, "header: expected NAME: VALUE on one line, without blanks before the colon");
    return;
  }
  const std::string_view value = trimmed(line.substr(colon + 1));
  if (!is_field_text(value)) {
    fail(Condition::bad_request, "header: the value has a control character");
    return;
  }
  head_.headers.emplace_back(line.substr(0, colon), value);
}

void RequestParser::finish_head() {
  for (const std::string_view single : single_headers) {
    const auto count =
        std::count_if(head_.headers.begin(), head_.headers.end(), [&](const auto& h) { return same_header_name(h.first, single); });
    if (count > 1) {
      fail(Condition::bad_request, fmt::format("header {}: sent {} times; send it once", single, count));
      return;
    }
  }
  std::string_view encoding;
  bool has_host = false;
  for (const auto& [name, value] : head_.headers) {
    if (same_header_name(name, "host")) {
      has_host = true;
      head_.host = value;
    } else if (same_header_name(name, "content-encoding")) {
      encoding = value;
    } else if (same_header_name(name, "connection")) {
      std::string_view left = value;
      while (!left.empty()) {
        const std::string_view word = trimmed(left.substr(0, left.find(',')));
        left.remove_prefix(std::min(left.size(), left.find(',') == std::string_view::npos ? left.size() : left.find(',') + 1));
        if (same_header_name(word, "close")) head_.keep_alive = false;
        if (same_header_name(word, "keep-alive") && head_.minor_version == 0) head_.keep_alive = true;
      }
    } else if (same_header_name(name, "expect")) {
      head_.expects_continue = same_header_name(value, "100-continue") && head_.minor_version == 1;
      if (!same_header_name(value, "100-continue")) {
        fail(Condition::bad_request, "header Expect: only 100-continue is answered");
        return;
      }
    }
  }
  if (head_.minor_version == 1 && !has_host) {
    fail(Condition::bad_request, "header Host: missing; HTTP/1.1 needs it");
    return;
  }
  if (has_host && !is_host(head_.host)) {
    fail(Condition::bad_request, "header Host: expected a name or an address, with a port or without");
    return;
  }
  if (!head_.target.authority.empty() && has_host && head_.target.authority != head_.host) {
    fail(Condition::bad_request, "header Host: differs from the host of the request target");
    return;
  }
  read_framing();
  if (state_ == State::broken) return;
  auto decoder = make_content_decoder(encoding);
  if (!decoder) {
    fail(Condition::bad_encoding, "header Content-Encoding: expected gzip, zstd or identity");
    return;
  }
  decoder_ = *std::move(decoder);
  state_ = head_.has_body() ? State::body : State::done;
}

void RequestParser::read_framing() {
  std::optional<std::string_view> length, coding;
  for (const auto& [name, value] : head_.headers) {
    if (same_header_name(name, "content-length")) length = value;
    if (same_header_name(name, "transfer-encoding")) coding = value;
  }
  if (coding) {
    if (length || head_.minor_version == 0 || !same_header_name(*coding, "chunked")) {
      fail(Condition::bad_request, "header Transfer-Encoding: only \"chunked\" is read, in HTTP/1.1 and without Content-Length");
      return;
    }
    head_.chunked = true;
  } else if (length) {
    if (length->empty() || length->size() > 18 || length->find_first_not_of("0123456789") != std::string_view::npos) {
      fail(Condition::bad_request, "header Content-Length: expected one decimal number");
      return;
    }
    for (const char c : *length) head_.content_length = head_.content_length * 10 + (c - '0');
    if (head_.content_length > limits_.body_bytes) {
      fail(Condition::body_too_large,
           fmt::format("request body: {} bytes, at most {} accepted; send less", head_.content_length, limits_.body_bytes));
      return;
    }
    left_ = head_.content_length;
  }
}

void RequestParser::take_body_bytes(std::string_view& bytes, std::int64_t& left) {
  const std::size_t count = static_cast<std::size_t>(std::min<std::int64_t>(left, static_cast<std::int64_t>(bytes.size())));
  const std::string_view part = bytes.substr(0, count);
  bytes.remove_prefix(count);
  left -= static_cast<std::int64_t>(count);
  body_on_wire_ += static_cast<std::int64_t>(count);
  const auto most = static_cast<std::size_t>(limits_.body_bytes);
  if (body_on_wire_ > limits_.body_bytes) {
    fail(Condition::body_too_large, fmt::format("request body: more than {} bytes; send less", most));
  } else if (!decoder_) {
    body_ += part;
  } else if (const Status decoded = decoder_->feed(part, body_, most); !decoded) {
    fail(decoded.error().code == Code::too_large ? Condition::body_too_large : Condition::bad_request, decoded.error().message);
  }
}

void RequestParser::finish_body() {
  if (decoder_) {
    if (const Status whole = decoder_->finish(); !whole) {
      fail(Condition::bad_request, whole.error().message);
      return;
    }
  }
  state_ = State::done;
}

void RequestParser::feed_chunked(std::string_view& bytes) {
  switch (chunk_) {
    case Chunk::size_line:
      if (const auto line = take_line(bytes, chunk_line_bytes, Condition::bad_request, "chunk size")) read_chunk_size(*line);
      return;
    case Chunk::data:
      take_body_bytes(bytes, left_);
      if (left_ == 0) chunk_ = Chunk::data_end;
      return;
    case Chunk::data_end:
      if (take_line(bytes, 0, Condition::bad_request, "chunk")) chunk_ = Chunk::size_line;
      if (state_ == State::broken) error_.message = "chunk: its data is not followed by CRLF";
      return;
    case Chunk::trailers:
      if (const auto line = take_line(bytes, limits_.header_bytes, Condition::headers_too_large, "trailer"))
        line->empty() ? finish_body() : read_trailer(*line);
      return;
  }
}

// Trailers are read as headers are, against the same limits, and dropped.
void RequestParser::read_trailer(std::string_view line) {
  const std::size_t headers = head_.headers.size();
  read_header(line);
  if (state_ == State::broken) return;
  head_.headers.resize(headers);
  headers_bytes_ += 32;  // so that many short ones end too
}

void RequestParser::read_chunk_size(std::string_view line) {
  const std::size_t digits = std::min(line.find_first_not_of("0123456789abcdefABCDEF"), line.size());
  if (digits == 0 || digits > 15) {
    fail(Condition::bad_request, "chunk size: expected 1 to 15 hexadecimal digits");
    return;
  }
  for (const char c : line.substr(0, digits)) left_ = left_ * 16 + (c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10);

  // *( ";" name [ "=" value ] ): read for its form, and ignored.
  std::string_view extension = line.substr(digits);
  extension_bytes_ += static_cast<std::int64_t>(extension.size());
  bool fine = extension_bytes_ <= all_extension_bytes && is_field_text(extension);
  while (fine && !extension.empty()) {
    fine = extension[0] == ';';
    extension.remove_prefix(1);
    const auto skip_token = [&extension] {
      const std::size_t size =
          static_cast<std::size_t>(std::find_if_not(extension.begin(), extension.end(), is_token_char) - extension.begin());
      extension.remove_prefix(size);
      return size > 0;
    };
    fine = fine && skip_token();
    if (!fine || !extension.starts_with('=')) continue;
    extension.remove_prefix(1);
    if (extension.starts_with('"')) {
      std::size_t at = 1;
      while (at < extension.size() && extension[at] != '"') at += extension[at] == '\\' ? 2 : 1;
      fine = at < extension.size();
      extension.remove_prefix(std::min(at + 1, extension.size()));
    } else {
      fine = skip_token();
    }
  }
  if (!fine) {
    fail(Condition::bad_request, "chunk extension: expected ;NAME or ;NAME=VALUE, few and short");
    return;
  }
  if (left_ > limits_.body_bytes - body_on_wire_) {
    fail(Condition::body_too_large, fmt::format("request body: more than {} bytes; send less", limits_.body_bytes));
    return;
  }
  chunk_ = left_ == 0 ? Chunk::trailers : Chunk::data;
}

}  // namespace qn::api
