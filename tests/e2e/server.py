"""A running `quern serve`: started on a port of its own, asked over plain HTTP, ended with SIGTERM."""

import http.client
import json
import os
import re
import signal
import subprocess
import threading
import time


class Reply:
    def __init__(self, status, headers, body):
        self.status = status
        self.headers = headers
        self.body = body

    @property
    def text(self):
        return self.body.decode()

    def json(self):
        return json.loads(self.body)

    def events(self):
        """The data of server-sent events, parsed; "[DONE]" as it is."""
        blocks = [block for block in self.text.split("\n\n") if block]
        lines = [line for block in blocks for line in block.split("\n") if line.startswith("data: ")]
        return [data if data == "[DONE]" else json.loads(data) for data in (line[len("data: "):] for line in lines)]

    def lines(self):
        """NDJSON, parsed."""
        return [json.loads(line) for line in self.text.splitlines()]


class Server:
    """`with Server(quern, "model.gguf", "--api-key", "k") as server: server.post("/tokenize", {"content": "a"}).json()`"""

    def __init__(self, quern, *args, env=None, timeout=60, command=("serve",), program=None):
        self.process = subprocess.Popen([str(program or quern.program), *command, *args, "--port", "0"], env=quern.env | (env or {}), cwd=quern.home,
                                        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        self.log = []
        self.port = None
        ready = threading.Event()

        def read():
            for line in self.process.stderr:
                self.log.append(line.decode(errors="replace"))
                found = re.search(r"listening on https?://\S+:(\d+)", self.log[-1])
                if found and self.port is None:
                    self.port = int(found[1])
                    ready.set()
            ready.set()

        self.reader = threading.Thread(target=read, daemon=True)
        self.reader.start()
        ready.wait(timeout)
        if self.port is None:
            self.process.kill()
            self.process.wait()
            raise AssertionError("the server does not listen:\n" + "".join(self.log))
        self.url = f"http://127.0.0.1:{self.port}"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    def connect(self, timeout=60):
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)

    def ask(self, method, path, body=None, headers=None, timeout=60):
        """One request on a connection of its own. body: bytes or text as they are, anything else as JSON."""
        if body is not None and not isinstance(body, (bytes, str)):
            body = json.dumps(body)
        connection = self.connect(timeout)
        try:
            connection.request(method, path, body, headers or {})
            answer = connection.getresponse()
            return Reply(answer.status, answer.headers, answer.read())
        finally:
            connection.close()

    def get(self, path, headers=None, **options):
        return self.ask("GET", path, headers=headers, **options)

    def post(self, path, body=None, headers=None, **options):
        return self.ask("POST", path, body, headers, **options)

    def stop(self, timeout=30):
        """The exit code."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(timeout)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
                raise AssertionError("the server did not end:\n" + "".join(self.log)) from None
        self.reader.join(5)
        self.process.stderr.close()
        return self.process.returncode

    def wait_ready(self, timeout=30):
        """Until what was named on the command line is loaded."""
        for _ in range(timeout * 20):
            if self.process.poll() is not None or self.get("/readyz").status == 200:
                break
            time.sleep(0.05)
        return self

    def logged(self, words, timeout=10):
        """Whether a line of the log says so, which may come a moment after the reply."""
        for _ in range(timeout * 50):
            if any(words in line for line in self.log):
                return True
            time.sleep(0.02)
        return False

    def open_files(self):
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))
