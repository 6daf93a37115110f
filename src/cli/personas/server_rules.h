// What personas of servers have in common.
#pragma once

#include <cstdlib>

#include "cli/persona.h"

namespace qn::cli {

inline bool is_loopback(std::string_view host) {
  return host.starts_with("127.") || host == "localhost" || host == "::1" || host == "[::1]" || host.starts_with("unix:") ||
         host.ends_with(".sock");
}

// These tools let everyone in who reaches an address that the user named; quern serve wants a key, or to be told so. Their command lines go
// on to work, and the user hears what that means.
inline void open_as_told(Translation& ours) {
  const auto host = ours.value("--host");
  if (!host || is_loopback(*host) || ours.has("--api-key") || ours.has("--api-key-file")) return;
  for (const char* name : {"QUERN_API_KEY", "QUERN_API_KEY_FILE", "VLLM_API_KEY", "LLAMA_API_KEY"})
    if (const char* key = std::getenv(name); key != nullptr && *key != '\0') return;
  ours.args.emplace_back("--insecure-no-auth");
  ours.notes.push_back(
      fmt::format("--host {}: everyone who reaches this address can use the server; --api-key KEY lets in only who knows it", *host));
}

}  // namespace qn::cli
