// POST /tokenize: text to token ids. A body with "content" is llama-server's, one with "prompt" or "messages" vLLM's.
#include <utility>

#include "api/body.h"
#include "api/native/shared/prompt_parts.h"
#include "api/openai/shared/messages.h"
#include "api/sampling_fields.h"
#include "base/utf8.h"
#include "engine/engine.h"
#include "serve/session.h"

namespace qn::api {
namespace {

using text::Specials;

struct Question {
  ModelWish wish;
  native::RawPrompt prompt;  // none: the chat
  text::Chat chat;
  text::EncodeOptions options;
  bool is_vllm = false;
  bool shows_pieces = false;
};

void read_llama(Fields& fields, Question& question) {
  const json::Value* content = fields.any("content");
  const bool empty = content == nullptr || (content->is_string() && content->get_string().empty());
  if (!empty) question.prompt = native::read_prompt(*content, "content", fields.reading());
  if (empty) question.prompt = serve::RawText{};
  const bool adds = fields.boolean("add_special").value_or(false);
  question.options.add_bos = question.options.add_eos = adds;
  question.options.specials = fields.boolean("parse_special").value_or(true) ? Specials::parse : Specials::as_text;
  question.shows_pieces = fields.boolean("with_pieces").value_or(false);
}

void read_vllm(Fields& fields, Question& question) {
  question.is_vllm = true;
  if (fields.has("messages")) {
    serve::ReplyRequest request;
    openai::read_messages(fields, request);
    openai::read_tools(fields, request);
    read_thinking(fields, request);
    const bool adds = fields.boolean("add_special_tokens").value_or(false);
    read_generation_prompt(fields, request);
    question.options.add_bos = question.options.add_eos = adds;
    question.chat = std::move(request.chat);
  } else {
    const std::optional<std::string> prompt = fields.text("prompt");
    question.prompt = serve::RawText{prompt.value_or("")};
    question.options.add_bos = question.options.add_eos = fields.boolean("add_special_tokens").value_or(true);
  }
  question.shows_pieces = fields.boolean("return_token_strs").value_or(false);
}

Result<std::vector<TokenId>> tokens_of(const Question& question, serve::LoadedModel& model) {
  const text::Tokenizer& tokenizer = *model.tokenizer;
  if (const auto* raw = std::get_if<serve::RawText>(&question.prompt)) return tokenizer.encode(raw->text, question.options);
  if (const auto* ids = std::get_if<std::vector<TokenId>>(&question.prompt)) return *ids;
  std::vector<TokenId> out;
  if (const auto* mixed = std::get_if<serve::RawParts>(&question.prompt)) {
    for (const auto& part : mixed->parts) {
      if (const auto* id = std::get_if<TokenId>(&part)) {
        out.push_back(*id);
        continue;
      }
      text::EncodeOptions options = question.options;
      options.add_bos = options.add_bos && out.empty();
      options.add_eos = false;
      const std::vector<TokenId> more = tokenizer.encode(std::get<std::string>(part), options);
      out.insert(out.end(), more.begin(), more.end());
    }
    return out;
  }
  QN_TRY(const std::string text, serve::Session(model).render(question.chat));
  return tokenizer.encode(text, question.options);
}

// Text, or its bytes where it is no whole text.
json::Value piece_json(const text::Tokenizer& tokenizer, TokenId id) {
  const bool known = id >= 0 && id < tokenizer.vocab_size();
  const std::string_view bytes = !known                     ? std::string_view()
                                 : tokenizer.is_special(id) ? tokenizer.special_text(id)
                                                            : tokenizer.bytes_of(id);
  if (utf8::is_valid(bytes)) return json::Value(bytes);
  json::Array list;
  for (const char byte : bytes) list.push_back(static_cast<std::int64_t>(static_cast<unsigned char>(byte)));
  return list;
}

json::Object llama_json(const Question& question, const std::vector<TokenId>& tokens, const text::Tokenizer& tokenizer) {
  json::Array list;
  for (const TokenId id : tokens) {
    if (question.shows_pieces) {
      list.push_back(json::Object{{"id", id}, {"piece", piece_json(tokenizer, id)}});
    } else {
      list.push_back(id);
    }
  }
  return {{"tokens", std::move(list)}};
}

json::Object vllm_json(const Question& question, const std::vector<TokenId>& tokens, const serve::LoadedModel& model) {
  json::Value names = nullptr;
  if (question.shows_pieces) {
    json::Array list;
    for (const TokenId id : tokens) list.push_back(json::Value(model.tokenizer->spec().tokens[static_cast<std::size_t>(id)]));
    names = std::move(list);
  }
  return {{"count", tokens.size()},
          {"max_model_len", model.engine->longest()},
          {"tokens", json::Array(tokens.begin(), tokens.end())},
          {"token_strs", std::move(names)}};
}

void handle(Service& service, std::shared_ptr<Exchange> exchange) {
  read_body(service, exchange, [&service](const std::shared_ptr<Exchange>& asked, const json::Object& body) {
    Reading reading;
    Fields fields(&body, "", reading);
    Question question;
    read_wish(fields, question.wish);
    question.wish.dialect = Dialect::native;
    if (fields.has("prompt") || fields.has("messages")) {
      read_vllm(fields, question);
    } else {
      read_llama(fields, question);
    }
    fields.warn_of_the_rest();
    if (refused(*asked, reading)) return;
    const ModelWish wish = question.wish;
    with_model(service, asked, wish,
               [question = std::move(question), warnings = std::move(reading.warnings)](const std::shared_ptr<Exchange>& to,
                                                                                        const serve::Lease& lease) {
                 const Result<std::vector<TokenId>> tokens = tokens_of(question, *lease);
                 if (!tokens) return to->fail(to_api_error(tokens.error()));
                 respond_json(*to,
                              question.is_vllm ? vllm_json(question, *tokens, *lease) : llama_json(question, *tokens, *lease->tokenizer),
                              warnings);
               });
  });
}

}  // namespace

Endpoint endpoint_native_tokenize() {
  return {"POST", {"/tokenize"}, Scope::infer, Dialect::native, handle};
}

}  // namespace qn::api
