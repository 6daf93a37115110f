// Endpoint: one route of the server. src/api/<dialect>/<name>.cpp defines `Endpoint endpoint_<dialect>_<name>()`, and the build lists them
// all; what several endpoints of a dialect share lies in a folder below it. The entry carries its need of a key: there is no second list of
// paths.
#pragma once

#include <functional>
#include <memory>
#include <string_view>
#include <vector>

#include "api/http/exchange.h"

namespace qn::api {

struct Service;  // api/service.h

// How an answer is spelt, its errors above all (api/errors.h).
enum class Dialect { openai, responses, ollama, anthropic, native };

struct Endpoint {
  std::string_view methods;  // "GET", or several: "GET POST". HEAD goes where GET goes; OPTIONS is answered before
  std::vector<std::string_view>
      paths;    // "/v1/models", "/v1/models/{rest}": {rest} is last and stands for one or more characters, '/' among them
  Scope scope;  // the least that a key must be allowed
  Dialect dialect;
  std::function<void(Service&, std::shared_ptr<Exchange>)> handle;  // on the I/O thread: must not block
};

std::vector<Endpoint> all_endpoints();

}  // namespace qn::api
