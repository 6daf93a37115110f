// embed(): texts or tokens to vectors, whatever the dialect that asks.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "api/batch.h"
#include "api/fields.h"
#include "serve/embedding.h"

namespace qn::api {

using EmbedInput = std::variant<std::string, std::vector<TokenId>>;

struct EmbedJob {
  ModelWish wish;
  std::vector<EmbedInput> inputs;
  bool cuts = false;               // what does not fit the window is cut at its end; else it is refused
  std::optional<int> most_tokens;  // of an input; what is longer is cut, whatever `cuts` says
  std::optional<int> dimensions;   // the first so many numbers of each vector
  int norm = serve::norm_euclidean;
  std::vector<Warning> warnings;
};

struct Embedded {
  std::string model;
  std::vector<std::vector<float>> vectors;  // in the order of the inputs
  int prompt_tokens = 0, cached_tokens = 0;
  int cut_tokens = 0;  // dropped to make inputs fit
  std::chrono::nanoseconds load_time{0}, total{0};
  std::vector<Warning> warnings;
};

//   answer   on a worker; errors have been answered
void embed(Service& service, const std::shared_ptr<Exchange>& exchange, EmbedJob job,
           std::function<void(Exchange&, const Embedded&)> answer);

// "text", [ids], ["text", …] or [[ids], …]. None where the field is missing.
std::vector<EmbedInput> read_inputs(Fields& fields, std::string_view name);

// As few digits as name the number among floats.
json::Array to_json(const std::vector<float>& vector);
// Of the numbers' bytes, little-endian.
std::string to_base64(const std::vector<float>& vector);

}  // namespace qn::api
