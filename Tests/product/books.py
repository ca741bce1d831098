"""The product in parts that end one by one, beside a Telegram that does not; and both of their books.

A demo sets everything up and is killed; its Postgres lives on. Its sandbox, its server and a worker
are started again as processes of their own."""

import collections
import contextlib
import os
import shutil
import signal
import subprocess
import time

from cluster import PrivateCluster
from running import BINARY, ROOT, Dashboard, call, wait_until
from test_paid_path import sql


class Parts:
    def __init__(self, product):
        self.product, self.data = product, product.data
        self.bot = product.bot()
        product.stop(signal.SIGKILL)
        self.cluster = PrivateCluster(self.data)
        self.log = open(self.data / "parts.log", "ab")
        self.sandbox = self.launch(
            "sandbox", "--port", str(product.sandbox_port), "--data", str(self.data / "sandbox"))
        self.parts = []
        wait_until(lambda: answers(product.sandbox + "/sandbox/clock"), 60)
        # Nobody waits for the leases of the process that died.
        sql(product, "update jobs set leased_until = null")
        self.start()

    def launch(self, *arguments, **environment):
        return subprocess.Popen(
            [BINARY, *arguments], cwd=ROOT, stdout=self.log, stderr=self.log,
            env={**os.environ, **environment}, start_new_session=True)

    def start(self):
        settings = {
            "DATABASE_URL": self.cluster.url("estars_app"),
            "ESTARS_SECRET_KEY": (self.data / "secret.key").read_text().strip(),
            "ESTARS_PORT": str(self.product.port), "ESTARS_PUBLIC_URL": self.product.url,
            "ESTARS_PRIVATE_TARGETS": "allow", "ESTARS_SANDBOX_URL": self.product.sandbox}
        self.parts = [self.launch("serve", **settings), self.launch("work", **settings)]
        wait_until(lambda: answers(self.product.url + "/readyz"), 60)

    def kill(self):
        """Server and worker die at once, as in a power cut; Telegram and the database go on."""
        for part in self.parts:
            part.kill()
        for part in self.parts:
            part.wait(30)
        self.parts = []

    def end(self):
        self.kill()
        self.sandbox.terminate()
        self.sandbox.wait(30)
        self.log.close()
        self.cluster.remove()
        shutil.rmtree(self.data, ignore_errors=True)

    def telegram(self, path, body=None, method="POST"):
        return call(method, f"{self.product.sandbox}/sandbox/{path}", body)

    def bot_api(self, method, bot=None, **parameters):
        token = (bot or self.bot)["token"]
        answer = call("POST", f"{self.product.sandbox}/bot{token}/{method}", parameters).json()
        assert answer["ok"], answer
        return answer["result"]

    def fault(self, kind, **more):
        answer = self.telegram("faults", {"kind": kind, "bot_id": self.bot["id"], **more})
        assert answer.status == 204, answer.body

    def waiting(self, bot=None) -> int:
        """Updates that Telegram could not deliver yet."""
        return self.bot_api("getWebhookInfo", bot)["pending_update_count"]

    def person(self, user):
        answer = self.telegram("people", {
            "id": user, "first_name": f"Bia {user}", "language_code": "pt-br", "stars": 20_000})
        assert answer.status == 201, answer.body

    def checkout(self, user, sku="start", bot=0, **sold):
        """An invoice link; asked for again under its key where the server dies meanwhile."""
        key = f"books-{user}-{time.monotonic_ns()}"

        def ask():
            with contextlib.suppress(OSError):
                answer = self.product.api(
                    "POST", "/v1/checkouts", {"user": user, **(sold or {"sku": sku})}, key=key,
                    bot=bot)
                return answer.json()["checkout"] if answer.status in (200, 201) else None

        return wait_until(ask, 60)

    def pay(self, user, link):
        """Tried until Telegram got an answer to its question; returns the charge."""
        deadline = time.monotonic() + 90
        while True:
            outcome = self.telegram(f"people/{user}/payments", {"invoice": link}).json()
            if "charge_id" in outcome:
                return outcome["charge_id"]
            assert time.monotonic() < deadline, (user, outcome)
            time.sleep(0.2)

    def pay_again(self, user, link):
        """An old link once more: refused as a rule, paid where nobody knows of the first payment."""
        outcome = self.telegram(f"people/{user}/payments", {"invoice": link}).json()
        return outcome.get("charge_id")

    def move_clock(self, seconds):
        """Telegram's clock and the workspace's."""
        clock = self.telegram("clock", {"seconds": seconds}).json()
        sql(self.product, "update workspaces set clock_offset_seconds = "
            f"{round(clock['offset_seconds'])} where side = 'test'")
        if self.parts:
            # The server's memory of the clock is seconds old, and is renewed once somebody asks.
            for _ in range(3):
                for bot in range(2):
                    self.product.api("GET", "/v1/catalog?user=7400001", bot=bot)
                time.sleep(2.5)

    def compared(self, since):
        """Whether every connected bot was compared after the run of that number."""
        return sql(self.product, f"""
            select count(*) from bots b join workspaces w using (workspace_id)
            where w.side = 'test' and b.disconnected_at is null and not exists (
              select from reconciliations r where r.bot_id = b.bot_id and r.state = 'done'
                and r.reconciliation_id > {since})""") == "0"

    def last_run(self) -> int:
        return int(sql(
            self.product, "select coalesce(max(reconciliation_id), 0) from reconciliations"))

    def compare(self):
        """As a manager asks for it, who then waits for the end."""
        since, desk = self.last_run(), Dashboard(self.product, "manager")
        page = desk.get("/reconciliation")
        answer = desk.send(
            desk.base + "/reconciliation/runs", {"csrf": desk.field(page, "csrf")})
        assert answer.status == 200, answer.body
        wait_until(lambda: self.compared(since), 120)

    def transactions(self, bot=None):
        rows = []
        while True:
            page = self.bot_api("getStarTransactions", bot, offset=len(rows))["transactions"]
            rows += page
            if len(page) < 100:
                return rows

    def stars_at_telegram(self, bot=None):
        """What each person has paid and not got back, by Telegram's books."""
        sums, payers = collections.Counter(), {}
        for row in self.transactions(bot):
            if "source" in row and row["source"]["type"] == "user":
                payers[row["id"]] = row["source"]["user"]["id"]
                sums[payers[row["id"]]] += row["amount"]
            elif "receiver" in row and row["id"] in payers:
                # A chargeback names nobody; it has the id of its payment.
                sums[payers[row["id"]]] -= row["amount"]
        return sums

    def our_books(self, bot=None):
        """By person: Stars of payments and of lots; credits of lots, of payments, and those that are
        left, what came from elsewhere apart."""
        rows = sql(self.product, f"""
            select c.telegram_id, coalesce(p.stars, 0), coalesce(l.stars, 0), coalesce(l.credits, 0),
              coalesce(p.credits, 0), coalesce(a.balance, 0) - coalesce(o.credits, 0)
            from customers c
            left join lateral (select sum(stars) filter (where state = 'credited') as stars,
                sum(credits + bonus_credits) filter (where state = 'credited') as credits
              from payments p where p.workspace_id = c.workspace_id
                and p.customer_id = c.customer_id and p.bot_id = {(bot or self.bot)['id']}) p on true
            left join lateral (select sum(l.stars) filter (where k.taken is null) as stars,
                sum(l.amount) filter (where k.taken is null) as credits
              from lots l left join clawbacks k using (workspace_id, bot_id, charge_id)
              where l.workspace_id = c.workspace_id and l.account_id = c.customer_id
                and l.bot_id = {(bot or self.bot)['id']}) l on true
            left join lateral (select sum(amount) as credits from lots l
              where l.workspace_id = c.workspace_id and l.account_id = c.customer_id
                and l.charge_id is null) o on true
            left join accounts a on a.workspace_id = c.workspace_id
              and a.account_id = c.customer_id and a.unit = 1
            where c.workspace_id = (select workspace_id from bots
              where bot_id = {(bot or self.bot)['id']})""")
        return {int(row[0]): tuple(map(int, row[1:])) for row in
                (line.split("|") for line in rows.split("\n"))}

    def open(self) -> str:
        """Mismatches that wait, and what the processes said last: why books may differ."""
        rows = sql(self.product, "select kind, direction, left(transaction_id, 12), stars, our_stars "
                   "from mismatches where state = 'open' limit 20")
        runs = sql(self.product, "select * from reconciliations order by 2 desc limit 6")
        said = (self.data / "parts.log").read_text(errors="replace").splitlines()
        return "\n".join([rows, runs, *said[-20:]])

    def verified(self) -> str:
        """What `estars ledger verify` says last."""
        result = subprocess.run(
            [BINARY, "ledger", "verify", "--data", str(self.data)], cwd=ROOT, capture_output=True,
            text=True)
        return (result.stdout + result.stderr).strip().splitlines()[-1]


def answers(url) -> bool:
    with contextlib.suppress(OSError):
        return call("GET", url, timeout=5).status == 200
    return False
