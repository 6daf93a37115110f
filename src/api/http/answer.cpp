#include "api/http/answer.h"

#include "api/http/connection.h"

namespace qn::api {

Answer::Answer(std::shared_ptr<IoLoop> loop, Site& site, std::weak_ptr<Connection> connection, std::uint64_t number, HttpRequest request,
               const Endpoint& endpoint)
    : loop_(std::move(loop)),
      site_(site),
      connection_(std::move(connection)),
      number_(number),
      request_(std::move(request)),
      endpoint_(endpoint),
      began_(loop_->now()) {
  site_.on_in_flight(+1);
}

Answer::~Answer() {
  if (complete_) return;
  // Nobody can answer any more. What is needed goes along, since we do not; the timers too, for they belong to the loop.
  auto timers = std::make_shared<std::vector<std::unique_ptr<Timer>>>(std::move(timers_));
  loop_->post([connection = connection_, number = number_, &site = site_, closed = closed_, request = request_, timers = std::move(timers),
               &endpoint = endpoint_] {
    timers->clear();
    site.on_request({.id = request.id,
                     .method = request.method,
                     .path = request.path,
                     .client = request.client,
                     .route = endpoint.paths.front(),
                     .status = closed ? 499 : 500});
    site.on_in_flight(-1);
    if (const auto c = connection.lock()) c->answer_lost(number, closed);
  });
}

// Calls from the loop take effect at once, others in the order of their thread.
void Answer::run(std::function<void()> work) {
  if (loop_->is_loop_thread())
    work();
  else
    loop_->post(std::move(work));
}

void Answer::complete(int status) {
  phase_ = Phase::complete;
  complete_ = true;
  timers_.clear();
  AccessRecord record{.id = request_.id,
                      .method = request_.method,
                      .path = request_.path,
                      .client = request_.client,
                      .route = endpoint_.paths.front(),
                      .status = closed_ ? 499 : status,
                      .total_ms = std::chrono::duration<double, std::milli>(loop_->now() - began_).count(),
                      .sent_bytes = sent_bytes_,
                      .notes = notes_};
  site_.on_request(record);
  site_.on_in_flight(-1);
  // They hold whoever answers, who holds us: let go of them last, and once.
  const auto callbacks = std::move(closed_callbacks_);
  const auto drained = std::move(drained_callback_);
  closed_callbacks_.clear();
  drained_callback_ = nullptr;
}

void Answer::respond(HttpResponse response) {
  run([self = shared_from_this(), response = std::move(response)]() mutable {
    if (self->phase_ != Phase::waiting) return;
    const int status = response.status;
    self->sent_bytes_ = static_cast<std::int64_t>(response.body.size());
    self->complete(status);
    if (const auto connection = self->connection_.lock()) connection->send_whole(self->number_, std::move(response));
  });
}

void Answer::begin(int status, std::string content_type, Headers headers) {
  if (phase_ != Phase::waiting) return;
  phase_ = Phase::streaming;
  status_ = status;
  if (const auto connection = connection_.lock())
    connection->send_stream_head(number_, status, std::move(content_type), std::move(headers));
}

void Answer::begin_stream(int status, std::string content_type, Headers headers) {
  run([self = shared_from_this(), status, type = std::move(content_type), headers = std::move(headers)]() mutable {
    self->begin(status, std::move(type), std::move(headers));
  });
}

void Answer::write(std::string bytes) {
  if (bytes.empty()) return;
  const std::size_t size = bytes.size();
  in_transit_ += size;
  run([self = shared_from_this(), bytes = std::move(bytes), size]() mutable {
    if (self->phase_ == Phase::streaming) {
      self->sent_bytes_ += static_cast<std::int64_t>(size);
      if (const auto connection = self->connection_.lock()) connection->send_piece(self->number_, bytes);
    }
    self->in_transit_ -= size;
  });
}

void Answer::end() {
  run([self = shared_from_this()] {
    if (self->phase_ != Phase::streaming) return;
    self->complete(self->status_);
    if (const auto connection = self->connection_.lock()) connection->send_end(self->number_);
  });
}

void Answer::fail(ApiError error) {
  run([self = shared_from_this(), error = std::move(error)] {
    const Dialect dialect = self->endpoint_.dialect;
    if (self->phase_ == Phase::waiting) {
      self->respond(error_response(error, dialect, self->request_.id));
    } else if (self->phase_ == Phase::streaming) {
      self->write(stream_error(error, dialect, self->request_.id));
      self->end();
    }
  });
}

void Answer::when_drained(std::function<void()> callback) {
  run([self = shared_from_this(), callback = std::move(callback)]() mutable {
    if (self->phase_ == Phase::complete || self->closed_) return;
    if (self->queued_ == 0)
      callback();
    else
      self->drained_callback_ = std::move(callback);
  });
}

void Answer::when_closed(std::function<void()> callback) {
  run([self = shared_from_this(), callback = std::move(callback)]() mutable {
    if (self->phase_ == Phase::complete) return;
    if (self->closed_)
      callback();
    else
      self->closed_callbacks_.push_back(std::move(callback));
  });
}

void Answer::after(std::chrono::milliseconds delay, std::function<void()> callback) {
  run([self = shared_from_this(), delay, callback = std::move(callback)]() mutable {
    if (self->phase_ == Phase::complete) return;
    // The timer holds no reference to us: it ends with us.
    std::unique_ptr<Timer> timer = self->loop_->after(delay, std::move(callback));
    std::erase_if(self->timers_, [](const auto& old) { return old->fired(); });
    self->timers_.push_back(std::move(timer));
  });
}

void Answer::set_notes(RequestNotes notes) {
  run([self = shared_from_this(), notes = std::move(notes)]() mutable { self->notes_ = std::move(notes); });
}

void Answer::set_queued(std::size_t bytes) {
  queued_ = bytes;
  if (bytes == 0 && drained_callback_) std::exchange(drained_callback_, nullptr)();
}

void Answer::close() {
  if (closed_) return;
  closed_ = true;
  queued_ = 0;
  drained_callback_ = nullptr;
  for (const auto& callback : std::exchange(closed_callbacks_, {})) callback();
}

}  // namespace qn::api
