"""Refunds while Telegram refuses, delays, drops the line, or was there before us."""

import subprocess
import time

from refunds import (
    approve, buy, confirmed_by, deaf, expect_one_refund, fault, open_case, outgoing, settled,
    state, told, unknown_charge)
from running import BINARY, ROOT, Dashboard, call, wait_until
from test_paid_path import sql
from test_refund_saga import own  # noqa: F401 (a fixture: clocks move here, too)


def remembered_anew(product, user):
    """A bot is remembered for two seconds, and read again by the next who asks."""
    time.sleep(2.5)
    product.balance(user)
    time.sleep(0.5)


def audit(product, refund):
    return sql(product, "select string_agg(action, ' ' order by audit_entry_id) from audit_entries "
               f"where subject_kind = 'refund' and subject = '{refund}'")


def test_telegram_refunds_and_drops_the_connection(own):
    user, charge = buy(own)
    refund = open_case(own, charge)
    with deaf(own):
        fault(own, "drop_connection")
        approve(own, refund)
        settled(own, refund)
        assert confirmed_by(own, refund) == "refund.settle", "the books alone decide"
    expect_one_refund(own, user, charge, refund)
    assert audit(own, refund) == (
        "refund.requested refund.approved refund.confirmed refund.told")


def test_telegrams_own_report_is_enough_while_its_books_are_shut(own):
    user, charge = buy(own)
    refund = open_case(own, charge)
    fault(own, "internal_error", method="getStarTransactions", times=20)
    fault(own, "drop_connection")
    approve(own, refund)
    settled(own, refund)
    assert confirmed_by(own, refund) == "@" + own.bot()["username"]
    assert call("DELETE", own.sandbox + "/sandbox/faults").status == 204
    expect_one_refund(own, user, charge, refund)


def test_an_unanswered_call_that_telegram_never_did_fails_and_may_be_repeated(own):
    user, charge = buy(own)
    refund = open_case(own, charge)
    fault(own, "internal_error")
    approve(own, refund)
    assert state(own, refund) == "unknown"
    assert own.balance(user) == 0
    page = Dashboard(own, "manager").page(refund)
    assert "No answer yet" in page and "Telegram gave no answer." in page
    assert call("POST", own.sandbox + "/sandbox/clock", {"seconds": 120}).status == 200
    settled(own, refund, ("failed",))
    assert own.balance(user) == 10 and outgoing(own, charge) == []
    page = Dashboard(own, "manager").page(refund)
    assert "Telegram's books were watched and show no refund." in page
    assert "1 refund to decide" in Dashboard(own, "manager").get()
    approve(own, refund)
    expect_one_refund(own, user, charge, refund)


def test_a_call_that_comes_through_after_it_was_given_up_settles_the_case(own):
    user, charge = buy(own)
    refund = open_case(own, charge)
    with deaf(own):
        fault(own, "internal_error")
        approve(own, refund)
        assert call("POST", own.sandbox + "/sandbox/clock", {"seconds": 120}).status == 200
        settled(own, refund, ("failed",))
        # What Telegram's report would have said, the books say.
        token = own.bot()["token"]
        answer = call("POST", f"{own.sandbox}/bot{token}/refundStarPayment", {
            "user_id": user, "telegram_payment_charge_id": charge})
        assert answer.json()["ok"]
        sql(own, f"update jobs set run_at = now() where subject = '{refund}'")
        settled(own, refund)
        assert confirmed_by(own, refund) == "refund.settle"
    expect_one_refund(own, user, charge, refund)


def test_a_refusal_of_telegram_fails_the_refund_and_gives_the_credits_back(own):
    user, _ = buy(own)
    charge = unknown_charge(own, user)
    assert own.balance(user) == 20
    refund = open_case(own, charge)
    approve(own, refund)
    assert state(own, refund) == "failed" and own.balance(user) == 20
    page = Dashboard(own, "manager").page(refund)
    assert "CHARGE_ID_INVALID" in page and "whatever was held of the credits" in page
    assert sql(own, f"select count(*) from holds where charge_id = '{charge}'") == "0"
    assert audit(own, refund) == "refund.requested refund.approved refund.failed"


def test_a_token_that_cannot_be_read_fails_the_refund(own):
    user, charge = buy(own)
    refund = open_case(own, charge)
    sealed = sql(own, f"select sealed_token from bots where bot_id = {own.bot()['id']}")
    try:
        sql(own, f"update bots set sealed_token = '\\x00' where bot_id = {own.bot()['id']}")
        remembered_anew(own, user)
        approve(own, refund)
        assert state(own, refund) == "failed"
    finally:
        sql(own, f"update bots set sealed_token = '{sealed}' where bot_id = {own.bot()['id']}")
        remembered_anew(own, user)
    page = Dashboard(own, "manager").page(refund)
    assert "The bot's token cannot be read." in page and "ESTARS" not in page
    assert own.balance(user) == 10


def test_too_many_requests_are_waited_for(own):
    user, charge = buy(own)
    refund = open_case(own, charge)
    fault(own, "too_many_requests", seconds=2)
    approve(own, refund)
    assert state(own, refund) == "sending"
    expect_one_refund(own, user, charge, refund)


def test_a_charge_that_the_store_gave_back_before_counts_as_refunded(own):
    user, charge = buy(own)
    refund = open_case(own, charge)
    answer = call("POST", f"{own.sandbox}/sandbox/charges/{charge}/refund",
                  {"origin": "chargeback"})
    assert answer.status == 204
    approve(own, refund)
    expect_one_refund(own, user, charge, refund)


def test_a_buyer_who_blocked_the_bot_is_noted(own):
    user, charge = buy(own)
    refund = open_case(own, charge)
    call("PUT", f"{own.sandbox}/sandbox/people/{user}/chats/{own.bot()['id']}",
         {"is_blocked": True})
    approve(own, refund)
    settled(own, refund)
    wait_until(lambda: sql(
        own, f"select notice_state from refunds where refund_id = {refund}") == "failed")
    page = Dashboard(own, "manager").page(refund)
    assert "could not be told" in page and "bot was blocked by the user" in page


def test_a_message_without_an_answer_is_said_once_more_at_most(own):
    user, charge = buy(own)
    refund = open_case(own, charge)
    fault(own, "drop_connection", method="sendMessage", times=5)
    approve(own, refund)
    settled(own, refund)
    wait_until(lambda: sql(
        own, f"select notice_state from refunds where refund_id = {refund}") == "failed")
    assert told(own, user) == 2
    assert call("DELETE", own.sandbox + "/sandbox/faults").status == 204


def test_the_ledger_verifies_after_all_this(own):
    result = subprocess.run(
        [BINARY, "ledger", "verify", "--data", str(own.data)], cwd=ROOT, capture_output=True,
        text=True)
    assert (result.returncode, result.stdout.strip().splitlines()[-1]) == (0, "0 problems"), result
