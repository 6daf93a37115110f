// Renders in one line for the template tests.
#pragma once

#include <string>
#include <string_view>

#include "text/template/template.h"

namespace qn::text {

// Sunday, 3 March 2024, 09:05:07
inline std::tm sample_time() {
  std::tm out{};
  out.tm_year = 124, out.tm_mon = 2, out.tm_mday = 3, out.tm_hour = 9, out.tm_min = 5, out.tm_sec = 7, out.tm_wday = 0, out.tm_yday = 62;
  return out;
}

// The text, or the error's message.
inline std::string rendered(std::string_view source, std::string_view variables = "{}", const TemplateLimits& limits = {}) {
  const auto form = Template::parse(source, limits);
  if (!form) return form.error().message;
  const auto given = json::parse(variables);
  if (!given) return given.error().message;
  const auto out = form->render(given->get_object(), sample_time());
  return out ? *out : out.error().message;
}

}  // namespace qn::text
