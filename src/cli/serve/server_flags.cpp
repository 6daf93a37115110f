#include "cli/serve/server_flags.h"

#include <algorithm>
#include <charconv>

#include "api/access_log.h"
#include "base/log.h"
#include "cli/serve/environment.h"
#include "cli/serve/host_address.h"

namespace qn::cli {
namespace {

constexpr const char* key_variables[] = {"QUERN_API_KEY", "VLLM_API_KEY", "LLAMA_API_KEY"};

std::vector<std::string> comma_separated(const std::vector<std::string>& lists) {
  std::vector<std::string> parts;
  for (std::string_view list : lists) {
    while (!list.empty()) {
      const std::string_view part = list.substr(0, list.find(','));
      list.remove_prefix(std::min(list.size(), part.size() + 1));
      if (!part.empty()) parts.emplace_back(part);
    }
  }
  return parts;
}

// "30", "30s", "1500ms", "2m".
Result<std::chrono::milliseconds> read_duration(std::string_view flag, std::string_view text) {
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  const std::string_view unit = text.substr(static_cast<std::size_t>(end - text.data()));
  const double factor = unit.empty() || unit == "s" ? 1000 : unit == "ms" ? 1 : unit == "m" ? 60'000 : unit == "h" ? 3'600'000 : 0;
  if (error != std::errc() || factor == 0 || !(number >= 0) || number * factor > 86'400'000)
    return fail(Code::bad_input, "{}: expected a duration up to a day as 30s, 500ms or 2m, got {}", flag, qn::quoted(text));
  return std::chrono::milliseconds(static_cast<std::int64_t>(number * factor));
}

// Where keys come from; read again on SIGHUP.
struct KeySources {
  std::vector<std::string> lists, files;

  Result<api::KeyRing> load() const {
    api::KeyRing keys;
    for (const std::string& list : lists) QN_OK(keys.add_list(list));
    for (const std::string& file : files) QN_OK(keys.add_file(file));
    return keys;
  }
};

}  // namespace

void ServerFlags::declare(CLI::App& app) {
  const std::string group = "Server";
  app.add_option("--host", hosts_, "where to listen: an address, a name, * for all, or a Unix socket's path; repeatable (127.0.0.1)")
      ->type_name("ADDR")
      ->group(group)
      ->expected(1)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  app.add_option("--port", port_, "the port (11434); 0: any free one")->type_name("N")->group(group);
  app.add_option("--api-key", keys_, "a key that clients must show; repeatable, or several with commas")
      ->type_name("KEY")
      ->group(group)
      ->expected(1)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  app.add_option("--api-key-file", key_files_, "keys, one a line: KEY or KEY infer|pull|admin; read again on SIGHUP")
      ->type_name("FILE")
      ->group(group)
      ->expected(1)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  app.add_flag("--insecure-no-auth", insecure_, "let everyone in who reaches the address, without a key")->group(group);
  app.add_option("--allowed-origin,--allowed-origins", origins_,
                 "web pages that may call: https://chat.example.com, http://10.0.0.5:*, app://*; repeatable, or with commas")
      ->type_name("ORIGIN")
      ->group(group)
      ->expected(1)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  app.add_option("--allowed-host", allowed_hosts_, "a name of this server beside addresses and local names; repeatable, or with commas")
      ->type_name("NAME")
      ->group(group)
      ->expected(1)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  app.add_option("--tls-cert,--ssl-certfile,--ssl-cert-file", certificate_,
                 "serve HTTPS with this certificate and its chain, PEM; read again on SIGHUP")
      ->type_name("FILE")
      ->group(group);
  app.add_option("--tls-key,--ssl-keyfile,--ssl-key-file", key_, "the certificate's key, PEM")->type_name("FILE")->group(group);
  app.add_option("--drain-timeout", drain_, "how long running answers may take after SIGTERM (30s)")->type_name("TIME")->group(group);
  app.add_option("--limit", limits_, "one limit on what clients send, NAME=VALUE; docs/server.md lists them; repeatable")
      ->type_name("NAME=VALUE")
      ->group(group)
      ->expected(1)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  app.add_option("--log-format", log_format_, "text or json (text)")->type_name("FORMAT")->group(group);
  app.add_option("--metrics-compat", metric_names_, "whose names /metrics has beside quern's: vllm, llamacpp or none (vllm)")
      ->type_name("NAMES")
      ->group(group);
  app.add_flag("--no-access-log", no_access_log_, "no line for each request")->group(group);
}

std::vector<HelpRow> ServerFlags::environment() {
  return {{"QUERN_HOST, OLLAMA_HOST", "where to listen, without --host: host:port, :port, [::1]:port"},
          {"QUERN_API_KEY", "keys, as --api-key; VLLM_API_KEY and LLAMA_API_KEY too"},
          {"QUERN_API_KEY_FILE", "keys, as --api-key-file"},
          {"OLLAMA_ORIGINS", "web pages, as --allowed-origin"}};
}

Result<api::ServerOptions> ServerFlags::read() const {
  api::ServerOptions options;
  std::vector<std::string> hosts = hosts_;
  for (const char* variable : {"QUERN_HOST", "OLLAMA_HOST"})
    if (const std::string value = environment_value({variable}); hosts.empty() && !value.empty()) hosts.push_back(value);
  if (!hosts.empty()) options.listen.clear();
  for (const std::string& host : hosts) {
    QN_TRY(api::ListenAddress address, read_host_address(host));
    options.listen.push_back(std::move(address));
  }
  if (port_ < -1 || port_ > 65535) return fail(Code::bad_input, "--port: expected 0 to 65535, got {}", port_);
  if (port_ >= 0)
    for (api::ListenAddress& address : options.listen) address.port = static_cast<std::uint16_t>(port_);

  KeySources keys{keys_, key_files_};
  for (const char* variable : key_variables)
    if (std::string value = environment_value({variable}); !value.empty()) keys.lists.push_back(std::move(value));
  if (std::string file = environment_value({"QUERN_API_KEY_FILE"}); !file.empty()) keys.files.push_back(std::move(file));
  options.load_keys = [keys = std::move(keys)] { return keys.load(); };
  if (insecure_) options.openness = api::Openness::anyone;

  std::vector<std::string> origins = origins_;
  if (std::string value = environment_value({"OLLAMA_ORIGINS"}); !value.empty()) origins.push_back(std::move(value));
  options.gate.origins = comma_separated(origins);
  options.gate.hosts = comma_separated(allowed_hosts_);

  if (certificate_.empty() != key_.empty())
    return fail(Code::bad_input, "{}: TLS needs a certificate and its key; give --tls-cert and --tls-key",
                certificate_.empty() ? "--tls-key" : "--tls-cert");
  if (!certificate_.empty()) options.tls = api::TlsFiles{certificate_, key_};
  QN_TRY(options.drain_time, read_duration("--drain-timeout", drain_));
  for (const std::string& limit : limits_) QN_OK(api::set_limit(options.limits, limit));

  if (log_format_ != "text" && log_format_ != "json")
    return fail(Code::bad_input, "--log-format: expected text or json, got {}", qn::quoted(log_format_));
  log::set_format(log_format_ == "json" ? log::Format::json : log::Format::text);
  constexpr std::pair<std::string_view, api::MetricNames> names[] = {
      {"vllm", api::MetricNames::vllm}, {"llamacpp", api::MetricNames::llama_server}, {"none", api::MetricNames::none}};
  const auto* chosen = std::ranges::find(names, std::string_view(metric_names_), &std::pair<std::string_view, api::MetricNames>::first);
  if (chosen == std::end(names))
    return fail(Code::bad_input, "--metrics-compat: expected vllm, llamacpp or none, got {}", qn::quoted(metric_names_));
  options.metric_names = chosen->second;
  if (!no_access_log_) options.on_request = api::log_request;
  return options;
}

}  // namespace qn::cli
