"""Refunds end in exactly one refund at Telegram and one clawback, whatever dies in between.

The program that runs here is the real one, killed by SIGKILL. A trigger in the database that waits
for a lock of ours stops it right before a step; the sandbox's faults stop it around a call."""

import itertools
import pathlib
import shutil
import signal
import subprocess
import tempfile
import threading
import time
import uuid

import pytest

from running import BINARY, ROOT, Dashboard, Product, call, wait_until
from test_paid_path import sql

people = itertools.count(6_700_001)
LOCK = 4_711


@pytest.fixture(scope="module")
def own():
    """A product of this module's own: it is killed again and again."""
    data = pathlib.Path(tempfile.mkdtemp(prefix="estars-saga-"))
    data.chmod(0o755)
    running = Product(data)
    try:
        yield running.start()
    finally:
        if running.process.poll() is None:
            running.stop()
        shutil.rmtree(data, ignore_errors=True)


def buy(product, sku="start"):
    """Somebody new buys a pack on the sandbox phone; returns their id and the charge."""
    user = next(people)
    call("POST", product.sandbox + "/sandbox/people", {
        "id": user, "first_name": f"Lia {user}", "language_code": "en", "stars": 5000})
    # Whoever never wrote to the bot cannot be written to.
    call("POST", f"{product.sandbox}/sandbox/people/{user}/chats/{product.bot()['id']}/messages",
         {"text": "/start"})
    sale = product.api(
        "POST", "/v1/checkouts", {"user": user, "sku": sku}, key=str(uuid.uuid4())).json()
    paid = call("POST", f"{product.sandbox}/sandbox/people/{user}/payments",
                {"invoice": sale["checkout"]["invoice_link"]}).json()
    assert paid["outcome"] == "paid", paid
    wait_until(lambda: product.balance(user) > 0)
    return user, paid["charge_id"]


def fault(product, kind, method="refundStarPayment", **more):
    answer = call("POST", product.sandbox + "/sandbox/faults", {
        "kind": kind, "method": method, "bot_id": product.bot()["id"], **more})
    assert answer.status == 204, answer.body


def open_case(product, charge):
    return Dashboard(product, "manager").ask(charge)


def state(product, refund):
    return sql(product, f"select state from refunds where refund_id = {refund}")


def settled(product, refund, states=("confirmed",), timeout=40):
    wait_until(lambda: state(product, refund) in states, timeout)


def told(product, user, words):
    """How often the bot has said so in the person's chat."""
    messages = call(
        "GET",
        f"{product.sandbox}/sandbox/people/{user}/chats/{product.bot()['id']}/messages").body
    return messages.decode().count(words)


def outgoing(product, charge):
    """Refunds of the charge in Telegram's books."""
    token, offset, rows = product.bot()["token"], 0, []
    while True:
        page = call("POST", f"{product.sandbox}/bot{token}/getStarTransactions",
                    {"offset": offset}).json()["result"]["transactions"]
        rows += page
        offset += 100
        if len(page) < 100:
            return [row for row in rows if row["id"] == charge and "receiver" in row]


def expect_one_refund(product, user, charge, refund, notices=(1,)):
    settled(product, refund)
    assert len(outgoing(product, charge)) == 1
    assert sql(product, f"select count(*) from clawbacks where charge_id = '{charge}'") == "1"
    assert sql(
        product, "select count(*) from entries where operation = 'clawback' and kind = 'clawback' "
        f"and idempotency_key like 'refund:%:{charge}'") == "1"
    assert sql(product, f"select count(*) from holds where charge_id = '{charge}'") == "0"
    assert sql(
        product, f"select state from payments where charge_id = '{charge}'") == "refunded"
    assert product.balance(user) == 0
    wait_until(lambda: sql(
        product, f"select count(*) from jobs where subject = '{refund}'") == "0", 60)
    assert sql(product, f"select notice_state from refunds where refund_id = {refund}") == "sent"
    assert told(product, user, "is refunded") in notices


class Barrier:
    """Lets no refund take the step until it is lifted."""

    def __init__(self, product, condition):
        url = subprocess.run(
            [BINARY, "cluster-url", "--data", str(product.data), "--role", "postgres"], cwd=ROOT,
            check=True, capture_output=True, text=True).stdout.strip()
        self.product = product
        self.session = subprocess.Popen(
            ["psql", url, "-qAt"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.say(f"""
            select pg_advisory_lock({LOCK});
            create or replace function test_barrier() returns trigger language plpgsql as
              $$ begin perform pg_advisory_xact_lock({LOCK}); return new; end $$;
            create trigger a_barrier before update on refunds for each row
              when ({condition}) execute function test_barrier();
            select 'set';""", "set")

    def say(self, statements, answer):
        self.session.stdin.write(statements + "\n")
        self.session.stdin.flush()
        while self.session.stdout.readline().strip() != answer:
            assert self.session.poll() is None

    def wait(self):
        """Until the program stands before the step."""
        wait_until(lambda: sql(
            self.product, "select count(*) from pg_locks where locktype = 'advisory' "
            f"and objid = {LOCK} and not granted") != "0")

    def lift(self):
        """What waited dies with its transaction, as the program died."""
        self.say("""
            select pg_terminate_backend(pid) from pg_stat_activity where usename = 'estars_app';
            drop trigger a_barrier on refunds; drop function test_barrier();
            select 'lifted';""", "lifted")
        self.session.stdin.close()
        self.session.wait(10)


def kill_and_restart(product, barrier=None):
    product.stop(signal.SIGKILL)
    if barrier:
        barrier.lift()
    product.start()


def expire_leases(product):
    """Time passes for the job of the process that died."""
    sql(product, "update jobs set leased_until = now() - interval '1 second' "
        "where leased_until is not null")


def approve_in_background(product, refund):
    """The dashboard's request never returns when its process is killed."""
    def approve():
        try:
            Dashboard(product, "manager").approve(refund)
        except OSError:
            pass

    thread = threading.Thread(target=approve, daemon=True)
    thread.start()
    return thread


@pytest.mark.parametrize("step", ["approved", "sending", "confirmed"])
def test_killed_before_a_step_in_the_database(own, step):
    user, charge = buy(own)
    refund = open_case(own, charge)
    barrier = Barrier(own, f"new.state = '{step}' and old.state <> new.state")
    approve_in_background(own, refund)
    barrier.wait()
    before = {"approved": "requested", "sending": "approved", "confirmed": "sending"}[step]
    assert state(own, refund) == before
    assert len(outgoing(own, charge)) == (1 if step == "confirmed" else 0)
    kill_and_restart(own, barrier)
    if step == "approved":
        # The decision itself was lost with its answer: nothing is held, and it is made again.
        assert state(own, refund) == "requested" and own.balance(user) == 10
        Dashboard(own, "manager").approve(refund)
    expire_leases(own)
    expect_one_refund(own, user, charge, refund)


def test_killed_before_telegram_hears_of_it(own):
    user, charge = buy(own)
    refund = open_case(own, charge)
    fault(own, "stall", seconds=60)
    approve_in_background(own, refund)
    wait_until(lambda: state(own, refund) == "sending")
    time.sleep(0.5)
    assert outgoing(own, charge) == []
    kill_and_restart(own)
    # No help here: the dead worker's lease runs out by itself.
    expect_one_refund(own, user, charge, refund)


def test_killed_between_telegrams_refund_and_its_answer(own):
    user, charge = buy(own)
    refund = open_case(own, charge)
    # The bot forwards Telegram's own report; it must not settle the case before the kill.
    barrier = Barrier(own, "new.state = 'confirmed'")
    fault(own, "delay", seconds=60)
    approve_in_background(own, refund)
    wait_until(lambda: outgoing(own, charge))
    assert state(own, refund) == "sending"
    kill_and_restart(own, barrier)
    expire_leases(own)
    expect_one_refund(own, user, charge, refund)


def test_killed_before_the_buyer_is_told(own):
    user, charge = buy(own)
    refund = open_case(own, charge)
    fault(own, "stall", method="sendMessage", seconds=60, times=5)
    approve_in_background(own, refund)
    settled(own, refund)
    time.sleep(0.5)
    kill_and_restart(own)
    expire_leases(own)
    expect_one_refund(own, user, charge, refund)


def test_killed_after_the_buyer_was_told_tells_at_most_once_more(own):
    user, charge = buy(own)
    refund = open_case(own, charge)
    barrier = Barrier(own, "new.notice_state = 'sent'")
    approve_in_background(own, refund)
    barrier.wait()
    assert told(own, user, "is refunded") == 1
    kill_and_restart(own, barrier)
    expire_leases(own)
    expect_one_refund(own, user, charge, refund, notices=(1, 2))


def test_telegram_refunds_and_drops_the_connection(own):
    user, charge = buy(own)
    refund = open_case(own, charge)
    # Without the bot's report, the books alone decide.
    fault(own, "delay_delivery", method=None, seconds=30, times=1)
    fault(own, "drop_connection")
    Dashboard(own, "manager").approve(refund)
    expect_one_refund(own, user, charge, refund)
    steps = sql(own, "select string_agg(action, ' ' order by audit_entry_id) from audit_entries "
                f"where subject_kind = 'refund' and subject = '{refund}'")
    assert steps == "refund.requested refund.approved refund.confirmed"


def test_an_unanswered_call_that_telegram_never_did_fails_and_may_be_repeated(own):
    user, charge = buy(own)
    refund = open_case(own, charge)
    fault(own, "internal_error")
    Dashboard(own, "manager").approve(refund)
    assert state(own, refund) == "unknown"
    assert own.balance(user) == 0
    page = Dashboard(own, "manager").page(refund)
    assert "No answer yet" in page and "HTTP 500" in page
    assert call("POST", own.sandbox + "/sandbox/clock", {"seconds": 120}).status == 200
    settled(own, refund, ("failed",))
    assert own.balance(user) == 10 and outgoing(own, charge) == []
    Dashboard(own, "manager").approve(refund)
    expect_one_refund(own, user, charge, refund)


def test_a_refusal_of_telegram_fails_the_refund_and_gives_the_credits_back(own):
    user, _ = buy(own)
    # A charge that this bot's Telegram does not know.
    sale = own.api(
        "POST", "/v1/checkouts", {"user": user, "sku": "start"}, key=str(uuid.uuid4())).json()
    charge = "stx" + uuid.uuid4().hex
    own.webhook({"update_id": 1_700_000_001, "message": {
        "message_id": 1, "date": int(time.time()),
        "from": {"id": user, "is_bot": False, "first_name": "Lia"},
        "chat": {"id": user, "type": "private", "first_name": "Lia"},
        "successful_payment": {
            "currency": "XTR", "total_amount": 75,
            "invoice_payload": sale["checkout"]["payload"],
            "telegram_payment_charge_id": charge, "provider_payment_charge_id": "x"}}})
    assert own.balance(user) == 20
    refund = open_case(own, charge)
    Dashboard(own, "manager").approve(refund)
    assert state(own, refund) == "failed" and own.balance(user) == 20
    page = Dashboard(own, "manager").page(refund)
    assert "CHARGE_ID_INVALID" in page and "the credits that were held" in page
    assert sql(own, f"select count(*) from holds where charge_id = '{charge}'") == "0"


def test_too_many_requests_are_waited_for(own):
    user, charge = buy(own)
    refund = open_case(own, charge)
    fault(own, "too_many_requests", seconds=2)
    Dashboard(own, "manager").approve(refund)
    assert state(own, refund) == "sending"
    expect_one_refund(own, user, charge, refund)


def test_a_charge_that_the_store_gave_back_before_counts_as_refunded(own):
    user, charge = buy(own)
    refund = open_case(own, charge)
    answer = call("POST", f"{own.sandbox}/sandbox/charges/{charge}/refund",
                  {"origin": "chargeback"})
    assert answer.status == 204
    Dashboard(own, "manager").approve(refund)
    expect_one_refund(own, user, charge, refund)


def test_a_buyer_who_blocked_the_bot_is_noted(own):
    user, charge = buy(own)
    refund = open_case(own, charge)
    call("PUT", f"{own.sandbox}/sandbox/people/{user}/chats/{own.bot()['id']}",
         {"is_blocked": True})
    Dashboard(own, "manager").approve(refund)
    settled(own, refund)
    wait_until(lambda: sql(
        own, f"select notice_state from refunds where refund_id = {refund}") == "failed")
    assert "could not be told" in Dashboard(own, "manager").page(refund)


def test_the_ledger_verifies_after_all_this(own):
    result = subprocess.run(
        [BINARY, "ledger", "verify", "--data", str(own.data)], cwd=ROOT, capture_output=True,
        text=True)
    assert (result.returncode, result.stdout.strip().splitlines()[-1]) == (0, "0 problems"), result
