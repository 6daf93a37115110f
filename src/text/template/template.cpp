#include "text/template/template.h"

#include <algorithm>

#include "base/utf8.h"
#include "text/template/machine.h"
#include "text/template/parser.h"
#include "text/template/program.h"
#include "text/template/scopes.h"

namespace qn::text {

struct Template::Program : jinja::Program {};

namespace {

// Every error names the thing first; those of the parser and the machine begin with the line.
tl::unexpected<Error> named(Error error) {
  error.message = "chat template: " + error.message;
  return tl::unexpected<Error>(std::move(error));
}

constexpr std::size_t longest_word = 64;  // a literal longer than this is text, not the name of something

}  // namespace

Template::Template(std::shared_ptr<const Program> program) : program_(std::move(program)) {}
Template::Template(Template&&) noexcept = default;
Template& Template::operator=(Template&&) noexcept = default;
Template::~Template() = default;

Result<Template> Template::parse(std::string_view source, const TemplateLimits& limits) {
  if (source.size() > limits.source_bytes)
    return fail(Code::too_large, "chat template: {} bytes, at most {} accepted; use a shorter one", source.size(), limits.source_bytes);
  if (!utf8::is_valid(source)) return fail(Code::bad_input, "chat template: not UTF-8; convert it");
  Result<jinja::Parsed> parsed = jinja::Parser(source, limits).parse();
  if (!parsed) return named(parsed.error());
  auto program = std::make_shared<Program>();
  program->limits = limits;
  if (const Status bound = jinja::resolve_names(*parsed, program->scope, limits); !bound) return named(bound.error());
  program->names = std::move(parsed->names);
  program->constants = std::move(parsed->constants);
  program->body = std::move(parsed->body);
  program->words = program->names;
  for (const jinja::Constant& constant : program->constants)
    if (const auto* text = std::get_if<std::string>(&constant); text != nullptr && text->size() <= longest_word)
      program->words.push_back(*text);
  std::sort(program->words.begin(), program->words.end());
  return Template(std::move(program));
}

Result<std::string> Template::render(const json::Object& variables, std::tm now) const {
  jinja::Machine machine(*program_, variables, now);
  Result<std::string> out = machine.run();
  if (!out) {
    Error error = out.error();
    error.message = fmt::format("line {}: {}", machine.line(), error.message);
    return named(std::move(error));
  }
  return out;
}

bool Template::mentions(std::string_view name) const {
  return std::binary_search(program_->words.begin(), program_->words.end(), name);
}

}  // namespace qn::text
