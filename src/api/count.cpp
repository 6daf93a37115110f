#include "api/count.h"

#include <utility>

#include "api/body.h"
#include "api/model_work.h"

namespace qn::api {

void count_tokens(Service& service, const std::shared_ptr<Exchange>& exchange, GenerateJob job,
                  std::function<json::Object(int tokens)> body) {
  ModelWish wish{.model = job.model, .keep_alive = job.keep_alive, .dialect = job.dialect};
  with_model(service, exchange, std::move(wish),
             [job = std::move(job), body = std::move(body)](const std::shared_ptr<Exchange>& asked, const serve::Lease& lease) {
               const Result<serve::Prepared> prompt = serve::Session(*lease).prepare(job.prompts.front());
               if (!prompt) return asked->fail(to_api_error(prompt.error()));
               respond_json(*asked, body(static_cast<int>(prompt->tokens.size())), job.warnings);
             });
}

}  // namespace qn::api
