#include "api/http/request_parser.h"

#include <gtest/gtest.h>
#include <zlib.h>
#include <zstd.h>

#include "base/format.h"

namespace qn::api {
namespace {

using State = RequestParser::State;

// The state after all of `bytes`, as a word: "done", "more", or the status of the refusal.
std::string read(std::string_view bytes, const Limits& limits = {}) {
  RequestParser parser(limits);
  while (!bytes.empty() && parser.state() != State::done && parser.state() != State::broken) parser.feed(bytes);
  if (parser.state() == State::broken) return std::to_string(status_of(parser.error().condition, Dialect::openai));
  if (parser.state() != State::done) return "more";
  return bytes.empty() ? "done" : "done early";
}

std::string get(std::string_view headers) {
  return fmt::format("GET / HTTP/1.1\r\nHost: a\r\n{}\r\n", headers);
}
std::string post(std::string_view headers_and_body) {
  return fmt::format("POST / HTTP/1.1\r\nHost: a\r\n{}", headers_and_body);
}
std::string chunked(std::string_view body) {
  return post(fmt::format("Transfer-Encoding: chunked\r\n\r\n{}", body));
}

struct Case {
  std::string bytes;
  std::string_view result;
};

// RFC 9112, section by section. Refusals beyond it are marked "ours".
TEST(RequestParser, accepts_and_refuses_by_the_table) {
  const Case cases[] = {
      // 2.2, 3: lines and the request line
      {"GET / HTTP/1.1\r\nHost: a\r\n\r\n", "done"},
      {"\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", "done"},
      {"\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", "400"},
      {"GET / HTTP/1.1\nHost: a\n\n", "400"},
      {"GET / HTTP/1.1\r\nHost: a\n\r\n", "400"},
      {"GET / HTTP/1.1\r\nHost: a\r\n\n", "400"},
      {"GET / HTTP/1.1\rHost: a\r\n\r\n", "400"},
      {"GET  / HTTP/1.1\r\nHost: a\r\n\r\n", "400"},
      {"GET /  HTTP/1.1\r\nHost: a\r\n\r\n", "400"},
      {" GET / HTTP/1.1\r\nHost: a\r\n\r\n", "400"},
      {"GET\t/\tHTTP/1.1\r\nHost: a\r\n\r\n", "400"},
      {"GET / HTTP/1.1 \r\nHost: a\r\n\r\n", "400"},
      {"GET /\r\n\r\n", "400"},
      {"GET / http/1.1\r\nHost: a\r\n\r\n", "400"},
      {"GET / HTTP/1.2\r\nHost: a\r\n\r\n", "505"},
      {"GET / HTTP/2.0\r\nHost: a\r\n\r\n", "505"},
      {"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "505"},
      {"GET / HTTP/01.1\r\nHost: a\r\n\r\n", "400"},
      {"G@T / HTTP/1.1\r\nHost: a\r\n\r\n", "400"},
      {"BREW / HTTP/1.1\r\nHost: a\r\n\r\n", "done"},
      {"GET a HTTP/1.1\r\nHost: a\r\n\r\n", "400"},
      {"GET * HTTP/1.1\r\nHost: a\r\n\r\n", "400"},
      {"OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", "done"},
      {"CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n", "400"},
      {"GET http://a/ HTTP/1.1\r\nHost: a\r\n\r\n", "done"},
      {"GET http://b/ HTTP/1.1\r\nHost: a\r\n\r\n", "400"},
      {std::string("GET /\0 HTTP/1.1\r\nHost: a\r\n\r\n", 29), "400"},
      {"\x16\x03\x01\x02\r\n", "400"},
      // 3.2: Host
      {"GET / HTTP/1.1\r\n\r\n", "400"},
      {"GET / HTTP/1.0\r\n\r\n", "done"},
      {get("Host: a\r\n"), "400"},
      {get("host: b\r\n"), "400"},
      {"GET / HTTP/1.1\r\nHost:\r\n\r\n", "400"},
      {"GET / HTTP/1.1\r\nHost: a:80\r\n\r\n", "done"},
      {"GET / HTTP/1.1\r\nHost: [::1]:80\r\n\r\n", "done"},
      {"GET / HTTP/1.1\r\nHost: a:b\r\n\r\n", "400"},
      {"GET / HTTP/1.1\r\nHost: a:80:80\r\n\r\n", "400"},
      {"GET / HTTP/1.1\r\nHost: a b\r\n\r\n", "400"},
      {"GET / HTTP/1.1\r\nHost: a,b\r\n\r\n", "400"},
      {"GET / HTTP/1.1\r\nHost: u@a\r\n\r\n", "400"},
      {"GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", "400"},
      {"GET / HTTP/1.1\r\nHost: [::1\r\n\r\n", "400"},
      // 5: fields
      {get("X: \r\n"), "done"},
      {get("X:\r\n"), "done"},
      {get("X:   a b\t\r\n"), "done"},
      {get("X: \xc3\xa9\r\n"), "done"},
      {get("X : a\r\n"), "400"},
      {get("X\t: a\r\n"), "400"},
      {get(" X: a\r\n"), "400"},
      {get("X: a\r\n b\r\n"), "400"},
      {get("X: a\r\n\tb\r\n"), "400"},
      {get("X\r\n"), "400"},
      {get(": a\r\n"), "400"},
      {get("X(: a\r\n"), "400"},
      {get("X: a\x01\r\n"), "400"},
      {get("X: a\x7f\r\n"), "400"},
      {get("X: a\rb\r\n"), "400"},
      {get(std::string_view("X: a\0b\r\n", 8)), "400"},
      {get("X: a\nY: b\r\n"), "400"},
      {get("Authorization: a\r\nAuthorization: b\r\n"), "400"},  // ours
      {get("Expect: 200-ok\r\n"), "400"},
      // 6.2: Content-Length
      {post("Content-Length: 2\r\n\r\nab"), "done"},
      {post("Content-Length: 2\r\n\r\nabc"), "done early"},
      {post("Content-Length: 0\r\n\r\n"), "done"},
      {post("\r\n"), "done"},
      {post("Content-Length: 02\r\n\r\nab"), "done"},
      {post("Content-Length:\r\n\r\n"), "400"},
      {post("Content-Length: +2\r\n\r\nab"), "400"},
      {post("Content-Length: -2\r\n\r\nab"), "400"},
      {post("Content-Length: 0x2\r\n\r\nab"), "400"},
      {post("Content-Length: 2 2\r\n\r\nab"), "400"},
      {post("Content-Length: 2, 2\r\n\r\nab"), "400"},
      {post("Content-Length: 2.0\r\n\r\nab"), "400"},
      {post("Content-Length: 2\r\nContent-Length: 2\r\n\r\nab"), "400"},  // ours: equal values too
      {post("Content-Length: 2\r\nContent-Length: 3\r\n\r\nab"), "400"},
      {post("Content-Length: 99999999999999999999\r\n\r\n"), "400"},
      {post("Content-Length: 999999999999999999\r\n\r\n"), "413"},
      // 6.1, 6.3: Transfer-Encoding and its smuggling families
      {chunked("0\r\n\r\n"), "done"},
      {post("Transfer-Encoding: Chunked\r\n\r\n0\r\n\r\n"), "done"},
      {post("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"), "400"},
      {post("Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n"), "400"},
      {post("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"), "400"},
      {post("Transfer-Encoding: chunked\r\ntransfer-encoding: identity\r\n\r\n0\r\n\r\n"), "400"},
      {post("Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n"), "400"},
      {post("Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n"), "400"},
      {post("Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n"), "400"},
      {post("Transfer-Encoding: \"chunked\"\r\n\r\n0\r\n\r\n"), "400"},
      {post("Transfer-Encoding: chunked;q=1\r\n\r\n0\r\n\r\n"), "400"},
      {post("Transfer-Encoding:\r\n\r\n"), "400"},
      {post("Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n"), "400"},
      {post("Transfer-Encoding\r\n : chunked\r\n\r\n0\r\n\r\n"), "400"},
      {post("X: a\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"), "400"},
      {post("Transfer-Encoding: \x0b"
            "chunked\r\n\r\n0\r\n\r\n"),
       "400"},
      {"POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "400"},
      // 7.1: chunks
      {chunked("5\r\nhello\r\n0\r\n\r\n"), "done"},
      {chunked("00005\r\nhello\r\n000\r\n\r\n"), "done"},
      {chunked("a\r\n0123456789\r\nA\r\n0123456789\r\n0\r\n\r\n"), "done"},
      {chunked("5;a\r\nhello\r\n0\r\n\r\n"), "done"},
      {chunked("5;a=b;c=\"d;\\\"e\"\r\nhello\r\n0;last\r\n\r\n"), "done"},
      {chunked("0\r\nA: b\r\nC: d\r\n\r\n"), "done"},
      {chunked("0\r\n\r\nX"), "done early"},
      {chunked("\r\n"), "400"},
      {chunked("g\r\n"), "400"},
      {chunked("-1\r\n"), "400"},
      {chunked("+5\r\nhello\r\n"), "400"},
      {chunked("0x5\r\nhello\r\n"), "400"},
      {chunked(" 5\r\nhello\r\n"), "400"},
      {chunked("5 \r\nhello\r\n"), "400"},      // ours
      {chunked("5 ;a=b\r\nhello\r\n"), "400"},  // ours
      {chunked("5\nhello\r\n"), "400"},
      {chunked("5\r\nhello\n0\r\n\r\n"), "400"},
      {chunked("5\r\nhelloX\r\n0\r\n\r\n"), "400"},
      {chunked("5\r\nhello0\r\n\r\n"), "400"},
      {chunked("5\r\nhello\r0\r\n\r\n"), "400"},
      {chunked("5;\r\nhello\r\n"), "400"},
      {chunked("5;=b\r\nhello\r\n"), "400"},
      {chunked("5;a=\r\nhello\r\n"), "400"},
      {chunked("5;a=\"b\r\nhello\r\n"), "400"},
      {chunked("5;a=\"b\\\r\nhello\r\n"), "400"},
      {chunked("5;a\nb\r\nhello\r\n"), "400"},
      {chunked("5;a\x01\r\nhello\r\n"), "400"},
      {chunked("5;" + std::string(5000, 'a') + "\r\nhello\r\n"), "400"},  // ours: long extensions
      {chunked("10000000000000005\r\nhello\r\n"), "400"},
      {chunked("fffffffffffffff\r\n"), "413"},
      {chunked("0\r\nA : b\r\n\r\n"), "400"},
      {chunked("0\r\nA: b\n\r\n"), "400"},
      // Content-Encoding
      {post("Content-Encoding: identity\r\nContent-Length: 2\r\n\r\nab"), "done"},
      {post("Content-Encoding: br\r\nContent-Length: 2\r\n\r\nab"), "415"},
      {post("Content-Encoding: gzip, gzip\r\nContent-Length: 2\r\n\r\nab"), "415"},
      {post("Content-Encoding: gzip\r\nContent-Length: 2\r\n\r\nab"), "400"},
      {post("Content-Encoding: zstd\r\nContent-Length: 2\r\n\r\nab"), "400"},
  };
  for (const Case& c : cases) {
    EXPECT_EQ(read(c.bytes), c.result) << qn::quoted(c.bytes, 500);
    RequestParser parser{Limits{}};
    for (std::size_t i = 0; i < c.bytes.size() && parser.state() != State::done; ++i) {
      std::string_view byte = std::string_view(c.bytes).substr(i, 1);
      parser.feed(byte);
    }
    if (c.result == "done" || c.result == "done early")
      EXPECT_EQ(parser.state(), State::done) << "byte by byte: " << qn::quoted(c.bytes, 500);
    else
      EXPECT_EQ(std::to_string(status_of(parser.error().condition, Dialect::openai)), c.result)
          << "byte by byte: " << qn::quoted(c.bytes, 500);
  }
}

TEST(RequestParser, a_chunked_body_is_put_together) {
  RequestParser parser{Limits{}};
  const std::string text = chunked("5\r\nhello\r\n6;x=y\r\n world\r\n0\r\nA: b\r\n\r\n");
  std::string_view bytes = text;
  while (parser.state() == State::head || parser.state() == State::body) parser.feed(bytes);
  EXPECT_EQ(parser.take_body(), "hello world");
  EXPECT_EQ(parser.head().headers.size(), 2u) << "trailers are no headers";
}

TEST(RequestParser, what_keeps_a_connection) {
  const auto keeps = [](std::string_view version, std::string_view header) {
    const std::string text = fmt::format("GET / {}\r\nHost: a\r\n{}\r\n", version, header);
    std::string_view bytes = text;
    RequestParser parser{Limits{}};
    parser.feed(bytes);
    return parser.head().keep_alive;
  };
  EXPECT_TRUE(keeps("HTTP/1.1", ""));
  EXPECT_FALSE(keeps("HTTP/1.1", "Connection: close\r\n"));
  EXPECT_FALSE(keeps("HTTP/1.1", "Connection: upgrade , Close\r\n"));
  EXPECT_FALSE(keeps("HTTP/1.0", ""));
  EXPECT_TRUE(keeps("HTTP/1.0", "Connection: Keep-Alive\r\n"));
}

// At each limit, and one over.

TEST(RequestParser, a_request_line_is_at_most_its_limit) {
  const auto line = [](std::size_t size) { return "GET /" + std::string(size - 14, 'a') + " HTTP/1.1\r\nHost: a\r\n\r\n"; };
  EXPECT_EQ(read(line(8192)), "done");
  EXPECT_EQ(read(line(8193)), "414");
  EXPECT_EQ(read(std::string(8192, 'a')), "more");
  EXPECT_EQ(read(std::string(8193, 'a')), "414") << "without waiting for its end";
}

TEST(RequestParser, a_header_is_at_most_its_limit) {
  EXPECT_EQ(read(get("X: " + std::string(8189, 'a') + "\r\n")), "done");
  EXPECT_EQ(read(get("X: " + std::string(8190, 'a') + "\r\n")), "431");
  EXPECT_EQ(read("GET / HTTP/1.1\r\nX: " + std::string(8190, 'a')), "431") << "without waiting for its end";
}

TEST(RequestParser, all_headers_are_at_most_their_limit) {
  // "Host: a\r\n" is 9 bytes; 8 headers of 8,190 bytes and one of 7 make 65,536.
  const auto headers = [](std::size_t last) {
    std::string text;
    for (int i = 0; i < 8; ++i) text += "X: " + std::string(8185, 'a') + "\r\n";
    return text + "Y:" + std::string(last, 'b') + "\r\n";
  };
  EXPECT_EQ(read(get(headers(65536 - 9 - 8 * 8190 - 4))), "done");
  EXPECT_EQ(read(get(headers(65536 - 9 - 8 * 8190 - 4 + 1))), "431");
}

TEST(RequestParser, headers_are_at_most_a_hundred) {
  std::string text;
  for (int i = 0; i < 99; ++i) text += fmt::format("X{}: a\r\n", i);
  EXPECT_EQ(read(get(text)), "done");
  EXPECT_EQ(read(get(text + "Y: a\r\n")), "431");
}

TEST(RequestParser, a_body_is_at_most_its_limit) {
  Limits limits;
  limits.body_bytes = 1000;
  EXPECT_EQ(read(post("Content-Length: 1000\r\n\r\n" + std::string(1000, 'x')), limits), "done");
  EXPECT_EQ(read(post("Content-Length: 1001\r\n\r\n"), limits), "413");
  const auto in_two = [](std::size_t second) {
    return chunked(fmt::format("1f4\r\n{}\r\n{:x}\r\n{}\r\n0\r\n\r\n", std::string(500, 'x'), second, std::string(second, 'y')));
  };
  EXPECT_EQ(read(in_two(500), limits), "done");
  EXPECT_EQ(read(in_two(501), limits), "413");
}

std::string gzipped(std::string_view text) {
  z_stream stream{};
  deflateInit2(&stream, 9, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY);
  std::string out(deflateBound(&stream, text.size()) + 64, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  deflate(&stream, Z_FINISH);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}
std::string zstd_compressed(std::string_view text) {
  std::string out(ZSTD_compressBound(text.size()), '\0');
  out.resize(ZSTD_compress(out.data(), out.size(), text.data(), text.size(), 3));
  return out;
}
struct Coding {
  const char* name;
  std::string (*compress)(std::string_view);
};
std::string with_body(std::string_view encoding, std::string_view body) {
  return post(fmt::format("Content-Encoding: {}\r\nContent-Length: {}\r\n\r\n{}", encoding, body.size(), body));
}

TEST(RequestParser, a_body_is_counted_after_decompression) {
  Limits limits;
  limits.body_bytes = 1 << 20;
  for (const auto& [encoding, compress] : {Coding{"gzip", gzipped}, Coding{"zstd", zstd_compressed}}) {
    const std::string fits = compress(std::string(1 << 20, 'x')), bomb = compress(std::string((1 << 20) + 1, 'x'));
    ASSERT_LT(bomb.size(), 20'000u);
    EXPECT_EQ(read(with_body(encoding, fits), limits), "done") << encoding;
    EXPECT_EQ(read(with_body(encoding, bomb), limits), "413") << encoding;
    EXPECT_EQ(read(with_body(encoding, fits.substr(0, fits.size() - 1)), limits), "400") << encoding << ": cut short";
    EXPECT_EQ(read(with_body(encoding, fits + "x"), limits), "400") << encoding << ": more after its end";
    EXPECT_EQ(read(with_body(encoding, compress("a") + compress("b")), limits), "done") << encoding << ": two in a row";
  }
}

TEST(RequestParser, a_compressed_body_is_the_same_however_it_is_cut) {
  std::string text;
  for (int i = 0; i < 40'000; ++i) text += fmt::format("{} ", i);
  for (const auto& [encoding, compress] : {Coding{"x-GZIP", gzipped}, Coding{"ZSTD", zstd_compressed}}) {
    const std::string request = with_body(encoding, compress(text));
    for (const std::size_t piece : {std::size_t{1}, std::size_t{1000}, request.size()}) {
      RequestParser parser{Limits{}};
      for (std::size_t at = 0; at < request.size(); at += piece) {
        std::string_view bytes = std::string_view(request).substr(at, piece);
        while (!bytes.empty() && (parser.state() == State::head || parser.state() == State::body)) parser.feed(bytes);
      }
      ASSERT_EQ(parser.state(), State::done) << parser.error().message;
      EXPECT_EQ(parser.take_body(), text);
    }
  }
}

TEST(Limits, are_set_by_name) {
  Limits limits;
  EXPECT_TRUE(set_limit(limits, "body-bytes=64M"));
  EXPECT_EQ(limits.body_bytes, 64 << 20);
  EXPECT_TRUE(set_limit(limits, "idle-ms=5k"));
  EXPECT_EQ(limits.idle_ms, 5000);
  for (const char* wrong :
       {"body-bytes", "body-bytes=", "body-bytes=0", "body-bytes=-1", "body-bytes=1x", "body-bytes=9999999999G", "nothing=1", ""})
    EXPECT_FALSE(set_limit(limits, wrong)) << wrong;
}

}  // namespace
}  // namespace qn::api
