// oracle_gguf IN OUT: reads a model and writes it again, so that another reader can judge our writer.
#include <cstdio>
#include <vector>

#include "file/checkpoint.h"
#include "file/gguf_writer.h"

namespace {

qn::Status copy(const char* from, const char* to) {
  using namespace qn::file;
  QN_TRY(const Checkpoint model, open_gguf(std::filesystem::path(from)));
  std::vector<TensorInfo> infos;
  for (const TensorEntry& tensor : model.tensors) infos.push_back({tensor.name, tensor.format, tensor.shape});
  QN_TRY(GgufWriter writer, GgufWriter::create(to, model.metadata, infos));
  for (const TensorEntry& tensor : model.tensors) QN_OK(writer.write(tensor.bytes));
  return writer.finish();
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  const qn::Status done = copy(argv[1], argv[2]);
  if (!done) std::fprintf(stderr, "%s\n", done.error().message.c_str());
  return done ? 0 : 1;
}
