"""Actions that may go on while the database is away: accepted up to the cap, booked once later."""

import json
import signal
import time

import pytest

from cluster import frozen_database
from refunds import buy
from running import temporary_product, wait_until
from test_paid_path import sql


@pytest.fixture(scope="module")
def product():
    with temporary_product() as product:
        sql(product, "update actions set outage_policy = 'open', outage_cap_units = 5 "
                     "where action = 'sticker'")
        yield product


def debit(product, key, user, units=1, action="sticker"):
    return product.api(
        "POST", "/v1/debits", {"user": user, "action": action, "units": units}, key=key)


def knows_the_policy(product, user):
    """The server's memory of the rules is seconds old at most, once somebody asks."""
    product.api("POST", "/v1/checks", {"user": user, "action": "sticker"})
    time.sleep(2.5)
    product.api("POST", "/v1/checks", {"user": user, "action": "sticker"})
    time.sleep(1)


def test_accepted_debits_are_booked_once_though_the_server_is_killed(product):
    user, _ = buy(product)
    poor = 5_550_001
    before = product.balance(user)
    knows_the_policy(product, user)
    with frozen_database(product):
        answer = debit(product, "out-1", user, 2)
        assert answer.status == 202, answer.body
        assert answer.json()["debit"] == {
            "user": user, "action": "sticker", "units": 2, "cost": 2, "booked": False}
        assert debit(product, "out-1", user, 2).status == 202
        assert debit(product, "out-1", user, 1).status == 409
        check = product.api("POST", "/v1/checks", {"user": user, "action": "sticker"}).json()
        assert check["allowed"] is True and check["reason"] == "outage"
        # Another action stays closed, and the cap is of units.
        assert debit(product, "out-2", user, action="company_lookup").status == 503
        assert debit(product, "out-3", poor, 3).status == 202
        assert debit(product, "out-4", user, 1).status == 503
        product.stop(signal.SIGKILL)
    # Dearer by now; what the bot was told is what it takes.
    sql(product, "update actions set price_credits = 2 where action = 'sticker'")
    product.start()
    wait_until(lambda: (product.data / "outage.journal").stat().st_size == 0, 60)
    assert product.balance(user) == before - 2
    replay = debit(product, "out-1", user, 2)
    assert replay.status == 200 and replay.headers["Idempotency-Replayed"] == "true"
    assert product.balance(user) == before - 2
    # What was refused during the outage was not taken.
    assert debit(product, "out-4", user, 1).status == 201
    assert product.balance(user) == before - 4
    sql(product, "update actions set price_credits = 1 where action = 'sticker'")
    lines = sql(product, "select action, reason, after from audit_entries "
                         "where action like 'outage.%' order by audit_entry_id").split("\n")
    booked, uncollected = (line.split("|") for line in lines)
    assert booked[0] == "outage.booked" and json.loads(booked[2])["units"] == "2"
    assert uncollected[:2] == ["outage.uncollected", "insufficient"]
    kinds = sql(product, "select kind || ' ' || body from events where kind like 'debit.%'")
    assert kinds.startswith("debit.uncollected") and '"idempotency_key":"out-3"' in kinds


def test_a_debit_that_the_database_took_unheard_is_not_taken_twice(product):
    user, _ = buy(product)
    knows_the_policy(product, user)
    assert debit(product, "heard-1", user).status == 201
    before = product.balance(user)
    with frozen_database(product):
        assert debit(product, "heard-1", user).status == 202
    wait_until(lambda: (product.data / "outage.journal").stat().st_size == 0, 60)
    assert product.balance(user) == before
