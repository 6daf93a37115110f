// quern link DIR: links with the names of the tools whose command lines the program answers.
#include <filesystem>
#include <system_error>

#include "cli/arguments.h"
#include "cli/command.h"
#include "cli/persona.h"

namespace qn::cli {
namespace {

namespace fs = std::filesystem;

// A link counts as ours if it leads to this program, wherever it lies.
bool is_ours(const fs::path& path, const fs::path& program) {
  std::error_code none;
  return fs::is_symlink(fs::symlink_status(path, none)) && fs::equivalent(path, program, none);
}

int run_link(std::span<const std::string> args, Io& io) {
  std::vector<std::string> folders;
  bool remove = false;
  CLI::App app;
  app.add_option("dir", folders);
  app.add_flag("--remove", remove, "take our links out of DIR again")->group("Options");
  const Help help{
      .command = "link",
      .summary = "Makes links to this program in DIR, named as the tools whose command lines it answers. Other files stay untouched.",
      .usage = {"quern link DIR [--remove]"},
      .examples = {"quern link ~/.local/bin"}};
  if (const auto ended = parse_arguments(app, help, args, io)) return *ended;
  if (folders.size() != 1) return usage_error(io, "link", "one folder is needed: quern link DIR");

  std::error_code error;
  const fs::path folder = folders.front();
  const fs::path program = fs::read_symlink("/proc/self/exe", error);
  if (error) return report(io, {Code::io, fmt::format("/proc/self/exe: {}; the program cannot find itself", error.message())});
  if (!fs::is_directory(folder, error))
    return report(io, {Code::not_found, fmt::format("{}: no such folder; make it first", qn::quoted(folders.front(), 200))});
  int code = exit_ok;
  for (const Persona& persona : all_personas()) {
    const fs::path link = folder / persona.tool;
    const bool there = fs::exists(fs::symlink_status(link, error));
    const bool ours = is_ours(link, program);
    if (remove) {
      if (!ours) continue;
      fs::remove(link, error);
      if (!error) fmt::print(io.out, "removed {}\n", link.string());
    } else if (there && !ours) {
      code = report(io, {Code::io, fmt::format("{}: something else has this name; it is left as it is", link.string())});
      continue;
    } else if (!there) {
      fs::create_symlink(program, link, error);
      if (!error) fmt::print(io.out, "{} -> {}\n", link.string(), program.string());
    }
    if (error) code = report(io, {Code::io, fmt::format("{}: {}", link.string(), error.message())});
  }
  return code;
}

}  // namespace

Command command_link() {
  return {"link", "make links named as the tools it stands in for", Group::program, run_link};
}

}  // namespace qn::cli
