#include "store/http_client.h"

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <thread>

namespace qn::store {
namespace {

// A server for as many connections as answers: each is read up to the end of its headers, answered with fixed bytes, and closed.
class FixedServer {
 public:
  explicit FixedServer(std::vector<std::string> answers) : answers_(std::move(answers)) {
    listener_ = ::socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    EXPECT_EQ(::bind(listener_, reinterpret_cast<sockaddr*>(&address), size), 0);
    EXPECT_EQ(::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size), 0);
    EXPECT_EQ(::listen(listener_, 16), 0);
    url_ = "http://127.0.0.1:" + std::to_string(ntohs(address.sin_port));
    thread_ = std::thread([this] { serve(); });
  }
  ~FixedServer() {
    thread_.join();
    ::close(listener_);
  }
  const std::string& url() const { return url_; }

 private:
  void serve() {
    for (const std::string& answer : answers_) {
      const int socket = ::accept(listener_, nullptr, nullptr);
      std::string request;
      char block[4096];
      while (request.find("\r\n\r\n") == std::string::npos) {
        const ssize_t got = ::recv(socket, block, sizeof block, 0);
        if (got <= 0) break;
        request.append(block, static_cast<std::size_t>(got));
      }
      EXPECT_EQ(::send(socket, answer.data(), answer.size(), MSG_NOSIGNAL), static_cast<ssize_t>(answer.size()));
      ::close(socket);
    }
  }
  std::vector<std::string> answers_;
  std::string url_;
  int listener_ = -1;
  std::thread thread_;
};

ClientRequest direct(std::string url) {
  return {.url = std::move(url), .timeout = std::chrono::seconds(30), .route = ClientRequest::Route::direct};
}

TEST(HttpClient, a_reply_in_chunks_is_put_together) {
  FixedServer server({"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"});
  const auto reply = fetch(direct(server.url() + "/x"));
  ASSERT_TRUE(reply) << reply.error().message;
  EXPECT_EQ(reply->status, 200);
  EXPECT_EQ(reply->body, "abcde");
}

TEST(HttpClient, a_status_that_tells_of_failure_is_a_reply_too) {
  FixedServer server({"HTTP/1.1 404 Not Found\r\ncontent-length: 4\r\n\r\nnone"});
  const auto reply = fetch(direct(server.url()));
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->status, 404);
  EXPECT_EQ(reply->body, "none");
}

TEST(HttpClient, a_server_that_is_not_there_is_an_error_with_its_address) {
  const auto reply = fetch(direct("http://127.0.0.1:1/v1/models"));
  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error().code, Code::io);
  EXPECT_NE(reply.error().message.find("http://127.0.0.1:1/v1/models"), std::string::npos);
}

TEST(HttpClient, a_reply_that_is_cut_off_is_an_error) {
  FixedServer server({"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nabc"});
  EXPECT_FALSE(fetch(direct(server.url())));
}

TEST(HttpClient, a_reply_over_the_limit_is_refused) {
  FixedServer server({"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nabcde"});
  const auto reply = fetch(direct(server.url()), 4);
  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error().code, Code::too_large);
}

TEST(HttpClient, only_http_is_spoken) {
  EXPECT_FALSE(fetch(direct("file:///etc/hostname")));
}

TEST(HttpClient, requests_run_beside_each_other_and_one_may_start_the_next) {
  const std::string answer = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\nok";
  FixedServer server({answer, answer, answer});
  HttpClient client;
  int ended = 0;
  const auto count = [&ended](Result<int> status) { ended += status && *status == 200 ? 1 : 0; };
  client.start(direct(server.url()), {{}, count});
  client.start(direct(server.url()), {{}, [&](Result<int> status) {
                                        count(std::move(status));
                                        client.start(direct(server.url()), {{}, count});
                                      }});
  EXPECT_EQ(client.running(), 2u);
  while (client.running() > 0) client.poll(std::chrono::milliseconds(100));
  EXPECT_EQ(ended, 3);
}

}  // namespace
}  // namespace qn::store
