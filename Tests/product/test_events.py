"""A bot is told what happens: signed, in order, until it has taken it."""

import os
import re
import signal
import subprocess
import time
import uuid

import pytest

from receiver import is_signed, receiving, signatures
from running import BINARY, ROOT, Dashboard, cluster_url, temporary_product, wait_until
from test_paid_path import buy, checkout, payment, people, refund, sql


@pytest.fixture(scope="module")
def told():
    """A product whose first bot has an address for events, and who reads there."""
    with temporary_product() as product, receiving() as receiver:
        owner = Dashboard(product, "owner")
        receiver.secret = secret_of(set_address(product, owner, receiver.url))
        yield product, receiver, owner


@pytest.fixture(scope="module")
def guarded():
    """One that refuses private networks, as a deployment does."""
    before = os.environ.get("ESTARS_PRIVATE_TARGETS")
    os.environ["ESTARS_PRIVATE_TARGETS"] = "refuse"
    try:
        with temporary_product() as product:
            yield product, Dashboard(product, "owner")
    finally:
        del os.environ["ESTARS_PRIVATE_TARGETS"]
        if before is not None:
            os.environ["ESTARS_PRIVATE_TARGETS"] = before


def set_address(product, owner, url, bot=0):
    path = f"/bots/{product.bot(bot)['id']}/event-address"
    csrf = owner.field(owner.get(path), "csrf")
    return owner.send(owner.base + path, {"csrf": csrf, "url": url})


def secret_of(answer):
    assert answer.status == 201, answer.body
    return re.search(r'id="secret">(ess_[\w-]+)<', answer.body.decode()).group(1)


def answering(receiver, answer):
    receiver.answer = answer


def test_a_payment_is_told_with_its_note(told):
    product, receiver, _ = told
    user = next(people)
    sale = checkout(product, user, "start", resume='{"job": "☃ 17"}')
    started = time.monotonic()
    assert product.webhook(payment(user, sale, "ev" + uuid.uuid4().hex)).status == 200
    [event] = receiver.wait_for(1, kind="payment.completed", user=user)
    got = next(got for got in receiver.got if got.json()["id"] == event["id"])
    assert got.at - started < 20
    assert got.headers["Content-Type"] == "application/json"
    assert got.headers["eStars-Event-Id"] == event["id"]
    assert is_signed(got, receiver.secret) and not is_signed(got, "ess_other")
    assert event["bot"] == product.bot()["id"]
    data = event["data"]
    assert data["resume"] == '{"job": "☃ 17"}' and data["sku"] == "start"
    assert data["balance"] == data["credits"] + data["bonus_credits"] == product.balance(user)
    # Once taken, it is not sent again.
    time.sleep(3)
    assert len(receiver.events("payment.completed", user)) == 1


def test_events_of_a_customer_keep_their_order_and_hold_no_other(told):
    product, receiver, _ = told
    stuck, free = next(people), next(people)
    answering(receiver, lambda got: 500 if got.json().get("user") == stuck else 200)
    try:
        sale, charge = buy(product, stuck)
        assert product.webhook(refund(stuck, sale, charge)).status == 200
        receiver.wait_for(2, user=stuck)
        buy(product, free)
        receiver.wait_for(1, kind="payment.completed", user=free)
        # All tries so far were about the first event of the one who is stuck.
        assert {event["id"] for event in receiver.events(user=stuck)} == {
            receiver.events(user=stuck)[0]["id"]}
        answering(receiver, lambda got: 204)
        receiver.wait_for(1, kind="refund.confirmed", user=stuck)
    finally:
        answering(receiver, lambda got: 200)
    order = list(dict.fromkeys(event["id"] for event in receiver.events(user=stuck)))
    assert order == sorted(order, key=lambda name: int(name[4:]))
    assert len(order) >= 2


def test_tries_are_logged_and_an_event_is_sent_again(told):
    product, receiver, owner = told
    user = next(people)
    answers = iter([500, 302, 200])
    answering(receiver, lambda got: next(answers, 200)
              if got.json().get("user") == user and got.json()["kind"] == "payment.completed"
              else 200)
    buy(product, user)
    tries = receiver.wait_for(3, kind="payment.completed", user=user)
    assert len({event["id"] for event in tries}) == 1
    number = tries[0]["id"][4:]
    page = wait_until(lambda: (page := owner.get(f"/events/{number}"))
                      and "state-good" in page and page)
    for status in (500, 302, 200):
        assert f"HTTP {status}" in page
    csrf = owner.field(page, "csrf")
    viewer = Dashboard(product, "viewer")
    own = viewer.field(viewer.get(f"/events/{number}"), "csrf")
    assert viewer.send(f"{viewer.base}/events/{number}/replay", {"csrf": own}).status == 403
    assert owner.send(f"{owner.base}/events/{number}/replay", {"csrf": csrf}).status == 200
    again = receiver.wait_for(4, kind="payment.completed", user=user)
    assert {event["id"] for event in again} == {tries[0]["id"]}
    bodies = {got.body for got in receiver.got if got.json()["id"] == tries[0]["id"]}
    assert len(bodies) == 1
    assert owner.get(f"/events/{number}").count('class="audit-row"') == 1
    # The list finds it by state, bot and kind.
    listed = owner.get(
        f"/events?state=delivered&bot={product.bot()['id']}&kind=payment.completed")
    assert f"/events/{number}\"" in listed
    assert f"/events/{number}\"" not in owner.get("/events?state=failed")


def test_both_secrets_sign_while_a_bot_changes_over(told):
    product, receiver, owner = told
    path = f"/bots/{product.bot()['id']}/event-address"
    page = owner.get(path)
    assert receiver.secret not in page
    fields = {"csrf": owner.field(page, "csrf"), "fingerprint": owner.field(page, "fingerprint")}
    fresh = secret_of(owner.send(owner.base + path + "/rotation", fields))
    # The same form once more changes nothing.
    assert owner.send(owner.base + path + "/rotation", fields).status == 409
    assert fresh not in owner.get(path)
    user = next(people)
    buy(product, user)
    receiver.wait_for(1, user=user)
    got = next(got for got in receiver.got if got.json().get("user") == user)
    assert len(signatures(got)[1]) == 2
    assert is_signed(got, receiver.secret) and is_signed(got, fresh)
    # A day later the new one alone.
    sql(product, "update bots set event_secret_before_until = now() - interval '1 second' "
        f"where bot_id = {product.bot()['id']}")
    old, receiver.secret = receiver.secret, fresh
    user = next(people)
    buy(product, user)
    receiver.wait_for(1, user=user)
    got = next(got for got in receiver.got if got.json().get("user") == user)
    assert is_signed(got, fresh) and not is_signed(got, old)


def test_a_test_event_shows_the_answer(told):
    product, receiver, owner = told
    path = f"/bots/{product.bot()['id']}/event-address"
    answer = owner.send(owner.base + path + "/test", {"csrf": owner.field(owner.get(path), "csrf")})
    assert answer.status == 200 and "/events/" in answer.url
    receiver.wait_for(1, kind="event.test")
    wait_until(lambda: "HTTP 200" in owner.send(answer.url).body.decode())


def test_slow_and_huge_answers_hold_nobody_up(told):
    product, receiver, _ = told
    slow, huge, other = next(people), next(people), next(people)

    def drip(handler):
        try:
            for _ in range(40):
                handler.wfile.write(b"H")
                time.sleep(1)
        except OSError:
            pass

    def flood(handler):
        handler.send_response(200)
        handler.end_headers()
        try:
            for _ in range(100_000):
                handler.wfile.write(b"x" * 65536)
        except OSError:
            flood.stopped = True
        handler.close_connection = True

    tries = []

    def answer(got):
        user = got.json().get("user")
        if user == slow:
            tries.append(got.at)
            return drip if len(tries) == 1 else 200
        return flood if user == huge else 200

    answering(receiver, answer)
    try:
        for user in (slow, huge, other):
            buy(product, user)
        receiver.wait_for(1, kind="payment.completed", user=other)
        receiver.wait_for(2, user=slow)
        # The answer was there, however long its body is.
        wait_until(lambda: getattr(flood, "stopped", False), 60)
        number = receiver.events("payment.completed", huge)[0]["id"][4:]
        wait_until(lambda: sql(
            product, f"select state from events where event_id = {number}") == "delivered")
    finally:
        answering(receiver, lambda got: 200)


def test_a_server_that_is_killed_between_tries_goes_on(told):
    product, receiver, _ = told
    user = next(people)
    answering(receiver, lambda got: 503 if got.json().get("user") == user else 200)
    buy(product, user)
    receiver.wait_for(1, user=user)
    product.stop(signal.SIGKILL)
    answering(receiver, lambda got: 200)
    product.start()
    wait_until(lambda: sql(
        product,
        "select count(*) from events e join customers c using (workspace_id, customer_id) "
        f"where c.telegram_id = {user} and e.state <> 'delivered'") == "0", 90)
    assert receiver.events("payment.completed", user)


def test_several_workers_send_each_event_once(told):
    product, receiver, _ = told
    environment = {
        **os.environ, "DATABASE_URL": cluster_url(product.data), "ESTARS_PRIVATE_TARGETS": "allow",
        "ESTARS_SECRET_KEY_FILE": str(product.data / "secret.key")}
    users = [next(people) for _ in range(15)]
    # Each answer takes a moment, so that two workers could meet.
    answering(receiver, lambda got: time.sleep(0.2) or 200)
    workers = [subprocess.Popen(
        [BINARY, "work"], cwd=ROOT, env=environment, stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL) for _ in range(2)]
    try:
        for user in users:
            sale, charge = buy(product, user)
            assert product.webhook(refund(user, sale, charge)).status == 200
        for user in users:
            receiver.wait_for(1, kind="refund.confirmed", user=user)
        time.sleep(1)
    finally:
        answering(receiver, lambda got: 200)
        for worker in workers:
            worker.terminate()
        for worker in workers:
            worker.wait(30)
    for user in users:
        order = [event["id"] for event in receiver.events(user=user)]
        assert len(order) == len(set(order)) and order == sorted(order, key=lambda e: int(e[4:]))


def test_a_removed_address_gets_nothing(told):
    product, receiver, owner = told
    path = f"/bots/{product.bot()['id']}/event-address"
    owner = Dashboard(product, "owner")
    csrf = owner.field(owner.get(path), "csrf")
    assert owner.send(owner.base + path + "/removal", {"csrf": csrf}).status == 200
    user = next(people)
    buy(product, user)
    time.sleep(3)
    assert receiver.events(user=user) == []
    assert "state-declined" in owner.get("/events?state=skipped&kind=payment.completed")


@pytest.mark.parametrize("url", [
    "http://93.184.216.34/", "https://me:secret@example.com/", "ftp://example.com/", "nonsense",
    "https://127.0.0.1:22222/", "https://10.0.0.1/", "https://169.254.169.254/latest/meta-data",
    "https://[::1]/", "https://[::ffff:127.0.0.1]/", "https://localhost/", "https://0/",
])
def test_addresses_of_private_networks_are_refused(guarded, url):
    product, owner = guarded
    answer = set_address(product, owner, url)
    page = answer.body.decode()
    assert answer.status == 422 and 'aria-invalid="true"' in page
    assert url in page


def test_an_address_that_turns_private_is_not_called(guarded):
    product, owner = guarded
    with receiving() as receiver:
        # As if its name had led elsewhere when it was saved.
        assert secret_of(set_address(product, owner, "https://93.184.216.34/hook"))
        sql(product, f"update bots set event_url = 'https://localhost:{receiver.port}/' "
            f"where bot_id = {product.bot()['id']}")
        user = next(people)
        buy(product, user)
        wait_until(lambda: "address_private" in sql(
            product, "select distinct last_error from events where state = 'pending'"))
        assert receiver.got == []


def test_a_redirect_is_not_followed(told):
    product, receiver, owner = told
    with receiving() as inside:
        owner = Dashboard(product, "owner")
        assert set_address(product, owner, receiver.url).status in (200, 201)

        def elsewhere(handler):
            handler.send_response(307)
            handler.send_header("Location", inside.url)
            handler.send_header("Content-Length", "0")
            handler.end_headers()

        user = next(people)
        answering(receiver, lambda got: elsewhere if got.json().get("user") == user else 200)
        buy(product, user)
        receiver.wait_for(2, user=user)
        answering(receiver, lambda got: 200)
        assert inside.got == []
