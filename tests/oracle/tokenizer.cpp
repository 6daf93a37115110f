// A tokenizer for the Python oracle: `oracle_tokenizer FILE VERB`, FILE being a tokenizer.json or a GGUF file.
// Standard input and output are records of a 32-bit length in bytes and the bytes; an answer for every record:
//   parse, as_text   text in, 32-bit ids out; special tokens in the text parsed or not
//   with_bos         as parse, with what the post-processor adds
//   decode, decode_specials   32-bit ids in, text out
#include <cstdio>
#include <cstring>
#include <fstream>
#include <iostream>
#include <iterator>

#include "file/checkpoint.h"
#include "text/tokenizer/tokenizer.h"
#include "text/tokenizer/tokenizer_json.h"

using namespace qn;

namespace {

std::string contents(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

Result<text::VocabSpec> read_spec(const std::string& path) {
  if (path.ends_with(".json")) return text::read_tokenizer_json(contents(path), "");
  QN_TRY(const auto checkpoint, file::open_gguf(path));
  return file::read_vocab(checkpoint.metadata);
}

bool read_record(std::string& record) {
  std::uint32_t bytes = 0;
  if (!std::cin.read(reinterpret_cast<char*>(&bytes), sizeof bytes)) return false;
  record.resize(bytes);
  return static_cast<bool>(std::cin.read(record.data(), bytes));
}

void write_record(std::string_view record) {
  const auto bytes = static_cast<std::uint32_t>(record.size());
  std::cout.write(reinterpret_cast<const char*>(&bytes), sizeof bytes);
  std::cout.write(record.data(), static_cast<std::streamsize>(record.size()));
}

void answer(const text::Tokenizer& tokenizer, std::string_view verb, std::string_view record) {
  if (verb.starts_with("decode")) {
    std::vector<TokenId> ids(record.size() / sizeof(TokenId));
    std::memcpy(ids.data(), record.data(), ids.size() * sizeof(TokenId));
    write_record(tokenizer.decode(ids, verb == "decode_specials"));
    return;
  }
  text::EncodeOptions options;
  options.specials = verb == "as_text" ? text::Specials::as_text : text::Specials::parse;
  options.add_bos = options.add_eos = verb == "with_bos";
  const std::vector<TokenId> ids = tokenizer.encode(record, options);
  write_record({reinterpret_cast<const char*>(ids.data()), ids.size() * sizeof(TokenId)});
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) return std::fputs("usage: oracle_tokenizer FILE VERB\n", stderr), 2;
  auto spec = read_spec(argv[1]);
  if (!spec) return std::fprintf(stderr, "%s\n", spec.error().message.c_str()), 1;
  const auto tokenizer = text::Tokenizer::make(std::move(*spec));
  if (!tokenizer) return std::fprintf(stderr, "%s\n", tokenizer.error().message.c_str()), 1;
  for (std::string record; read_record(record);) answer(*tokenizer, argv[2], record);
}
