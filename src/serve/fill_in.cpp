#include "serve/fill_in.h"

#include <initializer_list>

namespace qn::serve {
namespace {

struct MarkRow {
  TokenId FillMarks::*mark;
  std::string_view key, old_key;                  // in the model's file
  std::initializer_list<std::string_view> texts;  // of Qwen, CodeGemma, StarCoder, DeepSeek, CodeLlama
};
const MarkRow mark_rows[] = {
    {&FillMarks::prefix, "fim_pre", "prefix", {"<|fim_prefix|>", "<fim-prefix>", "<fim_prefix>", "<｜fim▁begin｜>", "<PRE>", "▁<PRE>"}},
    {&FillMarks::suffix, "fim_suf", "suffix", {"<|fim_suffix|>", "<fim-suffix>", "<fim_suffix>", "<｜fim▁hole｜>", "<SUF>", "▁<SUF>"}},
    {&FillMarks::middle, "fim_mid", "middle", {"<|fim_middle|>", "<fim-middle>", "<fim_middle>", "<｜fim▁end｜>", "<MID>", "▁<MID>"}},
    {&FillMarks::repository, "fim_rep", "", {"<|fim_repo|>", "<|repo_name|>", "<fim-repo>", "<reponame>", "<REPO>"}},
    {&FillMarks::file, "fim_sep", "", {"<|file_sep|>"}},
};

TokenId by_key(const file::Metadata& metadata, std::string_view name, int vocab_size) {
  if (name.empty()) return -1;
  const auto id = metadata.integer(fmt::format("tokenizer.ggml.{}_token_id", name));
  return id && *id && **id >= 0 && **id < vocab_size ? static_cast<TokenId>(**id) : -1;
}

}  // namespace

FillMarks find_fill_marks(const file::Metadata& metadata, const text::Tokenizer& tokenizer) {
  FillMarks marks;
  for (const MarkRow& row : mark_rows) {
    TokenId& mark = marks.*row.mark;
    mark = by_key(metadata, row.key, tokenizer.vocab_size());
    if (mark < 0) mark = by_key(metadata, row.old_key, tokenizer.vocab_size());
    for (const std::string_view text : row.texts)
      if (mark < 0) mark = tokenizer.find(text);
  }
  return marks;
}

Result<std::vector<TokenId>> fill_in_tokens(const FillIn& asked, const FillMarks& marks, const text::Tokenizer& tokenizer) {
  if (!marks.complete()) {
    std::string missing;
    if (marks.prefix < 0) missing += "prefix token is missing. ";
    if (marks.suffix < 0) missing += "suffix token is missing. ";
    if (marks.middle < 0) missing += "middle token is missing. ";
    return fail(Code::unsupported, "Infill is not supported by this model: {}", missing);
  }
  std::vector<TokenId> out;
  const auto text = [&](std::string_view piece) {
    const std::vector<TokenId> tokens = tokenizer.encode(piece, {text::Specials::as_text});
    out.insert(out.end(), tokens.begin(), tokens.end());
  };
  if (const text::VocabSpec& vocab = tokenizer.spec(); vocab.add_bos && vocab.bos >= 0) out.push_back(vocab.bos);
  // One level of a repository: its name, then every file after its name; the one to fill in comes last.
  const bool names_files = marks.file >= 0;
  if (marks.repository >= 0 && (names_files || !asked.files.empty())) {
    out.push_back(marks.repository);
    text("myproject\n");
  }
  for (const FillIn::File& file : asked.files) {
    if (names_files) {
      out.push_back(marks.file);
      text(file.name + "\n");
    } else {
      text("\n\n--- snippet ---\n\n");
    }
    text(file.text);
  }
  if (marks.repository >= 0 && names_files) {
    out.push_back(marks.file);
    text("filename\n");
  }
  out.push_back(marks.prefix);
  text(asked.prefix);
  out.push_back(marks.suffix);
  text(asked.suffix);
  out.push_back(marks.middle);
  text(asked.prompt);
  return out;
}

}  // namespace qn::serve
