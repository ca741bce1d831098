"""A refund ends in exactly one refund at Telegram and one clawback, wherever it is killed.

The program that runs here is the real one, killed by SIGKILL. A trigger in the database that waits
for a lock of ours stops it right before a step; the sandbox's faults stop it around a call."""

import signal
import subprocess
import time

import pytest

from refunds import (
    Barrier, approve, approve_in_background, buy, confirmed_by, deaf, expect_one_refund, fault,
    kill_and_restart, open_case, outgoing, settled, state, told, unknown_charge)
from running import BINARY, ROOT, call, temporary_product, wait_until
from test_paid_path import sql

JOB = "refund.settle"


@pytest.fixture(scope="module")
def own():
    """A product of this module's own: it is killed again and again."""
    with temporary_product() as running:
        yield running


@pytest.fixture(autouse=True)
def no_barrier_stays():
    """One that a failed test left would stop all that follow."""
    yield
    for barrier in list(Barrier.standing):
        barrier.lift()


@pytest.mark.parametrize("step", ["approved", "sending", "confirmed"])
def test_killed_before_a_step(own, step):
    user, charge = buy(own)
    refund = open_case(own, charge)
    with deaf(own):
        barrier = Barrier(own, f"new.state = '{step}' and old.state <> new.state")
        approve_in_background(own, refund)
        barrier.wait()
        before = {"approved": "requested", "sending": "approved", "confirmed": "sending"}[step]
        assert state(own, refund) == before
        assert len(outgoing(own, charge)) == (1 if step == "confirmed" else 0)
        kill_and_restart(own, barrier)
        if step == "approved":
            # The decision itself was lost with its answer: nothing is held, it is made again.
            assert state(own, refund) == "requested"
            assert sql(own, f"select count(*) from holds where charge_id = '{charge}'") == "0"
            approve(own, refund)
        settled(own, refund)
        assert confirmed_by(own, refund) == JOB
    expect_one_refund(own, user, charge, refund)


def test_killed_before_telegram_hears_of_it(own):
    user, charge = buy(own)
    refund = open_case(own, charge)
    fault(own, "stall", seconds=60)
    approve_in_background(own, refund)
    wait_until(lambda: state(own, refund) == "sending")
    time.sleep(0.5)
    assert outgoing(own, charge) == []
    # No help with the lease here: the dead worker's runs out by itself.
    own.stop(signal.SIGKILL)
    own.start()
    expect_one_refund(own, user, charge, refund)


def test_killed_between_telegrams_refund_and_its_answer(own):
    user, charge = buy(own)
    refund = open_case(own, charge)
    with deaf(own):
        fault(own, "delay", seconds=60)
        approve_in_background(own, refund)
        wait_until(lambda: outgoing(own, charge))
        assert state(own, refund) == "sending"
        kill_and_restart(own)
        settled(own, refund)
        assert confirmed_by(own, refund) == JOB
    expect_one_refund(own, user, charge, refund)


@pytest.mark.parametrize("before, step", [("sending", "unknown"), ("unknown", "confirmed")])
def test_killed_around_an_unanswered_call(own, before, step):
    """Before it is noted, and between Telegram's books and the confirmation."""
    user, charge = buy(own)
    refund = open_case(own, charge)
    with deaf(own):
        fault(own, "drop_connection")
        barrier = Barrier(own, f"old.state = '{before}' and new.state = '{step}'")
        approve_in_background(own, refund)
        barrier.wait()
        assert state(own, refund) == before and len(outgoing(own, charge)) == 1
        kill_and_restart(own, barrier)
        settled(own, refund)
        assert confirmed_by(own, refund) == JOB
    expect_one_refund(own, user, charge, refund)


@pytest.mark.parametrize("before", ["sending", "unknown"])
def test_killed_before_a_failure_is_noted(own, before):
    """The hold is released once, and the refund can be approved again."""
    user, charge = buy(own)
    left = own.balance(user)
    if before == "sending":
        charge = unknown_charge(own, user)
        left += 10
    else:
        fault(own, "internal_error")
    refund = open_case(own, charge)
    barrier = Barrier(own, "new.state = 'failed' and old.state <> new.state")
    approve_in_background(own, refund)
    if before == "unknown":
        wait_until(lambda: state(own, refund) == "unknown")
        assert call("POST", own.sandbox + "/sandbox/clock", {"seconds": 120}).status == 200
    barrier.wait()
    assert state(own, refund) == before
    kill_and_restart(own, barrier)
    settled(own, refund, ("failed",))
    assert own.balance(user) == left
    assert outgoing(own, charge) == []
    releases = sql(own, "select count(*) from entries where kind = 'release' "
                   f"and idempotency_key like 'refund:release:1:%:{charge}'")
    assert releases == "1"
    if before == "unknown":
        approve(own, refund)
        expect_one_refund(own, user, charge, refund)


def test_killed_between_the_confirmation_and_the_next_run(own):
    user, charge = buy(own)
    refund = open_case(own, charge)
    barrier = Barrier(
        own, f"old.subject = '{refund}' and old.leased_until is not null "
        "and new.leased_until is null", table="jobs")
    approve_in_background(own, refund)
    barrier.wait()
    settled(own, refund)
    assert told(own, user) == 0
    kill_and_restart(own, barrier)
    expect_one_refund(own, user, charge, refund)


def test_killed_before_the_buyer_is_told(own):
    user, charge = buy(own)
    refund = open_case(own, charge)
    fault(own, "stall", method="sendMessage", seconds=60, times=5)
    approve_in_background(own, refund)
    settled(own, refund)
    time.sleep(0.5)
    kill_and_restart(own)
    expect_one_refund(own, user, charge, refund)


def test_killed_after_the_buyer_was_told_tells_at_most_once_more(own):
    user, charge = buy(own)
    refund = open_case(own, charge)
    barrier = Barrier(own, "new.notice_state = 'sent'")
    approve_in_background(own, refund)
    barrier.wait()
    assert told(own, user) == 1
    kill_and_restart(own, barrier)
    expect_one_refund(own, user, charge, refund, notices=(1, 2))


def test_the_ledger_verifies_after_all_this(own):
    result = subprocess.run(
        [BINARY, "ledger", "verify", "--data", str(own.data)], cwd=ROOT, capture_output=True,
        text=True)
    assert (result.returncode, result.stdout.strip().splitlines()[-1]) == (0, "0 problems"), result
