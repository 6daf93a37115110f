#include "text/template/value.h"

#include "base/check.h"
#include "base/utf8.h"
#include "text/template/unicode.h"

namespace qn::text::jinja {

Value Value::of(bool value) {
  Value out(Kind::boolean);
  out.data_.boolean = value;
  return out;
}

Value Value::of(Int value) {
  Value out(Kind::integer);
  out.data_.halves = {static_cast<std::uint64_t>(value), static_cast<std::int64_t>(value >> 64)};
  return out;
}

Value Value::of(double value) {
  Value out(Kind::real);
  out.data_.real = value;
  return out;
}

Value::Value(Object* object) : kind_(object->kind) {
  data_.object = object;
  retain();
}

Int Value::integer() const {
  if (kind_ == Kind::boolean) return data_.boolean ? 1 : 0;
  return static_cast<Int>((static_cast<unsigned __int128>(data_.halves.high) << 64) | data_.halves.low);
}

std::string_view Value::text() const {
  return as<Str>().text;
}

void Value::drop() {
  if (--data_.object->references == 0) data_.object->heap->bury(data_.object);
}

std::int64_t Str::length() {
  if (length_ < 0) length_ = count_code_points(text);
  return length_;
}

Heap::Heap(Budget& budget)
    : budget_(budget),
      // Only so that nobody can prepare keys that collide; the order of a dict does not depend on it.
      seed_(static_cast<std::uint64_t>(std::chrono::steady_clock::now().time_since_epoch().count()) * 0x9e3779b97f4a7c15u) {}

Heap::~Heap() {
  closing_ = true;
  for (Object* object = first_; object != nullptr; object = object->next) object->clear();
  while (first_ != nullptr) {
    Object* object = first_;
    unlink(object);
    delete object;
  }
}

Value Heap::string(std::string text) {
  const std::size_t bytes = text.capacity();
  return make<Str>(bytes, std::move(text));
}

Value Heap::borrowed(std::string_view text) {
  return make<Str>(0, text);
}

Value Heap::list(Values items) {
  const std::size_t bytes = items.capacity() * sizeof(Value);
  return make<List>(bytes, Kind::list, std::move(items));
}

Value Heap::tuple(Values items) {
  const std::size_t bytes = items.capacity() * sizeof(Value);
  return make<List>(bytes, Kind::tuple, std::move(items));
}

Value Heap::pair(Value first, Value second) {
  Values items;
  items.reserve(2);
  items.push_back(std::move(first));
  items.push_back(std::move(second));
  return tuple(std::move(items));
}

Value Heap::undefined(std::string why) {
  const std::size_t bytes = why.capacity();
  return make<Undefined>(bytes, std::move(why));
}

void Heap::adopt(Object* object, std::size_t bytes) {
  object->charged_bytes = bytes;
  budget_.charge(bytes);
  object->next = first_;
  if (first_ != nullptr) first_->previous = object;
  first_ = object;
}

void Heap::grew(Object& object, std::size_t bytes) {
  object.charged_bytes += bytes;
  budget_.charge(bytes);
}

void Heap::unlink(Object* object) {
  if (object->previous != nullptr) object->previous->next = object->next;
  if (object->next != nullptr) object->next->previous = object->previous;
  if (first_ == object) first_ = object->next;
  budget_.release(object->charged_bytes);
}

void Heap::bury(Object* object) {
  if (closing_) return;
  graves_.push_back(object);
  if (digging_) return;
  digging_ = true;
  while (!graves_.empty()) {
    Object* dead = graves_.back();
    graves_.pop_back();
    unlink(dead);
    delete dead;  // its own references come back here and wait in graves_
  }
  digging_ = false;
}

void Text::add(std::string_view piece) {
  if (full_ || !budget_.room(piece.size())) {
    full_ = true;
    return;
  }
  text_ += piece;
  budget_.charge(piece.size());
  charged_bytes_ += piece.size();
}

void Text::add(std::size_t count, char byte) {
  if (full_ || !budget_.room(count)) {
    full_ = true;
    return;
  }
  text_.append(count, byte);
  budget_.charge(count);
  charged_bytes_ += count;
}

Status Text::status() const {
  if (!full_) return {};
  return fail(Code::too_large, "more than {} bytes of text and values alive at once; shorten the messages", budget_.limits().output_bytes);
}

Result<std::string> Text::take() {
  QN_OK(status());
  budget_.release(charged_bytes_);
  charged_bytes_ = 0;
  return std::move(text_);
}

const char* type_name(const Value& value) {
  switch (value.kind()) {
    case Kind::missing: return "missing";
    case Kind::none: return "NoneType";
    case Kind::boolean: return "bool";
    case Kind::integer: return "int";
    case Kind::real: return "float";
    case Kind::string: return "str";
    case Kind::list: return "list";
    case Kind::tuple: return "tuple";
    case Kind::dict: return "dict";
    case Kind::range: return "range";
    case Kind::view: return "dict view";
    case Kind::iterator: return "generator";
    case Kind::undefined: return "Undefined";
    case Kind::namespace_: return "Namespace";
    case Kind::macro: return "Macro";
    case Kind::method: return "method";
    case Kind::function: return "function";
    case Kind::loop: return "LoopContext";
    case Kind::cycler: return "Cycler";
    case Kind::joiner: return "Joiner";
    case Kind::scope: return "scope";
  }
  return "object";
}

}  // namespace qn::text::jinja
