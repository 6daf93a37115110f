#include "store/http_client.h"

#include <curl/curl.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <mutex>
#include <unordered_map>

#include "base/check.h"

namespace qn::store {
namespace {

using Easy = std::unique_ptr<CURL, decltype([](CURL* handle) { curl_easy_cleanup(handle); })>;
using Multi = std::unique_ptr<CURLM, decltype([](CURLM* handle) { curl_multi_cleanup(handle); })>;
using Headers = std::unique_ptr<curl_slist, decltype([](curl_slist* list) { curl_slist_free_all(list); })>;

constexpr long most_idle_connections = 4096;

struct Transfer {
  ClientRequest request;
  ClientHandlers handlers;
  Easy easy;
  Headers headers;
  std::array<char, CURL_ERROR_SIZE> reason{};
};

std::size_t take_bytes(char* bytes, std::size_t size, std::size_t count, void* transfer) {
  const std::size_t total = size * count;
  const auto& data = static_cast<Transfer*>(transfer)->handlers.data;
  return !data || data({bytes, total}) ? total : total + 1;  // any other number ends the transfer
}

}  // namespace

struct HttpClient::Core {
  Core() {
    static std::once_flag once;
    std::call_once(once, [] { QN_CHECK(curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK, "libcurl starts"); });
    multi.reset(curl_multi_init());
    QN_CHECK(multi != nullptr, "memory for a client");
    epoll = ::epoll_create1(EPOLL_CLOEXEC);
    QN_CHECK(epoll >= 0, "a descriptor for waiting");
    curl_multi_setopt(multi.get(), CURLMOPT_SOCKETFUNCTION, &Core::watch);
    curl_multi_setopt(multi.get(), CURLMOPT_SOCKETDATA, this);
    curl_multi_setopt(multi.get(), CURLMOPT_TIMERFUNCTION, &Core::set_timer);
    curl_multi_setopt(multi.get(), CURLMOPT_TIMERDATA, this);
    curl_multi_setopt(multi.get(), CURLMOPT_MAXCONNECTS, most_idle_connections);
  }

  ~Core() {
    for (auto& [easy, transfer] : transfers) curl_multi_remove_handle(multi.get(), easy);
    transfers.clear();
    multi.reset();
    ::close(epoll);
  }

  // libcurl says which sockets it waits for, and when it wants to be called in any case.
  static int watch(CURL*, curl_socket_t socket, int what, void* self, void* known) {
    auto* core = static_cast<Core*>(self);
    epoll_event event{};
    event.data.fd = socket;
    event.events = (what & CURL_POLL_IN ? static_cast<std::uint32_t>(EPOLLIN) : 0U) |
                   (what & CURL_POLL_OUT ? static_cast<std::uint32_t>(EPOLLOUT) : 0U);
    if (what == CURL_POLL_REMOVE) {
      ::epoll_ctl(core->epoll, EPOLL_CTL_DEL, socket, nullptr);
    } else if (::epoll_ctl(core->epoll, known == nullptr ? EPOLL_CTL_ADD : EPOLL_CTL_MOD, socket, &event) == 0) {
      curl_multi_assign(core->multi.get(), socket, core);
    }
    return 0;
  }
  static int set_timer(CURLM*, long milliseconds, void* self) {
    auto* core = static_cast<Core*>(self);
    core->due = {};
    if (milliseconds >= 0) core->due = std::chrono::steady_clock::now() + std::chrono::milliseconds(milliseconds);
    return 0;
  }

  void tell_ends() {
    int left = 0;
    while (const CURLMsg* message = curl_multi_info_read(multi.get(), &left)) {
      if (message->msg != CURLMSG_DONE) continue;
      CURL* const easy = message->easy_handle;
      const CURLcode code = message->data.result;
      curl_multi_remove_handle(multi.get(), easy);
      const auto found = transfers.find(easy);
      QN_CHECK(found != transfers.end(), "libcurl ends what was started");
      const std::unique_ptr<Transfer> ended = std::move(found->second);
      transfers.erase(found);
      if (!ended->handlers.done) continue;
      long status = 0;
      curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
      if (code == CURLE_OK) {
        ended->handlers.done(static_cast<int>(status));
      } else {
        const std::string reason = ended->reason[0] != '\0' ? ended->reason.data() : curl_easy_strerror(code);
        ended->handlers.done(
            fail(Code::io, "{}: {}; check that the server runs and can be reached", quoted(ended->request.url, 200), reason));
      }
    }
  }

  int epoll = -1;
  std::optional<std::chrono::steady_clock::time_point> due;
  Multi multi;
  std::unordered_map<CURL*, std::unique_ptr<Transfer>> transfers;
};

HttpClient::HttpClient() : core_(std::make_unique<Core>()) {}
HttpClient::~HttpClient() = default;

void HttpClient::start(ClientRequest request, ClientHandlers handlers) {
  auto transfer = std::make_unique<Transfer>();
  transfer->request = std::move(request);
  transfer->handlers = std::move(handlers);
  transfer->easy.reset(curl_easy_init());
  QN_CHECK(transfer->easy != nullptr, "memory for a request");
  CURL* const easy = transfer->easy.get();
  const ClientRequest& asked = transfer->request;
  for (const std::string& header : asked.headers) {
    curl_slist* const longer = curl_slist_append(transfer->headers.get(), header.c_str());
    QN_CHECK(longer != nullptr, "memory for a header");
    (void)transfer->headers.release();
    transfer->headers.reset(longer);
  }
  curl_easy_setopt(easy, CURLOPT_URL, asked.url.c_str());
  curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
  curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(easy, CURLOPT_HTTPHEADER, transfer->headers.get());
  curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, transfer->reason.data());
  curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, &take_bytes);
  curl_easy_setopt(easy, CURLOPT_WRITEDATA, transfer.get());
  curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, static_cast<long>(asked.timeout.count()));
  if (asked.route == ClientRequest::Route::direct) curl_easy_setopt(easy, CURLOPT_PROXY, "");
  if (asked.body) {
    curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(asked.body->size()));
    curl_easy_setopt(easy, CURLOPT_POSTFIELDS, asked.body->data());  // not copied: the transfer keeps it
  }
  core_->transfers.emplace(easy, std::move(transfer));
  QN_CHECK(curl_multi_add_handle(core_->multi.get(), easy) == CURLM_OK, "a new request is taken");
}

void HttpClient::poll(std::chrono::milliseconds longest) {
  Core& core = *core_;
  auto wait = longest;
  if (core.due) {
    const auto until = std::chrono::ceil<std::chrono::milliseconds>(*core.due - std::chrono::steady_clock::now());
    wait = std::clamp(until, std::chrono::milliseconds(0), longest);
  }
  std::array<epoll_event, 256> events;
  const int count = ::epoll_wait(core.epoll, events.data(), static_cast<int>(events.size()), static_cast<int>(wait.count()));
  int running = 0;
  for (int i = 0; i < count; ++i) {
    const epoll_event& event = events[static_cast<std::size_t>(i)];
    const int what = ((event.events & EPOLLIN) != 0 ? CURL_CSELECT_IN : 0) | ((event.events & EPOLLOUT) != 0 ? CURL_CSELECT_OUT : 0) |
                     ((event.events & (EPOLLERR | EPOLLHUP)) != 0 ? CURL_CSELECT_ERR : 0);
    curl_multi_socket_action(core.multi.get(), event.data.fd, what, &running);
  }
  if (core.due && std::chrono::steady_clock::now() >= *core.due) {
    core.due = {};
    curl_multi_socket_action(core.multi.get(), CURL_SOCKET_TIMEOUT, 0, &running);
  }
  core.tell_ends();
}

std::size_t HttpClient::running() const {
  return core_->transfers.size();
}

Result<ClientReply> fetch(ClientRequest request, std::size_t max_bytes) {
  HttpClient client;
  ClientReply reply;
  const std::string url = request.url;
  bool too_large = false;
  std::optional<Result<int>> end;
  client.start(std::move(request), {[&](std::string_view bytes) {
                                      too_large = bytes.size() > max_bytes - reply.body.size();
                                      if (!too_large) reply.body.append(bytes);
                                      return !too_large;
                                    },
                                    [&end](Result<int> status) { end = std::move(status); }});
  while (!end) client.poll(std::chrono::seconds(1));
  if (too_large)
    return fail(Code::too_large, "{}: the reply has more than {} bytes; it is not what was expected", quoted(url, 200), max_bytes);
  QN_TRY(reply.status, *std::move(end));
  return reply;
}

}  // namespace qn::store
