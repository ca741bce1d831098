"""Checkouts on the running product: double payments, invoices in the chat, and pre-checkout while
Postgres says nothing."""

import contextlib
import itertools
import os
import signal
import time
import uuid
from concurrent.futures import ThreadPoolExecutor

import pytest

from cluster import PrivateCluster, frozen_database
from refunds import fault
from running import Dashboard, call, temporary_product, wait_until
from test_paid_path import checkout, payment, pre_checkout, sql

people = itertools.count(7_100_001)


@pytest.fixture(scope="module")
def product():
    with temporary_product() as product:
        wait_until(lambda: answers(product.sandbox))
        yield product


def answers(address):
    with contextlib.suppress(OSError):
        return call("GET", address).status == 200


def buyer(product, language="en", stars=5000):
    """Somebody on the sandbox phone who has spoken to the bot and has its answer: a bot that cannot
    answer tries again, and keeps others waiting."""
    user = next(people)
    call("POST", product.sandbox + "/sandbox/people", {
        "id": user, "first_name": f"Noa {user}", "language_code": language, "stars": stars})
    call("POST", f"{product.sandbox}/sandbox/people/{user}/chats/{product.bot()['id']}/messages",
         {"text": "/start"})
    wait_until(lambda: len(chat(product, user)) > 1)
    return user


def pay(product, user, sale):
    answer = call("POST", f"{product.sandbox}/sandbox/people/{user}/payments",
                  {"invoice": sale["invoice_link"]})
    assert answer.status == 200, answer.body
    return answer.json()


def steps(product, sale):
    return sql(product, "select string_agg(to_state || ':' || reason, ' ' order by step) "
                        f"from checkout_transitions where checkout_id = {sale['id']}")


def cases(product, sale):
    return sql(product, "select count(*) from refunds join payments using (workspace_id, bot_id, "
                        f"charge_id) where checkout_id = {sale['id']} and refunds.source = 'second_payment'")


def chat(product, user):
    return call("GET", f"{product.sandbox}/sandbox/people/{user}/chats/{product.bot()['id']}"
                       "/messages").json()


def invoices(product, user):
    return [entry for entry in chat(product, user) if "invoice" in str(entry.get("message", entry))
            and (entry.get("message", entry)).get("invoice")]


def test_an_old_invoice_is_not_paid_again(product):
    user = buyer(product)
    sale = checkout(product, user)
    assert pay(product, user, sale)["outcome"] == "paid"
    wait_until(lambda: product.balance(user) == 10)
    again = pay(product, user, sale)
    assert again["outcome"] == "refused" and "already paid" in again["message"], again
    assert steps(product, sale) == (
        "pending:opened validating:accepted processing:paid completed:credited")
    # Were it paid all the same, it would be credited, and somebody would look at it.
    assert product.webhook(payment(user, sale, "stx" + uuid.uuid4().hex)).status == 200
    assert product.balance(user) == 20
    assert cases(product, sale) == "1"


def test_of_two_fast_taps_one_is_charged(product):
    user = buyer(product)
    sale = checkout(product, user)
    with ThreadPoolExecutor(2) as threads:
        taps = list(threads.map(lambda _: pay(product, user, sale), range(2)))
    outcomes = sorted(tap["outcome"] for tap in taps)
    assert outcomes == ["paid", "refused"], taps
    wait_until(lambda: product.balance(user) == 10)
    assert cases(product, sale) == "0"


def test_a_forwarded_invoice_is_refused_to_others_and_credits_whoever_paid_it(product):
    owner, other = buyer(product), buyer(product, "es")
    sale = checkout(product, owner)
    refused = pay(product, other, sale)
    assert refused["outcome"] == "refused" and "otra persona" in refused["message"], refused
    assert steps(product, sale) == "pending:opened"
    product.webhook(payment(other, sale, "stx" + uuid.uuid4().hex))
    assert (product.balance(other), product.balance(owner)) == (10, 0)
    product.webhook(payment(owner, sale, "stx" + uuid.uuid4().hex))
    assert (product.balance(other), product.balance(owner)) == (10, 10)
    assert cases(product, sale) == "1"


def send(product, user, key, **body):
    return product.api("POST", "/v1/checkouts", {
        "user": user, "sku": "start", "delivery": "chat", **body}, key=key)


def test_an_invoice_in_the_chat_is_sent_once_and_leads_forwards_to_the_bot(product):
    user = buyer(product)
    first, again = send(product, user, "chat-1"), send(product, user, "chat-1")
    assert (first.status, again.status) == (201, 200) and first.body == again.body
    sale = first.json()["checkout"]
    assert sale["delivery"] == "chat" and "invoice_link" not in sale
    sent = invoices(product, user)
    assert len(sent) == 1
    message = sent[0].get("message", sent[0])
    assert message["message_id"] == sale["message_id"]
    assert message["invoice"]["start_parameter"] == "pack-start"
    paid = call("POST", f"{product.sandbox}/sandbox/people/{user}/payments", {
        "bot_id": product.bot()["id"], "message_id": sale["message_id"]}).json()
    assert paid["outcome"] == "paid"
    wait_until(lambda: product.balance(user) == 10)


def test_an_invoice_whose_sending_has_no_answer_is_sent_twice_at_most(product):
    user = buyer(product)
    fault(product, "drop_connection", "sendInvoice", times=2)
    for _ in range(2):
        answer = send(product, user, "chat-2")
        assert answer.status == 503 and answer.json()["code"] == "telegram_unavailable"
    settled = send(product, user, "chat-2")
    assert settled.status == 200 and "message_id" not in settled.json()["checkout"]
    assert len(invoices(product, user)) == 2
    # What Telegram refused for the moment was not sent, and does not count.
    user = buyer(product)
    fault(product, "too_many_requests", "sendInvoice", times=3, seconds=1)
    assert [send(product, user, "chat-3").status for _ in range(4)] == [503, 503, 503, 200]
    assert len(invoices(product, user)) == 1


def test_whoever_cannot_be_written_to_gets_no_open_invoice(product):
    user = buyer(product)
    call("PUT", f"{product.sandbox}/sandbox/people/{user}/chats/{product.bot()['id']}",
         {"is_blocked": True})
    for _ in range(2):
        answer = send(product, user, "chat-4")
        assert answer.status == 409 and answer.json()["code"] == "user_unreachable"
    stranger = send(product, next(people), "chat-5")
    assert stranger.status == 409 and stranger.json()["code"] == "user_unreachable"
    assert sql(product, "select distinct state || state_reason from checkouts where "
                        "idempotency_key in ('chat-4', 'chat-5')") == "cancellednot_delivered"
    assert checkout(product, user)["invoice_link"]


@pytest.mark.parametrize("body, status, code", [
    ({"sku": "start", "plan": "pro"}, 400, "invalid_item"),
    ({}, 400, "invalid_item"),
    ({"sku": "start", "delivery": "pigeon"}, 400, "invalid_delivery"),
    ({"sku": "start", "language": "!"}, 400, "invalid_language"),
    ({"plan": "no-such-plan"}, 422, "unknown_plan"),
    ({"plan": "pro", "delivery": "chat"}, 422, "plan_needs_link"),
])
def test_what_cannot_be_sold_is_named(product, body, status, code):
    answer = product.api(
        "POST", "/v1/checkouts", {"user": next(people), **body}, key=str(uuid.uuid4()))
    assert (answer.status, answer.json()["code"]) == (status, code)


def test_an_operator_opens_one_for_a_customer_and_calls_it_off(product):
    user = buyer(product)
    checkout(product, user)
    desk = Dashboard(product, "support")
    customer = sql(product, f"select customer_id from customers where telegram_id = {user}")
    form = desk.get(f"/customers/{customer}/checkouts/new")
    assert "start" in form and "pack:pop:15" in form and "plan:pro" in form
    sent = {"csrf": desk.field(form, "csrf"), "form_key": desk.field(form, "form_key"),
            "item": "plan:pro", "delivery": "chat", "bot": product.bot()["id"]}
    create = f"{desk.base}/customers/{customer}/checkouts"
    refused = desk.send(create, sent)
    assert refused.status == 422 and 'href="#delivery"' in refused.body.decode()
    assert desk.send(create, {**sent, "item": "pack:pop:16"}).status == 422
    wish = {**sent, "item": "pack:pop:15"}
    opened, again = desk.send(create, wish), desk.send(create, wish)
    assert opened.status == 200 and opened.url == again.url, "sent twice, it opens one"
    assert len(invoices(product, user)) == 1
    number = int(opened.url.rsplit("/", 1)[1])
    page = desk.get(f"/checkouts/{number}")
    assert "−15%" in page and "149" in page and product.login("support")["email"] in page
    cancel = f"{desk.base}/checkouts/{number}/cancellation"
    form = {"csrf": desk.field(page, "csrf"), "reason": " "}
    assert desk.send(cancel, form).status == 422
    for _ in range(2):
        assert desk.send(cancel, {**form, "reason": "Changed their mind"}).status == 200
    assert steps(product, {"id": number}) == "pending:opened cancelled:called_off"
    lines = sql(product, "select action, actor, reason from audit_entries where subject_kind = "
                         f"'checkout' and subject = '{number}' order by audit_entry_id")
    email = product.login("support")["email"]
    assert lines.split("\n") == [f"checkout.opened|{email}|",
                                 f"checkout.cancelled|{email}|Changed their mind"]
    late = call("POST", f"{product.sandbox}/sandbox/people/{user}/payments", {
        "bot_id": product.bot()["id"], "message_id": int(sql(
            product, f"select message_id from checkouts where checkout_id = {number}"))}).json()
    assert late["outcome"] == "refused" and "withdrawn" in late["message"]
    listed = desk.get(f"/checkouts?state=cancelled&customer={customer}")
    assert f"/checkouts/{number}\"" in listed and listed.count("row-link") == 2
    viewer = Dashboard(product, "viewer")
    assert viewer.send(f"{viewer.base}/customers/{customer}/checkouts/new").status == 403


# Postgres says nothing ---------------------------------------------------------------------------

@contextlib.contextmanager
def stopped_database(product):
    """No server at all. The demo would start it again at once, were its rules of access not away."""
    cluster = PrivateCluster(product.data)
    rules = cluster.home() / "data/pg_hba.conf"
    away = rules.with_suffix(".away")
    rules.rename(away)
    os.kill(cluster.postmaster(), signal.SIGINT)
    wait_until(lambda: cluster.postmaster() is None)
    try:
        yield
    finally:
        away.rename(rules)


def ask_two_hundred(product, queries):
    """All at once, as Telegram's workers would; with the seconds that each answer took."""
    def ask(query):
        begun = time.monotonic()
        answer = product.webhook(query)
        return answer, time.monotonic() - begun

    with ThreadPoolExecutor(40) as threads:
        return list(threads.map(ask, queries))


def test_pre_checkout_is_answered_though_postgres_is_stopped_or_frozen(product):
    sales = []
    for _ in range(10):
        user = next(people)
        sales.append((user, checkout(product, user)))
    queries = [pre_checkout(user, sale) for user, sale in sales]
    forged = pre_checkout(*sales[0], stars=1)
    # Somebody asks, so that bot, workspace and catalogue are in memory, as they are in real life.
    assert product.webhook(forged).json()["ok"] is False
    for away in (stopped_database, frozen_database):
        with away(product):
            answers = ask_two_hundred(product, [
                pre_checkout(*sales[number % 10]) for number in range(190)
            ] + [pre_checkout(*sales[number], stars=1) for number in range(10)])
        slowest = max(seconds for _, seconds in answers)
        assert slowest < 2, f"{away.__name__}: {slowest:.2f} s"
        assert [answer.status for answer, _ in answers] == [200] * 200
        bodies = [answer.json() for answer, _ in answers]
        assert [body["ok"] for body in bodies] == [True] * 190 + [False] * 10
        wait_until(lambda: product.api("GET", "/v1/catalog?user=1").status == 200, 60)
    sql(product, "update workspaces set pre_checkout_outage_policy = 'refuse'")
    wait_until(lambda: refuses_in_outages(product, queries[0]), 60)
    sql(product, "update workspaces set pre_checkout_outage_policy = 'accept'")


def refuses_in_outages(product, query):
    """The server's memory of the policy is two seconds old at most, once somebody asks; and for as
    long after an outage it does not try."""
    time.sleep(2.5)
    wait_until(lambda: product.api("GET", "/v1/catalog?user=1").status == 200, 60)
    with frozen_database(product):
        answer = product.webhook({**query, "update_id": query["update_id"] + 1})
    return answer.json()["ok"] is False
