"""A real HTTP server in the place of an operator's: it keeps what it gets and answers as told."""

import contextlib
import hashlib
import hmac
import json
import socket
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from running import free_port, wait_until


class Got:
    def __init__(self, path, headers, body):
        self.path, self.headers, self.body, self.at = path, headers, body, time.monotonic()

    def json(self):
        return json.loads(self.body)


class Receiver:
    """`answer(got)` gives the status, or status, content type and body; by default 200."""

    def __init__(self):
        self.got, self.answer, self.lock = [], lambda got: 200, threading.Lock()
        self.port = free_port()
        self.server, self.open = None, set()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}/hook"

    def start(self):
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def setup(self):
                super().setup()
                receiver.open.add(self.connection)

            def finish(self):
                receiver.open.discard(self.connection)
                with contextlib.suppress(OSError):
                    super().finish()

            def handle(self):
                # Who waits for a slow answer may hang up.
                with contextlib.suppress(OSError):
                    super().handle()

            def do_POST(self):
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                got = Got(self.path, self.headers, body)
                with receiver.lock:
                    receiver.got.append(got)
                reply = receiver.answer(got)
                if callable(reply):
                    return reply(self)
                status, kind, text = reply if isinstance(reply, tuple) else (reply, None, b"")
                self.send_response(status)
                if kind:
                    self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            do_GET = do_POST

            def log_message(self, *arguments):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", self.port), Handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def stop(self):
        if self.server:
            self.server.shutdown()
            self.server.server_close()
            for connection in list(self.open):
                with contextlib.suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)
            self.server = None

    def events(self, kind=None, user=None):
        with self.lock:
            found = [got.json() for got in self.got]
        return [event for event in found
                if kind in (None, event["kind"]) and user in (None, event.get("user"))]

    def wait_for(self, count, timeout=60, **which):
        return wait_until(
            lambda: (found := self.events(**which)) and len(found) >= count and found, timeout)


@contextlib.contextmanager
def receiving():
    receiver = Receiver().start()
    try:
        yield receiver
    finally:
        receiver.stop()


def signatures(got):
    """The header's time and its codes."""
    parts = [part.split("=", 1) for part in got.headers["eStars-Signature"].split(",")]
    return int(parts[0][1]), [code for name, code in parts[1:] if name == "v1"]


def is_signed(got, secret):
    at, codes = signatures(got)
    message = f"{at}.".encode() + got.body
    code = hmac.new(secret.encode(), message, hashlib.sha256).hexdigest()
    return abs(time.time() - at) < 300 and any(hmac.compare_digest(code, one) for one in codes)
