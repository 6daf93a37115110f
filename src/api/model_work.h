// Work that needs a loaded model and no reply: counting tokens, rendering a prompt, telling properties.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "api/endpoint.h"
#include "api/errors.h"
#include "api/service.h"
#include "serve/model_host.h"

namespace qn::api {

struct ModelWish {
  std::string model;  // empty: the server's own, if it has one
  std::optional<serve::KeepAlive> keep_alive = {};
  Dialect dialect = Dialect::openai;
};

// Calls `work` on a worker once the model is in memory. Errors are answered here. Nothing happens once the client has left. Any thread.
using ModelWork = std::function<void(const std::shared_ptr<Exchange>&, const serve::Lease&)>;
void with_model(Service& service, const std::shared_ptr<Exchange>& exchange, ModelWish wish, ModelWork work);

// The model that a request means: the one it names, else the first that the server was started with.
std::string meant_model(const Service& service, const std::string& named);

// Why there is no lease, as the dialect says it.
ApiError no_lease(const Error& error, Dialect dialect, std::string_view model);

}  // namespace qn::api
