#include "api/http/gate.h"

#include <gtest/gtest.h>

#include <chrono>
#include <cmath>

#include "api/http/routes.h"
#include "base/random.h"
#include "fake_connection.h"

namespace qn::api {
namespace {

KeyRing keys_of(std::string_view text) {
  KeyRing keys;
  EXPECT_TRUE(keys.add_text(text, "keys"));
  return keys;
}

RequestHead head_with(Headers headers, std::string_view host = "localhost", std::string_view method = "POST") {
  RequestHead head;
  head.method = method;
  head.host = host;
  head.headers = std::move(headers);
  head.content_length = 2;
  return head;
}

TEST(Keys, are_read_from_lists_and_files) {
  KeyRing keys;
  EXPECT_TRUE(keys.add_list("one, two"));
  EXPECT_TRUE(keys.add_text("# ours\n\nthree infer\r\nfour pull # Bob\n  five admin\nsix\n", "keys"));
  EXPECT_EQ(keys.size(), 6u);
  EXPECT_EQ(keys.find("one")->scope, Scope::admin);
  EXPECT_EQ(keys.find("three")->scope, Scope::infer);
  EXPECT_EQ(keys.find("four")->scope, Scope::pull);
  EXPECT_EQ(keys.find("six")->scope, Scope::admin);
  EXPECT_NE(keys.find("one")->tenant, keys.find("two")->tenant);
  for (const char* wrong : {"", "on", "onee", "One", "one ", "three infer"}) EXPECT_FALSE(keys.find(wrong)) << wrong;
  EXPECT_FALSE(keys.add_list("one,,two"));
  EXPECT_FALSE(keys.add_text("key wrong-scope", "keys"));
  EXPECT_FALSE(keys.add_list("k\xc3\xa9y"));
  EXPECT_FALSE(keys.add_list(std::string(513, 'k')));
}

// Welch's t over the time of refusing a key that is nearly right and one that is not at all. |t| above 4.5 would say that time tells them
// apart. (That a right key is right, the answer says itself.)
TEST(Keys, refusing_a_key_that_is_nearly_right_takes_no_longer) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "sanitizers have times of their own";
#endif
  std::string text;
  for (int i = 0; i < 8; ++i) text += std::string(31, 'k') + static_cast<char>('0' + i) + "\n";
  const KeyRing keys = keys_of(text);
  const std::string near = std::string(31, 'k') + 'x', far = 'x' + std::string(31, 'k');
  constexpr int samples = 20'000, lookups = 4;
  std::vector<double> times[2];
  for (int i = 0; i < samples; ++i) {
    const int first = static_cast<int>(philox(3, static_cast<std::uint64_t>(i))[0] & 1);  // no order that a predictor could learn
    for (const int which : {first, 1 - first}) {
      const std::string& key = which == 0 ? near : far;
      const auto begin = std::chrono::steady_clock::now();
      bool found = false;
      for (int j = 0; j < lookups; ++j) found ^= keys.find(key).has_value();
      const auto end = std::chrono::steady_clock::now();
      ASSERT_FALSE(found);
      times[which].push_back(std::chrono::duration<double, std::nano>(end - begin).count());
    }
  }
  double mean[2], variance[2];
  for (int which = 0; which < 2; ++which) {  // the slowest tenth is the machine's noise
    std::sort(times[which].begin(), times[which].end());
    times[which].resize(samples * 9 / 10);
    double sum = 0, squares = 0;
    for (const double t : times[which]) sum += t;
    mean[which] = sum / static_cast<double>(times[which].size());
    for (const double t : times[which]) squares += (t - mean[which]) * (t - mean[which]);
    variance[which] = squares / static_cast<double>(times[which].size());
  }
  // Both the statistic and the size of the difference: a shared machine drifts by fractions of a nanosecond, a leak is many.
  const double t = (mean[0] - mean[1]) / std::sqrt((variance[0] + variance[1]) / static_cast<double>(times[0].size()));
  EXPECT_TRUE(std::abs(t) < 4.5 || std::abs(mean[0] - mean[1]) < 0.02 * mean[1])
      << "t " << t << ", " << mean[0] << " ns, " << mean[1] << " ns";
}

TEST(Gate, a_key_is_read_from_three_headers) {
  const Gate gate({}, keys_of("secret infer"));
  for (const Headers& headers :
       {Headers{{"Authorization", "Bearer secret"}}, Headers{{"authorization", "bearer   secret"}}, Headers{{"x-api-key", "secret"}},
        Headers{{"API-Key", "secret"}}, Headers{{"Authorization", "Bearer none"}, {"x-api-key", "secret"}}})
    EXPECT_TRUE(gate.identify(head_with(headers))) << headers[0].second;
  for (const Headers& headers : {Headers{}, Headers{{"Authorization", "secret"}}, Headers{{"Authorization", "Basic secret"}},
                                 Headers{{"Authorization", "Bearer secre"}}, Headers{{"Authorization", "Bearer secrets"}},
                                 Headers{{"Authorization", "Bearer"}}, Headers{{"x-key", "secret"}}})
    EXPECT_FALSE(gate.identify(head_with(headers)));
  const Gate open({});
  EXPECT_EQ(open.identify(head_with({{"Authorization", "Bearer None"}}))->scope, Scope::admin);
}

TEST(Gate, a_host_is_an_address_a_local_name_or_configured) {
  Gate gate({.hosts = {"Quern.example.com"}});
  for (const char* host : {"127.0.0.1", "127.0.0.1:11434", "192.168.1.2", "[::1]:80", "[fe80::1]", "localhost", "LOCALHOST:1",
                           "a.localhost", "box.local", "host.docker.internal", "quern.example.com:443", "localhost."})
    EXPECT_FALSE(gate.check_host(head_with({}, host))) << host;
  for (const char* host : {"evil.com", "localhost.evil.com", "127.0.0.1.evil.com", "evil-localhost", "quern.example.com.evil.com",
                           "example.com", "local", "0x7f.1", "2130706433.", ".local", "quern"})
    EXPECT_TRUE(gate.check_host(head_with({}, host))) << host;
  gate.answer_to_single_label_names();
  EXPECT_FALSE(gate.check_host(head_with({}, "quern:11434")));
  EXPECT_TRUE(gate.check_host(head_with({}, "evil.com")));
}

TEST(Gate, an_origin_matches_exactly) {
  const Gate gate({.origins = {"https://chat.example.com", "http://10.0.0.5:*", "moz-extension://*"}});
  for (const char* origin : {"http://localhost", "https://localhost:3000", "http://127.0.0.1:8080", "http://0.0.0.0", "app://obsidian.md",
                             "file://", "tauri://localhost", "vscode-webview://0abc", "https://chat.example.com", "http://10.0.0.5:81",
                             "moz-extension://1-2", "HTTP://LOCALHOST", "http://192.168.7.7:11434"})
    EXPECT_FALSE(gate.check_origin(head_with({{"Origin", origin}}, "192.168.7.7:11434"))) << origin;
  for (const char* origin :
       {"null", "http://localhost.evil.com", "http://localhost:80.evil.com", "http://localhost:", "http://localhost:1x", "https://evil.com",
        "http://127.0.0.1.evil.com", "https://chat.example.com.evil.com", "https://chat.example.com:444", "http://chat.example.com",
        "http://10.0.0.5", "xapp://a", "http://192.168.7.7", "http://evil.com/http://localhost", ""})
    EXPECT_TRUE(gate.check_origin(head_with({{"Origin", origin}}, "192.168.7.7:11434"))) << origin;
  EXPECT_FALSE(gate.check_origin(head_with({})));
  EXPECT_FALSE(Gate({.origins = {"*"}}).check_origin(head_with({{"Origin", "https://anything.example"}})));
}

TEST(Gate, origin_patterns_are_checked_at_the_start) {
  for (const char* fine : {"*", "https://a.b", "http://a:80", "http://a:*", "app://*"}) EXPECT_TRUE(check_origin_pattern(fine)) << fine;
  for (const char* wrong : {"", "a.b", "http://", "http://*.a.b", "https://a.b/", "http://a*", "://a"})
    EXPECT_FALSE(check_origin_pattern(wrong)) << wrong;
}

TEST(Gate, a_web_page_sends_json) {
  const Gate gate({});
  const std::pair<std::string, std::string> origin{"Origin", "http://localhost"};
  EXPECT_FALSE(gate.check_content_type(head_with({origin, {"Content-Type", "application/json"}})));
  EXPECT_FALSE(gate.check_content_type(head_with({origin, {"Content-Type", "Application/JSON ; charset=utf-8"}})));
  EXPECT_FALSE(gate.check_content_type(head_with({origin}, "localhost", "GET")));
  EXPECT_FALSE(gate.check_content_type(head_with({{"Content-Type", "application/x-www-form-urlencoded"}}))) << "curl -d";
  for (const char* type : {"text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "application/jsonx", ""})
    EXPECT_TRUE(gate.check_content_type(head_with({origin, {"Content-Type", type}}))) << type;
  EXPECT_TRUE(gate.check_content_type(head_with({origin})));
}

Endpoint endpoint(std::string_view methods, std::vector<std::string_view> paths, Scope scope = Scope::infer) {
  return {methods, std::move(paths), scope, Dialect::openai, [](Service&, std::shared_ptr<Exchange> e) { e->respond({}); }};
}

TEST(Routes, a_path_is_found_by_its_method) {
  const Routes routes({endpoint("GET", {"/v1/models"}), endpoint("POST", {"/a", "/b"}), endpoint("GET DELETE", {"/a"}),
                       endpoint("GET", {"/v1/models/{rest}"}), endpoint("HEAD", {"/blobs/{rest}"}),
                       endpoint("POST", {"/v1/models/{rest}"})});
  EXPECT_EQ(routes.find("GET", "/v1/models").endpoint, &routes.endpoints()[0]);
  EXPECT_EQ(routes.find("HEAD", "/v1/models").endpoint, &routes.endpoints()[0]);
  EXPECT_EQ(routes.find("POST", "/b").endpoint, &routes.endpoints()[1]);
  EXPECT_EQ(routes.find("DELETE", "/a").endpoint, &routes.endpoints()[2]);
  EXPECT_EQ(routes.find("GET", "/v1/models/library/qwen3:8b").endpoint, &routes.endpoints()[3]);
  EXPECT_EQ(routes.find("GET", "/v1/models/library/qwen3:8b").rest, "library/qwen3:8b");
  EXPECT_EQ(routes.find("POST", "/v1/models/x").endpoint, &routes.endpoints()[5]);
  EXPECT_EQ(routes.find("PUT", "/a").allowed, "GET, HEAD, POST, DELETE, OPTIONS");
  EXPECT_EQ(routes.find("GET", "/blobs/x").allowed, "HEAD, OPTIONS");
  for (const char* path : {"/", "/v1", "/c", "/A", "/v1/models/../x", "/v1/models/./x", "/a/."}) {
    EXPECT_EQ(routes.find("GET", path).endpoint, nullptr) << path;
    EXPECT_EQ(routes.find("GET", path).allowed, "") << path;
  }
}

int status_after(FakeServer& server, std::string_view request) {
  server.connect();
  server.send(request);
  const std::string received = server.take_received();
  return received.size() < 12 ? 0 : std::stoi(received.substr(9, 3));
}

// Every route, asked in every way that has let someone in elsewhere.
TEST(Gate, nothing_but_health_is_reached_without_a_key) {
  FakeServer server(all_endpoints(), {}, {}, keys_of("secret"));
  std::vector<std::string> targets = {
      "/nothing", "/v1/v1/models", "/health/../api/version", "/%2e%2e/api/version", "/health/%2e%2e/api/version", "*"};
  for (const Endpoint& e : all_endpoints()) {
    for (const std::string_view pattern : e.paths) {
      std::string path(pattern);
      if (const std::size_t rest = path.find("{rest}"); rest != std::string::npos) path.replace(rest, 6, "x");
      const std::string method(e.methods.substr(0, e.methods.find(' ')));
      if (e.scope == Scope::public_path) {
        EXPECT_NE(status_after(server, method + " " + path + " HTTP/1.1\r\nHost: localhost\r\n\r\n"), 401) << path;
        continue;
      }
      targets.push_back(path);
      targets.push_back("/" + path);
      targets.push_back(path + "/");
      targets.push_back("http://localhost" + path);
    }
  }
  for (const std::string& target : targets) {
    for (const char* method : {"GET", "POST", "HEAD", "PUT", "DELETE", "OPTIONS", "PATCH", "BREW"}) {
      if (target == "*" && std::string_view(method) != "OPTIONS") continue;
      for (const char* credential : {"", "Authorization: Bearer wrong\r\n", "Authorization: Bearer secre\r\n", "Authorization: Bearer \r\n",
                                     "x-api-key: secrets\r\n", "X-HTTP-Method-Override: GET\r\n", "X-Original-URL: /health\r\n"}) {
        const std::string request = std::string(method) + " " + target + " HTTP/1.1\r\nHost: localhost\r\n" + credential + "\r\n";
        EXPECT_EQ(status_after(server, request), 401) << request;
      }
    }
  }
}

TEST(Gate, a_key_of_a_narrow_scope_is_refused_where_more_is_needed) {
  FakeServer server({endpoint("POST", {"/infer"}), endpoint("POST", {"/pull"}, Scope::pull), endpoint("POST", {"/admin"}, Scope::admin)},
                    {}, {}, keys_of("i infer\np pull\na admin"));
  const auto asked = [&](const char* path, const char* key) {
    return status_after(server, std::string("POST ") + path + " HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer " + key + "\r\n\r\n");
  };
  EXPECT_EQ(asked("/infer", "i"), 200);
  EXPECT_EQ(asked("/pull", "i"), 403);
  EXPECT_EQ(asked("/pull", "p"), 200);
  EXPECT_EQ(asked("/admin", "p"), 403);
  EXPECT_EQ(asked("/admin", "a"), 200);
}

TEST(Gate, a_preflight_of_an_allowed_origin_is_answered_without_a_key) {
  FakeServer server({endpoint("POST", {"/v1/chat/completions"})}, {}, {}, keys_of("secret"));
  server.send(
      "OPTIONS /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nOrigin: http://localhost:3000\r\nAccess-Control-Request-Method: POST\r\n"
      "Access-Control-Request-Headers: authorization, X-Stainless-OS,x-evil ,content-type\r\n\r\n");
  const std::string received = server.take_received();
  EXPECT_TRUE(received.starts_with("HTTP/1.1 204 No Content\r\n")) << received;
  EXPECT_NE(received.find("Access-Control-Allow-Origin: http://localhost:3000\r\n"), std::string::npos);
  EXPECT_NE(received.find("Access-Control-Allow-Headers: authorization, x-stainless-os, content-type\r\n"), std::string::npos) << received;
  EXPECT_NE(received.find("Access-Control-Allow-Methods: POST, OPTIONS\r\n"), std::string::npos);
  EXPECT_EQ(received.find("Credentials"), std::string::npos);
  server.connect();
  server.send(
      "OPTIONS /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nOrigin: http://localhost.evil.com\r\nAccess-Control-Request-Method: "
      "POST\r\n\r\n");
  const std::string refused = server.take_received();
  EXPECT_TRUE(refused.starts_with("HTTP/1.1 403 ")) << refused;
  EXPECT_EQ(refused.find("Access-Control"), std::string::npos);
}

TEST(Gate, a_page_of_another_site_is_refused_before_its_body_is_read) {
  FakeServer server({endpoint("POST", {"/api/generate"})});
  EXPECT_EQ(status_after(server,
                         "POST /api/generate HTTP/1.1\r\nHost: localhost\r\nOrigin: https://evil.com\r\nContent-Type: text/plain\r\n"
                         "Content-Length: 100\r\n\r\n"),
            403);
  EXPECT_EQ(status_after(server, "POST /api/generate HTTP/1.1\r\nHost: rebound.evil.com\r\nContent-Length: 100\r\n\r\n"), 403);
}

TEST(Gate, all_bodies_together_are_limited) {
  Limits limits;
  limits.all_bodies_bytes = 1000;
  FakeServer server({endpoint("POST", {"/a"})}, limits);
  EXPECT_EQ(status_after(server, "POST /a HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1001\r\n\r\n"), 503);
  EXPECT_EQ(
      status_after(server, "POST /a HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n7d0\r\n" + std::string(1500, 'x')),
      503);
  EXPECT_EQ(server.site.body_bytes_held, 0);
  EXPECT_EQ(status_after(server, "POST /a HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\n\r\nabc"), 200);
}

}  // namespace
}  // namespace qn::api
