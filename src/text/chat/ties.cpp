// Calls and their answers in a history: clients name a tool's answer by id, by function or not at all; templates want one or the other.
#include <algorithm>
#include <deque>
#include <unordered_map>

#include "text/chat/chat.h"

namespace qn::text {
namespace {

bool is_nine_alphanumeric(std::string_view id) {
  return id.size() == 9 && std::all_of(id.begin(), id.end(),
                                       [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); });
}

// FNV-1a: the same id, wherever it stands in the history, becomes the same short one.
std::uint64_t hash_of(std::string_view text) {
  std::uint64_t hash = 0xcbf29ce484222325;
  for (const char byte : text) hash = (hash ^ static_cast<unsigned char>(byte)) * 0x100000001b3;
  return hash;
}

std::string fitting_id(const std::string& id, CallIds ids) {
  if (ids != CallIds::nine_alphanumeric || id.empty() || is_nine_alphanumeric(id)) return id;
  return make_call_id(ids, hash_of(id));
}

// Calls so far; those of the newest turn wait for answers.
class CallHistory {
 public:
  void begin_turn() {
    waiting_.clear();
    next_ = calls_.size();
  }
  void add(const ToolCall& call) {
    waiting_[call.name].push_back(calls_.size());
    if (!call.id.empty()) by_id_[call.id] = calls_.size();
    calls_.push_back({&call, false});
  }
  // The call that a tool's message answers; null if there is none.
  const ToolCall* answer(const Message& message) {
    std::size_t index = calls_.size();
    if (!message.tool_call_id.empty()) {
      const auto found = by_id_.find(message.tool_call_id);
      if (found != by_id_.end()) index = found->second;
    } else if (message.name.empty()) {
      while (next_ < calls_.size() && calls_[next_].answered) ++next_;
      index = next_;
    } else {
      std::deque<std::size_t>& named = waiting_[message.name];
      while (!named.empty() && calls_[named.front()].answered) named.pop_front();
      if (!named.empty()) index = named.front();
    }
    if (index == calls_.size()) return nullptr;
    calls_[index].answered = true;
    return calls_[index].call;
  }

 private:
  struct Entry {
    const ToolCall* call;
    bool answered;
  };
  std::vector<Entry> calls_;
  std::unordered_map<std::string, std::size_t> by_id_;                // the newest of an id
  std::unordered_map<std::string, std::deque<std::size_t>> waiting_;  // of the newest turn, by name
  std::size_t next_ = 0;                                              // the first that may still wait
};

}  // namespace

void tie_tool_messages(std::vector<Message>& messages, CallIds ids) {
  CallHistory history;
  std::uint64_t count = 0;
  for (Message& message : messages) {
    if (!message.tool_calls.empty()) history.begin_turn();
    for (ToolCall& call : message.tool_calls) {
      call.id = fitting_id(call.id, ids);
      if (call.id.empty() && ids == CallIds::nine_alphanumeric) call.id = make_call_id(ids, count);
      ++count;
      history.add(call);
    }
    if (message.role != "tool") continue;
    message.tool_call_id = fitting_id(message.tool_call_id, ids);
    const ToolCall* call = history.answer(message);
    if (call == nullptr) continue;
    if (message.name.empty()) message.name = call->name;
    if (message.tool_call_id.empty()) message.tool_call_id = call->id;
  }
}

}  // namespace qn::text
