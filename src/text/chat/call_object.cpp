#include "text/chat/call_readers.h"

namespace qn::text {
namespace {

constexpr std::size_t max_key_bytes = 256;  // of a key or a name

}  // namespace

Took ArgumentsReader::feed(char byte, CallSink& sink) {
  if (!begun_ && byte != '{') return Took::bad;
  begun_ = true;
  std::string piece;
  if (scan_.in_string() && static_cast<unsigned char>(byte) < 0x20) {
    escape_into(piece, byte);
  } else {
    piece = byte;
  }
  const Took took = scan_.feed(byte);
  if (took == Took::part || took == Took::last) sink.add_arguments(piece);
  return took;
}

Took CallObjectReader::feed(char byte, CallSink& sink) {
  switch (mode_) {
    case Mode::in_key:
      text_ += byte;
      if (text_.size() > max_key_bytes) return Took::bad;
      if (const Took took = scan_.feed(byte); took != Took::last) return took;
      mode_ = Mode::colon;
      return Took::part;
    case Mode::in_value: return feed_value(byte, sink);
    default: break;
  }
  if (is_json_space(byte)) return mode_ == Mode::open ? Took::bad : Took::part;
  switch (mode_) {
    case Mode::open: mode_ = Mode::key_or_end; return byte == '{' ? Took::part : Took::bad;
    case Mode::key_or_end:
    case Mode::key: return begin_key(byte);
    case Mode::colon: mode_ = Mode::value; return byte == ':' ? Took::part : Took::bad;
    case Mode::value: return begin_value(byte, sink);
    default: break;  // after_value
  }
  if (byte == '}') return end_object(sink) ? Took::last : Took::bad;
  mode_ = Mode::key;
  return byte == ',' ? Took::part : Took::bad;
}

Took CallObjectReader::begin_key(char byte) {
  if (byte != '"') return Took::bad;
  scan_ = {};
  text_ = byte;
  mode_ = Mode::in_key;
  return scan_.feed(byte);
}

Took CallObjectReader::begin_value(char byte, CallSink& sink) {
  const auto parsed = json::parse(text_);
  if (!parsed || !parsed->is_string()) return Took::bad;
  const std::string_view key = parsed->as_string();
  if (key == "name" || (key == "function" && byte == '"')) {
    meaning_ = Meaning::name;
  } else if (key == arguments_key_ || key == "arguments" || key == "parameters") {
    meaning_ = Meaning::arguments;
    if (have_arguments_) return Took::bad;
  } else {
    // An object that says other things before it names a function is most likely none of ours; the sooner it is shown the better.
    if (sink.tool() == nullptr && key != "type" && key != "id") return Took::bad;
    meaning_ = Meaning::other;
  }
  text_.clear();
  scan_ = {};
  streaming_ = meaning_ == Meaning::arguments && byte == '{' && sink.tool() != nullptr;
  mode_ = Mode::in_value;
  return feed_value(byte, sink);
}

Took CallObjectReader::feed_value(char byte, CallSink& sink) {
  std::string piece;
  if (scan_.in_string() && static_cast<unsigned char>(byte) < 0x20) {
    escape_into(piece, byte);
  } else {
    piece = byte;
  }
  const Took took = scan_.feed(byte);
  if (took == Took::bad) return took;
  if (took == Took::after) return end_value(sink) ? feed(byte, sink) : Took::bad;
  if (streaming_) {
    sink.add_arguments(piece);
  } else if (meaning_ != Meaning::other) {
    text_ += piece;
  }
  if (meaning_ == Meaning::name && text_.size() > max_key_bytes) return Took::bad;
  if (took == Took::last && !end_value(sink)) return Took::bad;
  return Took::part;
}

bool CallObjectReader::end_value(CallSink& sink) {
  mode_ = Mode::after_value;
  switch (meaning_) {
    case Meaning::name: return take_name(sink);
    case Meaning::arguments: have_arguments_ = true; return streaming_ || take_arguments(sink);
    case Meaning::other: break;
  }
  return true;
}

bool CallObjectReader::take_name(CallSink& sink) {
  const auto parsed = json::parse(text_);
  if (!parsed || !parsed->is_string() || sink.tool() != nullptr || !sink.set_name(parsed->as_string())) return false;
  if (!waiting_.empty()) sink.add_arguments(waiting_);
  waiting_.clear();
  return true;
}

// Arguments that were not passed on as they came: they stand before the name, or are not an object.
bool CallObjectReader::take_arguments(CallSink& sink) {
  if (text_.front() == '"') {
    const auto inner = json::parse(text_);
    if (!inner) return false;
    text_ = inner->as_string();
    if (text_.find_first_not_of(" \t\r\n") == std::string::npos) text_ = "{}";
    const auto object = json::parse(text_);
    if (!object || !object->is_object()) return false;
  } else if (text_ == "null") {
    text_ = "{}";
  } else if (text_.front() != '{') {
    return false;
  }
  if (sink.tool() != nullptr) {
    sink.add_arguments(text_);
  } else {
    waiting_ = text_;
  }
  return true;
}

bool CallObjectReader::end_object(CallSink& sink) {
  if (sink.tool() == nullptr) return false;
  if (!have_arguments_) sink.add_arguments("{}");
  return true;
}

}  // namespace qn::text
