"""Buying, refunding and getting in the way of it, on a running product."""

import contextlib
import itertools
import signal
import subprocess
import threading
import time
import uuid

from running import Dashboard, call, cluster_url, wait_until
from test_paid_path import sql

people = itertools.count(7_700_001)
LOCK = 4_711


def buy(product, sku="start", language="en"):
    """Somebody new buys a pack on the sandbox phone; returns their id and the charge."""
    user = next(people)
    call("POST", product.sandbox + "/sandbox/people", {
        "id": user, "first_name": f"Lia {user}", "language_code": language, "stars": 5000})
    # Whoever never wrote to the bot cannot be written to.
    call("POST", f"{product.sandbox}/sandbox/people/{user}/chats/{product.bot()['id']}/messages",
         {"text": "/start"})
    sale = product.api(
        "POST", "/v1/checkouts", {"user": user, "sku": sku, "language": "en"},
        key=str(uuid.uuid4())).json()
    paid = call("POST", f"{product.sandbox}/sandbox/people/{user}/payments",
                {"invoice": sale["checkout"]["invoice_link"]}).json()
    assert paid["outcome"] == "paid", paid
    wait_until(lambda: product.balance(user) > 0)
    return user, paid["charge_id"]


def unknown_charge(product, user):
    """A payment whose charge the sandbox has never seen, so that it refuses to refund it."""
    sale = product.api(
        "POST", "/v1/checkouts", {"user": user, "sku": "start", "language": "en"},
        key=str(uuid.uuid4())).json()
    charge = "stx" + uuid.uuid4().hex
    answer = product.webhook({"update_id": 1_700_000_000 + user, "message": {
        "message_id": 1, "date": int(time.time()),
        "from": {"id": user, "is_bot": False, "first_name": "Lia"},
        "chat": {"id": user, "type": "private", "first_name": "Lia"},
        "successful_payment": {
            "currency": "XTR", "total_amount": 75,
            "invoice_payload": sale["checkout"]["payload"],
            "telegram_payment_charge_id": charge, "provider_payment_charge_id": "x"}}})
    assert answer.status == 200
    return charge


def fault(product, kind, method="refundStarPayment", **more):
    answer = call("POST", product.sandbox + "/sandbox/faults", {
        "kind": kind, "method": method, "bot_id": product.bot()["id"], **more})
    assert answer.status == 204, answer.body


def open_case(product, charge):
    return Dashboard(product, "manager").ask(charge)


def approve(product, refund):
    return Dashboard(product, "manager").approve(refund)


def approve_in_background(product, refund):
    """The dashboard's request never returns when its process is killed."""
    def decide():
        with contextlib.suppress(OSError):
            approve(product, refund)

    threading.Thread(target=decide, daemon=True).start()


def state(product, refund):
    return sql(product, f"select state from refunds where refund_id = {refund}")


def settled(product, refund, states=("confirmed",), timeout=60):
    wait_until(lambda: state(product, refund) in states, timeout)


def confirmed_by(product, refund):
    """Who learned that the Stars are back: our own job, or the bot's report of it."""
    return sql(product, "select actor from audit_entries where action = 'refund.confirmed' "
               f"and subject_kind = 'refund' and subject = '{refund}'")


def told(product, user, words="is refunded"):
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
    assert told(product, user) in notices


@contextlib.contextmanager
def deaf(product):
    """No report of the bot gets in, so that the product learns by itself what became of a refund."""
    sql(product, """
        create function test_deaf() returns trigger language plpgsql as
          $$ begin raise exception 'deaf' using errcode = 'cannot_connect_now'; end $$;
        create trigger deaf before insert on updates for each row execute function test_deaf()""")
    try:
        yield
    finally:
        sql(product, "drop trigger deaf on updates; drop function test_deaf()")


class Barrier:
    """Lets no row take the step until it is lifted."""

    standing = []

    def __init__(self, product, condition, table="refunds"):
        self.product, self.table = product, table
        self.session = subprocess.Popen(
            ["psql", cluster_url(product.data, "postgres"), "-qAt", "-v", "ON_ERROR_STOP=1"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.say(f"""
            select pg_advisory_lock({LOCK});
            create or replace function test_barrier() returns trigger language plpgsql as
              $$ begin perform pg_advisory_xact_lock({LOCK}); return new; end $$;
            create trigger a_barrier before update on {table} for each row
              when ({condition}) execute function test_barrier();
            select 'set';""", "set")
        Barrier.standing.append(self)

    def say(self, statements, answer):
        self.session.stdin.write(statements + "\n")
        self.session.stdin.flush()
        while self.session.stdout.readline().strip() != answer:
            assert self.session.poll() is None

    def wait(self, timeout=30):
        """Until the program stands before the step."""
        wait_until(lambda: sql(
            self.product, "select count(*) from pg_locks where locktype = 'advisory' "
            f"and objid = {LOCK} and not granted") != "0", timeout)

    def lift(self):
        """What waited dies with its transaction, as the program died."""
        self.say(f"""
            select pg_terminate_backend(pid) from pg_stat_activity where usename = 'estars_app';
            drop trigger a_barrier on {self.table}; drop function test_barrier();
            select 'lifted';""", "lifted")
        Barrier.standing.remove(self)
        self.session.stdin.close()
        self.session.wait(10)


def kill_and_restart(product, barrier=None):
    product.stop(signal.SIGKILL)
    if barrier:
        barrier.lift()
    # Time passes for the job of the process that died.
    expire_leases(product)
    product.start()


def expire_leases(product):
    sql(product, "update jobs set leased_until = now() - interval '1 second' "
        "where leased_until is not null")
