#include "cli/threads/thread_plan.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <thread>

#include "base/thread_pool.h"

namespace qn::cli {
namespace {

using std::chrono::microseconds;

struct NamedPriority {
  std::string_view number, name;
  Priority priority;
};
constexpr NamedPriority priorities[] = {
    {"-1", "low", Priority::low},  {"0", "normal", Priority::normal},     {"1", "medium", Priority::medium},
    {"2", "high", Priority::high}, {"3", "realtime", Priority::realtime},
};

constexpr int longest_mask = PoolOptions::most_threads / 4;  // digits, of four CPUs each
constexpr int default_poll = 50;

Result<int> read_thread_count(std::string_view flag, int count) {
  if (count >= 1 && count <= PoolOptions::most_threads) return count;
  return fail(Code::bad_input, "{}: {} is out of range; give a value from 1 to {}", flag, count, PoolOptions::most_threads);
}

Result<Priority> read_priority(const std::string& text) {
  for (const NamedPriority& one : priorities)
    if (text == one.number || text == one.name) return one.priority;
  return fail(Code::bad_input, "--prio: expected -1 (low), 0 (normal), 1 (medium), 2 (high) or 3 (realtime), got {}", quoted(text));
}

// "0xff": the lowest bit of the last digit is CPU 0.
Result<std::vector<int>> read_mask(std::string_view text) {
  std::string_view digits = text;
  if (digits.starts_with("0x") || digits.starts_with("0X")) digits.remove_prefix(2);
  std::vector<int> cpus;
  bool read = !digits.empty() && digits.size() <= longest_mask;
  for (std::size_t i = 0; read && i < digits.size(); ++i) {
    unsigned digit = 0;
    const char* const at = digits.data() + digits.size() - 1 - i;
    read = std::from_chars(at, at + 1, digit, 16).ec == std::errc();
    for (int bit = 0; bit < 4; ++bit)
      if ((digit >> bit & 1) != 0) cpus.push_back(static_cast<int>(i) * 4 + bit);
  }
  if (read && !cpus.empty()) return cpus;
  return fail(Code::bad_input, "--cpu-mask: expected hexadecimal digits such as 0xff, one bit a CPU, got {}", quoted(text));
}

// "2-5", "2-" or "-5": both ends belong to it.
Result<std::vector<int>> read_range(std::string_view text, int highest) {
  const std::size_t dash = text.find('-');
  int low = 0, high = highest;
  bool read = dash != std::string_view::npos && text.size() > 1;
  const auto number = [&](std::string_view part, int& value) {
    if (part.empty()) return true;
    const auto [end, error] = std::from_chars(part.data(), part.data() + part.size(), value);
    return error == std::errc() && end == part.data() + part.size();
  };
  read = read && number(text.substr(0, dash), low) && number(text.substr(dash + 1), high) && low >= 0 && low <= high;
  if (!read) return fail(Code::bad_input, "--cpu-range: expected LOW-HIGH such as 0-7, got {}", quoted(text));
  std::vector<int> cpus;
  for (int cpu = low; cpu <= std::min(high, highest); ++cpu) cpus.push_back(cpu);
  return cpus;
}

int highest_cpu(const std::vector<Core>& cores) {
  int highest = 0;
  for (const Core& core : cores) highest = std::max(highest, *std::max_element(core.cpus.begin(), core.cpus.end()));
  return highest;
}

// What remains of the cores when only these CPUs may be used.
std::vector<Core> within(const std::vector<Core>& cores, const std::vector<int>& cpus) {
  std::vector<Core> rest;
  for (Core core : cores) {
    std::erase_if(core.cpus, [&](int cpu) { return std::find(cpus.begin(), cpus.end(), cpu) == cpus.end(); });
    if (!core.cpus.empty()) rest.push_back(std::move(core));
  }
  return rest;
}

std::vector<int> cpus_of(const std::vector<Core>& cores) {
  std::vector<int> cpus;
  for (const Core& core : cores) cpus.insert(cpus.end(), core.cpus.begin(), core.cpus.end());
  return cpus;
}

// The fast ones first; with `spread`, from every NUMA node in turn.
std::vector<Core> ordered(std::vector<Core> cores, bool spread) {
  std::vector<int> seen_of_node;
  std::vector<std::pair<int, Core>> turns;  // how many of its node come before it
  std::stable_sort(cores.begin(), cores.end(), [](const Core& a, const Core& b) { return a.speed > b.speed; });
  for (Core& core : cores) {
    const std::size_t node = static_cast<std::size_t>(core.node);
    if (node >= seen_of_node.size()) seen_of_node.resize(node + 1);
    const int turn = seen_of_node[node]++;
    turns.emplace_back(turn, std::move(core));
  }
  if (spread) std::stable_sort(turns.begin(), turns.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  std::vector<Core> result;
  for (auto& [turn, core] : turns) result.push_back(std::move(core));
  return result;
}

// One CPU for each thread: first one of every core, then their second hardware threads.
std::vector<std::vector<int>> one_cpu_each(const std::vector<Core>& cores) {
  std::vector<std::vector<int>> places;
  for (std::size_t sibling = 0;; ++sibling) {
    const std::size_t before = places.size();
    for (const Core& core : cores)
      if (sibling < core.cpus.size()) places.push_back({core.cpus[sibling]});
    if (places.size() == before) return places;
  }
}

// Thread w on any CPU of node w % nodes.
std::vector<std::vector<int>> node_each(const std::vector<Core>& cores) {
  std::vector<std::vector<int>> places;
  for (const Core& core : cores) {
    if (static_cast<std::size_t>(core.node) >= places.size()) places.resize(static_cast<std::size_t>(core.node) + 1);
    std::vector<int>& node = places[static_cast<std::size_t>(core.node)];
    node.insert(node.end(), core.cpus.begin(), core.cpus.end());
  }
  std::erase_if(places, [](const std::vector<int>& node) { return node.empty(); });
  return places;
}

// The cores that the flags leave, in the order in which threads are put on them.
Result<std::vector<Core>> choose_cores(const ThreadChoice& choice, const Topology& topology, Io& io) {
  std::vector<Core> cores = topology.cores;
  const auto narrow = [&](std::string_view flag, const std::string& typed, const std::vector<int>& cpus) -> Status {
    cores = within(cores, cpus);
    if (cores.empty())
      return fail(Code::bad_input, "{} {}: none of these CPUs can be used; the highest here is {}", flag, quoted(typed),
                  highest_cpu(topology.cores));
    const std::size_t left = cpus_of(cores).size();
    if (left < cpus.size()) note(io, fmt::format("{} {}: {} of its {} CPUs can be used", flag, quoted(typed), left, cpus.size()));
    return {};
  };
  if (!choice.mask.empty()) {
    QN_TRY(const std::vector<int> cpus, read_mask(choice.mask));
    QN_OK(narrow("--cpu-mask", choice.mask, cpus));
  }
  if (!choice.range.empty()) {
    QN_TRY(const std::vector<int> cpus, read_range(choice.range, highest_cpu(topology.cores)));
    QN_OK(narrow("--cpu-range", choice.range, cpus));
  }
  if (!choice.numa.empty() && choice.numa != "distribute" && choice.numa != "isolate" && choice.numa != "numactl")
    return fail(Code::bad_input, "--numa: expected distribute, isolate or numactl, got {}", quoted(choice.numa));
  if (choice.numa == "isolate") {
    std::erase_if(cores, [&](const Core& core) { return core.node != topology.here; });
    if (cores.empty()) return fail(Code::bad_input, "--numa isolate: no CPU of node {} is left; leave out --cpu-mask", topology.here);
  }
  return ordered(std::move(cores), choice.numa == "distribute");
}

Status choose_counts(const ThreadChoice& choice, const std::vector<Core>& cores, double quota, Io& io, ThreadPlan& plan) {
  const int limit = quota < static_cast<double>(PoolOptions::most_threads) ? static_cast<int>(std::max(1.0, std::ceil(quota)))
                                                                           : PoolOptions::most_threads;
  const int all = std::min(static_cast<int>(cpus_of(cores).size()), limit);
  const auto fast = std::count_if(cores.begin(), cores.end(), [&](const Core& core) { return core.speed == cores.front().speed; });
  const auto given = [&](std::string_view flag, const std::optional<int>& typed, int& into) -> Status {
    if (!typed || *typed == -1) return {};
    QN_TRY(into, read_thread_count(flag, *typed));
    if (into <= all) return {};
    note(io, fmt::format("{} {}: this machine has {} cores for us; using {}", flag, into, all, all));
    into = all;
    return {};
  };
  plan.threads = std::min(static_cast<int>(fast), limit);
  plan.prompt_threads = std::min(static_cast<int>(cores.size()), limit);
  QN_OK(given("--threads", choice.threads, plan.threads));
  if (choice.threads && *choice.threads != -1) plan.prompt_threads = plan.threads;
  return given("--threads-batch", choice.prompt_threads, plan.prompt_threads);
}

// On equal cores of one node a thread is as well off on one as on another, and the system may move it away from what else is running: with
// ten other programs on two cores, pinned threads decoded 15 % slower (6.4 against 7.5 tokens/s, Zen 5).
bool place_matters(const Topology& topology) {
  return topology.nodes() > 1 ||
         std::any_of(topology.cores.begin(), topology.cores.end(), [&](const Core& c) { return c.speed != topology.cores.front().speed; });
}

void choose_places(const ThreadChoice& choice, const Topology& topology, const std::vector<Core>& cores, ThreadPlan& plan) {
  const bool limited = topology.quota < static_cast<double>(topology.cpus());
  if (choice.strict == "1") {
    plan.places = one_cpu_each(cores);
  } else if (choice.numa == "distribute") {
    plan.places = node_each(cores);
  } else if (!choice.mask.empty() || !choice.range.empty() || choice.numa == "isolate") {
    plan.places = {cpus_of(cores)};
  } else if (!limited && choice.strict.empty() && place_matters(topology) &&
             std::max(plan.threads, plan.prompt_threads) >= static_cast<int>(cores.size())) {
    // To a core, not to one of its hardware threads: another program may be on the other.
    for (const Core& core : cores) plan.places.push_back(core.cpus);
  }
}

// Tried on a thread that ends at once: what the pool's own threads will be told.
Status try_priority(Priority priority) {
  Status status;
  std::thread([&] { status = prioritize_thread(priority); }).join();
  return status;
}

}  // namespace

void declare_thread_flags(CLI::App& app, ThreadChoice& choice, const std::string& group) {
  const auto option = [&](const char* names, auto& value, const char* type, const char* summary) {
    app.add_option(names, value, summary)->type_name(type)->group(group);
  };
  option("-t,--threads", choice.threads, "N", "threads to compute with (default: one for each fast core)");
  option("--threads-batch", choice.prompt_threads, "N", "threads that read prompts (default: as --threads, else every core)");
  option("--prio", choice.priority, "N", "priority of these threads: -1 low, 0 normal (default), 1 medium, 2 high, 3 realtime");
  option("--cpu-mask", choice.mask, "HEX", "CPUs to run on, one bit each: 0xff");
  option("--cpu-range", choice.range, "LOW-HIGH", "CPUs to run on: 0-7");
  option("--cpu-strict", choice.strict, "0|1", "1: each thread on one CPU");
  option("--numa", choice.numa, "HOW", "distribute: over all nodes; isolate: on this node; numactl: as numactl says");
  option("--poll", choice.poll, "0-100", "how long a thread without work looks for some before it sleeps (default: 50, 0.5 ms)");
}

Result<ThreadPlan> plan_threads(const ThreadChoice& choice, const Topology& topology, Io& io) {
  ThreadPlan plan;
  if (!choice.strict.empty() && choice.strict != "0" && choice.strict != "1")
    return fail(Code::bad_input, "--cpu-strict: expected 0 or 1, got {}", quoted(choice.strict));
  const int poll = choice.poll.value_or(default_poll);
  if (poll < 0 || poll > 100) return fail(Code::bad_input, "--poll: {} is out of range; give a value from 0 to 100", poll);
  plan.spin = microseconds(poll * 10);
  QN_TRY(const std::vector<Core> cores, choose_cores(choice, topology, io));
  QN_OK(choose_counts(choice, cores, topology.quota, io, plan));
  choose_places(choice, topology, cores, plan);
  // Looking for work is paid from the quota too.
  if (topology.quota < static_cast<double>(topology.cpus())) plan.spin = std::min(plan.spin, microseconds(50));
  if (!choice.priority.empty()) {
    QN_TRY(plan.priority, read_priority(choice.priority));
    if (const Status tried = try_priority(plan.priority); !tried) {
      note(io, fmt::format("--prio {}: not permitted ({}); threads run as the others do", choice.priority, tried.error().message));
      plan.priority = Priority::normal;
    }
  }
  return plan;
}

}  // namespace qn::cli
