// Renders templates for tests/oracle/test_templates.py: one JSON object a line on stdin, {"template", "variables"} with "now" in
// seconds since 1970; one a line on stdout, {"text"} or {"error"}.
#include <iostream>
#include <string>

#include "base/json.h"
#include "text/template/template.h"

namespace {

qn::json::Object answer(const std::string& line) {
  const auto request = qn::json::parse(line);
  if (!request) return {{"error", request.error().message}};
  const auto& object = request->get_object();
  const auto& source = object.at("template").get_string();
  const auto form = qn::text::Template::parse({source.data(), source.size()});
  if (!form) return {{"error", form.error().message}};
  const std::time_t now = object.at("now").to_number<std::int64_t>();
  const auto text = form->render(object.at("variables").get_object(), *std::gmtime(&now));
  if (!text) return {{"error", text.error().message}};
  return {{"text", *text}};
}

}  // namespace

int main() {
  std::ios::sync_with_stdio(false);
  for (std::string line; std::getline(std::cin, line);) std::cout << qn::json::print(answer(line)) << '\n';
}
