# Mistakes that one could make in src/sched, one each. tests/planted/planted_test.cpp demands that the property tests catch them all.
mistake(a_hit_covers_the_last_token_too scheduler.cpp
  "const int all_but_last = sequence.size() - 1" "const int all_but_last = sequence.size() - (@ON@ ? 0 : 1)")
mistake(rows_that_are_to_be_read_are_skipped scheduler.cpp
  "return sequence.reads == Reads::every_row ?" "return !@ON@ && sequence.reads == Reads::every_row ?")
mistake(pages_of_a_cancelled_request_are_freed_while_its_step_runs scheduler.cpp
  "if (sequence.in_flight > 0) {\n    depart(sequence, &Sequence::leaving)" "if (sequence.in_flight > 0) {\n    if (@ON@) release_pages(sequence);\n    depart(sequence, &Sequence::leaving)")
mistake(pages_of_a_preempted_request_are_freed_while_its_step_runs scheduler.cpp
  "depart(last, &Sequence::yielding)" "if (@ON@) release_pages(last);\n      depart(last, &Sequence::yielding)")
mistake(pages_go_with_the_first_commit_though_a_second_step_runs scheduler.cpp
  "if (sequence.in_flight > 0) continue" "if (@ON@ && sequence.in_flight > 0 && sequence.leaving) release_pages(sequence);\n    if (sequence.in_flight > 0) continue")
mistake(a_page_is_published_before_its_last_token_is_computed scheduler.cpp
  "(sequence.pages_named + 1) * limits_.page_tokens <= sequence.computed;" "(sequence.pages_named + 1) * limits_.page_tokens <= std::min<int>(sequence.computed + (@ON@ ? 1 : 0), static_cast<int>(tokens.size()));")
mistake(refused_guesses_count_as_computed scheduler.cpp
  "sequence.computed += static_cast<int>(right)" "sequence.computed += @ON@ ? static_cast<int>(outcome.tokens.size()) - 1 : static_cast<int>(right)")
mistake(accepted_guesses_are_one_too_many scheduler.cpp
  "std::ranges::mismatch(grant.drafts, outcome.tokens).in1 - grant.drafts.begin()" "std::min<std::ptrdiff_t>(std::ranges::mismatch(grant.drafts, outcome.tokens).in1 - grant.drafts.begin() + (@ON@ ? 1 : 0), static_cast<std::ptrdiff_t>(grant.drafts.size()))")
mistake(a_preempted_request_keeps_what_it_had_computed scheduler.cpp
  "sequence.computed = sequence.planned = 0" "sequence.computed = sequence.planned = @ON@ ? sequence.computed : 0")
mistake(an_old_token_is_sent_for_one_not_known_yet scheduler.cpp
  "in_step.tokens.push_back(chosen_before)" "in_step.tokens.push_back(@ON@ ? s.tokens.back() : chosen_before)")
mistake(a_request_is_planned_ahead_that_must_know_its_token scheduler.cpp
  "(sequence.ahead && sequence.size() < longest())" "((sequence.ahead || @ON@) && sequence.size() < longest())")
mistake(two_wait_for_each_other scheduler.cpp
  "if (other == &sequence) break" "if (other == &sequence && !@ON@) break;\n    if (other == &sequence) continue")
mistake(a_page_is_adopted_in_the_midst_of_ones_own scheduler.cpp
  "if (sequence.computed != static_cast<int>(sequence.pages.size()) * page_tokens) return" "if (!@ON@ && sequence.computed != static_cast<int>(sequence.pages.size()) * page_tokens) return")
mistake(half_a_page_is_no_page scheduler.cpp
  "std::span(s.pages).first(static_cast<std::size_t>(pages_for(grant.end + drafts)))" "std::span(s.pages).first(static_cast<std::size_t>(@ON@ ? std::max(1, (grant.end + drafts) / limits_.page_tokens) : pages_for(grant.end + drafts)))")
mistake(a_chunk_begins_one_token_late scheduler.cpp
  "const int first = s.planned," "const int first = s.planned + (@ON@ && grant.end > s.planned + 1),")
mistake(who_runs_alone_and_lacks_a_page_is_preempted_for_ever scheduler.cpp
  "pool_.available() - pages_promised() < missing" "pool_.available() - pages_promised() < missing + (@ON@ ? 1 : 0)")
mistake(a_departed_request_is_never_counted_out scheduler.cpp
  "departing_ -= sequence.departing();\n  sequence.yielding = false" "departing_ -= @ON@ ? 0 : sequence.departing();\n  sequence.yielding = false")
mistake(salts_are_forgotten pages.cpp
  "std::uint64_t hash_of(std::uint64_t salt, PrefixName before, std::span<const TokenId> tokens) {" "std::uint64_t hash_of(std::uint64_t salt, PrefixName before, std::span<const TokenId> tokens) {\n  if (@ON@) salt = 0;")
also(pages.cpp
  "owners_[page.owner].salt != salt" "(!@ON@ && owners_[page.owner].salt != salt)")
mistake(a_page_is_found_after_any_prefix pages.cpp
  "std::uint64_t hash_of(std::uint64_t salt, PrefixName before, std::span<const TokenId> tokens) {" "std::uint64_t hash_of(std::uint64_t salt, PrefixName before, std::span<const TokenId> tokens) {\n  if (@ON@) before = no_prefix;")
also(pages.cpp
  "|| page.before != before" "|| (!@ON@ && page.before != before)")
mistake(equal_hashes_are_taken_for_equal_tokens pages.cpp
  "  return hash;\n}\n\n}  // namespace" "  return @ON@ ? hash % 7 : hash;\n}\n\n}  // namespace")
also(pages.cpp
  "|| !std::ranges::equal(page.tokens, tokens)" "|| (!@ON@ && !std::ranges::equal(page.tokens, tokens))")
mistake(a_shared_page_is_free_when_one_holder_leaves pages.cpp
  "if (--page.holders > 0) return" "if (--page.holders > 0 && !@ON@) return")
mistake(an_evicted_page_can_still_be_found pages.cpp
  "by_hash_.erase(pages_[index].hash)" "if (!@ON@) by_hash_.erase(pages_[index].hash)")
