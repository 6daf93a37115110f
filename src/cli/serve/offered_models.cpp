#include "cli/serve/offered_models.h"

#include <sys/stat.h>

#include <algorithm>

#include "cli/builtin_model.h"

namespace qn::cli {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t most_models_in_folder = 4096;
constexpr std::size_t part_ending = std::string_view("-00001-of-00003").size();

// Whether a stem ends in "-00002-of-00003", and with which number.
bool is_part(std::string_view stem, std::string_view* number = nullptr) {
  if (stem.size() <= part_ending) return false;
  const std::string_view ending = stem.substr(stem.size() - part_ending);
  const auto digits = [](std::string_view text) { return text.find_first_not_of("0123456789") == std::string_view::npos; };
  if (ending[0] != '-' || ending.substr(6, 4) != "-of-" || !digits(ending.substr(1, 5)) || !digits(ending.substr(10))) return false;
  if (number != nullptr) *number = ending.substr(1, 5);
  return true;
}

bool is_model_file(const fs::path& path) {
  if (path.extension() != ".gguf") return false;
  const std::string stem = path.stem().string();
  std::string_view number;
  return stem.find("mmproj") == std::string::npos && (!is_part(stem, &number) || number == "00001");
}

void add_files(const fs::path& folder, std::vector<fs::path>& files) {
  std::error_code error;
  for (fs::directory_iterator entry(folder, error), end; !error && entry != end && files.size() < most_models_in_folder;
       entry.increment(error)) {
    std::error_code none;
    if (is_model_file(entry->path()) && entry->is_regular_file(none)) files.push_back(entry->path());
  }
}

bool holds(const fs::path& folder, std::string_view ending) {
  std::error_code error;
  for (fs::directory_iterator entry(folder, error), end; !error && entry != end; entry.increment(error))
    if (entry->path().filename().string().ends_with(ending)) return true;
  return false;
}

// Bytes of all its parts.
std::uint64_t size_of(const fs::path& file) {
  std::error_code none;
  const std::string stem = file.stem().string();
  if (!is_part(stem)) return fs::file_size(file, none);
  const std::string beginning = stem.substr(0, stem.size() - part_ending);
  std::uint64_t bytes = 0;
  for (fs::directory_iterator entry(file.parent_path().empty() ? fs::path(".") : file.parent_path(), none), end; entry != end;
       entry.increment(none)) {
    const std::string other = entry->path().stem().string();
    if (other.starts_with(beginning) && other.size() == stem.size() && is_part(other)) bytes += entry->file_size(none);
  }
  return bytes;
}

serve::ServedModel from_file(std::string name, const fs::path& file, const serve::LoadOptions& load) {
  serve::ServedModel model{.name = std::move(name), .source = file, .load = load};
  for (std::string alias : {file.string(), file.filename().string()})
    if (alias != model.name && std::find(model.aliases.begin(), model.aliases.end(), alias) == model.aliases.end())
      model.aliases.push_back(std::move(alias));
  model.size_bytes = size_of(file);
  struct ::stat facts {};
  if (::stat(file.c_str(), &facts) == 0) model.modified = std::chrono::system_clock::from_time_t(facts.st_mtime);
  return model;
}

Status add_folder(std::string_view word, const fs::path& folder, const serve::LoadOptions& load, std::vector<serve::ServedModel>& models) {
  const std::vector<fs::path> files = model_files(folder);
  for (const fs::path& file : files) models.push_back(from_file(model_name(file), file, load));
  if (files.size() == 1) models.back().aliases.emplace_back(word);
  if (!files.empty()) return {};
  if (holds(folder, ".safetensors"))
    return fail(
        Code::unsupported,
        "{}: a folder of safetensors, which this version does not read; give a GGUF file of the same model: many are published, and "
        "llama.cpp's convert_hf_to_gguf.py makes one of this folder",
        quoted(word, 256));
  return fail(Code::not_found, "{}: no model in this folder; put a GGUF file there, or give its path", quoted(word, 256));
}

}  // namespace

std::vector<fs::path> model_files(const fs::path& folder) {
  std::vector<fs::path> files;
  add_files(folder, files);
  std::error_code error;
  std::vector<fs::path> inner;
  for (fs::directory_iterator entry(folder, error), end; !error && entry != end; entry.increment(error)) {
    std::error_code none;
    if (entry->is_directory(none)) inner.push_back(entry->path());
  }
  for (const fs::path& one : inner) add_files(one, files);
  std::sort(files.begin(), files.end());
  return files;
}

std::string model_name(const fs::path& file) {
  std::string name = file.stem().string();
  if (is_part(name)) name.resize(name.size() - part_ending);
  return name;
}

Status add_models(std::string_view word, const serve::LoadOptions& load, std::vector<serve::ServedModel>& models) {
  std::string_view path = word;
  std::string name;
  std::error_code none;
  if (const std::size_t equals = word.find('='); equals != std::string_view::npos && equals > 0 && !fs::exists(fs::path(word), none)) {
    name = word.substr(0, equals);
    path = word.substr(equals + 1);
  }
  const fs::path file{path};
  if (path == builtin_model_name && !fs::exists(file, none)) {
    if (builtin_model().empty())
      return fail(Code::not_found, "{}: this program was built without the model inside; give the path of a GGUF file", path);
    models.push_back({.name = name.empty() ? std::string(builtin_model_name) : name,
                      .source = serve::ModelImage{std::string(builtin_model_name), builtin_model()},
                      .load = load,
                      .size_bytes = builtin_model().size()});
    return {};
  }
  if (fs::is_directory(file, none)) {
    if (!name.empty() && model_files(file).size() > 1)
      return fail(Code::bad_input, "{}: the folder has several models, and one name is given; give the path of a file", quoted(word, 256));
    QN_OK(add_folder(path, file, load, models));
    if (!name.empty()) models.back().name = name;
    return {};
  }
  if (!fs::is_regular_file(file, none))
    return fail(Code::not_found,
                "{}: no such file or folder; give the path of a GGUF file, a folder of them, or {}: this version downloads no models",
                quoted(path, 256), builtin_model_name);
  if (file.extension() == ".safetensors")
    return fail(Code::unsupported, "{}: safetensors, which this version does not read; give a GGUF file of the same model",
                quoted(path, 256));
  models.push_back(from_file(name.empty() ? model_name(file) : name, file, load));
  return {};
}

}  // namespace qn::cli
