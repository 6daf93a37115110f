"""A program on a pseudo-terminal: keys go in, what it writes is read back."""

import fcntl
import os
import pty
import re
import select
import struct
import termios
import time

ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\x1b[()][A-Z0-9]|\x1b[=>]")


class Terminal:
    def __init__(self, argv, env, cwd, columns=80, lines=24):
        self.raw = ""
        self.code = None
        self._bytes = b""
        self._seen = 0
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.chdir(cwd)
            os.execve(argv[0], argv, env)
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.code is None:
            os.kill(self.pid, 9)
            os.waitpid(self.pid, 0)
        os.close(self.fd)

    def _read(self, seconds):
        ready, _, _ = select.select([self.fd], [], [], seconds)
        if not ready:
            return True
        try:
            data = os.read(self.fd, 65536)
        except OSError:  # the other end is closed
            return False
        self._bytes += data
        self.raw = self._bytes.decode("utf-8", errors="replace")
        return bool(data)

    @property
    def text(self):
        """All it wrote, without escape sequences and carriage returns."""
        return ESCAPES.sub("", self.raw).replace("\r", "")

    def wait_for(self, wanted, seconds=60):
        """Reads until `wanted` appears behind what an earlier call found; returns the text between."""
        until = time.monotonic() + seconds
        while True:
            at = self.text.find(wanted, self._seen)
            if at >= 0:
                between = self.text[self._seen : at]
                self._seen = at + len(wanted)
                return between
            if time.monotonic() > until or not self._read(0.2):
                raise AssertionError(f"{wanted!r} did not come; got {self.text[self._seen:]!r}")

    def prompt(self, seconds=60):
        """Waits for the prompt, with its placeholder: the program then reads."""
        between = self.wait_for(">>> ", seconds)
        self.wait_for("Send a message (/? for help)", seconds)
        return between

    def send(self, keys):
        os.write(self.fd, keys.encode("utf-8"))

    def enter(self, line, seconds=60):
        """Types a line; returns what came until the next prompt."""
        self.send(line + "\r")
        return self.prompt(seconds)

    def end(self, seconds=30):
        """Waits for the program to end; returns its exit code."""
        until = time.monotonic() + seconds
        while time.monotonic() < until and self._read(0.2):
            pass
        while True:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self.code = os.waitstatus_to_exitcode(status)
                return self.code
            if time.monotonic() > until:
                raise AssertionError(f"it did not end; last wrote {self.text[-200:]!r}")
            time.sleep(0.02)
