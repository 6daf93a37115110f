// What the server costs beside the engine: reading a request, answering one, and a token's way to each of 64 clients over real sockets.
// "cpu_us" is time of the server's thread alone, the kernel's sending included.
#include <arpa/inet.h>
#include <benchmark/benchmark.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <ctime>
#include <future>
#include <thread>

#include "api/http/request_parser.h"
#include "api/http/server.h"
#include "api/service.h"
#include "base/check.h"
#include "base/format.h"

namespace {

using namespace qn;

constexpr std::string_view request =
    "POST /v1/chat/completions HTTP/1.1\r\nHost: 127.0.0.1:11434\r\nAccept-Encoding: gzip, deflate\r\nConnection: keep-alive\r\n"
    "Accept: application/json\r\nContent-Type: application/json\r\nUser-Agent: OpenAI/Python 2.8.0\r\nX-Stainless-Lang: python\r\n"
    "X-Stainless-OS: Linux\r\nX-Stainless-Arch: x64\r\nAuthorization: Bearer none\r\nContent-Length: 92\r\n\r\n"
    R"({"model":"quern-mini","stream":true,"messages":[{"role":"user","content":"Say hello to me."}]})";

void read_a_request(benchmark::State& state) {
  api::RequestParser parser{api::Limits{}};
  for (auto _ : state) {
    std::string_view bytes = request;
    while (parser.state() != api::RequestParser::State::done) parser.feed(bytes);
    benchmark::DoNotOptimize(parser.body().data());
    parser.reset();
  }
}
BENCHMARK(read_a_request);

class Clients {
 public:
  Clients(std::uint16_t port, int count) {
    for (int i = 0; i < count; ++i) {
      const int descriptor = ::socket(AF_INET, SOCK_STREAM, 0);
      sockaddr_in address{};
      address.sin_family = AF_INET;
      address.sin_port = htons(port);
      address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
      QN_CHECK(::connect(descriptor, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0, "the server listens");
      polls_.push_back({descriptor, POLLIN, 0});
    }
  }
  ~Clients() {
    for (const pollfd& p : polls_) ::close(p.fd);
  }
  void send(std::string_view bytes) {
    for (const pollfd& p : polls_)
      QN_CHECK(::send(p.fd, bytes.data(), bytes.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(bytes.size()), "sent");
  }
  std::size_t read() {  // what there is
    std::size_t total = 0;
    ::poll(polls_.data(), polls_.size(), 10);
    for (const pollfd& p : polls_) {
      char bytes[16384];
      if ((p.revents & POLLIN) != 0) total += static_cast<std::size_t>(std::max<ssize_t>(0, ::recv(p.fd, bytes, sizeof bytes, 0)));
    }
    return total;
  }

 private:
  std::vector<pollfd> polls_;
};

struct Running {
  Running() {
    const auto keep = [this](api::Service&, std::shared_ptr<api::Exchange> exchange) {
      exchange->begin_stream(200, "text/event-stream", {});
      streams.push_back(std::move(exchange));
    };
    const auto answer = [](api::Service&, std::shared_ptr<api::Exchange> exchange) { exchange->respond({.body = "{}"}); };
    service.readiness = api::Readiness::ready;
    api::ServerOptions options;
    options.listen = {{"127.0.0.1", 0}};
    options.handle_signals = false;
    server = *api::Server::start(std::move(options),
                                 {{"POST", {"/v1/chat/completions"}, api::Scope::infer, api::Dialect::openai, keep},
                                  {"GET", {"/health"}, api::Scope::public_path, api::Dialect::native, answer}},
                                 service);
    const std::string address = server->addresses()[0];
    port = static_cast<std::uint16_t>(std::stoi(address.substr(address.rfind(':') + 1)));
    thread = std::thread([this] { server->run(); });
    pthread_getcpuclockid(thread.native_handle(), &clock);
  }
  ~Running() {
    server->stop();
    thread.join();
    streams.clear();
  }
  double cpu_us() const {
    timespec time{};
    clock_gettime(clock, &time);
    return static_cast<double>(time.tv_sec) * 1e6 + static_cast<double>(time.tv_nsec) / 1e3;
  }
  void on_loop(const std::function<void()>& work) {
    std::promise<void> done;
    server->loop()->post([&] {
      work();
      done.set_value();
    });
    done.get_future().wait();
  }

  api::Service service;
  std::unique_ptr<api::Server> server;
  std::vector<std::shared_ptr<api::Exchange>> streams;  // on the loop
  std::uint16_t port = 0;
  std::thread thread;
  clockid_t clock{};
};

void answer_a_request(benchmark::State& state) {
  Running running;
  Clients client(running.port, 1);
  const double begin = running.cpu_us();
  for (auto _ : state) {
    client.send("GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n");
    while (client.read() == 0) {
    }
  }
  state.counters["cpu_us"] = (running.cpu_us() - begin) / static_cast<double>(state.iterations());
}
BENCHMARK(answer_a_request)->UseRealTime();

// One step of the engine: every one of the clients gets a token, as an OpenAI chunk of usual size.
void a_token_to_each_client(benchmark::State& state) {
  Running running;
  const auto count = static_cast<int>(state.range(0));
  Clients clients(running.port, count);
  clients.send(request);
  for (bool all = false; !all;) running.on_loop([&] { all = running.streams.size() == static_cast<std::size_t>(count); });
  std::atomic<bool> done = false;
  std::thread reader([&] {
    while (!done) clients.read();
  });
  const std::string token =
      "data: {\"id\":\"chatcmpl-8f3a8f3a8f3a8f3a8f3a8f3a\",\"object\":\"chat.completion.chunk\",\"created\":1790000000,"
      "\"model\":\"quern-mini\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\" hello\"},\"finish_reason\":null}],\"usage\":null}\n\n";
  const double begin = running.cpu_us();
  for (auto _ : state)
    running.on_loop([&] {
      for (const auto& stream : running.streams) stream->write(token);
    });
  const double spent = running.cpu_us() - begin;
  state.counters["cpu_us_per_token"] = spent / static_cast<double>(state.iterations()) / count;
  done = true;
  reader.join();
}
BENCHMARK(a_token_to_each_client)->Arg(1)->Arg(64)->UseRealTime();

}  // namespace

BENCHMARK_MAIN();
