// ImportanceMatrix: how strongly each input of each linear layer is used, measured on a text: the mean of its squared activations.
// Quantizers weigh their errors by it.
#pragma once

#include <cstddef>
#include <filesystem>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace qn::file {

struct ImportanceMatrix {
  struct Entry {
    std::vector<float> sums;    // of squares, one for each input, for each matrix of the tensor (experts)
    std::vector<float> counts;  // tokens, one for each matrix; or one for all

    std::vector<float> means() const;  // 1 where nothing was counted
  };
  std::map<std::string, Entry, std::less<>> entries;  // by the name of the weight
  std::vector<std::string> datasets;
  int chunks = 0;
  int chunk_tokens = 0;  // 0: not known

  void add(const ImportanceMatrix& other);  // entries of another size are left out
};

// Either format, told apart by its first bytes.
//   errors   not_found, io; bad_input: entry and offset
//   source   llama.cpp tools/imatrix: the GGUF form of 2025, and the older .dat
Result<ImportanceMatrix> read_importance(const std::filesystem::path& path);
//   name     for messages
Result<ImportanceMatrix> parse_importance_dat(std::span<const std::byte> image, std::string_view name);

Status write_importance_gguf(const ImportanceMatrix& matrix, const std::filesystem::path& path);
Status write_importance_dat(const ImportanceMatrix& matrix, const std::filesystem::path& path);

}  // namespace qn::file
