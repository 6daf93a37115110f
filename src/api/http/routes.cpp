#include "api/http/routes.h"

#include <algorithm>

#include "base/check.h"
#include "base/format.h"

namespace qn::api {
namespace {

constexpr std::string_view rest_mark = "{rest}";

bool has_word(std::string_view words, std::string_view word) {
  while (!words.empty()) {
    const std::size_t blank = words.find(' ');
    if (words.substr(0, blank) == word) return true;
    words.remove_prefix(blank == std::string_view::npos ? words.size() : blank + 1);
  }
  return false;
}

bool takes(const Endpoint& endpoint, std::string_view method) {
  return has_word(endpoint.methods, method) || (method == "HEAD" && has_word(endpoint.methods, "GET"));
}

bool has_dot_segment(std::string_view path) {
  while (!path.empty()) {
    const std::string_view segment = path.substr(0, path.find('/'));
    if (segment == "." || segment == "..") return true;
    path.remove_prefix(std::min(path.size(), segment.size() + 1));
  }
  return false;
}

}  // namespace

Routes::Routes(std::vector<Endpoint> endpoints) : endpoints_(std::move(endpoints)) {
  for (std::size_t i = 0; i < endpoints_.size(); ++i) {
    for (const std::string_view path : endpoints_[i].paths) {
      if (path.ends_with(rest_mark)) {
        prefixes_.push_back({std::string(path.substr(0, path.size() - rest_mark.size())), i});
        continue;
      }
      for (const std::size_t other : exact_[path])
        for (const std::string_view method : {"GET", "POST", "PUT", "DELETE", "PATCH"})
          QN_CHECK(!(takes(endpoints_[i], method) && takes(endpoints_[other], method)), "one endpoint answers a method and a path");
      exact_[path].push_back(i);
    }
  }
  std::stable_sort(prefixes_.begin(), prefixes_.end(), [](const Prefix& a, const Prefix& b) { return a.text.size() > b.text.size(); });
}

Route Routes::find(std::string_view method, std::string_view path) const {
  Route route;
  if (has_dot_segment(path)) return route;
  std::vector<std::size_t> candidates;
  if (const auto found = exact_.find(path); found != exact_.end()) candidates = found->second;
  for (const Prefix& prefix : prefixes_) {
    if (!path.starts_with(prefix.text) || path.size() == prefix.text.size()) continue;
    candidates.push_back(prefix.endpoint);
    if (route.rest.empty()) route.rest = path.substr(prefix.text.size());
  }
  for (const std::size_t i : candidates)
    if (route.endpoint == nullptr && takes(endpoints_[i], method)) route.endpoint = &endpoints_[i];
  for (const std::string_view known : {"GET", "HEAD", "POST", "PUT", "DELETE", "PATCH"})
    if (std::any_of(candidates.begin(), candidates.end(), [&](std::size_t i) { return takes(endpoints_[i], known); }))
      route.allowed += fmt::format("{}{}", route.allowed.empty() ? "" : ", ", known);
  if (!route.allowed.empty()) route.allowed += ", OPTIONS";
  return route;
}

}  // namespace qn::api
