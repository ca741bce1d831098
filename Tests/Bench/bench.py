"""Runs the product and its yardsticks by turns and prints their ratios. See bin/bench."""

import argparse
import json
import os
import pathlib
import signal
import socket
import subprocess
import sys
import tempfile
import time

import landing
from database import Database, Wrong, fetch, free_port
from figures import EXPLANATION, PGBENCH_CLIENTS, Cost, Run, best_pgbench, report
from machine import Machine, children_cpu, cpu_seconds
from pages import Pages, Size

ROOT = pathlib.Path(__file__).resolve().parents[2]
ESTARS = os.environ.get("ESTARS_BIN", str(ROOT / ".build/release/estars"))
BENCH = os.environ.get("BENCH_BIN", str(ROOT / ".build/release/Bench"))
CONNECTIONS = 64
MANY_CONNECTIONS = 256

# The ledger's own function, as the app role and inside the workspace, in one round trip and one
# implicit transaction, as the product sends it. `leg` makes keys of their own for every run.
DEBIT_SCRIPT = r"""
\set n :n + 1
\set account random(:first, :last)
\set fingerprint random(1, 9000000000000000000)
\startpipeline
select set_config('estars.workspace_id', :workspace::text, true);
select * from ledger_debit(:workspace::bigint, :account::bigint, 1::smallint, 1::bigint,
  :leg || :client_id || '-' || :n, :fingerprint::bigint, :action, 1, null, now());
\endpipeline
"""
# A payment is more than its credits, but less than them it cannot be.
CREDIT_SCRIPT = r"""
\set n :n + 1
\set account random(:first, :last)
\startpipeline
select set_config('estars.workspace_id', :workspace::text, true);
select * from ledger_credit(:workspace::bigint, :account::bigint, 1::smallint, 10::bigint,
  :leg || :client_id || '-' || :n, 'payment', 1::bigint, :leg || :client_id || '-' || :n, true,
  'infinity', 75::bigint, null, null, now());
\endpipeline
"""


class Bench:
    def __init__(self, options, directory):
        self.options = options
        self.directory = directory
        self.processes = []
        # Entries that the ledger must hold in the end, by the beginning of their keys.
        self.acknowledged = {}
        self.payments = 0
        self.payment_runs = 0

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for process in reversed(self.processes):
            if process.stdin:
                process.stdin.close()
            else:
                process.terminate()
            try:
                process.wait(60)
            except subprocess.TimeoutExpired:
                process.kill()

    def start(self, *command, **options):
        log = open(self.directory / f"{pathlib.Path(command[0]).name}-{command[1]}.log", "wb")
        options.setdefault("stdout", log)
        # Ctrl-C ends this program, which then ends the others in their order.
        process = subprocess.Popen(
            command, cwd=ROOT, stderr=log, start_new_session=True, **options)
        self.processes.append(process)
        process.log = pathlib.Path(log.name)
        return process

    def set_up(self):
        data = self.start(
            BENCH, "data", "--directory", str(self.directory / "postgres"),
            "--customers", str(self.options.customers),
            "--payments", str(self.directory / "payments"),
            "--buyers", str(max(100, self.options.customers // 10)),
            stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        line = data.stdout.readline()
        if not line:
            raise Wrong("the database could not be filled: " + data.log.read_text()[-2000:])
        self.data = json.loads(line)
        self.database = Database(self.data)
        self.database.ask("vacuum analyze", "postgres")
        self.port = free_port()
        environment = {
            "PATH": os.environ["PATH"], "DATABASE_URL": self.data["database"],
            "ESTARS_SECRET_KEY": self.data["secret_key"], "ESTARS_PORT": str(self.port),
            "ESTARS_RESOURCES": str(ROOT)}
        self.server = self.start(ESTARS, "serve", env=environment)
        self.wait(self.server, self.port)
        status, page = fetch(self.port, "/")
        if status != 200 or b"</html>" not in page:
            raise Wrong(f"the landing page answered {status}")
        self.page_bytes = len(page)
        file = self.directory / "page.html"
        file.write_bytes(page)
        self.bare_port = free_port()
        self.bare = self.start(BENCH, "bare", "--port", str(self.bare_port), "--page", str(file))
        self.wait(self.bare, self.bare_port)
        self.look_at_answers(page)

    def wait(self, process, port):
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline and process.poll() is None:
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                return
            except OSError:
                time.sleep(0.05)
        raise Wrong(f"{process.args[1]} does not serve: " + process.log.read_text()[-2000:])

    def look_at_answers(self, page):
        """Once in full, what the runs then only look at the status of."""
        key = {"Authorization": "Bearer " + self.data["api_key"]}
        wanted = {"user": self.data["first_user"], "action": self.data["action"], "units": 1}
        status, body = fetch(
            self.port, "/v1/debits", wanted, {**key, "Idempotency-Key": "look-1"})
        debit = json.loads(body).get("debit", {})
        if status != 201 or debit.get("cost") != 1 or debit.get("user") != wanted["user"]:
            raise Wrong(f"a debit answered {status}: {body.decode()}")
        self.acknowledged["api:look"] = 1
        status, body = fetch(self.port, "/v1/checks", wanted, key)
        bare_status, bare_body = fetch(self.bare_port, "/v1/checks", wanted)
        check, bare = json.loads(body), json.loads(bare_body)
        if status != 200 or check.get("allowed") is not True or bare_status != 200:
            raise Wrong(f"a check answered {status}, the bare route {bare_status}: {body.decode()}")
        if sorted(check) != sorted(bare):
            raise Wrong(f"not the same JSON: {sorted(check)} and {sorted(bare)}")
        if fetch(self.bare_port, "/")[1] != page:
            raise Wrong("the bare page is not the landing page")

    # One run each.

    def measured(self, server, work):
        """Runs `work`, which returns (rate, count, p50, p99), from an equal start."""
        self.database.ask("checkpoint", "postgres")
        before = (self.database.wal_position(), cpu_seconds(server), self.database.cpu_seconds(),
                  children_cpu())
        rate, count, p50, p99 = work()
        # psql's own share of the clients' processor time is below a percent of a run's.
        client = children_cpu() - before[3]
        cost = Cost(
            cpu_seconds(server) - before[1], self.database.cpu_seconds() - before[2], client,
            self.database.wal_position() - before[0])
        return Run(rate, count, p50, p99, cost)

    def own_cpu(self):
        """Everything that this program has started, and itself."""
        return (cpu_seconds(self.server.pid) + cpu_seconds(self.bare.pid)
                + self.database.cpu_seconds() + children_cpu() + time.process_time())

    def load(self, process, port, method, path, status, leg=None, authorized=True,
             connections=CONNECTIONS, action=None, payments=None):
        command = [
            BENCH, "load", "--port", str(port), "--method", method, "--path", path,
            "--status", str(status), "--connections", str(connections),
            "--seconds", str(self.half_seconds)]
        if authorized:
            command += ["--api-key", self.data["api_key"]]
        if payments is not None:
            command += [
                "--bodies", str(self.directory / "payments"), "--run-number", str(payments)]
        elif method == "POST":
            command += [
                "--action", action or self.data["action"], "--first-user", str(self.data["first_user"]),
                "--customers", str(self.data["customers"])]
        if leg:
            command += ["--keys", leg]

        def work():
            done = subprocess.run(command, capture_output=True, text=True)
            if done.returncode != 0:
                raise Wrong(f"{method} {path}: {done.stderr.strip()}")
            answer = json.loads(done.stdout)
            if answer["wrong"] or not answer["answers"]:
                raise Wrong(
                    f"{method} {path}: {answer['wrong']} answers were not {status}, the first:\n"
                    + answer.get("first_wrong", "(none came)"))
            if leg:
                self.acknowledged["api:" + leg] = answer["answers"]
            if payments is not None:
                self.payments += answer["answers"]
            return (answer["answers"] / answer["seconds"], answer["answers"],
                    answer["p50_microseconds"], answer["p99_microseconds"])

        return self.measured(process.pid, work)

    def debits(self, leg):
        return self.load(self.server, self.port, "POST", "/v1/debits", 201, leg)

    def many_debits(self, leg):
        return self.load(
            self.server, self.port, "POST", "/v1/debits", 201, leg, connections=MANY_CONNECTIONS)

    def checks(self):
        return self.load(self.server, self.port, "POST", "/v1/checks", 200)

    def quota_checks(self):
        return self.load(
            self.server, self.port, "POST", "/v1/checks", 200, action=self.data["limited_action"])

    def intake(self):
        self.payment_runs += 1
        return self.load(
            self.server, self.port, "POST", "/v1/updates", 200, payments=self.payment_runs)

    def bare_checks(self):
        return self.load(
            self.bare, self.bare_port, "POST", "/v1/checks", 200, authorized=False)

    def landing(self):
        return self.load(self.server, self.port, "GET", "/", 200, authorized=False)

    def bare_landing(self):
        return self.load(self.bare, self.bare_port, "GET", "/", 200, authorized=False)

    def pgbench(self, clients, leg, script_text=DEBIT_SCRIPT):
        script = self.directory / "pgbench.sql"
        script.write_text(script_text)
        first = self.data["first_account"]
        variables = {
            "n": 0, "first": first, "last": first + self.data["customers"] - 1,
            "workspace": self.data["workspace"], "action": self.data["action"],
            "leg": f"api:{leg}"}
        command = [
            self.database.programs / "pgbench", "--no-vacuum", "--protocol=prepared",
            f"--client={clients}", f"--jobs={min(2, clients)}",
            f"--time={max(1, round(self.half_seconds))}", f"--file={script}"]
        command += [f"--define={name}={value}" for name, value in variables.items()]

        def work():
            done = subprocess.run(
                command + [self.data["database"]], capture_output=True, text=True)
            figures = dict(
                line.rsplit(" = ", 1) for line in done.stdout.split("\n") if " = " in line)
            count = next(
                (int(line.split(":")[1]) for line in done.stdout.split("\n")
                 if line.startswith("number of transactions actually processed")), 0)
            if done.returncode != 0 or count == 0:
                raise Wrong(f"pgbench: {done.stderr.strip()}")
            if script_text is DEBIT_SCRIPT:
                self.acknowledged[f"api:{leg}"] = count
            rate = float(figures["tps"].split()[0])
            latency = float(figures["latency average"].split()[0]) * 1000
            return rate, count, latency, latency

        return self.measured(0, work)

    @property
    def half_seconds(self):
        return self.options.seconds / 2

    def round(self, number):
        """Product and yardstick by turns, each in two halves around the other: a machine that
        becomes slower or faster meanwhile does so for both."""
        runs = {}
        groups = [
            [("debits", lambda half: self.debits(f"h{number:02d}{half}")),
             ("many debits", lambda half: self.many_debits(f"m{number:02d}{half}"))]
            + [(f"pgbench {clients}", lambda half, clients=clients: self.pgbench(
                clients, f"p{number:02d}{half}{clients:02d}-")) for clients in PGBENCH_CLIENTS],
            [("checks", lambda _: self.checks()), ("bare checks", lambda _: self.bare_checks()),
             ("quota checks", lambda _: self.quota_checks())],
            [("payments", lambda _: self.intake())]
            + [(f"credits {clients}", lambda half, clients=clients: self.pgbench(
                clients, f"c{number:02d}{half}{clients:02d}-", CREDIT_SCRIPT))
               for clients in PGBENCH_CLIENTS],
            [("landing", lambda _: self.landing()), ("bare landing", lambda _: self.bare_landing())]]
        for group in groups:
            turns = group if number % 2 == 0 else group[::-1]
            for half, (name, leg) in [("a", leg) for leg in turns] + [
                    ("b", leg) for leg in reversed(turns)]:
                run = leg(half)
                runs[name] = runs[name] + run if name in runs else run
        return runs

    def look_at_ledger(self):
        """Every acknowledged debit is one entry, and there is no other."""
        rows = self.database.ask(
            "select left(idempotency_key, 8), count(*) from entries where operation = 'debit' "
            "group by 1")
        found = {key: int(count) for key, count in
                 (line.split("|") for line in rows.split("\n") if line)}
        wanted = {}
        for leg, count in self.acknowledged.items():
            wanted[leg[:8]] = wanted.get(leg[:8], 0) + count
        if found != wanted:
            different = {key: (wanted.get(key, 0), found.get(key, 0))
                         for key in {*wanted, *found} if wanted.get(key) != found.get(key)}
            raise Wrong(f"acknowledged debits and entries differ (key: said, stored): {different}")
        stored = int(self.database.ask("select count(*) from payments where state = 'credited'"))
        if stored != self.payments:
            raise Wrong(f"{self.payments} payments were acknowledged, {stored} are credited")
        done = subprocess.run(
            [ESTARS, "ledger", "verify"], cwd=ROOT, capture_output=True, text=True,
            env={"PATH": os.environ["PATH"], "DATABASE_URL": self.data["database"]})
        if done.returncode != 0 or "0 problems" not in done.stdout.split("\n"):
            raise Wrong("the ledger does not verify: " + (done.stdout + done.stderr)[-2000:])
        return sum(wanted.values())


def pages(bench, options):
    short = Size("bench-short", max(1, options.page_customers // 100),
                 max(1, options.page_entries // 100))
    long = Size("bench-long", options.page_customers, options.page_entries)
    return Pages(bench, ESTARS, short, long, rounds=5 if options.quick else 60)


def main():
    parser = argparse.ArgumentParser(prog="bin/bench")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=4.0, help="length of one run")
    parser.add_argument("--customers", type=int, default=20_000)
    parser.add_argument("--quick", action="store_true",
                        help="one short round: shows that everything works, measures nothing")
    parser.add_argument("--pages", action="store_true",
                        help="pages over short and long ledgers alone")
    parser.add_argument("--landing", action="store_true", help="the landing page in a browser alone")
    parser.add_argument("--page-customers", type=int, default=20_000,
                        help="of the long ledger; the short one has a hundredth")
    parser.add_argument("--page-entries", type=int, default=200_000,
                        help="of the long ledger; the short one has a hundredth")
    parser.add_argument("--full", action="store_true",
                        help="a million customers and ten million entries: an hour and more")
    options = parser.parse_args()
    if options.quick:
        options.rounds, options.seconds, options.customers = 1, 1.0, 500
        options.page_customers, options.page_entries = 400, 3_000
    if options.full:
        options.page_customers, options.page_entries = 1_000_000, 10_000_000
    os.sched_setaffinity(0, Machine.cores())
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("stopped"))
    with tempfile.TemporaryDirectory(prefix="estars-bench-") as directory:
        with Bench(options, pathlib.Path(directory)) as bench:
            print(f"==> filling a private database with {options.customers} customers", flush=True)
            bench.set_up()
            if options.landing:
                landing.report(bench.port, count=7)
                return
            if options.pages:
                pages(bench, options).report()
                return
            loads = [os.getloadavg()[0]]
            print("==> warming up", flush=True)
            measured, options.seconds = options.seconds, min(1.0, options.seconds)
            bench.round(0)
            options.seconds = measured
            start, own_cpu = Machine(), bench.own_cpu()
            rounds = []
            for number in range(1, options.rounds + 1):
                rounds.append(bench.round(number))
                runs = rounds[-1]
                print(f"==> round {number}: debits {runs['debits'].rate:.0f}/s, "
                      f"pgbench {best_pgbench(runs).rate:.0f}/s, checks {runs['checks'].rate:.0f}/s, "
                      f"payments {runs['payments'].rate:.0f}/s, landing {runs['landing'].rate:.0f}/s", flush=True)
            total, busy, steal = Machine().since(start)
            others = max(0.0, busy - (bench.own_cpu() - own_cpu)) / total
            loads.append(os.getloadavg()[0])
            entries = bench.look_at_ledger()
            report(rounds, others, steal, loads)
            print(EXPLANATION.format(
                rounds=options.rounds, seconds=options.seconds, customers=options.customers,
                clients=" and ".join(map(str, PGBENCH_CLIENTS)), page=bench.page_bytes,
                entries=entries, payments=bench.payments))
            print("==> pages over a short and a long ledger", flush=True)
            pages(bench, options).report()
            print("==> the landing page in a browser", flush=True)
            landing.report(bench.port, count=1 if options.quick else 7)


if __name__ == "__main__":
    try:
        main()
    except Wrong as problem:
        sys.exit(f"error: {problem}")
    except KeyboardInterrupt:
        sys.exit("stopped")
