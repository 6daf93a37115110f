#include "unit/sched/story.h"

#include <algorithm>
#include <deque>
#include <map>
#include <set>

#include "base/random.h"
#include "unit/sched/fake_device.h"

namespace qn::sched {
namespace {

class Dice {
 public:
  explicit Dice(std::uint64_t seed) : seed_(seed) {}
  int between(int low, int high) {  // both included
    return low + static_cast<int>(philox(seed_, count_++)[0] % static_cast<std::uint32_t>(high - low + 1));
  }
  bool one_in(int n) { return between(1, n) == 1; }

 private:
  std::uint64_t seed_, count_ = 0;
};

struct Case {
  std::vector<TokenId> prompt;
  int reply_tokens;
  int arrives, leaves;  // by step; leaves < 0: stays to the end
  std::uint64_t salt, tenant;
  int priority;
  bool ahead;
  bool reads_prompt;
  int rows_a_step;
  int forced_every;                 // every so manyth token of the reply is not the model's; 0: none is
  int drafts;                       // guesses a step
  std::vector<TokenId> alone = {};  // the reply
  std::vector<TokenId> reply = {};
  std::vector<TokenId> prompt_read = {};  // what the device said after each token of the prompt but the last; -1: nothing yet
  bool cancelled = false, done = false;

  bool forces(std::size_t place) const {
    return forced_every > 0 && place % static_cast<std::size_t>(forced_every) == static_cast<std::size_t>(forced_every) - 1;
  }
  TokenId forced(std::size_t place) const { return static_cast<TokenId>(place % 3); }
};

struct Flight {
  Step step;
  std::vector<std::vector<PageId>> pages;  // of each sequence; the step's own are borrowed
  std::vector<std::vector<TokenId>> said;
  std::vector<bool> wants_next;
};

class Teller {
 public:
  Teller(std::uint64_t seed, int depth)
      : dice_(seed), depth_(depth), limits_(random_limits(depth)), scheduler_(limits_), device_(limits_.pages, limits_.page_tokens) {
    random_cases();
  }

  Story tell() {
    int& now = out_.steps;
    for (; out_.wrong.empty(); ++now) {
      bool more_to_come = false;
      for (std::size_t i = 0; i < cases_.size(); ++i) {
        const Case& c = cases_[i];
        if (c.arrives == now)
          demand(!scheduler_.add({.id = id_of(i),
                                  .prompt = c.prompt,
                                  .salt = c.salt,
                                  .priority = c.priority,
                                  .tenant = c.tenant,
                                  .weight = c.tenant == 0 ? 1.0 : 2.5,
                                  .expected_tokens = c.reply_tokens / 2,
                                  .reads = c.reads_prompt ? Reads::every_row : Reads::next_token,
                                  .rows_a_step = c.rows_a_step,
                                  .ahead = c.ahead}),
                 "refused what fits");
        more_to_come |= c.arrives > now;
        if (i % 2 == 0) cancel_if_due(i, now);  // before the plan
      }
      if (scheduler_.idle() && flights_.empty() && !more_to_come) break;
      demand(now < 20000, "does not end");
      const int ahead = depth_ == 0 ? 0 : dice_.between(0, depth_);
      while (static_cast<int>(flights_.size()) <= ahead && out_.wrong.empty()) {
        suggest_drafts();
        if (!launch()) break;
      }
      for (std::size_t i = 1; i < cases_.size(); i += 2) cancel_if_due(i, now);  // while steps are in flight
      check_held();
      if (!flights_.empty() && out_.wrong.empty()) land();
      out_.trace += "\n";
    }
    conclude();
    return std::move(out_);
  }

 private:
  static SequenceId id_of(std::size_t i) { return SequenceId{100 + i}; }
  Case& case_of(SequenceId id) { return cases_[static_cast<std::size_t>(id.value - 100)]; }

  void demand(bool holds, const char* what) {
    if (!holds && out_.wrong.empty()) out_.wrong = what;
  }

  Limits random_limits(int depth) {
    Limits limits;
    limits.depth = depth;
    limits.page_tokens = dice_.between(1, 8);
    limits.max_batched_tokens = dice_.between(1, 24);
    limits.prompt_rows_beside_replies = dice_.between(0, 8);
    limits.max_sequences = dice_.between(1, 8);
    limits.pages = dice_.between(2, 40) * dice_.between(1, 2);
    limits.context_tokens = dice_.between(2, 120);
    return limits;
  }

  void random_cases() {
    const int longest = scheduler_.longest();
    std::vector<TokenId> common;
    for (int i = 0; i < longest; ++i) common.push_back(dice_.between(0, 2));
    for (int count = dice_.between(1, 14); count > 0; --count) {
      const int prompt_tokens = dice_.between(1, longest - 1);
      const int shared = dice_.one_in(3) ? 0 : dice_.between(0, prompt_tokens);
      std::vector<TokenId> prompt(common.begin(), common.begin() + shared);
      while (static_cast<int>(prompt.size()) < prompt_tokens) prompt.push_back(dice_.between(0, 2));
      Case c{.prompt = prompt,
             .reply_tokens = dice_.between(1, longest - prompt_tokens),
             .arrives = dice_.one_in(2) ? 3 : dice_.between(0, 30),
             .leaves = dice_.one_in(4) ? dice_.between(0, 60) : -1,
             .salt = static_cast<std::uint64_t>(dice_.one_in(4)),
             .tenant = static_cast<std::uint64_t>(dice_.between(0, 1)),
             .priority = dice_.one_in(4) ? dice_.between(-1, 1) : 0,
             .ahead = !dice_.one_in(3),
             .reads_prompt = dice_.one_in(5),
             .rows_a_step = dice_.one_in(5) ? dice_.between(1, 8) : 1000,
             .forced_every = dice_.one_in(4) ? dice_.between(1, 5) : 0,
             .drafts = dice_.one_in(3) ? dice_.between(1, 6) : 0};
      c.ahead &= c.forced_every == 0 && c.drafts == 0;
      std::vector<TokenId> text = prompt;
      for (int i = 0; i < c.reply_tokens; ++i) {
        const auto place = static_cast<std::size_t>(i);
        text.push_back(c.forces(place) ? c.forced(place) : FakeDevice::says(text).back());
      }
      c.alone.assign(text.begin() + prompt_tokens, text.end());
      c.prompt_read.assign(prompt.size() - 1, -1);
      cases_.push_back(std::move(c));
    }
  }

  void pages_add_up() {
    const Counts c = scheduler_.counts();
    demand(c.pages_free >= 0 && c.pages_cached >= 0 && c.pages_held >= 0, "a count of pages is negative");
    demand(c.pages_free + c.pages_cached + c.pages_held == limits_.pages, "free + cached + held != total");
  }

  void cancel_if_due(std::size_t i, int now) {
    Case& c = cases_[i];
    if (c.leaves == now && c.arrives <= now && !c.cancelled && scheduler_.cancel(id_of(i))) c.cancelled = true;
    pages_add_up();
  }

  bool runs(const Case& c, SequenceId id) const { return !c.cancelled && !c.done && scheduler_.contains(id); }

  // What will be said, with a mistake here and there.
  void suggest_drafts() {
    for (std::size_t i = 0; i < cases_.size(); ++i) {
      const Case& c = cases_[i];
      if (c.drafts == 0 || !runs(c, id_of(i))) continue;
      std::vector<TokenId> drafts;
      for (std::size_t at = c.reply.size(); at < c.alone.size() && static_cast<int>(drafts.size()) < c.drafts; ++at)
        drafts.push_back(dice_.one_in(4) ? dice_.between(0, 2) : c.alone[at]);
      scheduler_.suggest(id_of(i), drafts);
    }
  }

  bool launch() {
    Flight flight{.step = scheduler_.plan(), .pages = {}, .said = {}, .wants_next = {}};
    pages_add_up();
    const Step& step = flight.step;
    if (step.sequences.empty()) {
      demand(!flights_.empty() || scheduler_.idle(), "an empty step while there is work and none in flight");
      return false;
    }
    demand(step.rows() <= limits_.max_batched_tokens, "too many rows");
    demand(static_cast<int>(step.sequences.size()) <= limits_.max_sequences, "too many sequences");
    std::set<PageId> written;
    for (const StepSequence& s : step.sequences) {
      const Case& c = case_of(s.id);
      demand(!s.tokens.empty(), "a sequence without tokens is in the step");
      demand(static_cast<int>(s.tokens.size()) - s.drafts <= c.rows_a_step, "more rows of a sequence than it may have");
      const int end = s.first_position + static_cast<int>(s.tokens.size());
      const int size = static_cast<int>(c.prompt.size() + c.reply.size()) + awaited_[s.id];
      flight.wants_next.push_back(end - s.drafts == size);
      awaited_[s.id] += flight.wants_next.back();
      flight.pages.emplace_back(s.pages.begin(), s.pages.end());
      demand(static_cast<int>(s.pages.size()) == (end + limits_.page_tokens - 1) / limits_.page_tokens,
             "more or fewer pages than tokens need");
      out_.trace += std::to_string(s.id.value) + "@" + std::to_string(s.first_position) + "+" + std::to_string(s.tokens.size()) + ":";
      for (const PageId page : s.pages) out_.trace += std::to_string(page.value) + ",";
      for (std::size_t p = static_cast<std::size_t>(s.first_position / limits_.page_tokens); p < s.pages.size(); ++p) {
        demand(written.insert(s.pages[p]).second, "two sequences write to one page");
      }
    }
    for (const StepSequence& s : step.sequences) {
      const std::uint64_t salt = case_of(s.id).salt;
      for (std::size_t p = static_cast<std::size_t>(s.first_position / limits_.page_tokens); p < s.pages.size(); ++p)
        salt_of_[s.pages[p]] = salt;
      for (std::size_t p = 0; p < static_cast<std::size_t>(s.first_position / limits_.page_tokens); ++p) {
        demand(!written.contains(s.pages[p]), "a page that one sequence reads is written by another");
        demand(salt_of_[s.pages[p]] == salt, "a sequence reads pages of another salt");
      }
    }
    try {
      flight.said = device_.run(step);
    } catch (const std::out_of_range&) {
      demand(false, "a page is missing");
      return false;
    }
    device_.remember(step);
    flights_.push_back(std::move(flight));
    return true;
  }

  void check_held() {
    std::set<PageId> held;
    for (const Flight& flight : flights_) {
      for (const std::vector<PageId>& pages : flight.pages) held.insert(pages.begin(), pages.end());
    }
    demand(scheduler_.counts().pages_held >= static_cast<int>(held.size()), "pages of a step in flight were given up");
  }

  void land() {
    const Flight flight = std::move(flights_.front());
    flights_.pop_front();
    device_.write_late(flight.step, flight.pages);
    std::deque<std::vector<TokenId>> chosen;
    std::vector<Outcome> outcomes;
    for (std::size_t i = 0; i < flight.step.sequences.size(); ++i) {
      const StepSequence& s = flight.step.sequences[i];
      Case& c = case_of(s.id);
      awaited_[s.id] -= flight.wants_next[i];
      if (c.cancelled || c.done) continue;
      read_prompt(c, s, flight.said[i], flight.wants_next[i]);
      if (!flight.wants_next[i]) continue;
      const std::vector<TokenId> next = follow(c, s, flight.said[i]);
      for (const TokenId token : next) c.reply.push_back(token);
      c.done = static_cast<int>(c.reply.size()) == c.reply_tokens;
      if (c.done) out_.cached_tokens += scheduler_.cached_tokens(s.id);
      chosen.push_back(next);
      outcomes.push_back({s.id, chosen.back(), c.done ? Next::stop : Next::go_on});
    }
    scheduler_.commit(outcomes);
    pages_add_up();
  }

  void read_prompt(Case& c, const StepSequence& s, const std::vector<TokenId>& said, bool wants_next) {
    const int end = s.first_position + static_cast<int>(s.tokens.size());
    demand(wants_next || c.reads_prompt || s.reads == 0, "something is read before the end");
    for (int i = 0; i < s.reads; ++i) {
      const int position = end - s.reads + i;
      if (position + 1 >= static_cast<int>(c.prompt.size())) continue;
      TokenId& read = c.prompt_read[static_cast<std::size_t>(position)];
      demand(c.reads_prompt && read == -1, "a row of the prompt is read twice");
      read = said[static_cast<std::size_t>(i)];
    }
  }

  // Right guesses, the token chosen after them, and what is forced, which may make later guesses right too.
  std::vector<TokenId> follow(const Case& c, const StepSequence& s, const std::vector<TokenId>& said) {
    const std::size_t first_row = said.size() - 1 - static_cast<std::size_t>(s.drafts);
    const std::vector<TokenId> drafts(s.tokens.end() - s.drafts, s.tokens.end());
    std::vector<TokenId> next;
    const auto room = static_cast<std::size_t>(c.reply_tokens) - c.reply.size();
    while (next.size() < room) {
      if (c.forces(c.reply.size() + next.size())) {
        next.push_back(c.forced(c.reply.size() + next.size()));
      } else if (next.size() <= drafts.size() && std::equal(next.begin(), next.end(), drafts.begin())) {
        next.push_back(said[first_row + next.size()]);
      } else {
        break;
      }
    }
    const auto right =
        std::mismatch(drafts.begin(), drafts.begin() + static_cast<std::ptrdiff_t>(std::min(drafts.size(), next.size())), next.begin())
            .first -
        drafts.begin();
    out_.accepted_drafts += static_cast<int>(right);
    out_.refused_drafts += s.drafts - static_cast<int>(right);
    return next;
  }

  void conclude() {
    out_.end = scheduler_.counts();
    if (!out_.wrong.empty()) return;
    demand(out_.end.pages_held == 0, "pages are held with nobody there");
    for (std::size_t i = 0; i < cases_.size(); ++i) {
      const Case& c = cases_[i];
      std::vector<TokenId> expected = c.alone;
      if (c.cancelled) expected.resize(std::min(expected.size(), c.reply.size()));
      demand(c.reply == expected, "a reply differs from the one given alone");
      demand(!scheduler_.contains(id_of(i)), "a sequence did not finish");
      if (!c.reads_prompt || c.cancelled) continue;
      std::vector<TokenId> said = FakeDevice::says(c.prompt);
      said.pop_back();
      demand(c.prompt_read == said, "what was read of a prompt differs from what is read alone");
    }
  }

  Dice dice_;
  int depth_;
  Limits limits_;
  Scheduler scheduler_;
  FakeDevice device_;
  std::vector<Case> cases_;
  std::deque<Flight> flights_;
  std::map<SequenceId, int> awaited_;
  std::map<PageId, std::uint64_t> salt_of_;  // by whom a page was written last
  Story out_;
};

}  // namespace

Story tell(std::uint64_t seed, int depth) {
  return Teller(seed, depth).tell();
}

}  // namespace qn::sched
