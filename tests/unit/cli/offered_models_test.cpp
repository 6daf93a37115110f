#include "cli/serve/offered_models.h"

#include <gtest/gtest.h>

#include <fstream>

#include "cli/serve/model_flags.h"
#include "unit/file/temporary_folder.h"

namespace qn::cli {
namespace {

TEST(OfferedModels, a_model_is_called_as_its_file_without_its_parts) {
  EXPECT_EQ(model_name("a/qwq-32b-q4_k_m.gguf"), "qwq-32b-q4_k_m");
  EXPECT_EQ(model_name("a/big-00001-of-00003.gguf"), "big");
  EXPECT_EQ(model_name("of-00001.gguf"), "of-00001");
}

class OfferedFolder : public testing::Test {
 protected:
  void put(const std::string& name) {
    std::filesystem::create_directories((folder_.path() / name).parent_path());
    std::ofstream(folder_.path() / name) << "x";
  }
  Result<std::vector<serve::ServedModel>> offer(const std::string& word) {
    std::vector<serve::ServedModel> models;
    QN_OK(add_models(word, {}, models));
    return models;
  }
  file::TemporaryFolder folder_;
};

TEST_F(OfferedFolder, every_model_of_it_and_of_its_folders_is_offered_once) {
  for (const char* name :
       {"b.gguf", "a.gguf", "notes.txt", "mmproj-a.gguf", "big-00001-of-00002.gguf", "big-00002-of-00002.gguf", "inner/c.gguf"})
    put(name);
  const auto models = offer(folder_.path().string());
  ASSERT_TRUE(models) << models.error().message;
  std::vector<std::string> names;
  for (const serve::ServedModel& model : *models) names.push_back(model.name);
  EXPECT_EQ(names, (std::vector<std::string>{"a", "b", "big", "c"}));
  EXPECT_EQ((*models)[2].size_bytes, 2u);
}

TEST_F(OfferedFolder, a_file_answers_to_its_path_and_its_files_name) {
  put("a.gguf");
  const std::string path = (folder_.path() / "a.gguf").string();
  const auto models = offer("chat=" + path);
  ASSERT_TRUE(models);
  EXPECT_EQ(models->front().name, "chat");
  EXPECT_EQ(models->front().aliases, (std::vector<std::string>{path, "a.gguf"}));
}

TEST_F(OfferedFolder, safetensors_are_refused_with_what_to_do_instead) {
  put("config.json");
  put("model-00001-of-00002.safetensors");
  const auto models = offer(folder_.path().string());
  ASSERT_FALSE(models);
  EXPECT_EQ(models.error().code, Code::unsupported);
  EXPECT_NE(models.error().message.find("GGUF"), std::string::npos);
}

TEST_F(OfferedFolder, what_is_not_there_is_named) {
  const auto models = offer("Qwen/QwQ-32B");
  ASSERT_FALSE(models);
  EXPECT_EQ(models.error().code, Code::not_found);
}

TEST(KeepAlive, is_read_as_ollama_writes_it) {
  using std::chrono::seconds;
  EXPECT_EQ(read_keep_alive("--keep-alive", "5m").value(), seconds(300));
  EXPECT_EQ(read_keep_alive("--keep-alive", "1h30m").value(), seconds(5400));
  EXPECT_EQ(read_keep_alive("--keep-alive", "90").value(), seconds(90));
  EXPECT_EQ(read_keep_alive("--keep-alive", "0").value(), seconds(0));
  EXPECT_LT(read_keep_alive("--keep-alive", "-1").value(), seconds(0));
  EXPECT_LT(read_keep_alive("--keep-alive", "-5m").value(), seconds(0));
  for (const char* wrong : {"", "five", "5q", "m", "1h5"}) EXPECT_FALSE(read_keep_alive("--keep-alive", wrong)) << wrong;
}

}  // namespace
}  // namespace qn::cli
