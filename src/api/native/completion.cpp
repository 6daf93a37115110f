// POST /completion: llama-server's own. A prompt is text, token ids, a mix of both, or an object with "prompt_string"; a list of prompts
// gets a list of replies.
#include <utility>

#include "api/body.h"
#include "api/native/shared/completion.h"
#include "api/native/shared/prompt_parts.h"

namespace qn::api {
namespace {

void read_prompts(Fields& fields, const serve::ReplyRequest& like, GenerateJob& job, native::CompletionShown& shown) {
  fields.require("prompt");
  const json::Value* prompt = fields.any("prompt");
  if (prompt == nullptr) return;
  const auto add = [&](const json::Value& value, const std::string& path) {
    serve::ReplyRequest request = like;
    request.raw_prompt = native::read_prompt(value, path, fields.reading());
    job.prompts.push_back(std::move(request));
  };
  if (!native::is_list_of_prompts(*prompt)) return add(*prompt, "prompt");
  const json::Array& list = prompt->get_array();
  constexpr std::size_t most = 1024;
  if (list.empty()) return fields.reading().refuse("prompt", Code::bad_input, "prompt: an empty list; give at least one prompt");
  if (list.size() > most)
    return fields.reading().refuse("prompt", Code::too_large, fmt::format("prompt: {} prompts, at most {}; send fewer", list.size(), most));
  shown.list = true;
  for (std::size_t i = 0; i < list.size() && !fields.reading().error; ++i) add(list[i], fmt::format("prompt[{}]", i));
}

void handle(Service& service, std::shared_ptr<Exchange> exchange) {
  read_body(service, exchange, [&service](const std::shared_ptr<Exchange>& asked, const json::Object& body) {
    Reading reading;
    Fields fields(&body, "", reading);
    GenerateJob job;
    serve::ReplyRequest request;
    native::CompletionShown shown;
    native::read_completion(service, fields, job, request, shown);
    shown.list = job.choices > 1;
    read_prompts(fields, request, job, shown);
    fields.warn_of_the_rest();
    if (refused(*asked, reading)) return;
    job.warnings = std::move(reading.warnings);
    generate(service, asked, std::move(job), native::completion_writer(std::move(shown)));
  });
}

}  // namespace

Endpoint endpoint_native_completion() {
  return {"POST", {"/completion", "/completions"}, Scope::infer, Dialect::native, handle};
}

}  // namespace qn::api
