"""Too many requests, several keys, and the end: who cannot be served is told so at once, keys share nothing, and what has
begun is finished."""

import concurrent.futures
import json
import signal
import time

from crowd import CHAT, MODEL, metric, until_ready, user
from server import Server

LONG = {"model": MODEL, "messages": user("Tell me a long story."), "temperature": 1, "seed": 1, "ignore_eos": True}


def timed(server, body):
    begun = time.monotonic()
    answer = server.post(CHAT, body, timeout=120)
    return answer, time.monotonic() - begun


def test_ten_times_what_fits_is_refused_at_once_with_a_time_to_come_back(quern):
    with Server(quern, "quern-mini", "--max-num-seqs", "2", "--max-queue", "8") as server:
        until_ready(server)
        with concurrent.futures.ThreadPoolExecutor(100) as pool:
            answers = list(pool.map(lambda i: timed(server, LONG | {"max_tokens": 400, "seed": i}), range(100)))
        served = [time for answer, time in answers if answer.status == 200]
        refused = [(answer, time) for answer, time in answers if answer.status == 503]
        assert len(served) + len(refused) == 100 and len(served) >= 10 and len(refused) >= 50
        for answer, _ in refused:
            assert 1 <= int(answer.headers["Retry-After"]) <= 60 and answer.json()["error"]["code"] == "overloaded"
        waits = sorted(time for _, time in refused)
        assert waits[len(waits) // 2] < max(served) / 2  # the machine may be busy, but the refused do not wait for the served
        assert all(answer.json()["usage"]["completion_tokens"] == 400 for answer, _ in answers if answer.status == 200)
        assert server.post(CHAT, LONG | {"max_tokens": 5}).status == 200
        assert metric(server, "quern_requests_waiting") == 0 and metric(server, "quern_kv_pages", state="held") == 0
        assert metric(server, "quern_requests_refused_total") == len(refused)


def test_a_streamed_request_is_refused_with_its_status_too(quern):
    with Server(quern, "quern-mini", "--max-num-seqs", "1", "--max-queue", "1") as server:
        until_ready(server)
        with concurrent.futures.ThreadPoolExecutor(30) as pool:
            answers = list(pool.map(lambda i: server.post(CHAT, LONG | {"max_tokens": 600, "stream": True}), range(30)))
        assert {answer.status for answer in answers} == {200, 503}
        assert all(answer.text.endswith("data: [DONE]\n\n") for answer in answers if answer.status == 200)


def cached(server, key, **more):
    body = {"model": MODEL, "messages": user("word " * 60), "max_tokens": 1} | more
    answer = server.post(CHAT, body, {"Authorization": "Bearer " + key})
    assert answer.status == 200
    return answer.json()["usage"]["prompt_tokens_details"]["cached_tokens"]


def test_a_key_finds_nothing_that_another_key_has_had_computed(quern):
    with Server(quern, "quern-mini", "--api-key", "one", "--api-key", "two") as server:
        assert cached(server, "one") == 0 and cached(server, "one") > 0
        assert cached(server, "two") == 0 and cached(server, "two") > 0
        assert cached(server, "one", cache_salt="same") == 0 and cached(server, "two", cache_salt="same") == 0


def test_a_key_with_many_requests_does_not_keep_another_key_waiting(quern):
    """Turns go by key: one reply of a second key does not wait behind forty of the first."""
    with Server(quern, "quern-mini", "--api-key", "one", "--api-key", "two", "--max-num-seqs", "2") as server:
        with concurrent.futures.ThreadPoolExecutor(41) as pool:
            begun = time.monotonic()
            ask = lambda key, tokens: (
                server.post(CHAT, LONG | {"max_tokens": tokens}, {"x-api-key": key}, timeout=120).status,
                time.monotonic() - begun,
            )
            many = [pool.submit(ask, "one", 300) for _ in range(40)]
            while not any(future.done() for future in many):
                time.sleep(0.01)
            status, at = ask("two", 10)
            ends = sorted(future.result()[1] for future in many)
        assert status == 200 and at < ends[len(ends) // 2]


def begin_stream(server, **more):
    connection = server.connect()
    connection.request("POST", CHAT, json.dumps(LONG | {"stream": True} | more))
    answer = connection.getresponse()
    assert answer.status == 200
    answer.readline()
    return connection, answer


def test_sigterm_lets_replies_finish_and_takes_no_new_ones(quern):
    with Server(quern, "quern-mini") as server:
        streams = [begin_stream(server, max_tokens=900, seed=seed) for seed in range(8)]
        server.process.send_signal(signal.SIGTERM)
        time.sleep(0.1)
        assert server.get("/readyz").status == 503
        refused = server.post(CHAT, LONG | {"max_tokens": 2})
        assert refused.status == 503 and refused.headers["Retry-After"]
        for connection, answer in streams:
            assert answer.read().endswith(b"data: [DONE]\n\n")
            connection.close()
        assert server.process.wait(10) == 0


def test_replies_that_the_drain_has_no_time_for_end_with_an_error(quern):
    with Server(quern, "quern-mini", "--drain-timeout", "0s") as server:
        streams = [begin_stream(server, max_tokens=1000, seed=seed) for seed in range(30)]
        begun = time.monotonic()
        server.process.send_signal(signal.SIGTERM)
        ends = [answer.read() for _, answer in streams]
        assert server.process.wait(10) == 0 and time.monotonic() - begun < 5
        cut = [end for end in ends if not end.endswith(b"data: [DONE]\n\n")]
        for end in cut:
            last = end.strip().split(b"\n\n")[-1]
            assert last.startswith(b"data: ") and "error" in json.loads(last[len(b"data: ") :])
        assert cut


def test_a_second_signal_ends_at_once(quern):
    with Server(quern, "quern-mini") as server:
        streams = [begin_stream(server, max_tokens=1000, seed=seed) for seed in range(30)]
        begun = time.monotonic()
        server.process.send_signal(signal.SIGTERM)
        time.sleep(0.02)
        server.process.send_signal(signal.SIGTERM)
        assert server.process.wait(10) == 0 and time.monotonic() - begun < 3
        for connection, _ in streams:
            connection.close()
