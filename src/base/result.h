// Result<T>: a value, or an Error that a user can act on.
// Bad input returns an Error; a broken invariant of ours stops in QN_CHECK (base/check.h). Nothing here throws.
#pragma once

#include <fmt/core.h>

#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <utility>

namespace qn {

// What kind of failure it is. One table per outlet maps it to an exit code or an HTTP status.
enum class Code {
  bad_input,      // a file, flag or request says something it may not say
  not_found,      // a file, model or name that is not there
  too_large,      // over a documented limit
  out_of_memory,  // the plan does not fit the machine
  unsupported,    // well-formed, but not offered
  cancelled,      // the caller took it back
  overloaded,     // no room now; the same request may be taken later
  io,             // the operating system refused
  internal,       // a device or library failed
};

// message: "<thing>: <finding>; <remedy>", lower case, no full stop.
struct Error {
  Code code;
  std::string message;
};

template <class T>
using Result = tl::expected<T, Error>;
using Status = Result<void>;

template <class... Args>
tl::unexpected<Error> fail(Code code, fmt::format_string<Args...> text, Args&&... args) {
  return tl::unexpected<Error>(Error{code, fmt::format(text, std::forward<Args>(args)...)});
}

// Text from outside, made fit for a message: control bytes and invalid UTF-8 escaped, clipped to `max_bytes`.
// An object, not a function: called with a std::string, a function of this name would lose to std::quoted.
struct Quoted {
  std::string operator()(std::string_view outside, std::size_t max_bytes = 64) const;
};
inline constexpr Quoted quoted;

}  // namespace qn

#define QN_CONCAT_(a, b) a##b
#define QN_CONCAT(a, b) QN_CONCAT_(a, b)

// QN_TRY(RuleList rules, read_rules(text));  the value, or the Error goes to our caller.
#define QN_TRY(declaration, ...)                                                                                          \
  auto QN_CONCAT(qn_try_, __LINE__) = (__VA_ARGS__);                                                                      \
  if (!QN_CONCAT(qn_try_, __LINE__)) return tl::unexpected<::qn::Error>(std::move(QN_CONCAT(qn_try_, __LINE__)).error()); \
  declaration = *std::move(QN_CONCAT(qn_try_, __LINE__))

// QN_OK(check_header(bytes));  for Status, or a value that is not wanted.
#define QN_OK(...)                                                              \
  do {                                                                          \
    auto qn_ok_ = (__VA_ARGS__);                                                \
    if (!qn_ok_) return tl::unexpected<::qn::Error>(std::move(qn_ok_).error()); \
  } while (false)
