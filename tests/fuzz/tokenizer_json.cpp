// Any bytes as a tokenizer.json, and what comes of it as a tokenizer. A zero byte separates it from a tokenizer_config.json.
#include <string_view>

#include "base/check.h"
#include "base/utf8.h"
#include "text/tokenizer/tokenizer.h"
#include "text/tokenizer/tokenizer_json.h"

using namespace qn;
using namespace qn::text;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const std::size_t zero = std::min(bytes.find('\0'), size);
  auto spec = read_tokenizer_json(bytes.substr(0, zero), bytes.substr(std::min(size, zero + 1)));
  if (!spec) {
    QN_CHECK(!spec.error().message.empty() && utf8::is_valid(spec.error().message), "an error says something");
    return 0;
  }
  const auto tokenizer = Tokenizer::make(*std::move(spec));
  if (!tokenizer) return 0;
  const std::string text = "ab <s> aaaa\n\u2581\u00e9e\u0301 123<|im_end|>'s \xff";
  for (const std::string_view input : {std::string_view(text), bytes.substr(0, 2000)}) {
    for (const Specials specials : {Specials::parse, Specials::as_text}) {
      const std::vector<TokenId> ids = tokenizer->encode(input, {.specials = specials, .add_bos = true, .add_eos = true});
      for (const TokenId id : ids) QN_CHECK(id >= 0 && id < tokenizer->vocab_size(), "ids lie in the vocabulary");
      QN_CHECK(utf8::is_valid(tokenizer->decode(ids, true)), "decoded text is UTF-8");
    }
  }
  return 0;
}
