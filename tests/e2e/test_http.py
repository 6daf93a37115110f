"""The server's front as clients and administrators meet it: keys, web pages, TLS, Unix sockets, signals, the log."""

import gzip
import http.client
import json
import os
import re
import signal
import socket
import ssl
import subprocess
import time

import pytest

from server import Server


def raw(port, request, until_closed=True):
    """Bytes in, bytes out, on a connection of its own."""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        connection.sendall(request)
        answer = b""
        while True:
            piece = connection.recv(65536)
            answer += piece
            if not piece or not until_closed:
                return answer


def test_every_answer_has_a_request_id_and_an_error_the_form_of_its_path(server):
    assert server.get("/", headers={"X-Request-Id": "mine-1"}).headers["x-request-id"] == "mine-1"
    assert server.get("/").headers["x-request-id"].startswith("req_")
    assert server.get("/v1/nothing").json()["error"]["type"] == "invalid_request_error"
    assert isinstance(server.get("/api/nothing").json()["error"], str)
    answer = server.get("/v1/messages/nothing")
    assert answer.json()["type"] == "error" and answer.json()["request_id"] == answer.headers["request-id"]
    assert server.get("/nothing").json()["error"]["code"] == 404


def test_health_and_version_answer_as_the_clients_of_each_server_expect(server):
    for method in ("GET", "HEAD"):
        answer = server.ask(method, "/")
        assert answer.status == 200 and answer.headers["Content-Type"].startswith("text/plain")
        assert answer.text == ("Ollama is running" if method == "GET" else "")
    for path in ("/health", "/v1/health", "/livez", "/healthz", "/readyz"):
        assert server.get(path).json() == {"status": "ok"}
    assert server.get("/ping").status == 200 and server.post("/ping").status == 200
    assert all(part.isdigit() for part in server.get("/api/version").json()["version"].split("."))
    assert server.get("//api//version/").status == 200
    assert "leave one out" in server.get("/v1/v1/models").json()["error"]["message"]


def test_wrong_methods_are_told_the_right_ones(server):
    answer = server.ask("DELETE", "/health")
    assert answer.status == 405 and answer.headers["Allow"] == "GET, HEAD, OPTIONS"


def test_smuggled_requests_are_refused_and_the_connection_ends(server):
    answer = raw(server.port, b"POST /ping HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 400 ") and answer.count(b"\r\nDate: ") == 1 and b"Connection: close" in answer


def test_a_compressed_body_is_read_and_another_coding_refused(server):
    assert server.post("/ping", gzip.compress(b"x" * 1000), headers={"Content-Encoding": "gzip"}).status == 200
    assert server.post("/ping", b"x", headers={"Content-Encoding": "br"}).status == 415


def test_a_large_body_is_refused_before_it_is_sent(server):
    answer = raw(server.port, b"POST /ping HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\nContent-Length: 33554433\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 413 ")
    head = raw(server.port, b"POST /ping HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\nContent-Length: 33554432\r\n\r\n", until_closed=False)
    assert head == b"HTTP/1.1 100 Continue\r\n\r\n"


def test_keys_open_what_their_scope_allows_and_never_reach_the_log(quern):
    keys = quern.home / "keys"
    keys.write_text("# ours\nfile-secret infer\n")
    with Server(quern, "--api-key", "flag-secret", "--api-key-file", str(keys), env={"QUERN_API_KEY": "'env-secret', env-second"}) as server:
        assert server.get("/health").status == 200
        assert server.get("/api/version").json() == {"error": "unauthorized"}
        refused = server.get("/v1/models", headers={"Authorization": "Bearer flag-secre"})
        assert refused.status == 401 and refused.json()["error"]["code"] == "invalid_api_key"
        for header in ("flag-secret", "file-secret", "env-secret", "env-second"):
            assert server.get("/api/version", headers={"Authorization": "Bearer " + header}).status == 200
            assert server.get("/api/version", headers={"x-api-key": header}).status == 200

        keys.write_text("new-secret\n")
        server.process.send_signal(signal.SIGHUP)
        deadline = time.monotonic() + 5
        while server.get("/api/version", headers={"api-key": "new-secret"}).status != 200:
            assert time.monotonic() < deadline
            time.sleep(0.02)
        assert server.get("/api/version", headers={"api-key": "file-secret"}).status == 401
        assert server.stop() == 0
    log = "".join(server.log)
    assert "secre" not in log and "path=/api/version status=401" in log


def test_a_web_page_of_another_site_is_kept_out(server):
    page = {"Origin": "http://localhost:3000"}
    assert server.get("/api/version", headers=page).headers["Access-Control-Allow-Origin"] == page["Origin"]
    preflight = server.ask("OPTIONS", "/api/version", headers=page | {"Access-Control-Request-Method": "GET"})
    assert preflight.status == 204 and preflight.headers["Access-Control-Allow-Methods"] == "GET, HEAD, OPTIONS"
    for origin in ("https://evil.example", "null", "http://localhost.evil.example"):
        answer = server.post("/ping", "x", headers={"Origin": origin, "Content-Type": "text/plain"})
        assert answer.status == 403 and "Access-Control-Allow-Origin" not in answer.headers
    assert server.get("/", headers={"Host": "rebound.example"}).status == 403


def test_an_address_that_others_reach_needs_a_key(quern):
    refused = quern.run("serve", "--host", "0.0.0.0", "--port", "0")
    assert refused.returncode == 2 and "--insecure-no-auth" in refused.stderr
    with Server(quern, "--host", "0.0.0.0", "--insecure-no-auth") as server:
        assert server.get("/").status == 200


def test_a_port_in_use_is_an_error_with_its_remedy(quern, server):
    refused = quern.run("serve", "--port", str(server.port))
    assert refused.returncode == 1 and "already in use" in refused.stderr and "--port" in refused.stderr


@pytest.mark.parametrize("flags", [["--limit", "nothing=1"], ["--limit", "body-bytes=x"], ["--drain-timeout", "soon"], ["--tls-cert", "a"],
                                   ["--allowed-origin", "example.com"], ["--port", "70000"], ["--host", "127.0.0.1:x"], ["--log-format", "xml"]])
def test_wrong_flags_are_named(quern, flags):
    refused = quern.run("serve", *flags)
    assert refused.returncode == 2, refused.stderr
    assert flags[1].split("=")[0] in refused.stderr or flags[0] in refused.stderr


def test_a_limit_may_be_changed(quern):
    with Server(quern, "--limit", "body-bytes=1k") as server:
        assert server.post("/ping", "x" * 1000).status == 200
        assert server.post("/ping", "x" * 1001).status == 413


def test_a_unix_socket_serves_and_is_removed(quern):
    path = quern.home / "quern.sock"
    with Server(quern, "--host", "127.0.0.1", "--host", str(path)) as server:
        deadline = time.monotonic() + 5
        while not path.exists():
            assert time.monotonic() < deadline
        with socket.socket(socket.AF_UNIX) as connection:
            connection.connect(str(path))
            connection.sendall(b"GET / HTTP/1.0\r\n\r\n")
            assert connection.makefile("rb").read().endswith(b"Ollama is running")
        assert server.stop() == 0
    assert not path.exists()
    stale = socket.socket(socket.AF_UNIX)
    stale.bind(str(path))
    stale.close()
    with Server(quern, "--host", "127.0.0.1", "--host", str(path)):
        pass


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    folder = tmp_path_factory.mktemp("certificate")
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj", "/CN=localhost",
               "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"]
    for name in ("one", "two"):
        subprocess.run([*command, "-keyout", folder / f"{name}.key", "-out", folder / f"{name}.pem"], check=True, capture_output=True)
    return folder


def test_tls_serves_and_a_new_certificate_is_read_on_sighup(quern, certificate):
    for part in ("pem", "key"):
        (quern.home / f"server.{part}").write_bytes((certificate / f"one.{part}").read_bytes())

    def ask(name):
        context = ssl.create_default_context(cafile=str(certificate / f"{name}.pem"))
        connection = http.client.HTTPSConnection("localhost", server.port, context=context, timeout=10)
        connection.request("GET", "/health")
        answer = connection.getresponse().read()
        connection.close()
        return json.loads(answer)

    with Server(quern, "--tls-cert", "server.pem", "--ssl-keyfile", "server.key") as server:
        assert any("https://" in line for line in server.log)
        assert ask("one") == {"status": "ok"}
        with pytest.raises(ssl.SSLCertVerificationError):
            ask("two")
        for part in ("pem", "key"):
            (quern.home / f"server.{part}").write_bytes((certificate / f"two.{part}").read_bytes())
        server.process.send_signal(signal.SIGHUP)
        deadline = time.monotonic() + 5
        while True:
            try:
                assert ask("two") == {"status": "ok"}
                break
            except ssl.SSLCertVerificationError:
                assert time.monotonic() < deadline
        with socket.create_connection(("127.0.0.1", server.port)) as plain:
            plain.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            assert not plain.recv(100).startswith(b"HTTP")
        assert ask("two") == {"status": "ok"}
    refused = quern.run("serve", "--port", "0", "--tls-cert", "server.pem", "--tls-key", str(certificate / "one.key"))
    assert refused.returncode == 2 and "--tls-key" in refused.stderr


def test_the_log_is_one_json_object_a_request_with_what_came_from_outside_escaped(quern):
    with Server(quern, "--log-format", "json") as server:
        raw(server.port, b"GET /%1b HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        server.get("/caf%C3%A9%22?key=secret", headers={"X-Request-Id": "id-7"})
        assert server.stop() == 0
    lines = [line for line in server.log if line.startswith("{")]
    assert "secret" not in "".join(lines) and "\x1b" not in "".join(lines)
    record = next(json.loads(line) for line in lines if json.loads(line).get("id") == "id-7")
    assert record["event"] == "request" and record["path"] == '/café"' and record["status"] == 404 and record["client"] == "127.0.0.1"


def test_the_service_manager_is_told(quern, tmp_path):
    path = str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(path)
        manager.settimeout(10)
        with Server(quern, env={"NOTIFY_SOCKET": path}) as server:
            assert b"READY=1" in manager.recv(1000)
            assert server.stop() == 0
            assert b"STOPPING=1" in manager.recv(1000)


def test_sigterm_ends_an_idle_server_at_once_with_open_connections(quern):
    with Server(quern) as server:
        idle = [socket.create_connection(("127.0.0.1", server.port)) for _ in range(20)]
        begin = time.monotonic()
        assert server.stop() == 0
        assert time.monotonic() - begin < 2
        for connection in idle:
            connection.close()


def test_a_thousand_idle_connections_cost_little_and_go_when_they_leave(quern):
    with Server(quern) as server:
        pid = server.process.pid

        def resident_kib():
            return int(next(line for line in open(f"/proc/{pid}/status") if line.startswith("VmRSS")).split()[1])

        def descriptors():
            return len(os.listdir(f"/proc/{pid}/fd"))

        server.get("/health")
        time.sleep(0.1)
        memory, files = resident_kib(), descriptors()
        idle = [socket.create_connection(("127.0.0.1", server.port)) for _ in range(1000)]
        for connection in idle:
            connection.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        for connection in idle:
            assert b"Ollama is running" in connection.recv(4096)
        assert resident_kib() - memory < 30 * 1024
        assert server.get("/health").status == 200
        for connection in idle:
            connection.close()
        deadline = time.monotonic() + 10
        while descriptors() > files + 1:
            assert time.monotonic() < deadline
            time.sleep(0.02)


def test_no_answer_tells_an_address_or_a_path_of_the_machine(server):
    bodies = [b"", b"{", b"[]", b"null", b"\xff\xfe", b'{"model":1}', b'{"model":"none/such:q4"}', b'{"model":"quern-mini","messages":7}', b"[" * 200,
              b'{"model":"quern-mini","messages":[{"role":"user","content":"a"}],"max_tokens":1e400}',
              b'{"model":"quern-mini","prompt":"a","max_tokens":-7}', b'{"model":"quern-mini","messages":[{"role":"user","content":"a"}],"top_p":9}']
    paths = ["/v1/chat/completions", "/v1/completions", "/v1/embeddings", "/api/chat", "/api/generate", "/v1/messages", "/completion", "/tokenize", "/nothing"]
    for path in paths:
        for body in bodies:
            answer = server.post(path, body)
            assert answer.status < 500 or answer.status == 501, (path, body, answer.status, answer.text)
            if answer.status == 200:
                continue
            assert not re.search(r"0x[0-9a-fA-F]{6,}|\b[0-9a-f]{12,}\b(?<!req_)", answer.text.replace(answer.headers["x-request-id"], "")), answer.text
            assert str(server.process.args[0]) not in answer.text and "/home/" not in answer.text and "/usr/" not in answer.text
