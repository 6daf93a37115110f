// quern tokenize: the ids that a model sees for a text. Loads the vocabulary only.
#include <filesystem>
#include <memory>
#include <optional>

#include "base/mapped_file.h"
#include "cli/arguments.h"
#include "cli/builtin_model.h"
#include "cli/command.h"
#include "file/checkpoint.h"
#include "text/tokenizer/tokenizer.h"
#include "text/tokenizer/tokenizer_json.h"

namespace qn::cli {
namespace {

namespace fs = std::filesystem;
constexpr std::size_t max_text_bytes = std::size_t{1} << 30;

struct Flags {
  std::string model, text, file;
  bool from_stdin = false, ids_only = false, count = false, no_bos = false, as_text = false;
};

std::string_view text_of(const MappedFile& file) {
  return {reinterpret_cast<const char*>(file.bytes().data()), file.bytes().size()};
}

Result<text::VocabSpec> read_hugging_face(const fs::path& tokenizer) {
  QN_TRY(const MappedFile file, MappedFile::open(tokenizer));
  const fs::path config_path = tokenizer.parent_path() / "tokenizer_config.json";
  std::error_code missing;
  if (!fs::exists(config_path, missing)) return text::read_tokenizer_json(text_of(file), "");
  QN_TRY(const MappedFile config, MappedFile::open(config_path));
  return text::read_tokenizer_json(text_of(file), text_of(config));
}

Result<text::VocabSpec> read_vocabulary(const std::string& name) {
  if (name == builtin_model_name) {
    if (builtin_model().empty()) return fail(Code::not_found, "{}: this build has no model inside; give the path of a model", name);
    QN_TRY(const file::Checkpoint checkpoint, file::open_gguf(builtin_model(), builtin_model_name));
    return file::read_vocab(checkpoint.metadata);
  }
  const fs::path path(name);
  std::error_code missing;
  if (fs::is_directory(path, missing)) return read_hugging_face(path / "tokenizer.json");
  if (path.extension() == ".json") return read_hugging_face(path);
  QN_TRY(const file::Checkpoint checkpoint, file::open_gguf(path));
  return file::read_vocab(checkpoint.metadata);
}

Result<std::string> read_text(const Flags& flags, Io& io) {
  if (flags.from_stdin) return read_all(io.in, "standard input", max_text_bytes);
  if (flags.file.empty()) return flags.text;
  QN_TRY(const MappedFile file, MappedFile::open(flags.file));
  return std::string(text_of(file));
}

void print_tokens(const text::Tokenizer& tokenizer, const std::vector<TokenId>& ids, const Flags& flags, std::FILE* out) {
  std::string text;
  if (flags.ids_only) {
    text += '[';
    for (const TokenId id : ids) text += fmt::format("{}{}", text.size() > 1 ? ", " : "", id);
    text += "]\n";
  } else {
    for (const TokenId id : ids) {
      const std::string_view piece = tokenizer.is_special(id) ? tokenizer.special_text(id) : tokenizer.bytes_of(id);
      text += fmt::format("{:6} -> {}\n", id, qn::quoted(piece, 1024));
    }
  }
  if (flags.count) text += fmt::format("Total number of tokens: {}\n", ids.size());
  std::fwrite(text.data(), 1, text.size(), out);
}

int run_tokenize(std::span<const std::string> args, Io& io) {
  Flags flags;
  CLI::App app;
  app.add_option("model", flags.model);
  const CLI::Option* text = app.add_option("text", flags.text);
  app.add_option("-f,--file", flags.file, "the text is in this file")->type_name("FILE")->group("Options");
  app.add_flag("--stdin", flags.from_stdin, "the text comes from standard input")->group("Options");
  app.add_flag("--ids", flags.ids_only, "print the ids alone, as a list: [1, 2, 3]")->group("Options");
  app.add_flag("--show-count", flags.count, "print how many tokens there are")->group("Options");
  app.add_flag("--no-bos", flags.no_bos, "do not put the token before the text that the model begins with")->group("Options");
  app.add_flag("--no-parse-special", flags.as_text, "special tokens in the text are text")->group("Options");
  const Help help{.command = "tokenize",
                  .summary = "Shows the tokens that a model sees for a text.",
                  .usage = {"quern tokenize MODEL [TEXT] [flags]"},
                  .examples = {"quern tokenize quern-mini \"Hello, world!\"", "quern tokenize model.gguf -f notes.txt --ids",
                               "quern tokenize path/to/tokenizer.json --stdin --show-count < notes.txt"},
                  .more = "MODEL is a GGUF file, a tokenizer.json or a folder that holds one, or quern-mini, the model inside."};
  if (const auto ended = parse_arguments(app, help, args, io)) return *ended;
  if (flags.model.empty()) return usage_error(io, "tokenize", "a model is needed: quern tokenize MODEL TEXT");
  const int sources = (text->count() > 0) + !flags.file.empty() + flags.from_stdin;
  if (sources > 1) return usage_error(io, "tokenize", "the text comes from one place: TEXT, --file or --stdin");
  if (sources == 0 && io.in_tty) return usage_error(io, "tokenize", "a text is needed: TEXT, --file FILE or --stdin");
  if (sources == 0) flags.from_stdin = true;

  Result<text::VocabSpec> spec = read_vocabulary(flags.model);
  if (!spec) return report(io, spec.error());
  const Result<text::Tokenizer> tokenizer = text::Tokenizer::make(*std::move(spec));
  if (!tokenizer)
    return report(io, {tokenizer.error().code, fmt::format("{}: {}", qn::quoted(flags.model, 256), tokenizer.error().message)});
  const Result<std::string> input = read_text(flags, io);
  if (!input) return report(io, input.error());
  const auto specials = flags.as_text ? text::Specials::as_text : text::Specials::parse;
  const bool with_bos = !flags.no_bos;
  print_tokens(*tokenizer, tokenizer->encode(*input, {.specials = specials, .add_bos = with_bos, .add_eos = with_bos}), flags, io.out);
  return exit_ok;
}

}  // namespace

Command command_tokenize() {
  return {"tokenize", "the tokens that a model sees for a text", Group::tools, run_tokenize};
}

}  // namespace qn::cli
