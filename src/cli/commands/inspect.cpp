// quern inspect: what a model file holds and what running it would take, without loading it.
#include "cli/arguments.h"
#include "cli/command.h"
#include "cli/inspect/facts.h"
#include "cli/model_loader.h"

namespace qn::cli {
namespace {

int run_inspect(std::span<const std::string> args, Io& io) {
  std::string name;
  bool tensors = false, as_json = false;
  CLI::App app;
  app.add_option("model", name);
  app.add_flag("--tensors", tensors, "list every tensor: name, type, shape (contiguous first), size")->group("Options");
  app.add_flag("--json", as_json, "one JSON object with all metadata and tensors, nothing clipped")->group("Options");
  const Help help{.command = "inspect",
                  .summary = "Shows what a model file holds and what running it would take, without loading it.",
                  .usage = {"quern inspect FILE [flags]"},
                  .examples = {"quern inspect model.gguf", "quern inspect quern-mini --tensors",
                               "quern inspect model-00001-of-00003.gguf --json | jq .memory"}};
  if (const auto ended = parse_arguments(app, help, args, io)) return *ended;
  if (name.empty()) return usage_error(io, "inspect", "a model is needed: quern inspect FILE");

  const Result<file::Checkpoint> checkpoint = open_model(name);
  if (!checkpoint) return report(io, checkpoint.error());
  const Result<ModelFacts> facts = gather_facts(*checkpoint, name);
  if (!facts) return report(io, {facts.error().code, fmt::format("{}: {}", qn::quoted(name, 256), facts.error().message)});
  const TensorList list = tensors ? TensorList::shown : TensorList::hidden;
  const std::string text = as_json ? facts_as_json(*facts, *checkpoint) + "\n" : facts_as_text(*facts, *checkpoint, list);
  std::fwrite(text.data(), 1, text.size(), io.out);
  return exit_ok;
}

}  // namespace

Command command_inspect() {
  return {"inspect", "what a model file holds and would need in memory", Group::models, run_inspect};
}

}  // namespace qn::cli
