#include "api/http/target.h"

#include <gtest/gtest.h>

#include "api/http/message.h"

namespace qn::api {
namespace {

std::string path_of(std::string_view text) {
  const auto target = parse_target(text);
  return target ? target->path : "refused";
}

TEST(Target, paths_are_decoded_once_and_normalized) {
  EXPECT_EQ(path_of("/"), "/");
  EXPECT_EQ(path_of("//v1///models//"), "/v1/models");
  EXPECT_EQ(path_of("/v1/models/library%2Fqwen3%3A8b"), "/v1/models/library/qwen3:8b");
  EXPECT_EQ(path_of("/a%2541"), "/a%41");
  EXPECT_EQ(path_of("/a?b=c/d"), "/a");
  EXPECT_EQ(path_of("http://host:1/a/b?c"), "/a/b");
  EXPECT_EQ(path_of("http://host"), "/");
  EXPECT_EQ(path_of("/%e6%9d%8e"), "/李");
}

TEST(Target, broken_targets_are_refused) {
  for (const std::string_view text :
       {"", "a", "host:80", "/a b", "/%", "/%4", "/%zz", "/%00", "/%0a", "/%ff", "/a#b", "/\x80", "http://", "http://u@h/", "ftp://h/"})
    EXPECT_EQ(path_of(text), "refused") << text;
}

TEST(Target, a_query_is_looked_up_by_its_decoded_name) {
  HttpRequest request;
  request.query = "strict=1&na%6De=a+b%2B&bare&bad=%z";
  EXPECT_EQ(request.query_value("strict"), "1");
  EXPECT_EQ(request.query_value("name"), "a b+");
  EXPECT_EQ(request.query_value("bare"), "");
  EXPECT_EQ(request.query_value("bad"), std::nullopt);
  EXPECT_EQ(request.query_value("none"), std::nullopt);
}

TEST(HttpRequest, headers_are_found_in_any_case) {
  HttpRequest request;
  request.headers = {{"Content-TYPE", "a"}, {"x-api-key", "k"}};
  EXPECT_EQ(request.header("content-type"), "a");
  EXPECT_EQ(request.header("X-Api-Key"), "k");
  EXPECT_EQ(request.header("x-api"), std::nullopt);
}

}  // namespace
}  // namespace qn::api
