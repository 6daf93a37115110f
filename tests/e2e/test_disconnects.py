"""Clients that leave, in every state a request can be in: pages, descriptors and threads return to where they were, and nobody else
notices."""

import json
import socket
import time

import pytest

from conftest import Quern, built_program
from crowd import CHAT, MODEL, SCHEMA, WEATHER, metric, user
from server import Server

LONG = {"messages": user("Tell me a long story."), "temperature": 1, "seed": 1, "ignore_eos": True}


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """Two replies at a time, so that others wait; prompts in small parts, so that reading one takes many steps."""
    flags = ["--max-num-seqs", "2", "--max-num-batched-tokens", "32"]
    with Server(Quern(built_program(), tmp_path_factory.mktemp("server")), "quern-mini", *flags) as running:
        yield running


class Client:
    """A request that is sent, and a connection that can be closed at any time."""

    def __init__(self, server, body, stream):
        data = json.dumps({"model": MODEL, "stream": stream} | body).encode()
        self.socket = socket.create_connection(("127.0.0.1", server.port), timeout=60)
        head = f"POST {CHAT} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(data)}\r\n\r\n"
        self.socket.sendall(head.encode() + data)

    def read_until(self, text):
        seen = b""
        while text not in seen:
            piece = self.socket.recv(65536)
            assert piece, seen
            seen += piece
        return seen

    def leave(self):
        self.socket.close()


def figures(server):
    status = open(f"/proc/{server.process.pid}/status").read()
    threads = int(status.split("Threads:")[1].split()[0])
    return {
        "descriptors": server.open_files(),
        "threads": threads,
        "held": metric(server, "quern_kv_pages", state="held"),
        "running": metric(server, "quern_requests_running"),
        "waiting": metric(server, "quern_requests_waiting"),
    }


def left_behind(server, before, patience=10):
    """What there is more of than before, once patience has ended; nothing as soon as there is nothing."""
    deadline = time.monotonic() + patience
    while (
        more := {name: (before[name], now) for name, now in figures(server).items() if now > before[name]}
    ) and time.monotonic() < deadline:
        time.sleep(0.01)
    return more


def heavy_form(i):
    """A schema that takes a while to compile, and that no cache knows."""
    return {"type": "object", "properties": {f"field {i} {k}": SCHEMA for k in range(200)}, "additionalProperties": False}


def leave_while_queued(server, i, stream):
    busy = [Client(server, LONG | {"seed": k}, True) for k in range(2)]
    for client in busy:
        client.read_until(b'"content"')
    waits = Client(server, LONG | {"seed": i}, stream)
    time.sleep(0.003 * (i % 4))
    waits.leave()
    for client in busy:
        client.leave()


def leave_while_the_prompt_is_read(server, i, stream):
    client = Client(server, LONG | {"messages": user(f"{i} " + "word " * 150)}, stream)
    time.sleep(0.002 * (i % 6))
    client.leave()


def leave_while_the_reply_is_written(server, i, stream):
    client = Client(server, LONG | {"seed": i}, stream)
    if stream:
        client.read_until(b'"content":"')
        time.sleep(0.003 * (i % 5))
    else:
        time.sleep(0.01 + 0.003 * (i % 5))
    client.leave()


def leave_while_a_grammar_is_compiled(server, i, stream):
    client = Client(
        server, LONG | {"response_format": {"type": "json_schema", "json_schema": {"name": "x", "schema": heavy_form(i)}}}, stream
    )
    time.sleep(0.004 * (i % 5))
    client.leave()


def leave_within_a_call(server, i, stream):
    tool = {
        "type": "function",
        "function": {
            "name": "get_weather",
            "parameters": {"type": "object", "properties": {"city": {"type": "string", "minLength": 300}}, "required": ["city"]},
        },
    }
    client = Client(server, {"messages": user("What is the weather in Paris?"), "tools": [tool], "tool_choice": "required"}, stream)
    if stream:
        client.read_until(b'"arguments":')
    else:
        time.sleep(0.01)
    client.leave()


def leave_while_the_model_is_loaded(server, i, stream):
    server.post(CHAT, {"model": MODEL, "messages": user("hi"), "max_tokens": 1, "keep_alive": 0})  # nobody uses it: it leaves memory
    client = Client(server, LONG | {"keep_alive": 60}, stream)
    time.sleep(0.002 * (i % 5))
    client.leave()


STATES = [
    leave_while_queued,
    leave_while_the_prompt_is_read,
    leave_while_the_reply_is_written,
    leave_while_a_grammar_is_compiled,
    leave_within_a_call,
    leave_while_the_model_is_loaded,
]


@pytest.mark.parametrize("stream", [True, False], ids=["streamed", "whole"])
@pytest.mark.parametrize("leave", STATES, ids=lambda leave: leave.__name__)
def test_seventeen_clients_that_leave_take_nothing_with_them(server, leave, stream):
    ask = {"model": MODEL, "messages": user("Hello, who are you?"), "temperature": 0, "max_tokens": 20}
    expected = server.post(CHAT, ask).json()["choices"]
    before = figures(server)
    assert before["held"] == before["running"] == before["waiting"] == 0
    for i in range(17):
        leave(server, i, stream)
    assert left_behind(server, before) == {}
    assert server.post(CHAT, ask).json()["choices"] == expected


def test_who_leaves_is_not_written_for_any_longer(server):
    """Eight replies of a thousand tokens, left after a few: most of what they would have been is never written."""
    before = figures(server)
    written, cancelled = metric(server, "quern_generated_tokens_total"), metric(server, "quern_requests_cancelled_total")
    clients = [Client(server, LONG | {"seed": seed}, True) for seed in range(8)]
    clients[0].read_until(b'"content":"')
    for client in clients:
        client.leave()
    assert left_behind(server, before) == {}
    assert metric(server, "quern_requests_cancelled_total") - cancelled >= 6
    assert metric(server, "quern_generated_tokens_total") - written < 8 * 990 / 2
