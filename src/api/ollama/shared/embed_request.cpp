#include "api/ollama/shared/embed_request.h"

namespace qn::api::ollama {

EmbedJob read_embed_job(const Service& service, Fields& fields) {
  if (!fields.has("model") || fields.text("model").value_or("").empty())
    fields.reading().refuse("model", Code::bad_input, "model is required");
  GenerateJob common;
  serve::ReplyRequest unused;
  read_common(service, fields, common, unused);
  Fields options(fields.object("options"), "options", fields.reading(), Fields::Spelling::ollama_option);
  EmbedJob job{.wish = {.model = common.model, .keep_alive = common.keep_alive, .dialect = Dialect::ollama}};
  if (const auto window = options.integer("num_ctx", 0, 1 << 30); window && *window > 0) job.most_tokens = static_cast<int>(*window);
  read_sampling(options, unused);  // known, and without a meaning here
  options.warn_of_the_rest();
  job.cuts = true;
  return job;
}

}  // namespace qn::api::ollama
