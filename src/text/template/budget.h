// What one parse or render may use: steps, bytes alive, time, depth. Everything that can grow asks here first, so a hostile
// template ends in an error instead of a full machine.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

#include "base/result.h"
#include "text/template/template.h"

namespace qn::text::jinja {

class Budget {
 public:
  explicit Budget(const TemplateLimits& limits);

  // One unit is about the evaluation of one expression, or 16 bytes copied. Fails once any limit has been passed.
  Status work(std::int64_t units);

  // Whether so many more bytes may come to life; asked before anything large is built.
  Status room(std::size_t bytes) const;
  void charge(std::size_t bytes) { alive_bytes_ += bytes; }
  void release(std::size_t bytes) { alive_bytes_ -= bytes; }
  std::size_t alive_bytes() const { return alive_bytes_; }

  const TemplateLimits& limits() const { return limits_; }

  int level = 0;  // how deep the interpreter's own recursion is now
  int calls = 0;  // how many template-level calls (macros, recursive loops) are open
  int max_level() const { return levels_per_depth * limits_.depth; }

  // An expression may nest `depth` brackets, and each costs the interpreter a few frames.
  static constexpr int levels_per_depth = 10;

 private:
  TemplateLimits limits_;
  std::chrono::steady_clock::time_point deadline_;
  std::int64_t steps_ = 0;
  std::int64_t next_look_ = 0;  // the step at which the clock is read again
  std::size_t alive_bytes_ = 0;
};

// One level of recursion for as long as it lives.
class Nest {
 public:
  explicit Nest(Budget& budget) : budget_(budget) { ++budget_.level; }
  ~Nest() { --budget_.level; }
  Nest(const Nest&) = delete;
  Nest& operator=(const Nest&) = delete;
  bool too_deep() const { return budget_.level > budget_.max_level(); }

 private:
  Budget& budget_;
};

tl::unexpected<Error> nested_too_deep();

}  // namespace qn::text::jinja
