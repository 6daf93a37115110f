#include "api/http/keys.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include <algorithm>
#include <cstring>

#include "base/check.h"
#include "base/mapped_file.h"

namespace qn::api {
namespace {

constexpr std::size_t max_key_bytes = 512, max_keys = 10'000, max_file_bytes = 4 << 20;

std::string_view trimmed(std::string_view text) {
  const std::size_t first = text.find_first_not_of(" \t\r\"'");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t\r\"'") - first + 1);
}

}  // namespace

KeyRing::Digest KeyRing::digest_of(std::string_view key) {
  Digest digest;
  unsigned int size = 0;
  QN_CHECK(EVP_Digest(key.data(), key.size(), digest.data(), &size, EVP_sha256(), nullptr) == 1 && size == digest.size(),
           "OpenSSL has SHA-256");
  return digest;
}

Status KeyRing::add(std::string_view key, Scope scope, std::string_view where) {
  if (key.empty() || key.size() > max_key_bytes)
    return fail(Code::bad_input, "{}: a key of {} bytes; 1 to {} are accepted", where, key.size(), max_key_bytes);
  if (keys_.size() >= max_keys) return fail(Code::too_large, "{}: more than {} keys; give fewer", where, max_keys);
  for (const char c : key)
    if (c <= 0x20 || c >= 0x7f)
      return fail(Code::bad_input, "{}: a key with a blank, control or non-ASCII character; no header can carry it", where);
  Entry entry{digest_of(key), {scope, 0}};
  std::memcpy(&entry.known.tenant, entry.digest.data(), sizeof entry.known.tenant);
  if (entry.known.tenant == 0) entry.known.tenant = 1;
  const auto same = std::find_if(keys_.begin(), keys_.end(), [&](const Entry& e) { return e.digest == entry.digest; });
  if (same == keys_.end())
    keys_.push_back(entry);
  else
    same->known.scope = scope;
  return {};
}

Status KeyRing::add_list(std::string_view list) {
  while (true) {
    const std::size_t comma = list.find(',');
    QN_OK(add(trimmed(list.substr(0, comma)), Scope::admin, "--api-key"));
    if (comma == std::string_view::npos) return {};
    list.remove_prefix(comma + 1);
  }
}

Status KeyRing::add_text(std::string_view text, std::string_view name) {
  int number = 0;
  while (!text.empty()) {
    ++number;
    std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), line.size() + 1));
    line = trimmed(line.substr(0, line.find('#')));
    if (line.empty()) continue;
    const std::size_t blank = line.find_first_of(" \t");
    const std::string_view word = blank == std::string_view::npos ? "" : trimmed(line.substr(blank));
    const std::string where = fmt::format("{}, line {}", name, number);
    Scope scope = Scope::admin;
    if (word == "infer")
      scope = Scope::infer;
    else if (word == "pull")
      scope = Scope::pull;
    else if (!word.empty() && word != "admin")
      return fail(Code::bad_input, "{}: expected infer, pull or admin after the key, got {}", where, qn::quoted(word));
    QN_OK(add(line.substr(0, blank), scope, where));
  }
  return {};
}

Status KeyRing::add_file(const std::filesystem::path& path) {
  QN_TRY(const MappedFile file, MappedFile::open(path));
  if (file.bytes().size() > max_file_bytes)
    return fail(Code::too_large, "{}: more than {} bytes; this is no file of keys", path.string(), max_file_bytes);
  return add_text({reinterpret_cast<const char*>(file.bytes().data()), file.bytes().size()}, path.string());
}

std::optional<KnownKey> KeyRing::find(std::string_view key) const {
  if (key.empty() || key.size() > max_key_bytes) return std::nullopt;
  const Digest digest = digest_of(key);
  std::size_t found = keys_.size();
  for (std::size_t i = 0; i < keys_.size(); ++i) {
    const bool same = CRYPTO_memcmp(digest.data(), keys_[i].digest.data(), digest.size()) == 0;
    found = same ? i : found;  // no early end: which key it was shows in no time
  }
  if (found == keys_.size()) return std::nullopt;
  return keys_[found].known;
}

}  // namespace qn::api
