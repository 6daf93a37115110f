#include "api/http/connection.h"

#include <gtest/gtest.h>

#include "base/format.h"
#include "base/random.h"
#include "fake_connection.h"

namespace qn::api {
namespace {

using std::chrono::milliseconds;

// Endpoints that tell what they were given, wait to be answered, or stream.
struct Waiting {
  std::vector<std::shared_ptr<Exchange>> exchanges;
};

std::vector<Endpoint> test_endpoints(std::shared_ptr<Waiting> waiting = std::make_shared<Waiting>()) {
  const auto echo = [](Service&, std::shared_ptr<Exchange> exchange) {
    const HttpRequest& r = exchange->request();
    exchange->respond(
        {.content_type = "text/plain", .body = fmt::format("{} {} rest={} query={} body={}", r.method, r.path, r.rest, r.query, r.body)});
  };
  const auto stream = [](Service&, std::shared_ptr<Exchange> exchange) {
    exchange->begin_stream(200, "text/event-stream", {{"cache-control", "no-cache"}});
    exchange->write("data: one\n\n");
    exchange->write("data: two\n\n");
    exchange->end();
  };
  const auto keep = [waiting](Service&, std::shared_ptr<Exchange> exchange) { waiting->exchanges.push_back(std::move(exchange)); };
  const auto forget = [](Service&, std::shared_ptr<Exchange>) {};
  return {
      {"GET POST", {"/echo", "/echo/{rest}"}, Scope::infer, Dialect::openai, echo},
      {"GET", {"/stream"}, Scope::infer, Dialect::openai, stream},
      {"GET POST", {"/wait"}, Scope::infer, Dialect::openai, keep},
      {"GET", {"/api/wait"}, Scope::infer, Dialect::ollama, keep},
      {"GET", {"/forget"}, Scope::infer, Dialect::openai, forget},
      {"GET", {"/health"}, Scope::public_path, Dialect::native, echo},
  };
}

std::string answer(int status, std::string_view reason, std::string_view type, std::string_view body, std::string_view more = "",
                   std::string_view id = "r1") {
  return fmt::format(
      "HTTP/1.1 {} {}\r\nDate: Fri, 20 Nov 2026 14:00:00 GMT\r\nContent-Type: {}\r\nx-request-id: {}\r\nX-Content-Type-Options: nosniff\r\n"
      "Content-Length: {}\r\n{}\r\n{}",
      status, reason, type, id, body.size(), more, body);
}

constexpr std::string_view get_echo = "GET /echo?a=b HTTP/1.1\r\nHost: localhost\r\nX-Request-Id: r1\r\n\r\n";
const std::string echoed = answer(200, "OK", "text/plain", "GET /echo rest= query=a=b body=");

int status_in(std::string_view received) {
  return received.size() < 12 ? 0 : std::stoi(std::string(received.substr(9, 3)));
}

TEST(Connection, a_request_is_answered) {
  FakeServer server(test_endpoints());
  server.send(get_echo);
  EXPECT_EQ(server.take_received(), echoed);
  EXPECT_FALSE(server.client->closed);
  EXPECT_EQ(server.record_lines, std::vector<std::string>{"GET /echo 200"});
  EXPECT_EQ(server.in_flight, 0);
}

TEST(Connection, a_stream_is_chunked_and_not_to_be_cached) {
  FakeServer server(test_endpoints());
  server.send("GET /stream HTTP/1.1\r\nHost: localhost\r\nX-Request-Id: r1\r\n\r\n");
  EXPECT_EQ(server.take_received(),
            "HTTP/1.1 200 OK\r\nDate: Fri, 20 Nov 2026 14:00:00 GMT\r\nContent-Type: text/event-stream\r\nx-request-id: r1\r\n"
            "X-Content-Type-Options: nosniff\r\nCache-Control: no-cache\r\nX-Accel-Buffering: no\r\nTransfer-Encoding: chunked\r\n\r\n"
            "b\r\ndata: one\n\n\r\nb\r\ndata: two\n\n\r\n0\r\n\r\n");
  server.send(get_echo);
  EXPECT_EQ(server.take_received(), echoed);
}

TEST(Connection, http_1_0_gets_a_stream_that_ends_with_the_connection) {
  FakeServer server(test_endpoints());
  server.send("GET /stream HTTP/1.0\r\nX-Request-Id: r1\r\n\r\n");
  const std::string received = server.take_received();
  EXPECT_EQ(received.find("chunked"), std::string::npos);
  EXPECT_TRUE(received.ends_with("Connection: close\r\n\r\ndata: one\n\ndata: two\n\n")) << received;
  EXPECT_TRUE(server.client->end_seen);
}

// Each of these in pieces of every kind, and sixteen in a row.
const std::vector<std::string> golden_requests = {
    std::string(get_echo),
    "POST /echo HTTP/1.1\r\nHost: 127.0.0.1:11434\r\nX-Request-Id: r2\r\nContent-Length: 11\r\n\r\nhello world",
    "POST /echo/a%2Fb:c HTTP/1.1\r\nHost: [::1]:80\r\nX-Request-Id: r3\r\nTransfer-Encoding: chunked\r\n\r\n"
    "5;a=b;c=\"d \\\" e\"\r\nhello\r\n6\r\n world\r\n0\r\nTrailer: x\r\n\r\n",
    "GET /stream HTTP/1.1\r\nHost: localhost\r\nX-Request-Id: r4\r\n\r\n",
    "HEAD /echo HTTP/1.1\r\nHost: localhost\r\nX-Request-Id: r5\r\n\r\n",
    "POST /echo HTTP/1.1\r\nHost: localhost\r\nX-Request-Id: r6\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\nok",
    "GET /nothing HTTP/1.1\r\nHost: localhost\r\nX-Request-Id: r7\r\n\r\n",
    "DELETE /echo HTTP/1.1\r\nHost: localhost\r\nX-Request-Id: r8\r\n\r\n",
    "OPTIONS /echo HTTP/1.1\r\nHost: localhost\r\nX-Request-Id: r9\r\n\r\n",
};

std::string whole_answer(const std::string& request) {
  FakeServer server(test_endpoints());
  server.send(request);
  return server.take_received();
}

TEST(Connection, however_a_request_is_cut_the_answer_is_the_same) {
  for (const std::string& request : golden_requests) {
    const std::string expected = whole_answer(request);
    ASSERT_NE(expected, "") << request;
    FakeServer bytewise(test_endpoints());
    for (const char c : request) bytewise.send({&c, 1});
    EXPECT_EQ(bytewise.take_received(), expected) << request;
    for (std::size_t cut = 1; cut < request.size(); ++cut) {
      FakeServer server(test_endpoints());
      server.send(std::string_view(request).substr(0, cut));
      server.send(std::string_view(request).substr(cut));
      ASSERT_EQ(server.take_received(), expected) << "cut at " << cut << ": " << request;
    }
  }
}

TEST(Connection, pipelined_requests_are_answered_in_order) {
  for (const std::string& request : golden_requests) {
    std::string sixteen, expected;
    for (int i = 0; i < 16; ++i) {
      sixteen += request;
      expected += whole_answer(request);
    }
    FakeServer server(test_endpoints());
    server.send(sixteen);
    EXPECT_EQ(server.take_received(), expected) << request;
  }
}

TEST(Connection, a_pipelined_request_waits_for_the_answer_before_it) {
  const auto waiting = std::make_shared<Waiting>();
  FakeServer server(test_endpoints(waiting));
  server.send("GET /wait HTTP/1.1\r\nHost: localhost\r\n\r\n" + std::string(get_echo));
  server.send(get_echo);
  EXPECT_EQ(server.take_received(), "");
  waiting->exchanges[0]->respond({.body = "{}"});
  server.loop->run();
  const std::string received = server.take_received();
  EXPECT_TRUE(received.ends_with("{}" + echoed + echoed)) << received;
}

TEST(Connection, a_client_that_leaves_is_noticed_while_it_waits) {
  for (const Ended how : {Ended::orderly, Ended::broken}) {
    const auto waiting = std::make_shared<Waiting>();
    FakeServer server(test_endpoints(waiting));
    server.send("GET /wait HTTP/1.1\r\nHost: localhost\r\n\r\n");
    bool left = false;
    waiting->exchanges[0]->when_closed([&] { left = true; });
    server.leave(how);
    EXPECT_TRUE(left);
    bool late = false;
    waiting->exchanges[0]->when_closed([&] { late = true; });
    EXPECT_TRUE(late);
    EXPECT_EQ(server.in_flight, 1);
    waiting->exchanges.clear();
    server.loop->run();
    EXPECT_EQ(server.in_flight, 0);
    EXPECT_EQ(server.record_lines, std::vector<std::string>{"GET /wait 499"});
    EXPECT_TRUE(server.client->closed);
    EXPECT_EQ(server.closed, 1);
    EXPECT_EQ(server.loop->timers(), 0u);
  }
}

TEST(Connection, whoever_answers_may_outlive_the_client) {
  const auto waiting = std::make_shared<Waiting>();
  FakeServer server(test_endpoints(waiting));
  server.send("GET /wait HTTP/1.1\r\nHost: localhost\r\n\r\n");
  server.connection->close();
  server.connection.reset();
  const auto exchange = waiting->exchanges[0];
  exchange->begin_stream(200, "text/plain", {});
  exchange->write("nobody reads this");
  EXPECT_EQ(exchange->backlog(), 0u);
  exchange->end();
  exchange->fail({Condition::internal, "too late"});
  server.loop->run();
  EXPECT_EQ(server.record_lines, std::vector<std::string>{"GET /wait 499"});
}

TEST(Connection, a_forgotten_request_is_answered_with_an_error) {
  FakeServer server(test_endpoints());
  server.send("GET /forget HTTP/1.1\r\nHost: localhost\r\n\r\n");
  EXPECT_EQ(status_in(server.take_received()), 500);
  EXPECT_EQ(server.record_lines, std::vector<std::string>{"GET /forget 500"});
  EXPECT_EQ(server.in_flight, 0);
}

TEST(Connection, a_failure_is_told_in_the_dialect_before_and_after_the_first_byte) {
  const auto waiting = std::make_shared<Waiting>();
  FakeServer server(test_endpoints(waiting));
  server.send("GET /api/wait HTTP/1.1\r\nHost: localhost\r\n\r\n");
  waiting->exchanges[0]->fail({Condition::internal, "it broke"});
  server.loop->run();
  EXPECT_TRUE(server.take_received().ends_with("\r\n\r\n{\"error\":\"it broke\"}"));
  server.send("GET /api/wait HTTP/1.1\r\nHost: localhost\r\n\r\n");
  waiting->exchanges[1]->begin_stream(200, "application/x-ndjson", {});
  waiting->exchanges[1]->fail({Condition::internal, "it broke"});
  server.loop->run();
  EXPECT_TRUE(server.take_received().ends_with("\r\n\r\n15\r\n{\"error\":\"it broke\"}\n\r\n0\r\n\r\n"));
}

TEST(Connection, the_backlog_is_what_the_client_has_not_taken) {
  const auto waiting = std::make_shared<Waiting>();
  FakeServer server(test_endpoints(waiting));
  server.send("GET /wait HTTP/1.0\r\n\r\n");
  const auto exchange = waiting->exchanges[0];
  server.client->takes = 0;
  exchange->begin_stream(200, "text/plain", {});
  exchange->write(std::string(1000, 'x'));
  server.loop->run();
  const std::size_t all = exchange->backlog();
  EXPECT_GT(all, 1000u);
  bool drained = false;
  exchange->when_drained([&] { drained = true; });
  server.read(all - 1);
  EXPECT_EQ(exchange->backlog(), 1u);
  EXPECT_FALSE(drained);
  server.read(1);
  EXPECT_EQ(exchange->backlog(), 0u);
  EXPECT_TRUE(drained);
}

TEST(Connection, a_client_that_does_not_read_is_cut_off) {
  const auto waiting = std::make_shared<Waiting>();
  FakeServer server(test_endpoints(waiting));
  server.send("GET /wait HTTP/1.1\r\nHost: localhost\r\n\r\n");
  const auto exchange = waiting->exchanges[0];
  server.client->takes = 0;
  bool left = false;
  exchange->when_closed([&] { left = true; });
  exchange->begin_stream(200, "text/plain", {});
  exchange->write(std::string((1 << 20) - 1000, 'x'));
  server.loop->pass(milliseconds(60'000));
  EXPECT_FALSE(left) << "below the limit";
  exchange->write(std::string(1000, 'x'));
  server.loop->pass(milliseconds(29'999));
  EXPECT_FALSE(left);
  server.loop->pass(milliseconds(1));
  EXPECT_TRUE(left);
  EXPECT_TRUE(server.client->closed);
}

TEST(Connection, a_client_that_reads_a_long_answer_slowly_gets_all_of_it) {
  const auto waiting = std::make_shared<Waiting>();
  FakeServer server(test_endpoints(waiting));
  server.send("GET /wait HTTP/1.1\r\nHost: localhost\r\n\r\n");
  server.client->takes = 0;
  waiting->exchanges[0]->respond({.body = std::string(3 << 20, 'x')});
  server.loop->run();
  for (int second = 0; second < 120 && !server.client->closed; ++second) {
    server.read(32 << 10);
    server.loop->pass(milliseconds(1000));
  }
  EXPECT_GT(server.take_received().size(), std::size_t{3} << 20);
}

TEST(Connection, a_client_that_asks_without_reading_is_asked_to_wait) {
  Limits limits;
  limits.output_backlog_bytes = 10'000;
  FakeServer server(test_endpoints(), limits);
  server.client->takes = 0;
  std::string requests;
  for (int i = 0; i < 100; ++i) requests += get_echo;
  for (int i = 0; i < 12; ++i) server.send(requests);
  EXPECT_LT(server.record_lines.size(), 10'000 / echoed.size() + 3);
  EXPECT_FALSE(server.client->reader) << "what it sends is not read any more";
  server.read(std::size_t{1} << 30);
  const std::size_t taken = server.record_lines.size();
  EXPECT_GE(taken, 600u);
  EXPECT_EQ(server.take_received().size(), taken * echoed.size());
  EXPECT_TRUE(server.client->reader);
}

TEST(Connection, an_idle_connection_is_closed_after_a_minute) {
  FakeServer server(test_endpoints());
  server.loop->pass(milliseconds(59'999));
  server.send(get_echo);
  server.loop->pass(milliseconds(59'999));
  EXPECT_FALSE(server.client->closed);
  server.loop->pass(milliseconds(1));
  EXPECT_TRUE(server.client->closed);
}

TEST(Connection, headers_take_ten_seconds_in_all_however_they_drip) {
  FakeServer server(test_endpoints());
  server.send("GET /echo HTTP/1.1\r\nHost: localhost\r\nX: ");
  for (int i = 0; i < 9; ++i) {
    server.loop->pass(milliseconds(1000));
    server.send("a");
  }
  server.loop->pass(milliseconds(999));
  EXPECT_EQ(server.take_received(), "");
  server.loop->pass(milliseconds(1));
  EXPECT_EQ(status_in(server.take_received()), 408);
  EXPECT_TRUE(server.client->end_seen);
  server.loop->pass(milliseconds(2000));
  EXPECT_TRUE(server.client->closed);
}

TEST(Connection, a_body_comes_at_a_kib_a_second_after_ten_seconds) {
  const std::string head = "POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100000\r\n\r\n";
  FakeServer fast(test_endpoints()), slow(test_endpoints());
  for (FakeServer* server : {&fast, &slow}) {
    server->send(head);
    server->loop->pass(milliseconds(9'999));
    server->send("x");
    server->loop->pass(milliseconds(1));
  }
  for (int second = 0; second < 20; ++second) {
    fast.send(std::string(1024, 'x'));
    fast.loop->pass(milliseconds(1000));
    slow.send(std::string(1000, 'x'));
    slow.loop->pass(milliseconds(1000));
  }
  EXPECT_EQ(fast.take_received(), "");
  EXPECT_EQ(status_in(slow.take_received()), 408);
}

TEST(Connection, a_refused_request_with_a_body_ends_the_connection) {
  FakeServer server(test_endpoints());
  server.send("POST /nothing HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\n");
  EXPECT_EQ(status_in(server.take_received()), 404);
  EXPECT_TRUE(server.client->end_seen);
  server.send("hello" + std::string(get_echo));
  EXPECT_EQ(server.take_received(), "");
}

TEST(Connection, while_draining_answers_are_finished_and_new_work_is_refused) {
  const auto waiting = std::make_shared<Waiting>();
  FakeServer server(test_endpoints(waiting));
  server.send("GET /wait HTTP/1.1\r\nHost: localhost\r\n\r\n");
  server.service.readiness = Readiness::draining;
  server.connection->drain();
  waiting->exchanges[0]->respond({.body = "{}"});
  server.loop->run();
  EXPECT_TRUE(server.take_received().ends_with("Connection: close\r\n\r\n{}"));
  server.connect();
  server.send(get_echo);
  EXPECT_EQ(status_in(server.take_received()), 503);
  server.connect();
  server.send("GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n");
  EXPECT_EQ(status_in(server.take_received()), 200);
  server.connect();
  server.connection->drain();
  EXPECT_TRUE(server.client->closed) << "idle";
}

TEST(Connection, no_header_value_can_bring_in_a_line) {
  const auto waiting = std::make_shared<Waiting>();
  FakeServer server(test_endpoints(waiting));
  server.send("GET /wait HTTP/1.1\r\nHost: localhost\r\nX-Request-Id: a b\r\n\r\n");
  waiting->exchanges[0]->respond({.headers = {{"X-Quern-Warnings", "1\r\nSet-Cookie: a"}}});
  server.loop->run();
  const std::string received = server.take_received();
  EXPECT_NE(received.find("X-Quern-Warnings: 1  Set-Cookie: a\r\n"), std::string::npos);
  EXPECT_NE(received.find("x-request-id: req_"), std::string::npos) << "an unusable id is not echoed";
}

// Golden requests, damaged: whatever comes, nothing of ours fails, and nothing is left when the client has gone.
TEST(Connection, damaged_requests_are_answered_or_refused_and_leave_nothing) {
  std::uint64_t draws = 0;
  const auto draw = [&draws](std::size_t below) { return philox(7, draws++)[0] % below; };
  int answered = 0;
  for (int round = 0; round < 4000; ++round) {
    std::string bytes = golden_requests[draw(golden_requests.size())] + golden_requests[draw(golden_requests.size())];
    for (std::size_t damage = draw(4); damage > 0; --damage) {
      const std::size_t at = draw(bytes.size());
      switch (draw(5)) {
        case 0: bytes[at] = static_cast<char>(draw(256)); break;
        case 1: bytes.erase(at, 1 + draw(8)); break;
        case 2: bytes.insert(at, bytes.substr(draw(bytes.size()), draw(20))); break;
        case 3: bytes.insert(at, "\r\n"); break;
        default: bytes.resize(at + 1); break;
      }
      if (bytes.empty()) bytes = " ";
    }
    FakeServer server(test_endpoints());
    while (!bytes.empty()) {
      const std::size_t piece = 1 + draw(bytes.size());
      server.send(std::string_view(bytes).substr(0, piece));
      bytes.erase(0, piece);
    }
    const std::string received = server.take_received();
    for (std::size_t at = received.find("HTTP/1.1 5"); at != std::string::npos; at = received.find("HTTP/1.1 5", at + 1))
      ASSERT_EQ(received.substr(at, 12), "HTTP/1.1 505") << round;
    answered += received.empty() ? 0 : 1;
    server.leave();
    server.loop->pass(milliseconds(3000));
    ASSERT_TRUE(server.client->closed) << round;
    ASSERT_EQ(server.in_flight, 0) << round;
    ASSERT_EQ(server.loop->timers(), 0u) << round;
    ASSERT_EQ(server.site.body_bytes_held, 0) << round;
    ASSERT_EQ(server.connection.use_count(), 1) << round;
  }
  EXPECT_GT(answered, 3000);
}

TEST(Connection, timers_of_an_answer_end_with_it) {
  const auto waiting = std::make_shared<Waiting>();
  FakeServer server(test_endpoints(waiting));
  server.send("GET /wait HTTP/1.1\r\nHost: localhost\r\n\r\n");
  int fired = 0;
  waiting->exchanges[0]->after(milliseconds(10), [&] { ++fired; });
  waiting->exchanges[0]->after(milliseconds(30), [&] { ++fired; });
  server.loop->pass(milliseconds(20));
  EXPECT_EQ(fired, 1);
  waiting->exchanges[0]->respond({});
  server.loop->pass(milliseconds(20));
  EXPECT_EQ(fired, 1);
}

}  // namespace
}  // namespace qn::api
