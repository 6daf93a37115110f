// Routes: which endpoint answers a method and a path. One table, made from the endpoints' own entries.
#pragma once

#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "api/endpoint.h"

namespace qn::api {

struct Route {
  const Endpoint* endpoint = nullptr;  // none: the path is unknown, or not for this method
  std::string rest;
  std::string allowed;  // "GET, HEAD, OPTIONS"; empty where the path is unknown
};

class Routes {
 public:
  explicit Routes(std::vector<Endpoint> endpoints);  // no method and path twice

  // path: as parse_target gives it. A path with a "." or ".." in it is unknown.
  Route find(std::string_view method, std::string_view path) const;
  const std::vector<Endpoint>& endpoints() const { return endpoints_; }

 private:
  struct Prefix {
    std::string text;  // what stands before {rest}
    std::size_t endpoint;
  };
  std::vector<Endpoint> endpoints_;
  std::unordered_map<std::string_view, std::vector<std::size_t>> exact_;
  std::vector<Prefix> prefixes_;  // longest first
};

}  // namespace qn::api
