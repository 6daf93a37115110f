"""Streams of a real model over the real server: ending it, leaving it, crowding it."""

import json
import os
import signal
import socket
import threading
import time

import pytest

from server import Server

CHAT = {"model": "quern-mini", "stream": True, "ignore_eos": True, "max_tokens": 4000, "temperature": 0,
        "messages": [{"role": "user", "content": "Count as far as you can."}]}


def open_stream(port, body=CHAT, receive_buffer=None):
    """A connection on which a reply is being streamed."""
    connection = socket.socket()
    if receive_buffer:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
    connection.settimeout(60)
    connection.connect(("127.0.0.1", port))
    data = json.dumps(body).encode()
    connection.sendall(b"POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s" % (len(data), data))
    return connection


def read_to_end(connection):
    answer = b""
    while piece := connection.recv(65536):
        answer += piece
    return answer


def wait_for_log(server, text, seconds=20):
    deadline = time.monotonic() + seconds
    while not any(text in line for line in list(server.log)):
        assert time.monotonic() < deadline, server.log[-20:]
        time.sleep(0.01)


def test_a_stream_that_is_still_running_when_the_drain_ends_is_told_so(quern):
    with Server(quern, "--drain-timeout", "100ms") as server:
        stream = open_stream(server.port, CHAT | {"n": 16})  # quern-mini writes a whole window in 0.3 s
        assert stream.recv(100)
        begin = time.monotonic()
        server.process.send_signal(signal.SIGTERM)
        answer = read_to_end(stream)
        assert b'data: {"error":{"message":"the server is being stopped' in answer and b"[DONE]" not in answer
        assert answer.endswith(b"0\r\n\r\n")
        assert server.process.wait(10) == 0
        assert 0.08 < time.monotonic() - begin < 5


def test_a_stream_finishes_while_the_server_drains(quern):
    with Server(quern) as server:
        stream = open_stream(server.port, CHAT | {"max_tokens": 300})
        assert stream.recv(100)
        server.process.send_signal(signal.SIGTERM)
        wait_for_log(server, "draining")
        health = socket.create_connection(("127.0.0.1", server.port))
        health.sendall(b"GET /readyz HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert health.recv(100).startswith(b"HTTP/1.1 503")
        assert b"data: [DONE]" in read_to_end(stream)
        assert server.process.wait(10) == 0


def test_a_second_sigterm_ends_at_once(quern):
    with Server(quern) as server:
        stream = open_stream(server.port)
        assert stream.recv(100)
        server.process.send_signal(signal.SIGTERM)
        wait_for_log(server, "draining")
        begin = time.monotonic()
        server.process.send_signal(signal.SIGTERM)
        assert server.process.wait(10) == 0
        assert time.monotonic() - begin < 1
        stream.close()


def test_whoever_leaves_is_cancelled(quern):
    with Server(quern) as server:
        for leave_after in (0, 1, 1000):  # before the first byte, after it, in the middle
            stream = open_stream(server.port)
            read = b""
            while len(read) < leave_after:
                read += stream.recv(4096)
            lines = len(server.log)
            stream.close()
            deadline = time.monotonic() + 10
            while not any("status=499" in line for line in server.log[lines:]):
                assert time.monotonic() < deadline
                time.sleep(0.01)


def test_a_thousand_idle_and_many_streaming_clients_fit_into_200_mb(quern):
    with Server(quern) as server:
        pid = server.process.pid

        def resident_mb():
            return int(next(line for line in open(f"/proc/{pid}/status") if line.startswith("VmRSS")).split()[1]) / 1000

        warm = server.post("/v1/chat/completions", CHAT | {"stream": False, "max_tokens": 8})
        assert warm.status == 200
        before = resident_mb()
        idle = [socket.create_connection(("127.0.0.1", server.port)) for _ in range(1000)]
        streams = [open_stream(server.port, CHAT | {"max_tokens": 60}) for _ in range(64)]
        answers = [None] * len(streams)

        def read(i):
            answers[i] = b""
            while b"[DONE]" not in answers[i][-200:]:
                answers[i] += streams[i].recv(65536)

        threads = [threading.Thread(target=read, args=(i,)) for i in range(len(streams))]
        for thread in threads:
            thread.start()
        peak = 0
        while any(thread.is_alive() for thread in threads):
            peak = max(peak, resident_mb())
            time.sleep(0.05)
        print(f"\n{before:.0f} MB before, {peak:.0f} MB with 1,000 idle and 64 streaming")
        assert peak - before < 200
        for connection in idle + streams:
            connection.close()
