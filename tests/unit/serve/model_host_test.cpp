#include "serve/model_host.h"

#include <gtest/gtest.h>

#include <atomic>
#include <fstream>
#include <future>
#include <thread>

#include "backend/cpu/cpu_backend.h"
#include "engine/engine.h"
#include "unit/file/temporary_folder.h"

namespace qn::serve {
namespace {

using std::chrono::minutes;
using std::chrono::nanoseconds;
using std::chrono::seconds;

const std::filesystem::path mini = std::filesystem::path(QN_REPOSITORY) / "models/quern-mini.gguf";
constexpr KeepAlive for_ever{-1};

struct HeldClock final : Clock {
  std::atomic<nanoseconds> time{seconds(1000)};
  nanoseconds now() const override { return time; }
};

class ModelHostTest : public testing::Test {
 protected:
  static ServedModel served(std::string name, std::filesystem::path path = mini) {
    return {.name = std::move(name), .source = std::move(path), .load = {.context_tokens = 256}};
  }
  static std::uint64_t bytes_of_one() {
    static const std::uint64_t bytes = [] {
      const auto one = make_cpu_backend({.threads = 1});
      return (*load_model(mini, {.context_tokens = 256}, *one))->plan.total_bytes();
    }();
    return bytes;
  }

  // A host that offers "a", "b" and "c", with room for so many of them.
  ModelHost& host(double room = 16, int max_loaded = 0, int max_waiting = 512) {
    host_ = std::make_unique<ModelHost>(HostOptions{.device = device.get(),
                                                    .memory_bytes = static_cast<std::uint64_t>(static_cast<double>(bytes_of_one()) * room),
                                                    .max_loaded = max_loaded,
                                                    .max_waiting = max_waiting,
                                                    .clock = &clock});
    for (const char* name : {"a", "b", "c"}) host_->offer(served(name));
    return *host_;
  }

  struct Answer {
    Ticket ticket;
    std::future<Result<Lease>> result;
    bool there() const { return result.wait_for(seconds(0)) == std::future_status::ready; }
    Result<Lease> get() { return result.wait_for(seconds(60)) == std::future_status::ready ? result.get() : fail(Code::internal, "none"); }
  };
  static Answer ask(ModelHost& host, std::string_view name, std::optional<KeepAlive> keep_alive = {}) {
    auto promise = std::make_shared<std::promise<Result<Lease>>>();
    Answer answer{.ticket = {}, .result = promise->get_future()};
    answer.ticket = host.acquire(name, keep_alive, [promise](Result<Lease> lease) { promise->set_value(std::move(lease)); });
    return answer;
  }
  static Result<Lease> get(ModelHost& host, std::string_view name, std::optional<KeepAlive> keep_alive = {}) {
    return ask(host, name, keep_alive).get();
  }
  static std::string in_memory(const ModelHost& host) {
    std::string names;
    for (const LoadedInfo& info : host.loaded())
      if (info.ready) names += info.served->name;
    return names;
  }
  // A reply of so many tokens: its tokens, or the error's text.
  static Result<std::vector<TokenId>> reply(LoadedModel& model, TokenId first, int tokens) {
    std::promise<Result<std::vector<TokenId>>> done;
    std::vector<TokenId> got;
    auto submitted = model.engine->submit(
        {.prompt = {first, 300, 301}, .sampling = {.temperature = 0}, .max_tokens = tokens, .sink = [&](const engine::TokenEvent& event) {
           if (event.token >= 0) got.push_back(event.token);
           if (event.error) {
             done.set_value(tl::unexpected<Error>(*event.error));
           } else if (event.finish) {
             done.set_value(got);
           }
         }});
    if (!submitted) return tl::unexpected<Error>(submitted.error());
    return done.get_future().get();
  }

  static std::vector<TokenId> tokens(LoadedModel& model, TokenId first, int count) {
    return reply(model, first, count).value_or(std::vector<TokenId>{});
  }

  file::TemporaryFolder folder;
  HeldClock clock;
  std::unique_ptr<Backend> device = make_cpu_backend({.threads = 2});
  std::unique_ptr<ModelHost> host_;
};

TEST_F(ModelHostTest, sixteen_requests_at_once_load_a_model_once) {
  ModelHost& all = host();
  std::vector<std::thread> clients;
  std::atomic<int> served_well = 0;
  for (int i = 0; i < 16; ++i)
    clients.emplace_back([&] {
      const Result<Lease> lease = get(all, "a");
      if (lease && reply(**lease, 299, 2)) ++served_well;
    });
  for (std::thread& client : clients) client.join();
  EXPECT_EQ(served_well, 16);
  EXPECT_EQ(all.stats().loads, 1u);
}

TEST_F(ModelHostTest, a_model_goes_when_its_keep_alive_has_passed_since_the_last_lease_ended) {
  ModelHost& all = host();
  Result<Lease> lease = get(all, "a");
  ASSERT_TRUE(lease) << lease.error().message;
  clock.time = clock.now() + minutes(60);
  all.expire();
  EXPECT_EQ(in_memory(all), "a");  // somebody has it
  Lease copy = *lease;
  *lease = Lease();
  copy = Lease();
  clock.time = clock.now() + minutes(5) - seconds(1);
  all.expire();
  EXPECT_EQ(in_memory(all), "a");
  EXPECT_EQ(all.loaded().front().remaining, seconds(1));
  clock.time = clock.now() + seconds(1);
  all.expire();
  EXPECT_EQ(in_memory(all), "");
  EXPECT_EQ(all.stats().expirations, 1u);
  EXPECT_TRUE(get(all, "a"));
  EXPECT_EQ(all.stats().loads, 2u);
}

TEST_F(ModelHostTest, a_request_says_how_long_it_is_kept_and_otherwise_the_model) {
  ModelHost& all = host();
  ServedModel pinned = served("pinned");
  pinned.keep_alive = for_ever;
  all.offer(pinned);
  ASSERT_TRUE(get(all, "pinned") && get(all, "a", for_ever) && get(all, "b", seconds(0)));
  all.expire();
  EXPECT_EQ(in_memory(all), "pinneda");
  clock.time = clock.now() + std::chrono::hours(1000);
  all.expire();
  EXPECT_EQ(in_memory(all), "pinneda");
  EXPECT_FALSE(all.loaded().front().remaining);
  EXPECT_TRUE(all.unload("pinned"));
  EXPECT_FALSE(all.unload("nothing"));
  all.expire();
  EXPECT_EQ(in_memory(all), "a");
}

TEST_F(ModelHostTest, the_least_recently_used_makes_room) {
  ModelHost& all = host(2.5);
  for (const char* name : {"a", "b", "a", "c"}) ASSERT_TRUE(get(all, name));
  EXPECT_EQ(in_memory(all), "ac");
  EXPECT_EQ(all.stats().evictions, 1u);
}

TEST_F(ModelHostTest, no_more_models_are_loaded_than_were_allowed) {
  ModelHost& all = host(16, 1);
  for (const char* name : {"a", "b", "c"}) ASSERT_TRUE(get(all, name, for_ever));
  EXPECT_EQ(in_memory(all), "c");
}

TEST_F(ModelHostTest, a_model_in_use_is_not_taken_away_and_whoever_needs_its_place_waits) {
  ModelHost& all = host(1.5);
  Result<Lease> first = get(all, "a");
  ASSERT_TRUE(first);
  Answer second = ask(all, "b");
  while (!all.loaded().back().served || all.loaded().back().served->name != "b") std::this_thread::yield();
  EXPECT_TRUE(reply(**first, 299, 20));
  EXPECT_FALSE(second.there());
  Answer third = ask(all, "a");  // comes after the second: models that do not fit together are used in turn
  EXPECT_FALSE(third.there());
  *first = Lease();
  Result<Lease> got = second.get();
  ASSERT_TRUE(got) << got.error().message;
  EXPECT_EQ(in_memory(all), "b");
  EXPECT_FALSE(third.there());
  *got = Lease();
  EXPECT_TRUE(third.get());
}

TEST_F(ModelHostTest, whoever_waits_for_memory_and_leaves_lets_the_next_one_load) {
  ModelHost& all = host(2.5);
  ServedModel large = served("large");
  large.load.context_tokens = 4096;  // not beside "a"
  all.offer(large);
  const Result<Lease> held = get(all, "a");
  ASSERT_TRUE(held);
  Answer waits = ask(all, "large"), next = ask(all, "b");
  EXPECT_FALSE(waits.there());
  waits.ticket.cancel();
  EXPECT_TRUE(next.get());
}

TEST_F(ModelHostTest, a_model_that_can_never_fit_is_refused_with_the_numbers) {
  ModelHost& all = host(2);
  ServedModel large = served("large");
  large.load.context_tokens = 1'000'000;
  all.offer(large);
  ASSERT_TRUE(get(all, "a"));
  const Result<Lease> lease = get(all, "large");
  ASSERT_FALSE(lease);
  EXPECT_EQ(lease.error().code, Code::out_of_memory);
  EXPECT_NE(lease.error().message.find("GiB needed"), std::string::npos) << lease.error().message;
  EXPECT_EQ(lease.error().message.find('/'), std::string::npos) << lease.error().message;  // a client need not know where files lie
  EXPECT_EQ(in_memory(all), "a");                                                          // nobody was sent away for nothing
}

TEST_F(ModelHostTest, a_failed_load_is_told_to_everyone_who_waits_and_tried_again_at_the_next_request) {
  ModelHost& all = host();
  std::ofstream(folder / "model.gguf") << "no model";
  all.offer(served("broken", folder / "model.gguf"));
  std::vector<Answer> answers;
  for (int i = 0; i < 4; ++i) answers.push_back(ask(all, "broken"));
  for (Answer& answer : answers) {
    const Result<Lease> lease = answer.get();
    ASSERT_FALSE(lease);
    EXPECT_EQ(lease.error().code, Code::io) << lease.error().message;  // not the client's mistake
  }
  EXPECT_GE(all.stats().failed_loads, 1u);
  std::filesystem::copy_file(mini, folder / "model.gguf", std::filesystem::copy_options::overwrite_existing);
  EXPECT_TRUE(get(all, "broken"));
}

TEST_F(ModelHostTest, names_are_compared_as_users_write_them) {
  ModelHost& all = host();
  ServedModel model = served("Qwen2.5:latest");
  model.aliases = {"claude-*", "org/Model"};
  all.offer(model);
  for (const char* name : {"qwen2.5", "QWEN2.5:latest", "registry.ollama.ai/library/qwen2.5", "claude-sonnet-4", "Org/model:latest"})
    EXPECT_TRUE(all.find(name) && all.find(name)->name == "Qwen2.5:latest") << name;
  for (const char* name : {"", "qwen2", "qwen2.5:7b", "claude", "model"}) EXPECT_FALSE(all.find(name)) << name;
  const Result<Lease> lease = get(all, "d");
  ASSERT_FALSE(lease);
  EXPECT_EQ(lease.error().code, Code::not_found);
}

TEST_F(ModelHostTest, whoever_leaves_hears_nothing_and_takes_nothing_from_others) {
  ModelHost& all = host(1.5);
  Result<Lease> held = get(all, "a");
  ASSERT_TRUE(held);
  std::atomic<int> heard = 0;
  Ticket leaves = all.acquire("b", {}, [&](const Result<Lease>&) { ++heard; });
  Answer stays = ask(all, "b");
  leaves.cancel();
  *held = Lease();
  EXPECT_TRUE(stays.get());
  EXPECT_EQ(heard, 0);
}

TEST_F(ModelHostTest, too_many_who_wait_are_refused_at_once) {
  ModelHost& all = host(1.5, 0, 2);
  const Result<Lease> held = get(all, "a");
  ASSERT_TRUE(held);
  Answer first = ask(all, "b"), second = ask(all, "b"), third = ask(all, "b");
  ASSERT_TRUE(third.there());
  EXPECT_EQ(third.get().error().code, Code::overloaded);
  second.ticket.cancel();
  EXPECT_FALSE(ask(all, "b").there());
}

TEST_F(ModelHostTest, unloading_a_model_waits_for_whoever_uses_it) {
  ModelHost& all = host();
  Result<Lease> lease = get(all, "a");
  ASSERT_TRUE(lease);
  all.unload("a");
  all.expire();
  EXPECT_TRUE(reply(**lease, 299, 4));
  EXPECT_EQ(in_memory(all), "a");
  *lease = Lease();
  all.expire();
  EXPECT_EQ(in_memory(all), "");
}

TEST_F(ModelHostTest, destruction_tells_everyone_who_waits) {
  ModelHost& all = host(1.5);
  std::vector<Answer> answers;
  for (const char* name : {"a", "b", "c", "b"}) answers.push_back(ask(all, name));
  host_.reset();
  for (Answer& answer : answers) ASSERT_TRUE(answer.there());
}

TEST_F(ModelHostTest, a_drained_host_takes_nobody_new_and_serves_who_waited) {
  ModelHost& all = host();
  Answer waited = ask(all, "a");
  all.drain();
  EXPECT_EQ(get(all, "b").error().code, Code::overloaded);
  EXPECT_TRUE(waited.get());
}

TEST_F(ModelHostTest, a_model_offered_anew_serves_who_comes_and_the_old_one_who_is_there) {
  ModelHost& all = host();
  const Result<Lease> old = get(all, "a");
  ASSERT_TRUE(old);
  ServedModel newer = served("A");
  newer.load.context_tokens = 512;
  all.offer(newer);
  const Result<Lease> fresh = get(all, "a");
  ASSERT_TRUE(fresh);
  EXPECT_EQ((*fresh)->context_tokens, 512);
  EXPECT_EQ((*old)->context_tokens, 256);
  EXPECT_TRUE(reply(**old, 299, 4));
  EXPECT_EQ(all.list().size(), 3u);
  EXPECT_TRUE(all.withdraw("a"));
  EXPECT_FALSE(all.find("a"));
}

TEST_F(ModelHostTest, a_file_that_was_replaced_is_loaded_at_the_next_request) {
  ModelHost& all = host();
  std::filesystem::copy_file(mini, folder / "model.gguf");
  all.offer(served("swapped", folder / "model.gguf"));
  const Result<Lease> old = get(all, "swapped");
  ASSERT_TRUE(old);
  std::filesystem::copy_file(mini, folder / "new");
  std::filesystem::rename(folder / "new", folder / "model.gguf");
  const Result<Lease> fresh = get(all, "swapped");
  ASSERT_TRUE(fresh);
  EXPECT_NE(&**fresh, &**old);
  EXPECT_EQ(tokens(**old, 299, 8), tokens(**fresh, 299, 8));
}

TEST_F(ModelHostTest, a_file_shortened_in_use_fails_its_own_replies_and_no_others) {
  ModelHost& all = host();
  std::filesystem::copy_file(mini, folder / "model.gguf");
  all.offer(served("shortened", folder / "model.gguf"));
  const Result<Lease> lost = get(all, "shortened"), whole = get(all, "a");
  ASSERT_TRUE(lost && whole);
  const std::vector<TokenId> before = tokens(**whole, 299, 8);
  ASSERT_TRUE(reply(**lost, 299, 8));
  std::filesystem::resize_file(folder / "model.gguf", std::filesystem::file_size(mini) / 2);
  const auto failed = reply(**lost, 299, 8);
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().code, Code::io);
  EXPECT_EQ(tokens(**whole, 299, 8), before);
  const Result<Lease> again = get(all, "shortened");
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().code, Code::io) << again.error().message;
  std::filesystem::remove(folder / "model.gguf");
  std::filesystem::copy_file(mini, folder / "model.gguf");
  const Result<Lease> restored = get(all, "shortened");
  ASSERT_TRUE(restored);
  EXPECT_EQ(tokens(**restored, 299, 8), before);
}

TEST_F(ModelHostTest, a_file_written_over_in_use_fails_its_replies) {
  ModelHost& all = host();
  std::filesystem::copy_file(mini, folder / "model.gguf");
  all.offer(served("altered", folder / "model.gguf"));
  const Result<Lease> lease = get(all, "altered");
  ASSERT_TRUE(lease);
  std::fstream(folder / "model.gguf", std::ios::in | std::ios::out | std::ios::binary).seekp(100'000) << "other bytes";
  all.expire();
  const auto failed = reply(**lease, 299, 8);
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().code, Code::io);
}

TEST_F(ModelHostTest, models_that_share_a_device_compute_what_they_compute_alone) {
  ModelHost& all = host();
  std::vector<Lease> leases;
  for (const char* name : {"a", "b", "c"}) leases.push_back(*get(all, name));
  std::vector<std::vector<TokenId>> alone;
  for (TokenId first = 0; first < 3; ++first) alone.push_back(tokens(*leases[0], 299 + first, 60));
  std::atomic<int> different = 0;
  std::vector<std::thread> clients;
  for (std::size_t i = 0; i < 3; ++i)
    clients.emplace_back([&, i] {
      for (TokenId first = 0; first < 3; ++first)
        if (tokens(*leases[i], 299 + first, 60) != alone[static_cast<std::size_t>(first)]) ++different;
    });
  for (std::thread& client : clients) client.join();
  EXPECT_EQ(different, 0);
}

}  // namespace
}  // namespace qn::serve
