#include "cli/model_loader.h"

#include <algorithm>
#include <charconv>
#include <limits>

#include "backend/cpu/cpu_backend.h"
#include "cli/builtin_model.h"
#include "cli/chat/saved_chat.h"
#include "quant/format.h"

namespace qn::cli {
namespace {

bool is_file(const std::filesystem::path& path) {
  std::error_code none;
  return std::filesystem::is_regular_file(path, none);
}

}  // namespace

void declare_loading_flags(CLI::App& app, LoadingChoice& choice, const std::string& group) {
  app.add_flag("--no-mmap,!--mmap", choice.no_map, "read the file into memory, instead of using it where it is mapped")->group(group);
  app.add_flag("--mlock", choice.lock, "keep the weights from being paged out")->group(group);
  app.add_option("--load-mode", choice.mode, "both in one: auto, none, mmap, mlock, mmap+mlock")->type_name("HOW")->group(group);
}

Status read_loading(const LoadingChoice& choice, serve::LoadOptions& options) {
  struct Mode {
    std::string_view name;
    bool no_map, lock;
  };
  static constexpr Mode modes[] = {{"auto", false, false}, {"none", true, false},       {"mmap", false, false},
                                   {"mlock", true, true},  {"mmap+mlock", false, true}, {"dio", true, false}};
  Mode wanted{"", choice.no_map, choice.lock};
  if (!choice.mode.empty()) {
    const auto* found = std::find_if(std::begin(modes), std::end(modes), [&](const Mode& mode) { return mode.name == choice.mode; });
    if (found == std::end(modes))
      return fail(Code::bad_input, "--load-mode: expected auto, none, mmap, mlock or mmap+mlock, got {}", qn::quoted(choice.mode));
    wanted = {found->name, found->no_map || choice.no_map, found->lock || choice.lock};
  }
  options.residence = wanted.no_map ? Residence::read_in : Residence::mapped;
  options.lock = wanted.lock;
  return {};
}

ModelLoader::~ModelLoader() = default;

Result<std::unique_ptr<ModelLoader>> ModelLoader::make(const DeviceChoice& choice, Io& io) {
  QN_TRY(ThreadPlan threads, plan_threads(choice.threads, this_topology(), io));
  if (!choice.gpu_layers.empty() && choice.gpu_layers != "auto" && choice.gpu_layers != "all") {
    std::int64_t layers = 0;
    const char* const end = choice.gpu_layers.data() + choice.gpu_layers.size();
    const auto [stop, error] = std::from_chars(choice.gpu_layers.data(), end, layers);
    if (error != std::errc() || stop != end || layers < -1)
      return fail(Code::bad_input, "--n-gpu-layers: expected a number, auto or all, got {}", qn::quoted(choice.gpu_layers));
    if (layers > 0) note(io, fmt::format("--n-gpu-layers {}: no GPU can be used; every layer is computed on the CPU", layers));
  } else if (choice.gpu_layers == "all") {
    note(io, "--n-gpu-layers all: no GPU can be used; every layer is computed on the CPU");
  }
  return std::unique_ptr<ModelLoader>(new ModelLoader(std::move(threads)));
}

Backend& ModelLoader::device() {
  if (device_ == nullptr)
    device_ = make_cpu_backend({.threads = threads_.threads,
                                .prompt_threads = threads_.prompt_threads,
                                .pool = {.places = threads_.places, .priority = threads_.priority, .spin = threads_.spin}});
  return *device_;
}

void ModelLoader::show_products(ProductWatcher& watcher) {
  watched_ = watch(device(), watcher);
}

Result<std::unique_ptr<serve::LoadedModel>> ModelLoader::load(const std::string& name, const serve::LoadOptions& options, For purpose) {
  QN_TRY(const serve::ModelSource source, source_of(name));
  Backend& on = watched_ != nullptr ? *watched_ : device();
  return purpose == For::replies ? serve::load_model(source, options, on) : serve::load_without_engine(source, options, on);
}

Result<serve::ModelSource> source_of(const std::string& name) {
  if (name != builtin_model_name) return std::filesystem::path(name);
  if (builtin_model().empty())
    return fail(Code::not_found, "{}: this program was built without the model inside; give the path of a GGUF file", name);
  return serve::ModelImage{name, builtin_model()};
}

Result<file::Checkpoint> open_model(const std::string& name) {
  QN_TRY(const serve::ModelSource source, source_of(name));
  if (const auto* image = std::get_if<serve::ModelImage>(&source)) return file::open_gguf(image->bytes, image->name);
  return file::open_gguf(std::get<std::filesystem::path>(source));
}

WordKind classify(const std::string& word) {
  if (word == builtin_model_name || is_file(word)) {
    return word.ends_with(".json") ? WordKind::saved_chat : WordKind::model;
  }
  if (word.find_first_of(" \t\n") != std::string::npos) return WordKind::words;
  const bool path =
      word.ends_with(".gguf") || word.starts_with("./") || word.starts_with("../") || word.starts_with('/') || word.starts_with("~/");
  if (path) return WordKind::missing;
  if (is_file(saved_chat_path(word))) return WordKind::saved_chat;
  // name:tag and host/name are how stores call their models.
  const bool store_name = word.starts_with("hf.co/") || word.starts_with("modelscope.cn/") || word.starts_with("ollama.com/");
  const std::size_t colon = word.find(':');
  const bool tagged = colon != std::string::npos && colon > 0 && colon + 1 < word.size() && word.find("//") == std::string::npos;
  return store_name || tagged ? WordKind::missing : WordKind::words;
}

Result<const quant::Format*> read_cache_format(std::string_view flag, std::string_view name) {
  static constexpr std::string_view known[] = {"f32", "f16", "bf16", "q8_0", "q4_0", "q4_1", "q5_0", "q5_1", "iq4_nl"};
  for (std::string_view one : known)
    if (one == name)
      if (const quant::Format* format = quant::find_format(name); format != nullptr && format->for_cache) return format;
  return fail(Code::bad_input, "{}: {} is no format for the cache; give f32, f16, bf16, q8_0, q5_1, q5_0, q4_1, q4_0 or iq4_nl", flag,
              qn::quoted(name));
}

Status read_cache_formats(std::string_view flag, std::string_view names, serve::LoadOptions& options) {
  const std::size_t comma = names.find(',');
  QN_TRY(options.key_format, read_cache_format(flag, names.substr(0, comma)));
  QN_TRY(options.value_format, read_cache_format(flag, comma == std::string_view::npos ? names : names.substr(comma + 1)));
  return {};
}

Result<std::int64_t> read_count(std::string_view flag, std::string_view text) {
  struct Unit {
    char letter;
    double size;
  };
  static constexpr Unit units[] = {{'k', 1e3}, {'K', 1024.0}, {'m', 1e6}, {'M', 1024.0 * 1024}, {'g', 1e9}, {'G', 1024.0 * 1024 * 1024}};
  std::string_view digits = text;
  double size = 1;
  for (const Unit& unit : units) {
    if (!digits.ends_with(unit.letter)) continue;
    size = unit.size;
    digits.remove_suffix(1);
    break;
  }
  double value = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value, std::chars_format::fixed);
  const double count = value * size;
  const bool whole =
      error == std::errc() && end == digits.data() + digits.size() && count == static_cast<double>(static_cast<std::int64_t>(count));
  if (digits.empty() || !whole || count < 0 || count > static_cast<double>(std::numeric_limits<std::int32_t>::max()))
    return fail(Code::bad_input, "{}: expected a count such as 4096, 8K or 25.6k, got {}", flag, qn::quoted(text));
  return static_cast<std::int64_t>(count);
}

}  // namespace qn::cli
