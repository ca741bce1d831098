"""The comparison finds what a crash could do to the books: each test does it to sound ones."""

import json

import pytest

from comparison import Stored, problems
from journal import Answer, Journal, Write

USER, BOT = 6_900_001, 7
CREDITS, BONUS, COST = 5, 4, 2


def acknowledge(write, body, is_replay=False):
    status = 200 if is_replay or write.kind == "payment" else 201
    write.answers.append(Answer(status, is_replay, json.dumps(body).encode()))


@pytest.fixture
def books():
    """A checkout, its payment with a bonus, and a debit that was retried: told and stored."""
    journal = Journal()
    sale = journal.enter(Write("checkout", "sale", USER, BOT, {}))
    acknowledge(sale, {"checkout": {"id": 1, "payload": "signed"}})
    paid = journal.enter(Write("payment", "charge", USER, BOT, {}, credits=CREDITS, bonus=BONUS))
    payment = {"id": 3, "user": USER, "credits": CREDITS, "bonus_credits": BONUS}
    acknowledge(paid, {"payment": {**payment, "balance": 9}, "duplicate": False})
    acknowledge(paid, {"payment": {**payment, "balance": 7}, "duplicate": True}, is_replay=True)
    debit = journal.enter(Write("debit", "use", USER, BOT, {}, cost=COST))
    debit.unanswered.append("ServerDisconnectedError")
    told = {"debit": {"cost": COST, "balance": 7, "version": 3}}
    acknowledge(debit, told)
    acknowledge(debit, told, is_replay=True)
    stored = Stored(
        entries=[
            entry(1, "credit", CREDITS, 5, f"charge:{BOT}:charge:paid"),
            entry(2, "credit", BONUS, 9, f"charge:{BOT}:charge:bonus"),
            entry(3, "debit", -COST, 7, "api:use")],
        payments=[{
            "user": USER, "payment_id": 3, "charge_id": "charge", "state": "credited",
            "stars": 49, "credits": CREDITS, "bonus_credits": BONUS}],
        checkouts=[{
            "user": USER, "checkout_id": 1, "idempotency_key": "sale", "payload": "signed"}],
        balances={USER: 7})
    return journal, stored


def entry(version, kind, amount, balance, key):
    return {
        "user": USER, "version": version, "kind": kind, "amount": amount,
        "balance_after": balance, "key": key}


def test_sound_books_have_no_problems(books):
    assert problems(*books) == []


@pytest.mark.parametrize("rows", ["entries", "payments", "checkouts"])
@pytest.mark.parametrize("number", [0, -1])
def test_what_was_acknowledged_and_is_missing(books, rows, number):
    journal, stored = books
    del getattr(stored, rows)[number]
    assert any("was acknowledged and has 0 rows" in problem for problem in problems(*books))


@pytest.mark.parametrize("rows", ["entries", "payments", "checkouts"])
@pytest.mark.parametrize("number", [0, -1])
def test_what_is_stored_twice(books, rows, number):
    journal, stored = books
    getattr(stored, rows).append(dict(getattr(stored, rows)[number]))
    assert any("was acknowledged and has 2 rows" in problem for problem in problems(*books))


@pytest.mark.parametrize("rows, number, column, value", [
    ("entries", 2, "amount", -1), ("entries", 2, "user", USER + 1), ("entries", 2, "version", 4),
    ("entries", 2, "balance_after", 6), ("entries", 2, "kind", "hold"),
    ("entries", 0, "amount", 6), ("entries", 1, "user", USER + 1),
    ("payments", 0, "credits", 6), ("payments", 0, "state", "unmatched"),
    ("payments", 0, "payment_id", 4), ("checkouts", 0, "payload", "other"),
])
def test_what_is_stored_otherwise_than_it_was_told(books, rows, number, column, value):
    journal, stored = books
    getattr(stored, rows)[number][column] = value
    assert any(f"says {{'{column}': {value!r}}}" in problem for problem in problems(*books))


def test_what_nobody_asked_for(books):
    journal, stored = books
    stored.entries.append(entry(4, "debit", -1, 6, "api:unknown"))
    stored.payments.append({**stored.payments[0], "charge_id": "unknown"})
    stored.checkouts.append({**stored.checkouts[0], "idempotency_key": "unknown"})
    found = problems(*books)
    for noun in ("entry api:unknown", "payment unknown", "checkout unknown"):
        assert any(f"nobody asked for {noun}" in problem for problem in found)


def test_a_key_that_was_never_answered(books):
    journal, stored = books
    journal.enter(Write("debit", "lost", USER, BOT, {}, unanswered=["503"]))
    assert f"debit lost of {USER} was never answered" in problems(*books)


def test_a_write_that_was_applied_twice(books):
    journal, stored = books
    debit = journal.writes["use"]
    debit.answers.append(debit.answers[0])
    assert problems(*books) == [f"debit use of {USER} was applied more than once"]


def test_a_replay_with_another_body(books):
    journal, stored = books
    acknowledge(
        journal.writes["use"], {"debit": {"cost": COST, "balance": 6, "version": 3}},
        is_replay=True)
    assert problems(*books) == [f"debit use of {USER} was answered with different bodies"]


def test_an_update_that_tells_of_another_payment(books):
    journal, stored = books
    other = {"id": 4, "user": USER, "credits": CREDITS, "bonus_credits": BONUS}
    acknowledge(journal.writes["charge"], {"payment": other, "duplicate": True}, is_replay=True)
    assert problems(*books) == [f"payment charge of {USER} was answered with different payments"]


def test_a_payment_that_waits_in_the_inbox(books):
    journal, stored = books
    journal.writes["charge"].answers = []
    acknowledge(journal.writes["charge"], {"handled": "pending", "duplicate": False})
    assert any("was taken and not credited" in problem for problem in problems(*books))


def test_an_answer_that_is_neither_yes_nor_not_now(books):
    journal, stored = books
    journal.writes["use"].answers.append(Answer(500, False, b"{}"))
    assert any("was answered 500" in problem for problem in problems(*books))


def test_a_balance_that_does_not_follow(books):
    journal, stored = books
    stored.balances[USER] = 8
    assert problems(*books) == [
        f"user {USER}: 7 credits by the journal, 7 by the entries, 8 by the API"]
