"""Kills the server, Postgres backends and the postmaster under load, again and again, and compares
what was acknowledged with what is stored. Ends with 0 when everything agrees."""

import argparse
import asyncio
import json
import pathlib
import random
import signal
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "product"))

from cluster import PrivateCluster
from comparison import Stored, problems
from journal import Journal
from kills import Kills
from load import USERS, Load
from running import BINARY, ROOT, Product

# Seconds.
SETTLE = 60
STATEMENTS = {
    "entries": """
        select telegram_id as user, version, kind, amount, balance_after, idempotency_key as key
        from entries e join customers c on c.workspace_id = e.workspace_id
          and c.customer_id = e.account_id""",
    "payments": """
        select telegram_id as user, payment_id, charge_id, p.state, stars, credits, bonus_credits
        from payments p join customers c using (workspace_id, customer_id)""",
    "checkouts": """
        select telegram_id as user, checkout_id, idempotency_key, payload
        from checkouts join customers c using (workspace_id, customer_id)""",
}


def read(url, statement) -> list[dict]:
    """Rows of the users who wrote, in bulk and as the superuser, whom no policy hides anything."""
    lines = subprocess.run(
        ["psql", url, "-qAtc",
         f"select row_to_json(r) from ({statement} where telegram_id between {USERS[0]} "
         f"and {USERS[-1]}) r"],
        check=True, capture_output=True, text=True).stdout.splitlines()
    return [json.loads(line) for line in lines]


async def stored(cluster, load) -> Stored:
    rows = {noun: read(cluster.address, statement) for noun, statement in STATEMENTS.items()}
    return Stored(**rows, balances={user: await load.balance(user) for user in USERS})


def verified(product) -> list[str]:
    """What `estars ledger verify` complains of."""
    result = subprocess.run(
        [BINARY, "ledger", "verify", "--data", str(product.data)], cwd=ROOT, capture_output=True,
        text=True)
    said = (result.stdout + result.stderr).strip().splitlines()
    if result.returncode == 0 and said[-1:] == ["0 problems"]:
        return []
    return [f"ledger verify: {line}" for line in said] or ["ledger verify said nothing"]


class Report:
    columns = [
        ("round", 5), ("server", 6), ("backend", 7), ("postmaster", 10), ("acknowledged", 12),
        ("applied", 7), ("replayed", 8), ("unanswered", 10), ("by 503", 6), ("retried", 7),
        ("applied", 7), ("replayed", 8), ("problems", 8), ("seconds", 7)]

    def __init__(self):
        self.rows = []

    def head(self):
        widths = [width + 2 for _, width in self.columns]
        groups = [(1, ""), (3, "killed"), (5, "under load"), (3, "afterwards"), (2, "")]
        for count, text in groups:
            width, widths = sum(widths[:count]), widths[count:]
            print(f"  {text} ".ljust(width, "-") if text else " " * width, end="")
        print()
        self.line([name for name, _ in self.columns])

    def add(self, row):
        self.rows.append(row)
        self.line([len(self.rows), *row[:-1], f"{row[-1]:.1f}"])

    def foot(self):
        sums = [sum(column) for column in zip(*self.rows)]
        self.line(["all", *sums[:-1], f"{sums[-1]:.1f}"])

    def line(self, cells):
        print("".join(f"{cell:>{width + 2}}" for cell, (_, width) in zip(cells, self.columns)))
        sys.stdout.flush()


async def one_round(number, options, kills, load, journal, report) -> list[str]:
    began = time.monotonic()
    kills.count.clear()
    load.tally.clear()
    chance = random.Random(f"{options.seed} round {number}")
    await load.run(
        f"{options.seed} round {number}", lambda: kills.round(chance, options.writes))
    under_load = dict(load.tally)
    load.tally.clear()
    retried = await load.settle(time.monotonic() + SETTLE)
    afterwards = dict(load.tally)
    found = problems(journal, await stored(kills.cluster, load))
    found += verified(kills.product) + kills.problems
    kills.problems = []
    if under_load.get("acknowledged", 0) < options.writes:
        found.append(f"{under_load.get('acknowledged', 0)} acknowledged writes are too few")
    for what in ("applied", "replayed", "unanswered"):
        if under_load.get(what, 0) == 0:
            found.append(f"nothing was {what} under load: the round proves nothing")
    report.add([
        *(kills.count[kind] for kind in ("server", "backend", "postmaster")),
        *(under_load.get(what, 0)
          for what in ("acknowledged", "applied", "replayed", "unanswered", "503")),
        len(retried), *(afterwards.get(what, 0) for what in ("applied", "replayed")),
        len(found), time.monotonic() - began])
    return found


async def whole_run(options, product, journal, report) -> list[str]:
    cluster = PrivateCluster(product.data)
    async with Load(product, journal, f"crash-{options.seed}", options.clients) as load:
        kills = Kills(product, cluster, load)
        supervisor = asyncio.create_task(kills.keep_up())
        work = asyncio.create_task(rounds(options, kills, load, journal, report))
        try:
            # Whichever ends first: a supervisor that gives up ends the run.
            await asyncio.wait({supervisor, work}, return_when=asyncio.FIRST_COMPLETED)
            return work.result() if work.done() else supervisor.result()
        finally:
            kills.is_ending, load.running = True, False
            for task in (work, supervisor):
                task.cancel()
            await asyncio.gather(work, supervisor, return_exceptions=True)


async def rounds(options, kills, load, journal, report) -> list[str]:
    while not kills.is_up:
        await asyncio.sleep(0.05)
    kills.cluster.address = kills.cluster.url()
    await load.fund()
    found = problems(journal, await stored(kills.cluster, load))
    report.head()
    for number in range(1, options.rounds + 1):
        if found:
            break
        found = await one_round(number, options, kills, load, journal, report)
    if report.rows:
        report.foot()
    return found


def main() -> int:
    parser = argparse.ArgumentParser(prog="bin/crash", description=__doc__)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--writes", type=int, default=1000, help="acknowledged in every round")
    parser.add_argument("--clients", type=int, default=48)
    parser.add_argument("--seed", type=int, help="of the kills' moments and the clients' choices")
    options = parser.parse_args()
    if options.seed is None:
        options.seed = random.SystemRandom().randrange(1_000_000)
    data = pathlib.Path(tempfile.mkdtemp(prefix="estars-crash-"))
    # The database's user must be able to reach its data.
    data.chmod(0o755)
    print(f"seed {options.seed}, {options.clients} clients, {BINARY}")
    product, journal, report = Product(data), Journal(), Report()
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    found, is_kept = ["the run was broken off"], True
    try:
        found = asyncio.run(whole_run(options, product, journal, report))
        is_kept = bool(found)
    except KeyboardInterrupt:
        is_kept = False
    except AssertionError as error:
        found = (str(error) or repr(error)).strip().splitlines()[-5:]
    finally:
        end(product, journal, is_kept)
    for problem in found[:20]:
        print(f"problem: {problem}")
    if is_kept:
        print(f"the data folder is kept, with journal.jsonl and demo.log: {data}")
    print(verdict(found, report, journal))
    return 1 if found else 0


def end(product, journal, is_kept):
    if product.process and product.process.poll() is None:
        product.process.kill()
        product.process.wait()
    cluster = PrivateCluster(product.data)
    if is_kept:
        cluster.end()
        journal.save(product.data / "journal.jsonl")
    else:
        cluster.remove()


def verdict(found, report, journal) -> str:
    kills = sum(sum(row[:3]) for row in report.rows)
    if found:
        return f"FAILED: {len(found)} problems after {len(report.rows)} rounds and {kills} kills"
    return (
        f"passed: {len(report.rows)} rounds, {kills} kills, {len(journal.writes)} writes, each of "
        "them acknowledged in the end and stored exactly once; ledger verify: 0 problems")


if __name__ == "__main__":
    sys.exit(main())
