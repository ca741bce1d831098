"""What runs took, and the table of it."""

import dataclasses
import os
import statistics
import time

from machine import Machine

PGBENCH_CLIENTS = (8, 32)
EXPLANATION = """
A ratio is the median of {rounds} rounds. In each, every side runs {seconds:g} s on the same two cores, load
client included: half of it before its counterpart and half after, each after a checkpoint.
Debits go over HTTP with fresh keys to {customers} customers; pgbench runs ledger_debit, the ledger's
function for one debit, on the same database as the same role with row-level security, over the
Unix socket with prepared statements in one round trip; the better of {clients} clients counts.
The product answers more than pgbench where its concurrent debits share a commit. Payments come in
as Telegram's updates and are recorded with their lots, checkout and audit line; beside them pgbench
runs ledger_credit alone. The bare routes are Hummingbird without the product: a POST that decodes
and encodes the same JSON, and the landing page's {page} bytes.
All {entries} debits and {payments} payments that were acknowledged stand in the ledger once, and it
verifies."""


@dataclasses.dataclass
class Cost:
    """What one run took, apart from its length."""
    server_cpu: float
    postgres_cpu: float
    client_cpu: float
    wal_bytes: int


@dataclasses.dataclass
class Run:
    """Requests a second, and what each of them took."""
    rate: float
    count: int
    p50: float
    p99: float
    cost: Cost

    def __add__(self, other):
        """Two halves of one run."""
        cost = Cost(*(one + two for one, two in zip(
            dataclasses.astuple(self.cost), dataclasses.astuple(other.cost))))
        return Run(
            (self.rate + other.rate) / 2, self.count + other.count, (self.p50 + other.p50) / 2,
            max(self.p99, other.p99), cost)

    def per_request(self, seconds):
        """In microseconds."""
        return seconds / self.count * 1e6

    @property
    def cpu(self):
        """Microseconds of server and database for one request."""
        return self.per_request(self.cost.server_cpu + self.cost.postgres_cpu)


def median(values):
    return statistics.median(list(values))


def spread(values):
    values = list(values)
    return f"{min(values):.2f}–{max(values):.2f}"


def best_pgbench(runs, script="pgbench"):
    return max(
        (runs[f"{script} {clients}"] for clients in PGBENCH_CLIENTS), key=lambda run: run.rate)


def report(rounds, others, steal, loads):
    pairs = [
        ("debits / pgbench", "debits", best_pgbench),
        ("  256 connections", "many debits", best_pgbench),
        ("checks / bare POST", "checks", lambda runs: runs["bare checks"]),
        ("  with a quota", "quota checks", lambda runs: runs["bare checks"]),
        ("payments / credits", "payments", lambda runs: best_pgbench(runs, "credits")),
        ("landing / bare page", "landing", lambda runs: runs["bare landing"])]
    print(f"\n{'':21}{'ratio':>7}{'of rounds':>12}{'product':>11}{'yardstick':>11}"
          f"{'p50':>9}{'p99':>9}{'CPU each':>10}{'yardstick':>11}")
    for title, name, other in pairs:
        ratios = [runs[name].rate / other(runs).rate for runs in rounds]
        print(f"{title:21}{median(ratios):>7.2f}{spread(ratios):>12}"
              f"{median(runs[name].rate for runs in rounds):>9.0f}/s"
              f"{median(other(runs).rate for runs in rounds):>9.0f}/s"
              f"{median(runs[name].p50 for runs in rounds) / 1000:>6.1f} ms"
              f"{median(runs[name].p99 for runs in rounds) / 1000:>6.1f} ms"
              f"{median(runs[name].cpu for runs in rounds):>7.0f} µs"
              f"{median(other(runs).cpu for runs in rounds):>8.0f} µs")
    print(f"\n{'for each debit':22}{'server':>9}{'postgres':>10}{'both':>8}{'load client':>13}"
          f"{'WAL':>9}")
    sides = [("HTTP, 64 connections", lambda runs: runs["debits"]),
             ("HTTP, 256 connections", lambda runs: runs["many debits"])]
    sides += [(f"pgbench, {clients} clients", lambda runs, clients=clients: runs[f"pgbench {clients}"])
              for clients in PGBENCH_CLIENTS]
    for title, side in sides:
        runs = [side(each) for each in rounds]
        server = median(run.per_request(run.cost.server_cpu) for run in runs)
        postgres = median(run.per_request(run.cost.postgres_cpu) for run in runs)
        client = median(run.per_request(run.cost.client_cpu) for run in runs)
        wal = median(run.cost.wal_bytes / run.count for run in runs)
        print(f"{title:22}{server:>6.0f} µs{postgres:>7.0f} µs{server + postgres:>5.0f} µs"
              f"{client:>10.0f} µs{wal:>7.0f} B")
    cores = Machine.cores()
    print(f"""
{time.strftime('%Y-%m-%d %H:%M', time.gmtime())} UTC, {Machine.name()}, cores {cores[0]}–{cores[-1]} of \
{os.cpu_count()}; load before and after {loads[0]:.1f} and {loads[1]:.1f}; \
{steal:.1%} stolen, {others:.0%} of the processor time went to other programs.""")
    if others > 0.1 or steal > 0.02:
        print("Other programs ran meanwhile: these figures are rough, run it again when it is quiet.")
