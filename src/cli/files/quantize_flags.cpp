#include "cli/files/quantize_flags.h"

#include <algorithm>
#include <charconv>
#include <cstdint>

#include "cli/state_files.h"

namespace qn::cli {
namespace {

constexpr std::size_t longest_override_file = std::size_t{4} << 20;

template <class T>
std::optional<T> number_in(std::string_view text) {
  T value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

}  // namespace

Result<QuantizeWords> read_quantize_words(std::span<const std::string> words) {
  constexpr std::string_view form = "quern quantize IN [OUT] TYPE [THREADS]";
  if (words.size() < 2) return fail(Code::bad_input, "a model and a type are needed: {}", form);
  QuantizeWords read{.in = words[0]};
  words = words.subspan(1);
  const auto first = file::find_mix(words[0]);
  if (first) {
    read.mix = *first;
  } else {
    if (words.size() < 2) return tl::unexpected<Error>(first.error());
    read.out = words[0];
    words = words.subspan(1);
    QN_TRY(read.mix, file::find_mix(words[0]));
  }
  if (words.size() > 2) return fail(Code::bad_input, "{}: unexpected argument; the form is {}", quoted(words[2]), form);
  if (words.size() == 2) {
    read.threads = number_in<int>(words[1]);
    if (!read.threads) return fail(Code::bad_input, "{}: expected a number of threads; the form is {}", quoted(words[1]), form);
  }
  return read;
}

Result<const quant::Format*> read_format(std::string_view flag, std::string_view name) {
  if (const quant::Format* format = quant::find_format(name)) return format;
  std::string known;
  for (const quant::Format& format : quant::formats()) known += fmt::format("{}{}", known.empty() ? "" : " ", format.name);
  return fail(Code::bad_input, "{}: {} is no type of a tensor; give one of {}", flag, quoted(name), known);
}

Result<file::FormatOverride> read_override(std::string_view text) {
  const std::size_t equals = text.rfind('=');
  if (equals == 0 || equals == std::string_view::npos)
    return fail(Code::bad_input, "{}: expected NAME=TYPE, such as attn_v=q8_0", quoted(text));
  QN_TRY(const quant::Format* format, read_format(text.substr(0, equals), text.substr(equals + 1)));
  std::string pattern(text.substr(0, equals));
  std::transform(pattern.begin(), pattern.end(), pattern.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  return file::FormatOverride{std::move(pattern), format};
}

Result<std::vector<file::FormatOverride>> read_override_file(const std::string& path) {
  QN_TRY(const std::string text, read_small_file(path, longest_override_file));
  std::vector<file::FormatOverride> rows;
  std::string_view rest = text;
  constexpr std::string_view blanks = " \t\r\n";
  while (true) {
    rest.remove_prefix(std::min(rest.find_first_not_of(blanks), rest.size()));
    if (rest.empty()) return rows;
    const std::string_view word = rest.substr(0, rest.find_first_of(blanks));
    QN_TRY(file::FormatOverride row, read_override(word));
    rows.push_back(std::move(row));
    rest.remove_prefix(word.size());
  }
}

Result<std::pair<std::string, file::MetaValue>> read_metadata_change(std::string_view text) {
  const std::size_t equals = text.find('=');
  const std::size_t colon = equals == std::string_view::npos ? equals : text.find(':', equals);
  if (equals == 0 || colon == std::string_view::npos)
    return fail(Code::bad_input, "{}: expected KEY=TYPE:VALUE with a TYPE of int, float, bool or str", quoted(text));
  const std::string key(text.substr(0, equals));
  const std::string_view type = text.substr(equals + 1, colon - equals - 1), value = text.substr(colon + 1);
  const auto refuse = [&] { return fail(Code::bad_input, "{}: {} is no {}; give KEY=TYPE:VALUE", quoted(text), quoted(value), type); };
  if (type == "str") return std::pair{key, file::MetaValue(std::string(value))};
  if (type == "bool") {
    if (value != "true" && value != "false") return refuse();
    return std::pair{key, file::MetaValue(value == "true")};
  }
  if (type == "float") {
    const auto number = number_in<float>(value);
    if (!number) return refuse();
    return std::pair{key, file::MetaValue(*number)};
  }
  if (type == "int") {
    // What models count is unsigned in their files.
    if (const auto count = number_in<std::uint32_t>(value)) return std::pair{key, file::MetaValue(*count)};
    const auto number = number_in<std::int64_t>(value);
    if (!number) return refuse();
    return std::pair{key, file::MetaValue(*number)};
  }
  return fail(Code::bad_input, "{}: type {}; give int, float, bool or str", quoted(text), quoted(type));
}

Result<std::vector<int>> read_layers(std::string_view text) {
  std::vector<int> layers;
  while (true) {
    const std::size_t comma = text.find(',');
    const auto layer = number_in<int>(text.substr(0, comma));
    if (!layer || *layer < 0) return fail(Code::bad_input, "layers: expected numbers such as 4,5,6, got {}", quoted(text));
    if (std::find(layers.begin(), layers.end(), *layer) == layers.end()) layers.push_back(*layer);
    if (comma == std::string_view::npos) return layers;
    text.remove_prefix(comma + 1);
  }
}

}  // namespace qn::cli
