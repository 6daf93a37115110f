"""GET /metrics: read as Prometheus reads it, and counted against what was asked."""

import pytest

from server import Server

pytest.importorskip("prometheus_client")
from prometheus_client.parser import text_string_to_metric_families  # noqa: E402

VLLM = """num_requests_running num_requests_waiting num_requests_swapped kv_cache_usage_perc gpu_cache_usage_perc lora_requests_info cache_config_info
prefix_cache_queries prefix_cache_hits gpu_prefix_cache_queries gpu_prefix_cache_hits num_preemptions prompt_tokens generation_tokens request_success
time_to_first_token_seconds inter_token_latency_seconds time_per_output_token_seconds request_time_per_output_token_seconds e2e_request_latency_seconds
request_queue_time_seconds request_inference_time_seconds request_prefill_time_seconds request_decode_time_seconds request_prompt_tokens
request_generation_tokens request_max_num_generation_tokens request_params_n request_params_max_tokens iteration_tokens_total
spec_decode_num_drafts spec_decode_num_draft_tokens spec_decode_num_accepted_tokens spec_decode_num_accepted_tokens_per_pos""".split()


def scrape(server):
    reply = server.get("/metrics")
    assert reply.status == 200 and reply.headers["content-type"].startswith("text/plain; version=0.0.4")
    families = {}
    for family in text_string_to_metric_families(reply.text):
        assert family.name not in families, f"{family.name} comes twice"
        families[family.name] = family
    return families


def value(families, name, ending="", **labels):
    found = [sample.value for sample in families[name].samples
             if sample.name == name + ending and all(sample.labels.get(key) == wanted for key, wanted in labels.items())]
    assert len(found) == 1, (name, labels, families[name].samples)
    return found[0]


def ask(server, **fields):
    body = {"model": "quern-mini", "prompt": "One two three", "max_tokens": 7, "temperature": 0, "ignore_eos": True} | fields
    reply = server.post("/v1/completions", body)
    assert reply.status == 200, reply.text
    return reply.json()["usage"]


@pytest.fixture
def fresh(quern):
    with Server(quern) as running:
        yield running


def test_every_name_of_vllm_is_there(fresh):
    ask(fresh)
    families = scrape(fresh)
    missing = [name for name in VLLM if "vllm:" + name not in families]
    assert missing == []
    for name in VLLM:
        for sample in families["vllm:" + name].samples:
            if name not in ("lora_requests_info",):
                assert sample.labels["model_name"] == "quern-mini" and sample.labels["engine"] == "0", sample


def test_counters_move_by_what_was_asked(fresh):
    used = ask(fresh)
    first = scrape(fresh)
    labels = {"model_name": "quern-mini"}
    assert value(first, "vllm:prompt_tokens", "_total", **labels) == used["prompt_tokens"]
    assert value(first, "vllm:generation_tokens", "_total", **labels) == 7
    used_again = ask(fresh, n=3, prompt="One two three four five six seven eight nine ten eleven twelve", max_tokens=5)
    second = scrape(fresh)
    moved = lambda name, ending="", **more: value(second, name, ending, **labels, **more) - value(first, name, ending, **labels, **more)  # noqa: E731
    assert moved("vllm:generation_tokens", "_total") == 15
    assert moved("vllm:prompt_tokens", "_total") == 3 * used_again["prompt_tokens"]
    assert moved("vllm:request_success", "_total", finished_reason="length") == 3
    assert moved("vllm:request_success", "_total", finished_reason="stop") == 0
    assert moved("vllm:time_to_first_token_seconds", "_count") == 3
    assert moved("vllm:inter_token_latency_seconds", "_count") == 3 * 4
    assert moved("vllm:request_generation_tokens", "_sum") == 15
    assert moved("vllm:request_params_n", "_sum") == 3
    assert moved("vllm:request_params_max_tokens", "_sum") == 5
    assert moved("vllm:e2e_request_latency_seconds", "_count") == 1
    assert value(second, "vllm:num_requests_running", **labels) == 0


def test_buckets_are_vllms_and_add_up(fresh):
    ask(fresh)
    families = scrape(fresh)
    for name, some in [("time_to_first_token_seconds", ["0.001", "0.08", "2560"]), ("inter_token_latency_seconds", ["0.01", "0.15", "80"]),
                       ("e2e_request_latency_seconds", ["0.3", "7680"]), ("request_params_n", ["1", "20"]), ("iteration_tokens_total", ["1", "8", "16384"])]:
        buckets = [sample for sample in families["vllm:" + name].samples if sample.name.endswith("_bucket")]
        assert [bucket.labels["le"] for bucket in buckets if bucket.labels["le"] in some or float(bucket.labels["le"]) in map(float, some)], name
        counts = [bucket.value for bucket in buckets]
        assert counts == sorted(counts) and buckets[-1].labels["le"] == "+Inf"
        assert counts[-1] == value(families, "vllm:" + name, "_count")
        if name == "time_to_first_token_seconds":
            assert len(buckets) == 23


def test_the_prefix_cache_is_counted_in_tokens(fresh):
    prompt = "One two three four five six seven eight nine ten. " * 6
    ask(fresh, prompt=prompt)
    used = ask(fresh, prompt=prompt)
    cached = used["prompt_tokens_details"]["cached_tokens"]
    assert cached > 0
    families = scrape(fresh)
    assert value(families, "vllm:prefix_cache_hits", "_total") == cached
    assert value(families, "vllm:prefix_cache_queries", "_total") == 2 * used["prompt_tokens"]


def test_the_servers_own_names_are_always_there(fresh):
    ask(fresh)
    families = scrape(fresh)
    assert value(families, "quern_model_loads", "_total") == 1
    assert families["quern_build_info"].samples[0].labels["version"]
    assert value(families, "quern_generated_tokens", "_total", model="quern-mini") == 7
    assert {sample.labels["part"] for sample in families["quern_model_bytes"].samples} == {"weights", "cache", "working"}


def test_requests_are_counted_by_route_and_never_by_what_a_client_made_up(fresh):
    ask(fresh)
    fresh.get("/no/such/path")
    families = scrape(fresh)
    assert value(families, "quern_http_requests", "_total", route="/v1/completions", code="200") == 1
    assert value(families, "quern_http_requests", "_total", code="404") == 1
    assert "/no/such/path" not in {sample.labels["route"] for sample in families["quern_http_requests"].samples}
    assert value(families, "quern_http_in_flight") == 1  # this one
    assert value(families, "process_resident_memory_bytes") > 1e6 and value(families, "process_open_fds") > 3


def test_llama_servers_names_are_there_where_they_are_wanted(quern):
    with Server(quern, "--metrics-compat", "llamacpp") as server:
        used = ask(server)
        families = scrape(server)
        assert not [name for name in families if name.startswith("vllm:")]
        assert value(families, "llamacpp:prompt_tokens", "_total") == used["prompt_tokens"]
        assert value(families, "llamacpp:tokens_predicted", "_total") == 7
        assert value(families, "llamacpp:n_tokens_max", "_total") == used["total_tokens"]
        assert value(families, "llamacpp:predicted_tokens_seconds") > 0
    with Server(quern, "--metrics-compat", "none") as server:
        assert all(name.startswith(("quern_", "process_")) for name in scrape(server))


def test_a_key_is_needed(quern):
    with Server(quern, "--api-key", "secret") as server:
        assert server.get("/metrics").status == 401
        assert server.get("/metrics", headers={"Authorization": "Bearer secret"}).status == 200
