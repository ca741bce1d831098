"""A payment becomes credits, credits become use: over HTTP, on the running product."""

import itertools
import os
import subprocess
import threading
import time
import uuid
from concurrent.futures import ThreadPoolExecutor

import pytest

from running import BINARY, ROOT, call, cluster_url, free_port, wait_until

people = itertools.count(6_100_001)
updates = itertools.count(910_000_001)


def checkout(product, user, sku="start", key=None, **body):
    answer = product.api(
        "POST", "/v1/checkouts", {"user": user, "sku": sku, **body}, key=key or str(uuid.uuid4()))
    assert answer.status in (200, 201), answer.body
    return answer.json()["checkout"]


def payment(user, sale, charge, update=None, stars=None):
    person = {"id": user, "is_bot": False, "first_name": f"Pessoa {user}"}
    return {
        "update_id": update or next(updates),
        "message": {
            "message_id": 1, "date": 1_795_000_000, "from": person,
            "chat": {"id": user, "type": "private", "first_name": person["first_name"]},
            "successful_payment": {
                "currency": "XTR", "total_amount": stars or sale["stars"],
                "invoice_payload": sale["payload"], "telegram_payment_charge_id": charge,
                "provider_payment_charge_id": "x"}}}


def refund(user, sale, charge):
    return {
        "update_id": next(updates),
        "message": {
            "message_id": 2, "date": 1_795_000_900,
            "from": {"id": 1, "is_bot": True, "first_name": "Bot"},
            "chat": {"id": user, "type": "private", "first_name": "x"},
            "refunded_payment": {
                "currency": "XTR", "total_amount": sale["stars"],
                "invoice_payload": sale["payload"], "telegram_payment_charge_id": charge}}}


def buy(product, user, sku="start"):
    sale, charge = checkout(product, user, sku), "stx" + uuid.uuid4().hex
    assert product.webhook(payment(user, sale, charge)).status == 200
    return sale, charge


def sql(product, statement):
    """Asks the demo's own database, as its superuser."""
    return subprocess.run(
        ["psql", cluster_url(product.data, "postgres"), "-qAtc", statement], check=True, capture_output=True, text=True
    ).stdout.strip()


def test_the_demo_file_opens_every_door(product):
    demo = product.demo
    assert demo["workspace"] == "estudio-aurora-test"
    assert [login["role"] for login in demo["logins"] if login["totp_secret"] is None] == [
        "owner", "manager", "support", "viewer"]
    assert [login["role"] for login in demo["logins"] if login["totp_secret"]] == ["admin"]
    assert (product.data / "demo.json").stat().st_mode & 0o777 == 0o600
    for index, bot in enumerate(demo["bots"]):
        assert product.opening[index] > 0
        check = product.api(
            "POST", "/v1/checks", {"user": bot["customer"], "action": bot["action"]}, bot=index)
        assert check.status == 200 and check.json()["allowed"] is True


def test_fifty_deliveries_of_one_payment_credit_once(product):
    user = next(people)
    sale = checkout(product, user, "try")
    charge = "stx" + uuid.uuid4().hex * 5
    body = payment(user, sale, charge)
    with ThreadPoolExecutor(50) as threads:
        answers = list(threads.map(lambda _: product.webhook(body), range(50)))
    assert [answer.status for answer in answers] == [200] * 50
    assert product.balance(user) == 9
    assert sql(product, f"select count(*) from payments where charge_id = '{charge}'") == "1"
    lots = sql(
        product, f"select string_agg(source || amount, ' ' order by source desc) from lots "
        f"where charge_id = '{charge}'")
    assert lots == "payment5 bonus4"


def test_the_same_charge_in_many_updates_credits_once(product):
    user = next(people)
    sale, charge = checkout(product, user), "stx" + uuid.uuid4().hex
    bodies = [payment(user, sale, charge) for _ in range(20)]
    with ThreadPoolExecutor(20) as threads:
        answers = list(threads.map(product.webhook, bodies))
    assert [answer.status for answer in answers] == [200] * 20
    assert product.balance(user) == 10


def test_a_refund_that_arrives_first_leaves_nothing_to_credit(product):
    user = next(people)
    sale, charge = checkout(product, user), "stx" + uuid.uuid4().hex
    assert product.webhook(refund(user, sale, charge)).status == 200
    assert product.webhook(payment(user, sale, charge)).status == 200
    assert product.balance(user) == 0
    state = sql(product, f"select state from payments where charge_id = '{charge}'")
    assert state == "refunded"


def test_a_refund_takes_credits_and_access_back(product):
    user = next(people)
    sale, charge = buy(product, user, "pro")
    customer = product.api("GET", f"/v1/customers/{user}").json()
    assert customer["balance"]["available"] == 100
    assert sorted(grant["entitlement"] for grant in customer["access"]) == [
        "hd_quality", "priority_queue", "pro"]
    assert product.webhook(refund(user, sale, charge)).status == 200
    customer = product.api("GET", f"/v1/customers/{user}").json()
    assert customer["balance"]["available"] == 0
    assert customer["access"] == []
    assert customer["has_purchased"] is True


def test_payments_with_foreign_payloads_are_kept_and_credit_nothing(product):
    user = next(people)
    for payload in ("order-17", "es1.AAAA", ""):
        charge = "stx" + uuid.uuid4().hex
        body = payment(user, {"stars": 75, "payload": payload}, charge)
        assert product.webhook(body).status == 200
        state = sql(product, f"select state from payments where charge_id = '{charge}'")
        assert state == "unmatched"
    assert product.balance(user) == 0


@pytest.fixture(scope="module")
def second_server(product):
    """Another process on the same database."""
    port = free_port()
    environment = {
        **os.environ, "DATABASE_URL": cluster_url(product.data), "ESTARS_PORT": str(port),
        "ESTARS_SECRET_KEY_FILE": str(product.data / "secret.key")}
    process = subprocess.Popen(
        [BINARY, "serve"], cwd=ROOT, env=environment, stdout=subprocess.DEVNULL)
    base = f"http://127.0.0.1:{port}"

    def ready():
        assert process.poll() is None
        try:
            return call("GET", base + "/readyz").status == 200
        except OSError:
            return False

    wait_until(ready)
    yield base
    process.terminate()
    process.wait(20)


def debit(product, base, user, key, units=1):
    return call(
        "POST", base + "/v1/debits", {"user": user, "action": "sticker", "units": units},
        {"Authorization": f"Bearer {product.bot()['api_key']}", "Idempotency-Key": key})


def test_fifty_debits_with_one_key_on_two_processes_make_one_entry(product, second_server):
    user, key = next(people), str(uuid.uuid4())
    buy(product, user)
    bases = [product.url, second_server] * 25
    with ThreadPoolExecutor(50) as threads:
        answers = list(threads.map(lambda base: debit(product, base, user, key), bases))
    assert sorted(answer.status for answer in answers) == [200] * 49 + [201]
    assert len({answer.body for answer in answers}) == 1
    replays = [answer for answer in answers if answer.headers.get("Idempotency-Replayed")]
    assert len(replays) == 49
    assert product.balance(user) == 9
    entries = sql(product, f"select count(*) from entries where idempotency_key = 'api:{key}'")
    assert entries == "1"


def test_a_quota_of_a_hundred_a_day_lets_a_hundred_of_sixty_four_clients_through(
        product, second_server):
    user, action = next(people), "sprint"
    workspace = sql(
        product,
        f"select workspace_id from workspaces where slug = '{product.demo['workspace']}'")
    sql(product, f"""
        insert into actions (workspace_id, action, title, price_credits, position)
        values ({workspace}, '{action}', 'Sprint', 0, 90) on conflict do nothing;
        insert into action_tiers (workspace_id, action, tier, units_per_day)
        values ({workspace}, '{action}', 'free', 100) on conflict do nothing""")
    bases = [product.url, second_server]

    def use(number):
        answers = []
        for turn in range(4):
            answers.append(call(
                "POST", bases[(number + turn) % 2] + "/v1/debits", {"user": user, "action": action},
                {"Authorization": f"Bearer {product.bot()['api_key']}",
                 "Idempotency-Key": str(uuid.uuid4())}))
        return answers

    with ThreadPoolExecutor(64) as threads:
        answers = [answer for some in threads.map(use, range(64)) for answer in some]
    # The day may end meanwhile, and another hundred begin.
    days = int(sql(product, f"""
        select count(*) from usage_counters join customers using (workspace_id, customer_id)
        where telegram_id = {user} and action = '{action}' and period = 'day'"""))
    statuses = [answer.status for answer in answers]
    if days == 1:
        assert statuses.count(201) == 100 and statuses.count(429) == 156, statuses
    refused = next(answer for answer in answers if answer.status == 429)
    assert refused.json()["code"] == "quota_exceeded"
    assert refused.json()["quota"]["used"] == 100
    assert 0 < int(refused.headers["Retry-After"]) <= 86_400


def test_draining_a_thousand_credits_by_seven_applies_142_times(product, second_server):
    user = next(people)
    for _ in range(4):
        buy(product, user, "max")
    assert product.balance(user) == 1000
    counts, lock = {201: 0, 402: 0}, threading.Lock()

    def drain(number):
        base = (product.url, second_server)[number % 2]
        while True:
            answer = debit(product, base, user, str(uuid.uuid4()), units=7)
            with lock:
                counts[answer.status] = counts.get(answer.status, 0) + 1
            if answer.status != 201:
                return

    with ThreadPoolExecutor(40) as threads:
        list(threads.map(drain, range(40)))
    assert counts == {201: 142, 402: 40}
    assert product.balance(user) == 1000 - 142 * 7


def test_a_key_used_for_another_request_is_a_conflict(product):
    user, key = next(people), str(uuid.uuid4())
    buy(product, user)
    assert debit(product, product.url, user, key).status == 201
    answer = debit(product, product.url, user, key, units=2)
    assert (answer.status, answer.json()["code"]) == (409, "idempotency_key_reused")
    answer = product.api("POST", "/v1/checkouts", {"user": user, "sku": "start"}, key=key)
    assert (answer.status, answer.json()["code"]) == (409, "idempotency_key_reused")
    assert product.balance(user) == 9


def test_a_key_of_a_checkout_cannot_pay_for_an_action(product):
    user, key = next(people), str(uuid.uuid4())
    buy(product, user)
    checkout(product, user, key=key)
    answer = debit(product, product.url, user, key)
    assert (answer.status, answer.json()["code"]) == (409, "idempotency_key_reused")


def test_a_decline_is_not_remembered(product):
    user, key = next(people), str(uuid.uuid4())
    answer = debit(product, product.url, user, key)
    body = answer.json()
    assert (answer.status, body["code"]) == (402, "insufficient_credits")
    assert body["paywall"]["state"] == "wait_first_purchase"
    assert [pack["sku"] for pack in body["paywall"]["packs"]] == ["try", "start", "pop", "pro", "max"]
    buy(product, user)
    assert debit(product, product.url, user, key).status == 201
    for _ in range(9):
        debit(product, product.url, user, str(uuid.uuid4()))
    paywall = debit(product, product.url, user, str(uuid.uuid4())).json()["paywall"]
    assert paywall["state"] == "wait_buy_credit"
    assert [pack["sku"] for pack in paywall["packs"]] == ["start", "pop", "pro", "max"]


def test_checks_change_nothing(product):
    user = next(people)
    buy(product, user)
    for _ in range(5):
        body = product.api("POST", "/v1/checks", {"user": user, "action": "sticker"}).json()
        assert body["allowed"] and body["balance"] == 10 and body["cost"] == 1
    short = product.api("POST", "/v1/checks", {"user": user, "action": "sticker", "units": 11})
    assert short.status == 200 and not short.json()["allowed"]
    assert short.json()["reason"] == "insufficient_credits"
    assert product.balance(user) == 10


def test_a_checkout_repeats_with_its_key_and_replaces_older_ones(product):
    user, key = next(people), str(uuid.uuid4())
    first = product.api("POST", "/v1/checkouts", {"user": user, "sku": "pop"}, key=key)
    again = product.api("POST", "/v1/checkouts", {"user": user, "sku": "pop"}, key=key)
    assert (first.status, again.status) == (201, 200)
    assert first.body == again.body
    assert again.headers["Idempotency-Replayed"] == "true"
    checkout(product, user, "start")
    states = sql(
        product, "select string_agg(state, ' ' order by checkout_id) from checkouts c "
        f"join customers using (workspace_id, customer_id) where telegram_id = {user}")
    assert states == "cancelled pending"


@pytest.mark.parametrize("percent, stars", [(10, 68), (15, 64), (25, 56)])
def test_discounts_are_bought_by_name_and_never_listed(product, percent, stars):
    user = next(people)
    assert checkout(product, user, discount=percent)["stars"] == stars
    listed = product.api("GET", f"/v1/catalog?user={user}").json()["packs"]
    assert [pack["stars"] for pack in listed] == [49, 75, 175, 500, 1125]


def pre_checkout(user, sale, stars=None, sender=None):
    return {
        "update_id": next(updates),
        "pre_checkout_query": {
            "id": uuid.uuid4().hex, "from": {"id": sender or user, "is_bot": False, "first_name": "x"},
            "currency": "XTR", "total_amount": stars or sale["stars"],
            "invoice_payload": sale["payload"]}}


def test_pre_checkout_accepts_once_and_only_what_was_signed(product):
    user = next(people)
    sale = checkout(product, user)

    def verdict(*arguments, **named):
        answer = product.webhook(pre_checkout(*arguments, **named))
        assert answer.status == 200
        body = answer.json()
        assert body["method"] == "answerPreCheckoutQuery"
        return body["ok"]

    assert verdict(user, sale) is True
    assert verdict(user, sale, stars=1) is False
    assert verdict(user, sale, sender=user + 500_000) is False
    other = "B" if sale["payload"][-1] == "A" else "A"
    assert verdict(user, {**sale, "payload": sale["payload"][:-1] + other}) is False
    product.webhook(payment(user, sale, "stx" + uuid.uuid4().hex))
    assert verdict(user, sale) is False
    older = checkout(product, user)
    checkout(product, user)
    assert verdict(user, older) is False


def test_the_eleventh_purchase_of_an_hour_is_refused(product):
    user = next(people)

    def buy_now(sale):
        body = payment(user, sale, "stx" + uuid.uuid4().hex)
        body["message"]["date"] = int(time.time())
        assert product.webhook(body).status == 200

    for _ in range(9):
        buy_now(checkout(product, user))
    # Two are opened in time; the first of them, though cancelled, is paid after all.
    tenth, eleventh = checkout(product, user), checkout(product, user)
    buy_now(tenth)
    query = pre_checkout(user, eleventh)
    query["pre_checkout_query"]["from"]["language_code"] = "en"
    answer = product.webhook(query).json()
    assert answer["ok"] is False and "ten purchases" in answer["error_message"]
    refused = product.api(
        "POST", "/v1/checkouts", {"user": user, "sku": "start"}, key=str(uuid.uuid4()))
    assert refused.status == 429 and refused.json()["code"] == "too_many_purchases"
    assert 3000 < int(refused.headers["Retry-After"]) <= 3600


def test_the_ledger_verifies_after_all_this(product):
    result = subprocess.run(
        [BINARY, "ledger", "verify", "--data", str(product.data)], cwd=ROOT, capture_output=True,
        text=True)
    assert (result.returncode, result.stdout.strip().splitlines()[-1]) == (0, "0 problems"), result
