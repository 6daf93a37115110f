// How surprised a model is by each token, computed by Quern's own kernels:  oracle_token_loss FILE.gguf <documents >losses
//   in    documents, each an int32 count and as many int32 token ids
//   out   for each document count - 1 f64: -ln of the probability of token i + 1 after tokens [0, i]
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <vector>

#include "backend/cpu/cpu_backend.h"
#include "model/forward.h"

namespace {

using namespace qn;

constexpr int page_tokens = 32;
constexpr int longest = 2048;  // tokens of a document

using Document = std::vector<TokenId>;

bool read_document(Document& out) {
  std::int32_t count = 0;
  if (std::fread(&count, sizeof count, 1, stdin) != 1 || count < 1 || count > longest) return false;
  std::vector<std::int32_t> ids(static_cast<std::size_t>(count));
  if (std::fread(ids.data(), sizeof ids[0], ids.size(), stdin) != ids.size()) return false;
  out.assign(ids.begin(), ids.end());
  return true;
}

double loss(std::span<const float> logits, TokenId next) {
  double largest = logits[0];
  for (float logit : logits) largest = std::max(largest, double{logit});
  double sum = 0;
  for (float logit : logits) sum += std::exp(double{logit} - largest);
  return largest + std::log(sum) - double{logits[static_cast<std::size_t>(next)]};
}

Result<std::unique_ptr<model::Forward>> load(const char* path, Backend& backend) {
  QN_TRY(file::Checkpoint opened, file::open_gguf(path));
  auto checkpoint = std::make_shared<const file::Checkpoint>(std::move(opened));
  QN_TRY(const model::Description description, model::describe(*checkpoint));
  QN_TRY(std::shared_ptr<const model::Model> loaded, model::Model::load(checkpoint, model::place_on(backend, description.sizes.layers)));
  const quant::Format* f32 = quant::find_format("F32");
  return model::Forward::make(loaded, {.kv = {.keys = f32, .values = f32, .page_tokens = page_tokens},
                                       .pages = longest / page_tokens,
                                       .max_rows = longest,
                                       .max_logits = longest});
}

Result<std::vector<double>> losses(model::Forward& forward, const Document& ids) {
  std::vector<PageId> pages;
  for (std::uint32_t page = 0; page < longest / page_tokens; ++page) pages.push_back({page});
  const sched::Step step{{{.id = {1}, .first_position = 0, .tokens = ids, .pages = pages, .reads = 1}}};
  QN_TRY(const std::span<const float> logits, forward.run(step, model::LogitsOf::all));
  const auto vocab = static_cast<std::size_t>(forward.model().sizes().vocab);
  std::vector<double> out;
  for (std::size_t i = 0; i + 1 < ids.size(); ++i) out.push_back(loss(logits.subspan(i * vocab, vocab), ids[i + 1]));
  return out;
}

Result<void> run(const char* path) {
  const std::unique_ptr<Backend> backend = make_cpu_backend();
  QN_TRY(const std::unique_ptr<model::Forward> forward, load(path, *backend));
  for (Document document; read_document(document);) {
    QN_TRY(const std::vector<double> found, losses(*forward, document));
    std::fwrite(found.data(), sizeof found[0], found.size(), stdout);
  }
  return {};
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fputs("usage: oracle_token_loss FILE.gguf <documents >losses\n", stderr);
    return 2;
  }
  if (const auto done = run(argv[1]); !done) {
    std::fprintf(stderr, "%s\n", done.error().message.c_str());
    return 1;
  }
  return 0;
}
