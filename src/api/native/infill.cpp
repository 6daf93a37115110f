// POST /infill: what stands between input_prefix and input_suffix, in llama-server's form.
#include <utility>

#include "api/body.h"
#include "api/native/shared/completion.h"

namespace qn::api {
namespace {

constexpr std::size_t most_files = 1024;

serve::FillIn read_gap(Fields& fields) {
  serve::FillIn gap;
  fields.require("input_prefix");
  fields.require("input_suffix");
  gap.prefix = fields.text("input_prefix").value_or("");
  gap.suffix = fields.text("input_suffix").value_or("");
  gap.prompt = fields.text("prompt").value_or("");
  const json::Array* files = fields.array("input_extra", most_files);
  for (std::size_t i = 0; files != nullptr && i < files->size() && !fields.reading().error; ++i) {
    const std::string path = fmt::format("input_extra[{}]", i);
    Fields file((*files)[i].if_object(), path, fields.reading());
    file.require("text");
    gap.files.push_back({file.text("filename").value_or("tmp"), file.text("text").value_or("")});
    file.warn_of_the_rest();
  }
  return gap;
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
    request.raw_prompt = read_gap(fields);
    fields.warn_of_the_rest();
    if (refused(*asked, reading)) return;
    job.warnings = std::move(reading.warnings);
    job.prompts.push_back(std::move(request));
    generate(service, asked, std::move(job), native::completion_writer(std::move(shown)));
  });
}

}  // namespace

Endpoint endpoint_native_infill() {
  return {"POST", {"/infill"}, Scope::infer, Dialect::native, handle};
}

}  // namespace qn::api
