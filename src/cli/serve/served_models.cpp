#include "cli/serve/served_models.h"

#include <filesystem>

#include "cli/builtin_model.h"
#include "cli/model_loader.h"

namespace qn::cli {
namespace {

std::chrono::system_clock::time_point modified(const std::filesystem::path& path) {
  std::error_code none;
  const auto time = std::filesystem::last_write_time(path, none);
  return none ? std::chrono::system_clock::time_point{}
              : std::chrono::time_point_cast<std::chrono::system_clock::duration>(std::chrono::file_clock::to_sys(time));
}

}  // namespace

Result<serve::ServedModel> served_model(const std::string& name, const serve::LoadOptions& options) {
  serve::ServedModel model;
  model.name = name;
  model.load = options;
  QN_TRY(model.source, source_of(name));
  if (const auto* image = std::get_if<serve::ModelImage>(&model.source)) {
    model.size_bytes = image->bytes.size();
    return model;
  }
  const auto& path = std::get<std::filesystem::path>(model.source);
  std::error_code failed;
  if (!std::filesystem::is_regular_file(path, failed))
    return fail(Code::not_found, "{}: there is no such file; give the path of a GGUF file", quoted(name, 256));
  model.size_bytes = std::filesystem::file_size(path, failed);
  model.modified = modified(path);
  model.aliases = {path.filename().string(), path.stem().string()};
  return model;
}

}  // namespace qn::cli
