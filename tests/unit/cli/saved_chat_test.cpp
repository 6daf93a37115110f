#include "cli/chat/saved_chat.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include "base/random.h"
#include "cli/chat/history.h"
#include "cli/state_files.h"

namespace qn::cli {
namespace {

SavedChat example() {
  SavedChat chat{"/models/x.gguf", "be \"brief\"", {}, {}};
  EXPECT_TRUE(serve::set_parameter(chat.parameters, "temperature", "0.25"));
  EXPECT_TRUE(serve::set_parameter(chat.parameters, "stop", "a"));
  EXPECT_TRUE(serve::set_parameter(chat.parameters, "stop", "b\n"));
  EXPECT_TRUE(serve::set_parameter(chat.parameters, "seed", "18446744073709551615"));
  chat.messages = {{.role = "user", .content = "你好"}, {.role = "assistant", .content = "hi", .reasoning = "greet"}};
  return chat;
}

class StateFiles : public testing::Test {
 protected:
  StateFiles() : folder(std::filesystem::temp_directory_path() / ("quern-test-" + std::to_string(::getpid()))) {}
  ~StateFiles() override { std::filesystem::remove_all(folder); }
  std::filesystem::path folder;
};

TEST(SavedChat, what_is_printed_reads_back_the_same) {
  const SavedChat chat = example();
  const auto again = parse_saved_chat(print_saved_chat(chat));
  ASSERT_TRUE(again) << again.error().message;
  EXPECT_EQ(print_saved_chat(*again), print_saved_chat(chat));
  EXPECT_EQ(again->messages[1].reasoning, "greet");
  EXPECT_EQ(again->parameters.stop, (std::vector<std::string>{"a", "b\n"}));
}

TEST(SavedChat, another_kind_of_json_is_refused) {
  for (const char* text : {"", "[]", "{}", "{\"kind\": \"quern-chat\"}", "{\"kind\": \"quern-chat\", \"version\": 2}",
                           "{\"kind\": \"quern-chat\", \"version\": 1, \"messages\": {}}",
                           "{\"kind\": \"quern-chat\", \"version\": 1, \"messages\": [{\"role\": \"root\"}]}",
                           "{\"kind\": \"quern-chat\", \"version\": 1, \"parameters\": {\"temperature\": [\"nan\"]}}"})
    EXPECT_FALSE(parse_saved_chat(text)) << text;
}

TEST(SavedChat, a_damaged_file_is_an_error_and_never_a_crash) {
  const std::string whole = print_saved_chat(example());
  for (std::size_t cut = 0; cut + 1 < whole.size(); ++cut) EXPECT_FALSE(parse_saved_chat(whole.substr(0, cut)));
  for (std::uint64_t seed = 0; seed < 3000; ++seed) {
    std::string changed = whole;
    const auto draw = philox(seed, 0);
    changed[draw[0] % changed.size()] = static_cast<char>(draw[1]);
    (void)parse_saved_chat(changed);
  }
}

TEST(SavedChat, a_plain_name_is_kept_in_the_state_directory) {
  EXPECT_EQ(saved_chat_path("trip").filename(), "trip.json");
  EXPECT_EQ(saved_chat_path("trip").parent_path().filename(), "chats");
  EXPECT_EQ(saved_chat_path("./trip.json"), "./trip.json");
}

TEST_F(StateFiles, a_saved_file_is_the_users_alone_and_replaced_whole) {
  const std::filesystem::path path = folder / "a" / "b.json";
  ASSERT_TRUE(replace_file(path, "one"));
  ASSERT_TRUE(replace_file(path, "two"));
  EXPECT_EQ(read_small_file(path, 100).value_or(""), "two");
  EXPECT_EQ(std::filesystem::status(path).permissions(), std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
}

TEST_F(StateFiles, only_small_regular_files_are_read) {
  ASSERT_TRUE(replace_file(folder / "x", "12345"));
  EXPECT_EQ(read_small_file(folder / "x", 4).error().code, Code::too_large);
  EXPECT_EQ(read_small_file(folder, 100).error().code, Code::bad_input);
  EXPECT_EQ(read_small_file(folder / "none", 100).error().code, Code::not_found);
  EXPECT_EQ(read_small_file("/dev/zero", 100).error().code, Code::bad_input);
}

TEST_F(StateFiles, history_keeps_the_last_hundred_lines) {
  const std::filesystem::path path = folder / "history";
  {
    History history(path);
    for (int i = 0; i < 120; ++i) history.add("line " + std::to_string(i));
    history.add("line 119");
    history.add("");
  }
  const History again(path);
  ASSERT_EQ(again.lines().size(), 100u);
  EXPECT_EQ(again.lines().front(), "line 20");
  EXPECT_EQ(again.lines().back(), "line 119");
}

}  // namespace
}  // namespace qn::cli
