// KeyRing: the API keys that are accepted. Only their SHA-256 is kept, and a key is compared with all of them in constant time.
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string_view>
#include <vector>

#include "api/http/message.h"
#include "base/result.h"

namespace qn::api {

struct KnownKey {
  Scope scope = Scope::admin;
  std::uint64_t tenant = 0;  // never 0
};

class KeyRing {
 public:
  bool empty() const { return keys_.empty(); }
  std::size_t size() const { return keys_.size(); }

  // "abc" or several, "abc,def", each for every scope.
  //   errors   bad_input: an empty or over-long key, or one that no header can carry
  Status add_list(std::string_view list);
  // One key a line, "KEY" or "KEY infer|pull|admin"; '#' begins a comment.
  //   errors   bad_input: file and line; io
  Status add_file(const std::filesystem::path& path);
  Status add_text(std::string_view text, std::string_view name);

  // Which key this is. Takes as long for every key of the same length, known or not.
  std::optional<KnownKey> find(std::string_view key) const;

 private:
  using Digest = std::array<unsigned char, 32>;
  static Digest digest_of(std::string_view key);
  Status add(std::string_view key, Scope scope, std::string_view where);

  struct Entry {
    Digest digest;
    KnownKey known;
  };
  std::vector<Entry> keys_;
};

}  // namespace qn::api
