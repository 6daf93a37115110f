// POST /api/embed: texts to vectors of length one.
#include <utility>

#include "api/ollama/shared/embed_request.h"

namespace qn::api {
namespace {

json::Object reply(const std::string& model, json::Array vectors) {
  return {{"model", model}, {"embeddings", std::move(vectors)}};
}

// "" and [] are no input at all.
bool read_texts(Fields& fields, EmbedJob& job) {
  const json::Value* input = fields.any("input");
  if (input == nullptr || (input->is_string() && input->get_string().empty()) || (input->is_array() && input->get_array().empty()))
    return false;
  const auto wrong = [&fields] { fields.reading().refuse("input", Code::bad_input, "invalid input type"); };
  if (input->is_string()) {
    job.inputs.emplace_back(std::string(input->get_string()));
  } else if (input->is_array()) {
    constexpr std::size_t most = 2048;
    if (input->get_array().size() > most) {
      fields.reading().refuse("input", Code::too_large,
                              fmt::format("input: {} texts, at most {}; send fewer", input->get_array().size(), most));
      return true;
    }
    for (const json::Value& text : input->get_array()) {
      if (!text.is_string()) return wrong(), true;
      job.inputs.emplace_back(std::string(text.get_string()));
    }
  } else {
    wrong();
  }
  return true;
}

void handle(Service& service, std::shared_ptr<Exchange> exchange) {
  read_body(service, exchange, [&service](const std::shared_ptr<Exchange>& from, const json::Object& body) {
    Reading reading;
    Fields fields(&body, "", reading);
    EmbedJob job = ollama::read_embed_job(service, fields);
    const bool any = read_texts(fields, job);
    job.cuts = fields.boolean("truncate").value_or(true);
    if (const auto dimensions = fields.integer("dimensions", 0, 1 << 20); dimensions && *dimensions > 0)
      job.dimensions = static_cast<int>(*dimensions);
    fields.warn_of_the_rest();
    if (refused(*from, reading)) return;
    job.warnings = std::move(reading.warnings);
    const std::string model = job.wish.model;
    if (!any)
      return with_model(service, from, job.wish,
                        [model](const std::shared_ptr<Exchange>& asked, const serve::Lease&) { respond_json(*asked, reply(model, {})); });
    embed(service, from, std::move(job), [model](Exchange& asked, const Embedded& done) {
      json::Array vectors;
      for (const std::vector<float>& vector : done.vectors) vectors.push_back(to_json(vector));
      json::Object out = reply(model, std::move(vectors));
      out["total_duration"] = done.total.count();
      out["load_duration"] = done.load_time.count();
      out["prompt_eval_count"] = done.prompt_tokens;
      if (done.cut_tokens > 0) out["truncated"] = json::Object{{"dropped_messages", 0}, {"dropped_tokens", done.cut_tokens}};
      respond_json(asked, std::move(out), done.warnings);
    });
  });
}

}  // namespace

Endpoint endpoint_ollama_embed() {
  return {"POST", {"/api/embed"}, Scope::infer, Dialect::ollama, handle};
}

}  // namespace qn::api
