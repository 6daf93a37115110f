"""quern bench serve against a server that is slow in a known way."""

import http.server
import json
import threading
import time

import pytest

FIRST_S, GAP_S = 0.08, 0.02


class Slow(http.server.BaseHTTPRequestHandler):
    """One token a word, three for the template; replies as long as asked for, a piece each 20 ms."""
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def answer(self, status, value):
        body = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        self.answer(200, {"object": "list", "data": [{"id": "slow-model"}]})

    def do_POST(self):
        asked = json.loads(self.rfile.read(int(self.headers["content-length"])))
        with self.server.lock:
            self.server.seen.append((asked, dict(self.headers)))
            self.server.running += 1
            self.server.most = max(self.server.most, self.server.running)
        try:
            self.reply(asked)
        finally:
            with self.server.lock:
                self.server.running -= 1

    def reply(self, asked):
        if self.server.refuse:
            return self.answer(503, {"error": {"message": "the queue is full"}})
        words = sum(len(m["content"].split()) for m in asked["messages"])
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.send_header("transfer-encoding", "chunked")
        self.end_headers()

        def event(value):
            data = f"data: {value if isinstance(value, str) else json.dumps(value)}\n\n".encode()
            self.wfile.write(f"{len(data):x}\r\n".encode() + data + b"\r\n")

        time.sleep(FIRST_S)
        for i in range(asked["max_tokens"]):
            if i > 0:
                time.sleep(GAP_S)
            event({"choices": [{"index": 0, "delta": {"content": "x"}}]})
        event({"choices": [], "usage": {"prompt_tokens": words + 3, "completion_tokens": asked["max_tokens"]}})
        event("[DONE]")
        self.wfile.write(b"0\r\n\r\n")


@pytest.fixture
def slow():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Slow)
    server.lock, server.seen, server.running, server.most, server.refuse = threading.Lock(), [], 0, 0, False
    server.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()


def test_times_and_rates_are_those_of_the_server(quern, slow):
    done = quern.run("bench", "serve", slow.url, "-n", "6", "-c", "3", "--input-len", "40", "--output-len", "5", "--json")
    assert done.returncode == 0, done.stderr
    [row] = json.loads(done.stdout)
    assert row["model"] == "slow-model" and row["completed"] == 6 and row["failed"] == 0
    assert row["prompt_tokens"] == 240 and row["output_tokens"] == 30
    assert slow.most == row["most_at_once"] == 3
    assert FIRST_S * 1000 <= row["ttft_ms"]["min"] < FIRST_S * 1000 + 200
    assert GAP_S * 1000 * 0.5 <= row["itl_ms"]["p50"] < GAP_S * 1000 + 100 and row["itl_ms"]["count"] == 24
    assert row["tpot_ms"]["mean"] == pytest.approx((row["e2el_ms"]["mean"] - row["ttft_ms"]["mean"]) / 4, rel=0.01)
    assert row["output_tokens_per_s"] == pytest.approx(30 / row["duration_s"])
    assert row["duration_s"] >= 2 * (FIRST_S + 4 * GAP_S)


def test_every_prompt_is_another_and_the_prefix_the_same(quern, slow):
    done = quern.run("bench", "serve", slow.url + "/v1/", "-n", "4", "-c", "1,2", "--input-len", "20", "--prefix-len", "9", "--output-len", "1")
    assert done.returncode == 0, done.stderr
    asked = [body for body, _ in slow.seen[2:]]
    assert len({body["messages"][1]["content"] for body in asked}) == 8
    [prefix] = {body["messages"][0]["content"] for body in asked}
    assert len(prefix.split()) == 9
    assert all(body["ignore_eos"] and body["stream"] and body["temperature"] == 0 for body in asked)
    assert done.stdout.count("4 ended well, 0 failed") == 2


def test_a_rate_spreads_requests_over_time(quern, slow):
    done = quern.run("bench", "serve", slow.url, "-n", "20", "-c", "100", "--rate", "40", "--output-len", "1", "--seed", "3", "--json")
    [row] = json.loads(done.stdout)
    assert 0.2 < row["duration_s"] < 3 and row["request_rate"] == 40 and row["seed"] == 3


def test_the_key_comes_from_the_environment_and_is_never_printed(quern, slow):
    done = quern.run("bench", "serve", slow.url, "-n", "1", "--output-len", "1", env={"QUERN_API_KEY": "sk-very-secret"})
    assert done.returncode == 0
    assert slow.seen[0][1]["authorization"] == "Bearer sk-very-secret"
    assert "secret" not in done.stdout + done.stderr


def test_a_refusal_is_told_and_fails_the_command(quern, slow):
    slow.refuse = True
    done = quern.run("bench", "serve", slow.url, "--model", "m", "-n", "2")
    assert done.returncode == 1 and "status 503: the queue is full" in done.stderr


def test_goodput_counts_requests_that_meet_every_goal(quern, slow):
    args = ["bench", "serve", slow.url, "-n", "2", "--output-len", "2", "--json"]
    [easy] = json.loads(quern.run(*args, "--goodput", "ttft:5000", "tpot:5000").stdout)
    [hard] = json.loads(quern.run(*args, "--goodput", "ttft:5000", "tpot:1").stdout)
    assert easy["good"] == 2 and easy["goodput_per_s"] > 0 and hard["good"] == 0


@pytest.mark.parametrize("args, words", [
    (["--goodput", "ttfb:3"], "--goodput: expected ttft:MS"),
    (["-c", "0"], "--concurrency: expected a number from 1"),
    (["--rate", "fast"], "--rate: expected a number"),
    (["--extra-body", "[1]"], "--extra-body: expected a JSON object"),
    (["--concurency", "2"], "did you mean --concurrency?"),
])
def test_wrong_usage_is_told(quern, args, words):
    done = quern.run("bench", "serve", "http://127.0.0.1:1", *args)
    assert done.returncode == 2 and words in done.stderr


def test_a_server_that_is_not_there_is_named(quern):
    done = quern.run("bench", "serve", "http://127.0.0.1:1")
    assert done.returncode == 1 and "http://127.0.0.1:1/v1/models" in done.stderr
