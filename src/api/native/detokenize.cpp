// POST /detokenize: token ids to text. The answer has llama-server's key and vLLM's.
#include <limits>
#include <utility>

#include "api/body.h"
#include "api/sampling_fields.h"

namespace qn::api {
namespace {

constexpr std::size_t most_tokens = std::size_t{1} << 22;

void handle(Service& service, std::shared_ptr<Exchange> exchange) {
  read_body(service, exchange, [&service](const std::shared_ptr<Exchange>& asked, const json::Object& body) {
    Reading reading;
    Fields fields(&body, "", reading);
    ModelWish wish;
    read_wish(fields, wish);
    wish.dialect = Dialect::native;
    fields.require("tokens");
    const auto ids = fields.integers("tokens", most_tokens, 0, std::numeric_limits<TokenId>::max());
    fields.warn_of_the_rest();
    if (refused(*asked, reading)) return;
    with_model(
        service, asked, wish,
        [tokens = std::vector<TokenId>(ids->begin(), ids->end()), warnings = std::move(reading.warnings)](
            const std::shared_ptr<Exchange>& to, const serve::Lease& lease) {
          const text::Tokenizer& tokenizer = *lease->tokenizer;
          for (const TokenId id : tokens)
            if (id >= tokenizer.vocab_size())
              return to->fail({Condition::bad_request,
                               fmt::format("tokens: {} is not in the vocabulary; ids go from 0 to {}", id, tokenizer.vocab_size() - 1),
                               "tokens"});
          const std::string text = tokenizer.decode(tokens, true);
          respond_json(*to, {{"content", text}, {"prompt", text}}, warnings);
        });
  });
}

}  // namespace

Endpoint endpoint_native_detokenize() {
  return {"POST", {"/detokenize"}, Scope::infer, Dialect::native, handle};
}

}  // namespace qn::api
