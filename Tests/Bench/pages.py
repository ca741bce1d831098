"""Pages of the dashboard over a short ledger and over a long one, and the lookup of customers."""

import dataclasses
import http.client
import os
import subprocess
import time
import urllib.parse

from database import Wrong

EMAIL, PASSWORD = "bench@example.com", "bench-bench-bench-4711"
EXPLANATION = """
The same page over both ledgers, by turns, one request at a time; figures are counted before. The lookup
is asked for a Telegram id, a username, a name that thousands have, the beginning of one, one with a
typing error, and one that nobody has; the slowest kind counts."""


@dataclasses.dataclass
class Size:
    slug: str
    customers: int
    entries: int

    @property
    def side(self):
        return self.slug + "-test"


class Pages:
    def __init__(self, bench, estars, small, large, rounds):
        self.bench, self.estars, self.rounds = bench, estars, rounds
        self.small, self.large = small, large
        self.environment = {
            "PATH": os.environ["PATH"], "DATABASE_URL": bench.data["database"],
            "ESTARS_SECRET_KEY": bench.data["secret_key"], "ESTARS_OPERATOR_PASSWORD": PASSWORD}

    def run(self, *arguments):
        done = subprocess.run(
            [self.estars, *arguments], capture_output=True, text=True, env=self.environment)
        if done.returncode != 0:
            raise Wrong(f"estars {arguments[0]}: {done.stdout}{done.stderr}"[-2000:])
        return done

    def set_up(self):
        """Two workspaces that differ in size alone. Returns how long the larger one took."""
        seconds = 0.0
        for number, size in enumerate((self.small, self.large)):
            self.run("operator", "add", "--email", EMAIL, "--name", "Bench", "--locale", "en",
                     "--workspace", size.slug)
            # Nothing here calls Telegram, so its token may be anything.
            self.bench.database.ask(
                "insert into bots (bot_id, workspace_id, username, name, segment, environment, "
                f"api_base_url, sealed_token) select {7_100_000_000 + number}, workspace_id, "
                f"'{size.slug.replace('-', '_')}_bot', 'Bench', 'ai_bot', 'sandbox', "
                f"'http://127.0.0.1:9', '\\x00' from workspaces where slug = '{size.side}'",
                "postgres")
            start = time.monotonic()
            self.run("bench-data", "--workspace", size.side, "--customers", str(size.customers),
                     "--entries", str(size.entries))
            seconds = time.monotonic() - start
        self.bench.database.ask("vacuum analyze", "postgres")
        self.connection = http.client.HTTPConnection("127.0.0.1", self.bench.port, timeout=60)
        status, headers, _ = self.ask(
            "POST", "/login", urllib.parse.urlencode({"email": EMAIL, "password": PASSWORD}),
            {"Content-Type": "application/x-www-form-urlencoded",
             "Origin": f"http://127.0.0.1:{self.bench.port}"})
        if status != 303:
            raise Wrong(f"the login answered {status}")
        self.cookie = headers["Set-Cookie"].split(";")[0]
        return seconds

    def ask(self, method, path, body=None, headers=None):
        self.connection.request(method, path, body, headers or {})
        response = self.connection.getresponse()
        return response.status, response.headers, response.read()

    def time(self, path, text=None):
        """One request's milliseconds."""
        start = time.perf_counter()
        status, _, body = self.ask("GET", path, headers={"Cookie": self.cookie})
        took = (time.perf_counter() - start) * 1000
        if status != 200 and not (status == 303 and text is None):
            raise Wrong(f"{path} answered {status}")
        if text and text.encode() not in body:
            raise Wrong(f"{path} does not say {text}")
        return took

    def status(self, page):
        return self.ask("GET", f"/w/{self.large.side}{page}", headers={"Cookie": self.cookie})[0]

    def page_ratio(self, page):
        """p95 over the long ledger and over the short one, in milliseconds."""
        took = {self.small.slug: [], self.large.slug: []}
        for turn in range(self.rounds + 3):
            for size in (self.small, self.large) if turn % 2 else (self.large, self.small):
                milliseconds = self.time(f"/w/{size.side}{page}")
                if turn >= 3:
                    took[size.slug].append(milliseconds)
        return p95(took[self.large.slug]), p95(took[self.small.slug])

    def lookups(self):
        """p95 of each kind of question, in milliseconds."""
        rows = self.bench.database.ask(
            "select c.telegram_id || '|' || c.username || '|' || c.last_name from customers c "
            f"join workspaces w using (workspace_id) where w.slug = '{self.large.side}' "
            f"and c.telegram_id in ({','.join(str(8_000_000_000 + n) for n in range(0, self.large.customers, max(1, self.large.customers // 40)))})",
            "postgres").split("\n")
        known = [row.split("|") for row in rows]
        kinds = {
            "Telegram id": [each[0] for each in known],
            "username": ["@" + each[1] for each in known],
            "common name": ["maria", "Silva", "ana"] * 13,
            "beginning": [each[2][:6] for each in known],
            "typing error": [each[2][:2] + "x" + each[2][3:] for each in known],
            "nobody": [f"zzqx{number}wv" for number in range(40)],
        }
        answer = {}
        for kind, questions in kinds.items():
            took = [self.time(f"/w/{self.large.side}/customers?q={urllib.parse.quote(question)}")
                    for question in questions]
            answer[kind] = p95(took[2:])
        return answer

    def report(self):
        seconds = self.set_up()
        print(f"\nbench-data wrote {self.large.customers} customers and {self.large.entries} "
              f"entries in {seconds:.0f} s, figures included\n")
        print(f"{'':21}{'ratio':>7}{'long':>11}{'short':>11}   p95 of {self.rounds} requests")
        for page in ("", "/analytics"):
            if self.status(page) == 404:
                continue
            large, small = self.page_ratio(page)
            print(f"{(page or '/overview')[1:]:21}{large / small:>7.2f}{large:>8.1f} ms"
                  f"{small:>8.1f} ms   {self.large.entries} ÷ {self.small.entries} entries")
        found = self.lookups()
        print(f"{'lookup':21}{'':7}{max(found.values()):>8.1f} ms{'':14}"
              f"{self.large.customers} customers: "
              + ", ".join(f"{kind} {took:.1f}" for kind, took in found.items()))
        for command in ("ledger", "figures"):
            self.run(command, "verify")
        print(EXPLANATION)


def p95(values):
    values = sorted(values)
    return values[min(len(values) - 1, int(len(values) * 0.95))]
