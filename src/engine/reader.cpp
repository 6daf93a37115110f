#include "engine/reader.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "base/check.h"

namespace qn::engine {
namespace {

bool holds(const std::vector<TokenId>& tokens, TokenId token) {
  return std::ranges::find(tokens, token) != tokens.end();
}

std::span<const TokenId> drafts_of(const Reading& reading) {
  return std::span(reading.in_step->tokens).last(static_cast<std::size_t>(reading.in_step->drafts));
}

}  // namespace

int Reading::accepted() const {
  const auto drafts = drafts_of(*this);
  const auto right = std::ranges::mismatch(drafts, chosen, {}, {}, &Sampled::token).in1 - drafts.begin();
  return static_cast<int>(right);
}

bool Reading::at_end() const {
  return in_step->first_position + static_cast<int>(in_step->tokens.size()) - in_step->drafts == static_cast<int>(context.size());
}

Reader::Reader(Runner& runner, int longest)
    : runner_(runner), info_(runner.info()), longest_(longest), samplers_(static_cast<std::size_t>(runner.workers())) {}

Status Reader::read(std::span<Reading> readings) {
  std::vector<Reading*> pooled;
  std::vector<Unit> units;
  for (Reading& reading : readings) {
    if (reading.active->generation.pooling) {
      pooled.push_back(&reading);
      continue;
    }
    const int count = static_cast<int>(reading.in_step->tokens.size());
    const int tail = reading.at_end() ? 1 + reading.in_step->drafts : 0;
    for (int i = count - reading.in_step->reads; i < count - tail; ++i) {
      units.push_back({.reading = &reading, .first = i, .rows = 1, .is_prompt = true});
    }
    if (tail > 0) units.push_back({.reading = &reading, .first = count - tail, .rows = tail});
    if (reading.active->generation.prompt_logprobs) {
      reading.active->prompt_scores.resize(static_cast<std::size_t>(reading.active->counts.prompt_tokens - 1));
    }
  }
  QN_OK(read_hidden(pooled));
  return read_logits(std::move(units));
}

Status Reader::read_hidden(std::span<Reading*> readings) {
  struct Row {
    Reading* reading;
    int position;
  };
  std::vector<Row> rows;
  std::vector<int> in_step;
  for (Reading* reading : readings) {
    const int count = static_cast<int>(reading->in_step->tokens.size());
    for (int i = count - reading->in_step->reads; i < count; ++i) {
      const int position = reading->in_step->first_position + i;
      if (reading->active->generation.pooling == Pooling::cls && position > 0) continue;
      rows.push_back({reading, position});
      in_step.push_back(reading->first_row + i);
    }
  }
  const auto width = static_cast<std::size_t>(info_.width);
  for (std::size_t begin = 0, end; begin < rows.size(); begin = end) {
    end = std::min(rows.size(), begin + static_cast<std::size_t>(info_.max_logits));
    QN_TRY(const std::span<const float> hidden, runner_.hidden(std::span(in_step).subspan(begin, end - begin)));
    for (std::size_t i = begin; i < end; ++i) pool(*rows[i].reading, rows[i].position, hidden.subspan((i - begin) * width, width));
  }
  for (Reading* reading : readings) {
    if (reading->error || !reading->at_end()) continue;
    const Active& active = *reading->active;
    const double count = active.generation.pooling == Pooling::mean ? active.counts.prompt_tokens : 1;
    for (const double sum : active.pooled) reading->embedding.push_back(static_cast<float>(sum / count));
    reading->finish = Finish::max_tokens;
  }
  return {};
}

// Sums run over positions in order, whatever chunks they come in.
void Reader::pool(Reading& reading, int position, std::span<const float> hidden) {
  std::vector<double>& pooled = reading.active->pooled;
  pooled.resize(hidden.size());
  bool finite = true;
  for (std::size_t d = 0; d < hidden.size(); ++d) {
    finite &= std::isfinite(hidden[d]);
    pooled[d] += static_cast<double>(hidden[d]);
  }
  if (!finite && !reading.error) reading.error = nonfinite("hidden states", static_cast<std::size_t>(position));
}

Status Reader::read_logits(std::vector<Unit> units) {
  std::vector<int> rows;
  for (std::size_t begin = 0, end = 0; begin < units.size(); begin = end) {
    rows.clear();
    for (; end < units.size() && static_cast<int>(rows.size()) + units[end].rows <= info_.max_logits; ++end) {
      units[end].at = rows.size();
      for (int i = 0; i < units[end].rows; ++i) rows.push_back(units[end].reading->first_row + units[end].first + i);
    }
    QN_CHECK(end > begin, "what is read together fits in one piece");
    QN_TRY(const std::span<const float> logits, runner_.logits(rows));
    read_chunk(std::span(units).subspan(begin, end - begin), logits);
  }
  return {};
}

// In rounds: each chooses one token more for every sequence whose next row is there, as long as its drafts were right.
void Reader::read_chunk(std::span<Unit> units, std::span<const float> logits) {
  std::vector<Unit*> open;
  for (Unit& unit : units) open.push_back(&unit);
  const auto vocab = static_cast<std::size_t>(info_.vocab);
  while (true) {
    std::erase_if(open, [&](Unit* unit) { return !unit->is_prompt && !wants_choice(*unit); });
    if (open.empty()) return;
    runner_.for_each(static_cast<int>(open.size()), [&](int worker, int index) {
      Unit& unit = *open[static_cast<std::size_t>(index)];
      const std::size_t row = unit.at + (unit.is_prompt ? 0 : unit.reading->chosen.size());
      std::unique_ptr<Sampler>& sampler = samplers_[static_cast<std::size_t>(worker)];
      if (!sampler) sampler = std::make_unique<Sampler>(info_.vocab);
      read_row(unit, *sampler, logits.subspan(row * vocab, vocab));
    });
    for (Unit* unit : open) {
      Reading& reading = *unit->reading;
      if (unit->error && !reading.error) reading.error = std::move(unit->error);
      if (unit->choice && !reading.error) take(reading, *std::exchange(unit->choice, {}));
    }
    std::erase_if(open, [](Unit* unit) { return unit->is_prompt || unit->reading->error; });
  }
}

// On any thread: it writes to the unit alone, and to what no other unit of its sequence writes to.
void Reader::read_row(Unit& unit, Sampler& sampler, std::span<const float> row) {
  Reading& reading = *unit.reading;
  Active& active = *reading.active;
  const Generation& generation = active.generation;
  const std::span<const TokenId> text = unit.text.empty() ? reading.context : std::span<const TokenId>(unit.text);
  const auto keep = [&](auto result, auto& kept) {
    if (result) {
      kept = *std::move(result);
    } else {
      unit.error = std::move(result).error();
    }
  };
  if (unit.is_prompt) {
    const auto position = static_cast<std::size_t>(reading.in_step->first_position + unit.first);
    keep(sampler.score(row, reading.context[position + 1], *generation.prompt_logprobs, position + 1), active.prompt_scores[position]);
  } else if (!generation.scored.empty()) {
    keep(sampler.score(row, generation.scored, text.size()), reading.scores);
    reading.finish = Finish::max_tokens;
  } else if (!active.forced.empty()) {
    keep(sampler.score(row, active.forced.front(), *generation.top_logprobs, text.size()), unit.choice);
  } else {
    keep(sampler.sample(generation.sampling,
                        {.logits = row,
                         .context = text,
                         .banned = active.may_stop() ? std::span<const TokenId>{} : std::span<const TokenId>{generation.stop_tokens},
                         .top_logprobs = generation.top_logprobs,
                         .prompt_tokens = static_cast<std::size_t>(active.counts.prompt_tokens),
                         .allowed = unit.allowed}),
         unit.choice);
  }
}

// Says what is forced; then whether there is a row from which the next token can be chosen, and makes ready for it.
bool Reader::wants_choice(Unit& unit) {
  Reading& reading = *unit.reading;
  Active& active = *reading.active;
  const Generation& generation = active.generation;
  if (generation.max_tokens == 0) reading.finish = Finish::max_tokens;
  if (reading.finish || reading.error) return false;
  if (!generation.scored.empty()) return true;
  while (generation.constraint && active.forced.empty()) {
    active.forced = generation.constraint->forced();
    if (active.forced.empty() || generation.top_logprobs) break;  // log probabilities need a row for each
    for (const TokenId token : std::exchange(active.forced, {})) {
      take(reading, {.token = token, .top = {}});
      reading.forced += 1;
      if (reading.finish) return false;
    }
  }
  const std::span<const TokenId> drafts = drafts_of(reading);
  if (reading.chosen.size() > drafts.size() || reading.accepted() < static_cast<int>(reading.chosen.size())) return false;
  if (generation.constraint) unit.allowed = generation.constraint->allowed();
  if (!reading.chosen.empty()) {
    unit.text.assign(reading.context.begin(), reading.context.end());
    for (const Sampled& sampled : reading.chosen) unit.text.push_back(sampled.token);
  }
  return true;
}

void Reader::take(Reading& reading, Sampled sampled) {
  Active& active = *reading.active;
  const Generation& generation = active.generation;
  const TokenId token = sampled.token;
  QN_CHECK(token >= 0 && token < info_.vocab, "a constraint speaks of tokens of the vocabulary");
  reading.chosen.push_back(std::move(sampled));
  active.counts.generated_tokens += 1;
  if (!active.forced.empty()) active.forced.erase(active.forced.begin());
  if (holds(generation.stop_tokens, token)) {
    reading.finish = Finish::end_of_text;
    return;
  }
  if (generation.constraint) generation.constraint->advance(token);
  if (generation.max_tokens && active.counts.generated_tokens >= *generation.max_tokens) {
    reading.finish = Finish::max_tokens;
  } else if (reading.context.size() + reading.chosen.size() >= static_cast<std::size_t>(longest_)) {
    reading.finish = Finish::context_full;
  }
}

}  // namespace qn::engine
