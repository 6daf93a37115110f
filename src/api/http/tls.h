// TLS: a certificate and its key, read from PEM files and checked when read.
#pragma once

#include <filesystem>
#include <memory>

#include "base/result.h"

namespace qn::api {

struct TlsFiles {
  std::filesystem::path certificate;  // PEM, with the chain
  std::filesystem::path key;          // PEM
};

class TlsContext;  // tls_transport.cpp

//   errors   bad_input: which file, and what OpenSSL found; TLS 1.2 and 1.3 only
Result<std::shared_ptr<TlsContext>> load_tls(const TlsFiles& files);

}  // namespace qn::api
