#include "cli/bench/serve/reply_record.h"

#include <algorithm>
#include <string_view>

#include "base/json.h"

namespace qn::cli {
namespace {

const json::Value* find(const json::Value* value, std::string_view name) {
  const json::Object* object = value == nullptr ? nullptr : value->if_object();
  return object == nullptr ? nullptr : object->if_contains(name);
}

int number(const json::Value* value) {
  return value != nullptr && value->is_int64() ? static_cast<int>(value->as_int64()) : 0;
}

bool has_text(const json::Value* value) {
  const auto* text = value == nullptr ? nullptr : value->if_string();
  return text != nullptr && !text->empty();
}

// Whether a chunk of either OpenAI stream brings something that the model said.
bool says_something(const json::Value& chunk) {
  const json::Value* choices = find(&chunk, "choices");
  const json::Array* list = choices == nullptr ? nullptr : choices->if_array();
  if (list == nullptr || list->empty()) return false;
  const json::Value* choice = &list->front();
  if (has_text(find(choice, "text"))) return true;
  const json::Value* delta = find(choice, "delta");
  for (std::string_view name : {"content", "reasoning_content", "reasoning"})
    if (has_text(find(delta, name))) return true;
  const json::Value* calls = find(delta, "tool_calls");
  return calls != nullptr && calls->is_array() && !calls->as_array().empty();
}

// `{"error": {"message": "…"}}` or `{"error": "…"}`, or the text itself.
std::string error_text(std::string_view body) {
  const Result<json::Value> value = json::parse(body);
  const json::Value* error = value ? find(&*value, "error") : nullptr;
  const json::Value* message = error != nullptr && error->is_object() ? find(error, "message") : error;
  if (message != nullptr && message->is_string()) return std::string(message->as_string());
  return quoted(body, 200);
}

// The payload of each event that ends at or before `end`, one after the other.
class Events {
 public:
  explicit Events(std::string_view bytes) : bytes_(bytes) {}

  // The next `data:` line, and how many bytes had come with its end.
  bool next(std::string_view& data, std::size_t& end) {
    while (at_ < bytes_.size()) {
      const std::size_t stop = bytes_.find('\n', at_);
      if (stop == std::string_view::npos) return false;
      std::string_view line = bytes_.substr(at_, stop - at_);
      at_ = stop + 1;
      if (line.ends_with('\r')) line.remove_suffix(1);
      if (!line.starts_with("data:")) continue;
      line.remove_prefix(5);
      if (line.starts_with(' ')) line.remove_prefix(1);
      data = line;
      end = stop + 1;
      return true;
    }
    return false;
  }

 private:
  std::string_view bytes_;
  std::size_t at_ = 0;
};

}  // namespace

Result<ReplyTimes> read_reply(const ReplyRecord& record) {
  if (record.failure) return tl::unexpected(*record.failure);
  if (record.status != 200) return fail(Code::internal, "status {}: {}", record.status, error_text(record.bytes));
  ReplyTimes times;
  times.whole = record.ended - record.sent;
  times.first = times.whole;
  Events events(record.bytes);
  std::string_view data;
  std::size_t end = 0;
  int pieces = 0, seen = 0;
  bool complete = false;
  Moment last{};
  while (events.next(data, end)) {
    ++seen;
    if (data == "[DONE]") {
      complete = true;
      break;
    }
    QN_TRY(const json::Value chunk, json::parse(data));
    if (find(&chunk, "error") != nullptr) return fail(Code::internal, "in the stream: {}", error_text(data));
    if (const json::Value* usage = find(&chunk, "usage"); usage != nullptr && usage->is_object()) {
      times.prompt_tokens = number(find(usage, "prompt_tokens"));
      times.output_tokens = number(find(usage, "completion_tokens"));
      times.cached_tokens = number(find(find(usage, "prompt_tokens_details"), "cached_tokens"));
    }
    if (!says_something(chunk)) continue;
    // The first mark that lies at or behind the event's end: its time is when the event was whole.
    const auto mark = std::lower_bound(record.marks.begin(), record.marks.end(), end,
                                       [](const ReplyRecord::Mark& m, std::size_t bytes) { return m.end < bytes; });
    const Moment at = mark == record.marks.end() ? record.ended : mark->at;
    if (pieces++ == 0)
      times.first = at - record.sent;
    else
      times.gaps_ms.push_back(std::chrono::duration<double, std::milli>(at - last).count());
    last = at;
  }
  if (seen == 0)
    return fail(Code::bad_input, "the reply is no event stream, it begins {}; give the --endpoint of a chat or completion",
                quoted(record.bytes, 80));
  if (!complete) return fail(Code::io, "the stream ended without [DONE]; see the server's log");
  if (times.output_tokens == 0) times.output_tokens = pieces;
  return times;
}

}  // namespace qn::cli
