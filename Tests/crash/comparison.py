"""Compares what the clients were told with what is stored. Every difference is a sentence."""

import collections
import dataclasses
import json

from journal import Journal, Write


@dataclasses.dataclass
class Stored:
    """What the database holds of the users who wrote, each row as a dict."""

    entries: list[dict]  # user, version, kind, amount, balance_after, key
    payments: list[dict]  # user, payment_id, charge_id, state, stars, credits, bonus_credits
    checkouts: list[dict]  # user, checkout_id, idempotency_key, payload
    balances: dict[int, int]  # by user, as the API says


def problems(journal: Journal, stored: Stored) -> list[str]:
    found = []
    entries = by(stored.entries, "key")
    payments = by(stored.payments, "charge_id")
    checkouts = by(stored.checkouts, "idempotency_key")
    for write in journal.writes.values():
        found += answer_problems(write)
        if not write.is_acknowledged:
            found.append(f"{name(write)} was never answered")
        elif write.kind == "debit":
            found += debit_problems(write, entries)
        elif write.kind == "payment":
            found += payment_problems(write, entries, payments)
        else:
            found += checkout_problems(write, checkouts)
    found += uninvited(journal, entries, payments, checkouts)
    return found + balance_problems(journal, stored)


def answer_problems(write: Write) -> list[str]:
    found = []
    applied = [answer for answer in write.answers if 200 <= answer.status < 300]
    for answer in write.answers:
        if answer not in applied:
            found.append(f"{name(write)} was answered {answer.status}: {answer.body[:200]}")
    if sum(not answer.is_replay for answer in applied) > 1:
        found.append(f"{name(write)} was applied more than once")
    if write.kind != "payment":
        # A payment's answer tells the balance of its moment; debit and checkout repeat the first.
        for answer in applied:
            if answer.status != (200 if answer.is_replay else 201):
                found.append(f"{name(write)}: status {answer.status}, replay {answer.is_replay}")
        if len({answer.body for answer in applied}) > 1:
            found.append(f"{name(write)} was answered with different bodies")
    return found


def debit_problems(write: Write, entries) -> list[str]:
    told = write.result()["debit"]
    wanted = {
        "user": write.user, "kind": "debit", "amount": -write.cost, "version": told["version"],
        "balance_after": told["balance"]}
    found = only(write, "entry", entries["api:" + write.key], wanted)
    if told["cost"] != write.cost:
        found.append(f"{name(write)} was told a cost of {told['cost']}, not {write.cost}")
    return found


def payment_problems(write: Write, entries, payments) -> list[str]:
    told = write.result().get("payment")
    if told is None:
        return [f"{name(write)} was taken and not credited: {write.result()}"]
    wanted = {
        "user": write.user, "payment_id": told["id"], "state": "credited",
        "credits": write.credits, "bonus_credits": write.bonus}
    found = only(write, "payment", payments[write.key], wanted)
    if len({answer_payment(answer) for answer in write.answers if answer.status == 200}) > 1:
        found.append(f"{name(write)} was answered with different payments")
    for lot, credits in (("paid", write.credits), ("bonus", write.bonus)):
        rows = entries[f"charge:{write.bot}:{write.key}:{lot}"]
        if credits:
            wanted = {"user": write.user, "kind": "credit", "amount": credits}
            found += only(write, f"{lot} entry", rows, wanted)
        elif rows:
            found.append(f"{name(write)} has a {lot} entry that it did not buy")
    return found


def checkout_problems(write: Write, checkouts) -> list[str]:
    told = write.result()["checkout"]
    wanted = {"user": write.user, "checkout_id": told["id"], "payload": told["payload"]}
    return only(write, "checkout", checkouts[write.key], wanted)


def uninvited(journal: Journal, entries, payments, checkouts) -> list[str]:
    """What is stored and nobody asked for."""
    keys = {"api:" + write.key for write in journal.of("debit")}
    for write in journal.of("payment"):
        keys |= {f"charge:{write.bot}:{write.key}:{lot}" for lot in ("paid", "bonus")}
    found = [f"nobody asked for entry {key}: {entries[key]}" for key in entries.keys() - keys]
    for noun, rows in (("payment", payments), ("checkout", checkouts)):
        keys = {write.key for write in journal.of(noun)}
        found += [f"nobody asked for {noun} {key}" for key in rows.keys() - keys]
    return found


def balance_problems(journal: Journal, stored: Stored) -> list[str]:
    found = []
    sums = collections.Counter()
    for entry in stored.entries:
        sums[entry["user"]] += entry["amount"]
    for user, balance in journal.balances(stored.balances).items():
        if not balance == sums[user] == stored.balances[user]:
            found.append(
                f"user {user}: {balance} credits by the journal, {sums[user]} by the entries, "
                f"{stored.balances[user]} by the API")
    return found


def only(write: Write, noun, rows, wanted) -> list[str]:
    """There is one row and it says what is wanted."""
    if len(rows) != 1:
        return [f"{name(write)} was acknowledged and has {len(rows)} rows as {noun}"]
    wrong = {key: rows[0][key] for key in wanted if rows[0][key] != wanted[key]}
    return [f"{name(write)}: its {noun} says {wrong}, wanted {wanted}"] if wrong else []


def answer_payment(answer):
    payment = json.loads(answer.body).get("payment", {})
    return tuple(payment.get(part) for part in ("id", "user", "credits", "bonus_credits"))


def by(rows, column):
    index = collections.defaultdict(list)
    for row in rows:
        index[row[column]].append(row)
    return index


def name(write: Write) -> str:
    return f"{write.kind} {write.key} of {write.user}"
