#include "api/native/shared/chat_prompt.h"

#include <utility>

#include "api/body.h"
#include "api/openai/shared/messages.h"
#include "api/sampling_fields.h"
#include "serve/session.h"

namespace qn::api::native {

void render_chat(Service& service, const std::shared_ptr<Exchange>& exchange, Dialect dialect, PromptAnswer answer) {
  read_body(service, exchange,
            [&service, dialect, answer = std::move(answer)](const std::shared_ptr<Exchange>& asked, const json::Object& body) {
              Reading reading;
              Fields fields(&body, "", reading);
              ModelWish wish;
              serve::ReplyRequest request;
              GenerateJob job;
              openai::read_messages(fields, request);
              openai::read_tools(fields, request);
              read_sampling(fields, request);  // what says how the reply is written says nothing here
              read_form(fields, request);
              read_thinking(fields, request);
              read_generation_prompt(fields, request);
              read_common(service, fields, job, request);
              for (const std::string_view name : {"stream", "stream_options", "n", "logprobs", "top_logprobs"}) fields.skip(name);
              fields.warn_of_the_rest();
              if (refused(*asked, reading)) return;
              wish = {.model = std::move(job.model), .keep_alive = job.keep_alive, .dialect = dialect};
              with_model(service, asked, wish,
                         [chat = std::move(request.chat), answer, warnings = std::move(reading.warnings)](
                             const std::shared_ptr<Exchange>& to, const serve::Lease& lease) {
                           const Result<std::string> prompt = serve::Session(*lease).render(chat);
                           if (!prompt) return to->fail(to_api_error(prompt.error()));
                           answer(*to, *lease, *prompt, warnings);
                         });
            });
}

}  // namespace qn::api::native
