// Jinja templates as chat models ship them: parsed once, rendered many times, bounded in every way.
//   source   Jinja 3.1 template designer documentation; the environment of Hugging Face Transformers
//            (trim_blocks, lstrip_blocks, loop controls, tojson, raise_exception, strftime_now, generation blocks)
#pragma once

#include <cstdint>
#include <ctime>
#include <memory>
#include <string>
#include <string_view>

#include "base/json.h"
#include "base/result.h"

namespace qn::text {

struct TemplateLimits {
  std::size_t source_bytes = std::size_t{1} << 20;
  int depth = 128;  // nesting of blocks, expressions, calls and values
  std::int64_t steps = 10'000'000;
  std::size_t output_bytes = std::size_t{16} << 20;  // of the result, and of all strings alive at once
  std::int64_t milliseconds = 900;                   // an error is to arrive within a second
  std::int64_t range = 100'000;                      // longest range()
};

class Template {
 public:
  //   errors   bad_input: line and what was expected; too_large: the limit
  static Result<Template> parse(std::string_view source, const TemplateLimits& limits = {});
  Template(Template&&) noexcept;
  Template& operator=(Template&&) noexcept;
  ~Template();

  //   variables   become the template's top-level names
  //   now         what strftime_now formats
  //   errors      bad_input: line and cause, or the text given to raise_exception; too_large: the limit that was hit
  Result<std::string> render(const json::Object& variables, std::tm now) const;

  // Whether the source mentions a name anywhere (`tools`, `enable_thinking`, …): how a chat dialect finds out what a template knows.
  bool mentions(std::string_view name) const;

 private:
  struct Program;
  explicit Template(std::shared_ptr<const Program> program);
  std::shared_ptr<const Program> program_;
};

}  // namespace qn::text
