// Any bytes as a saved chat: an error that says something, or a chat that survives being saved and loaded.
#include <cstdint>
#include <string_view>

#include "base/check.h"
#include "base/utf8.h"
#include "cli/chat/saved_chat.h"

using namespace qn;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto chat = cli::parse_saved_chat({reinterpret_cast<const char*>(data), size});
  if (!chat) {
    QN_CHECK(!chat.error().message.empty() && utf8::is_valid(chat.error().message), "an error says something");
    return 0;
  }
  const std::string printed = cli::print_saved_chat(*chat);
  const auto again = cli::parse_saved_chat(printed);
  QN_CHECK(again && cli::print_saved_chat(*again) == printed, "saving loses nothing");
  return 0;
}
