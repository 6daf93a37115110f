#include "api/http/content_decoder.h"

#include <zlib.h>
#include <zstd.h>

#include <algorithm>
#include <array>

#include "api/http/message.h"
#include "base/check.h"

namespace qn::api {
namespace {

constexpr std::size_t piece_bytes = 64 << 10;
constexpr int max_zstd_window_log = 23;  // 8 MiB: what RFC 8878 asks every decoder for, and no more memory than that

tl::unexpected<Error> too_large(std::size_t limit) {
  return fail(Code::too_large, "request body: more than {} bytes after decompression; send less", limit);
}

// The window, held once and reused, is on the heap: a decoder lives only while its body is read.
class GzipDecoder final : public ContentDecoder {
 public:
  GzipDecoder() { QN_CHECK(inflateInit2(&stream_, 15 + 16) == Z_OK, "zlib begins"); }
  ~GzipDecoder() override { inflateEnd(&stream_); }
  GzipDecoder(const GzipDecoder&) = delete;
  GzipDecoder& operator=(const GzipDecoder&) = delete;

  Status feed(std::string_view bytes, std::string& out, std::size_t limit) override {
    stream_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
    stream_.avail_in = static_cast<uInt>(bytes.size());
    while (stream_.avail_in > 0 || full_) {
      if (ended_) {  // another member follows
        inflateReset(&stream_);
        ended_ = false;
      }
      stream_.next_out = piece_.data();
      stream_.avail_out = static_cast<uInt>(piece_.size());
      const int result = inflate(&stream_, Z_NO_FLUSH);
      if (result != Z_OK && result != Z_STREAM_END && result != Z_BUF_ERROR)
        return fail(Code::bad_input, "request body: damaged gzip data; send it again or without Content-Encoding");
      const std::size_t made = piece_.size() - stream_.avail_out;
      if (out.size() + made > limit) return too_large(limit);
      out.append(reinterpret_cast<const char*>(piece_.data()), made);
      full_ = stream_.avail_out == 0;
      ended_ = result == Z_STREAM_END;
      if (ended_ && stream_.avail_in == 0) full_ = false;
      begun_ = true;
    }
    return {};
  }
  Status finish() override {
    if (begun_ && ended_) return {};
    return fail(Code::bad_input, "request body: gzip data ends in the middle; send it whole");
  }

 private:
  z_stream stream_{};
  std::array<Bytef, piece_bytes> piece_;
  bool begun_ = false, ended_ = false, full_ = false;
};

class ZstdDecoder final : public ContentDecoder {
 public:
  ZstdDecoder() : stream_(ZSTD_createDStream()) {
    QN_CHECK(stream_ != nullptr, "zstd begins");
    ZSTD_DCtx_setParameter(stream_.get(), ZSTD_d_windowLogMax, max_zstd_window_log);
  }

  Status feed(std::string_view bytes, std::string& out, std::size_t limit) override {
    ZSTD_inBuffer in{bytes.data(), bytes.size(), 0};
    bool full = false;
    while (in.pos < in.size || full) {
      ZSTD_outBuffer piece{piece_.data(), piece_.size(), 0};
      const std::size_t result = ZSTD_decompressStream(stream_.get(), &piece, &in);
      if (ZSTD_isError(result)) return fail(Code::bad_input, "request body: damaged zstd data; send it again or without Content-Encoding");
      if (out.size() + piece.pos > limit) return too_large(limit);
      out.append(piece_.data(), piece.pos);
      full = result != 0 && piece.pos == piece.size;
      left_ = result;
    }
    return {};
  }
  Status finish() override {
    if (left_ == 0) return {};
    return fail(Code::bad_input, "request body: zstd data ends in the middle; send it whole");
  }

 private:
  std::unique_ptr<ZSTD_DStream, decltype([](ZSTD_DStream* s) { ZSTD_freeDStream(s); })> stream_;
  std::array<char, piece_bytes> piece_;
  std::size_t left_ = 1;  // 0: a frame has just ended
};

}  // namespace

std::optional<std::unique_ptr<ContentDecoder>> make_content_decoder(std::string_view encoding) {
  if (encoding.empty() || same_header_name(encoding, "identity")) return std::unique_ptr<ContentDecoder>();
  if (same_header_name(encoding, "gzip") || same_header_name(encoding, "x-gzip")) return std::make_unique<GzipDecoder>();
  if (same_header_name(encoding, "zstd")) return std::make_unique<ZstdDecoder>();
  return std::nullopt;
}

}  // namespace qn::api
