// The values of a template: Python's, as far as a template can see them. Scalars lie in the Value; everything else is a counted
// object on the Heap of one render.
// Invariant: an object belongs to exactly one Heap, which pays its bytes to the Budget and frees it at the latest when it dies
// (namespaces and macros can form cycles). No object survives its render, and nothing here is shared between threads.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "text/template/budget.h"

namespace qn::text::jinja {

// Python's integers have no bound; ours have 127 bits and overflow is an error.
__extension__ typedef __int128 Int;

enum class Kind : std::uint8_t {
  missing,  // a variable that was never set; no template sees it
  none,
  boolean,
  integer,
  real,
  // objects
  string,
  list,
  tuple,
  dict,
  range,
  view,      // dict.keys(), .values(), .items()
  iterator,  // what map, select and the like give: runs once
  undefined,
  namespace_,
  macro,
  method,    // bound to its object
  function,  // a global
  loop,
  cycler,
  joiner,
  scope,  // variables of a block; no template sees it
};

class Heap;
class Machine;

struct Object {
  Object(Heap& owner, Kind object_kind) : heap(&owner), kind(object_kind) {}
  Object(const Object&) = delete;
  Object& operator=(const Object&) = delete;
  virtual ~Object() = default;
  virtual void clear() {}  // let go of every other object

  Heap* heap;
  Object* previous = nullptr;
  Object* next = nullptr;
  std::size_t charged_bytes = 0;
  std::uint32_t references = 0;
  Kind kind;
};

class Value {
 public:
  Value() : Value(Kind::none) {}
  static Value missing() { return Value(Kind::missing); }
  static Value of(bool value);
  static Value of(Int value);
  static Value of(double value);
  explicit Value(Object* object);

  Value(const Value& other) : kind_(other.kind_), data_(other.data_) { retain(); }
  Value(Value&& other) noexcept : kind_(other.kind_), data_(other.data_) { other.kind_ = Kind::none; }
  Value& operator=(Value other) noexcept {
    std::swap(kind_, other.kind_);
    std::swap(data_, other.data_);
    return *this;
  }
  ~Value() {
    if (is_object()) drop();
  }

  Kind kind() const { return kind_; }
  bool is(Kind kind) const { return kind_ == kind; }
  bool is_object() const { return kind_ >= Kind::string; }
  bool is_number() const { return kind_ == Kind::boolean || kind_ == Kind::integer || kind_ == Kind::real; }
  bool is_whole() const { return kind_ == Kind::boolean || kind_ == Kind::integer; }  // bool is an int in Python

  bool boolean() const { return data_.boolean; }
  Int integer() const;  // of a boolean too
  double real() const { return data_.real; }
  Object* object() const { return data_.object; }

  template <class T>
  T& as() const {
    return static_cast<T&>(*data_.object);
  }
  std::string_view text() const;  // of a string

 private:
  explicit Value(Kind kind) : kind_(kind) {}
  void retain() const {
    if (is_object()) ++data_.object->references;
  }
  void drop();

  struct Halves {
    std::uint64_t low;
    std::int64_t high;
  };
  union Data {
    bool boolean;
    Halves halves;
    double real;
    Object* object;
  };
  Kind kind_;
  Data data_ = {.halves = {0, 0}};
};

using Values = std::vector<Value>;

struct Str : Object {
  Str(Heap& owner, std::string owned) : Object(owner, Kind::string), own(std::move(owned)), text(own) {}
  Str(Heap& owner, std::string_view borrowed) : Object(owner, Kind::string), text(borrowed) {}
  std::int64_t length();  // in code points
  bool is_ascii() { return length() == static_cast<std::int64_t>(text.size()); }

  std::string own;
  std::string_view text;  // UTF-8, valid; may lie in the variables given to render, or in the program
  std::int64_t length_ = -1;
  bool markup = false;  // escaped text: joining it with plain text escapes the plain text
};

struct List : Object {  // and tuple
  List(Heap& owner, Kind list_or_tuple, Values values) : Object(owner, list_or_tuple), items(std::move(values)) {}
  void clear() override { items.clear(); }

  Values items;
  bool group = false;  // made by groupby: item 0 is .grouper, item 1 is .list
};

struct Dict : Object {
  explicit Dict(Heap& owner) : Object(owner, Kind::dict) {}
  void clear() override { entries.clear(), slots.clear(); }

  using Entry = std::pair<Value, Value>;
  std::vector<Entry> entries;        // in order of insertion
  std::vector<std::uint32_t> slots;  // open addressing into entries, index + 1; empty while there are few
};

struct Range : Object {
  Range(Heap& owner, Int first, Int past, Int by, std::int64_t count)
      : Object(owner, Kind::range), start(first), stop(past), step(by), length(count) {}
  Int start, stop, step;
  std::int64_t length;
};

struct View : Object {
  enum class Of { keys, values, items };
  View(Heap& owner, Value of_dict, Of of_what) : Object(owner, Kind::view), dict(std::move(of_dict)), what(of_what) {}
  void clear() override { dict = Value(); }
  Value dict;
  Of what;
};

struct Iterator : Object {
  explicit Iterator(Heap& owner) : Object(owner, Kind::iterator) {}
  // The next value into `out`; false at the end, and ever after.
  virtual Result<bool> advance(Machine& machine, Value& out) = 0;
};

struct Undefined : Object {
  Undefined(Heap& owner, std::string why) : Object(owner, Kind::undefined), message(std::move(why)) {}
  std::string message;
};

struct Namespace : Object {
  Namespace(Heap& owner, Value dict) : Object(owner, Kind::namespace_), attributes(std::move(dict)) {}
  void clear() override { attributes = Value(); }
  Value attributes;  // a dict
};

class Heap {
 public:
  explicit Heap(Budget& budget);
  ~Heap();
  Heap(const Heap&) = delete;
  Heap& operator=(const Heap&) = delete;

  template <class T, class... Arguments>
  Value make(std::size_t extra_bytes, Arguments&&... arguments) {
    T* object = new T(*this, std::forward<Arguments>(arguments)...);
    adopt(object, sizeof(T) + extra_bytes);
    return Value(object);
  }
  Value string(std::string text);
  Value borrowed(std::string_view text);  // must outlive the heap
  Value list(Values items);
  Value tuple(Values items);
  Value pair(Value first, Value second);
  Value undefined(std::string why);

  void grew(Object& object, std::size_t bytes);
  void bury(Object* object);  // its last reference is gone
  Budget& budget() { return budget_; }
  std::uint64_t seed() const { return seed_; }

 private:
  void adopt(Object* object, std::size_t bytes);
  void unlink(Object* object);

  Budget& budget_;
  Object* first_ = nullptr;
  std::vector<Object*> graves_;  // waiting to be freed: a chain of a million objects must not recurse
  bool digging_ = false;
  bool closing_ = false;
  std::uint64_t seed_;
};

// Text that grows while the budget lasts; the rest is dropped, and the next Budget::work or take() says so.
class Text {
 public:
  explicit Text(Budget& budget) : budget_(budget) {}
  ~Text() { budget_.release(charged_bytes_); }
  Text(const Text&) = delete;
  Text& operator=(const Text&) = delete;

  void add(std::string_view piece);
  void add(std::size_t count, char byte);
  Result<std::string> take();
  Status status() const;
  bool full() const { return full_; }
  std::string_view view() const { return text_; }
  Budget& budget() { return budget_; }

 private:
  Budget& budget_;
  std::string text_;
  std::size_t charged_bytes_ = 0;
  bool full_ = false;
};

const char* type_name(const Value& value);  // as Python's type(x).__name__

}  // namespace qn::text::jinja
