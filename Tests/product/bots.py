"""Bots made in the sandbox for a test of their own, and a handler such as their owner runs."""

import contextlib
import html
import http.server
import itertools
import json
import threading

from running import Dashboard, call

numbers = itertools.count(7_100_000_001)
people = itertools.count(6_900_000_001)


class SandboxBot:
    """A bot that the sandbox's @BotFather made."""

    def __init__(self, product, name="Loja da Ana"):
        self.product, self.id, self.name = product, next(numbers), name
        self.username = f"loja_{self.id}_bot"
        self.token = f"{self.id}:AAF" + "x" * 32
        answer = call("POST", product.sandbox + "/sandbox/bots", {
            "token": self.token, "name": name, "username": self.username})
        assert answer.status == 201, answer.body

    def method(self, name, **parameters):
        answer = call("POST", f"{self.product.sandbox}/bot{self.token}/{name}", parameters)
        assert answer.status == 200, answer.body
        return answer.json()["result"]

    @property
    def webhook(self):
        return self.method("getWebhookInfo")

    @property
    def our_url(self):
        return f"{self.product.url}/telegram/{self.id}"

    def person(self, language="pt-br"):
        number = next(people)
        answer = call("POST", self.product.sandbox + "/sandbox/people", {
            "id": number, "first_name": "Caio", "language_code": language, "stars": 1000})
        assert answer.status == 201, answer.body
        return number

    def says(self, person, text):
        path = f"/sandbox/people/{person}/chats/{self.id}/messages"
        assert call("POST", self.product.sandbox + path, {"text": text}).status == 201

    def answers(self, person):
        """What the bot wrote to a person, oldest first."""
        path = f"/sandbox/people/{person}/chats/{self.id}/messages"
        lines = call("GET", self.product.sandbox + path).json()
        return [line["message"]["text"] for line in lines if not line["is_from_person"]]

    def fault(self, kind, method, **more):
        answer = call("POST", self.product.sandbox + "/sandbox/faults", {
            "kind": kind, "bot_id": self.id, "method": method, **more})
        assert answer.status < 300, answer.body


class Owner(Dashboard):
    """Forms of bots, as the owner's browser sends them."""

    def __init__(self, product, role="owner"):
        super().__init__(product, role)

    def post(self, path, page=None, **form):
        """Sends a form of the page at the same place, or of the one that is named."""
        csrf = self.field(self.get(page or path), "csrf")
        return self.send(self.base + path, {"csrf": csrf, **form})

    def add(self, bot, **form):
        return self.post("/bots", "/bots/new", token=bot.token, environment="sandbox",
                         segment="ai_bot", **form)

    def connect(self, bot, mode, seen=None, **form):
        path = f"/bots/{bot.id}/connection"
        if seen is None:
            seen = bot.webhook["url"]
        return self.post(path, mode=mode, seen=seen, **form)

    def disconnect(self, bot, **form):
        return self.post(f"/bots/{bot.id}/disconnection", f"/bots/{bot.id}", confirmed="1", **form)

    def bot_page(self, bot):
        return self.get(f"/bots/{bot.id}")


def text(answer):
    return html.unescape(answer.body.decode())


@contextlib.contextmanager
def handler(status=200):
    """A webhook of the bot's own, which keeps what it gets."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            server.calls.append((self.headers["X-Telegram-Bot-Api-Secret-Token"], json.loads(body)))
            self.send_response(server.status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *arguments):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.calls, server.status = [], status
    server.url = f"http://127.0.0.1:{server.server_port}/hook/secret-path"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
