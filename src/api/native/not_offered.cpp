// Routes of other servers that this one has not: a clear no, rather than "unknown path".
#include "api/errors.h"

namespace qn::api {
namespace {

void handle(Service&, std::shared_ptr<Exchange> exchange) {
  exchange->fail({Condition::not_offered, fmt::format("{}: this server does not offer it", quoted(exchange->request().path, 128))});
}

}  // namespace

Endpoint endpoint_native_not_offered() {
  return {"GET POST DELETE",
          {"/sleep", "/wake_up", "/is_sleeping", "/pause", "/resume", "/is_paused", "/abort_requests", "/server_info", "/tokenizer_info",
           "/classify", "/pooling", "/v2/embed", "/v1/load_lora_adapter", "/v1/unload_lora_adapter", "/slots/{rest}"},
          Scope::infer,
          Dialect::native,
          handle};
}

}  // namespace qn::api
