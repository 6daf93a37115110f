"""One request never harms another: hostile ones beside streams that stay the same to the last bit of every log probability."""

import collections
import http.client
import threading

from crowd import CHAT, MODEL, SCHEMA, WEATHER, difference, streamed, user
from poison import poisoned

# Four streams that run all the while: greedy, seeded, in a form, and a call.
GOLDEN = [
    {"messages": user('In the word "strawberry", how many R\'s are there?'), "temperature": 0, "max_tokens": 100},
    {"messages": user("Tell me a story."), "temperature": 1.3, "seed": 5, "max_tokens": 150, "ignore_eos": True},
    {
        "messages": user("Give me JSON."),
        "temperature": 1,
        "seed": 6,
        "max_tokens": 100,
        "response_format": {"type": "json_schema", "json_schema": {"name": "x", "schema": SCHEMA}},
    },
    {"messages": user("What is the weather in Paris?"), "temperature": 0, "tools": [WEATHER], "tool_choice": "required", "max_tokens": 100},
]


def stream(server, body):
    return streamed(server.post(CHAT, {"model": MODEL, "stream": True, "logprobs": True, "cache_salt": "golden"} | body, timeout=120))


def status_of(server, path, body, headers):
    try:
        return server.post(path, body, headers, timeout=120).status
    except (http.client.HTTPException, ConnectionError) as error:
        return type(error).__name__


def test_five_hundred_poisoned_requests_change_nothing_in_four_streams_beside_them(server):
    expected = [stream(server, body) for body in GOLDEN]
    assert all(said["status"] == 200 and said["finish"] for said in expected)
    process = server.process.pid
    statuses = collections.Counter()
    over, rounds, changed = threading.Event(), [0] * len(GOLDEN), []

    def watch(i):
        while not over.is_set() and not changed:
            if found := difference(expected[i], stream(server, GOLDEN[i])):
                changed.append((GOLDEN[i]["messages"], found))
            rounds[i] += 1

    watchers = [threading.Thread(target=watch, args=(i,)) for i in range(len(GOLDEN))]
    for watcher in watchers:
        watcher.start()
    requests = poisoned(500, seed=1)
    unexpected, lock = [], threading.Lock()

    def send():
        while True:
            with lock:
                if not requests:
                    return
                request = requests.pop()
            status = status_of(server, *request)
            with lock:
                statuses[status] += 1
                if not isinstance(status, int) or (status >= 500 and status != 501):
                    unexpected.append((status, request))

    senders = [threading.Thread(target=send) for _ in range(8)]
    for thread in senders:
        thread.start()
    for thread in senders:
        thread.join()
    over.set()
    for watcher in watchers:
        watcher.join()
    assert not changed, changed[0]
    assert not unexpected, (statuses, unexpected[:3])
    assert min(rounds) >= 1 and sum(rounds) >= 8 and server.process.poll() is None and server.process.pid == process
    assert statuses[200] > 50 and statuses[400] > 100, statuses
    assert [stream(server, body) for body in GOLDEN] == expected
