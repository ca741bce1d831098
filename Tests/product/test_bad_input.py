"""Bad input gets a clear answer and changes nothing."""

import http.client
import os
import pathlib
import signal
import socket
import time
import uuid
from urllib.parse import urlsplit

import pytest

from running import call, wait_until
from test_paid_path import buy, checkout, payment, people, pre_checkout, sql, updates

DEEP = b'{"user":' + b"[" * 40_000 + b"]" * 40_000 + b"}"
BODIES = {
    "empty": (b"", 400),
    "truncated": (b'{"user":5001001,"action":"stick', 400),
    "not an object": (b'["user"]', 400),
    "oversized": (b'{"ref":"' + b"x" * (1 << 20) + b'"}', 413),
    "deeply nested": (DEEP, 400),
    "not UTF-8": (b'{"user":5001001,"action":"\xff\xfe"}', 400),
    "wrong types": (b'{"user":"5001001","action":7}', 400),
    "missing user": (b'{"action":"sticker"}', 400),
}
UNITS = [-1, 0, 10**7, 2**63 - 1, 10**30, 1.5, "3", True, [1], {}]
WRITES = ["/v1/debits", "/v1/checkouts", "/v1/checks", "/v1/updates"]


def totals(product):
    """Everything that a request could have changed, in one number each."""
    return sql(
        product, "select (select count(*) from entries), (select count(*) from checkouts), "
        "(select count(*) from payments), (select count(*) from customers), "
        "(select sum(balance) from accounts)")


def problem(answer, status):
    assert answer.status == status, answer.body[:300]
    assert answer.headers["Content-Type"] == "application/problem+json"
    body = answer.json()
    assert body["status"] == status and body["code"] and body["detail"]
    return body


@pytest.fixture
def unchanged(product):
    before = totals(product)
    yield
    assert totals(product) == before


@pytest.mark.parametrize("path", WRITES)
@pytest.mark.parametrize("name", BODIES)
def test_broken_bodies(product, unchanged, path, name):
    body, status = BODIES[name]
    answer = product.api("POST", path, body, key=str(uuid.uuid4()))
    problem(answer, status)


@pytest.mark.parametrize("name", BODIES)
def test_broken_updates_at_the_webhook(product, unchanged, name):
    body, status = BODIES[name]
    problem(product.webhook(body), status)


@pytest.mark.parametrize("units", UNITS)
def test_amounts_that_no_action_sells(product, unchanged, units):
    user = product.bot()["customer"]
    for path in ("/v1/debits", "/v1/checks"):
        answer = product.api(
            "POST", path, {"user": user, "action": "sticker", "units": units},
            key=str(uuid.uuid4()))
        assert answer.status in (400, 422), answer.body
        problem(answer, answer.status)


@pytest.mark.parametrize("user", [0, -5, 2**52, 2**63, 1.5, "x", None])
def test_users_that_cannot_be(product, unchanged, user):
    answer = product.api(
        "POST", "/v1/debits", {"user": user, "action": "sticker"}, key=str(uuid.uuid4()))
    problem(answer, 400)
    problem(product.api("GET", f"/v1/customers/{user}"), 400)


def test_missing_and_broken_idempotency_keys(product, unchanged):
    body = {"user": product.bot()["customer"], "action": "sticker"}
    answer = product.api("POST", "/v1/debits", body)
    assert problem(answer, 400)["code"] == "idempotency_key_missing"
    answer = product.api("POST", "/v1/checkouts", {"user": 5, "sku": "start"})
    assert problem(answer, 400)["code"] == "idempotency_key_missing"
    # Jobs have keys with spaces, which nobody else may use.
    for key in ("x" * 201, "a b", "job carts.notice 1", "é"):
        answer = product.api("POST", "/v1/debits", body, key=key.encode().decode("latin-1"))
        assert problem(answer, 400)["code"] == "idempotency_key_invalid"


def test_keys_that_open_nothing(product, unchanged):
    for token in ("", "esk_test_nonsense", "x" * 500):
        answer = call(
            "GET", product.url + "/v1/catalog?user=5", headers={"Authorization": f"Bearer {token}"})
        assert problem(answer, 401)["code"] == "unauthorized"
    problem(call("GET", product.url + "/v1/catalog?user=5"), 401)


@pytest.mark.parametrize("secret", ["", "wrong", "é".encode().decode("latin-1")])
def test_a_wrong_webhook_secret(product, unchanged, secret):
    user = next(people)
    body = payment(user, {"stars": 75, "payload": "x"}, "stx" + uuid.uuid4().hex)
    problem(product.webhook(body, secret=secret), 401)
    answer = call("POST", product.bot()["webhook_url"], body)
    problem(answer, 401)
    answer = call(
        "POST", product.url + "/telegram/999",
        body, {"X-Telegram-Bot-Api-Secret-Token": product.bot()["webhook_secret"]})
    problem(answer, 401)
    # The other bot's secret is no better.
    answer = product.webhook(body, secret=product.bot(1)["webhook_secret"])
    problem(answer, 401)


def test_updates_of_unknown_kinds_are_stored_and_acknowledged(product):
    update = {"update_id": next(updates), "something_new": {"text": "hello \u0000"}}
    assert product.webhook(update).status == 200
    row = sql(
        product, f"select kind, state from updates where update_id = {update['update_id']}")
    assert row == "something_new|processed"


def test_unknown_names(product, unchanged):
    user = product.bot()["customer"]
    answer = product.api(
        "POST", "/v1/debits", {"user": user, "action": "nope"}, key=str(uuid.uuid4()))
    assert problem(answer, 422)["code"] == "unknown_action"
    answer = product.api("POST", "/v1/checkouts", {"user": user, "sku": "nope"}, key="k1-unknown")
    assert problem(answer, 422)["code"] == "unknown_pack"
    answer = product.api("POST", "/v1/checkouts", {"user": user, "sku": "test"}, key="k2-unknown")
    assert problem(answer, 403)["code"] == "pack_not_available"
    problem(product.api("GET", "/v1/nothing"), 404)
    answer = product.api("GET", "/v1/debits")
    assert problem(answer, 405) and answer.headers["Allow"] == "POST"


def raw(product, payload, wait=15.0):
    """Sends bytes as they are and reads what comes back until the server closes or `wait` ends."""
    address = urlsplit(product.url)
    with socket.create_connection((address.hostname, address.port), timeout=wait) as stream:
        stream.sendall(payload)
        answer = b""
        try:
            while chunk := stream.recv(65536):
                answer += chunk
        except TimeoutError:
            pass
        return answer


def test_a_client_that_never_ends_its_head(product):
    started = time.monotonic()
    answer = raw(product, b"GET / HTTP/1.1\r\nHost: x\r\nX-Slow: ", wait=20)
    assert answer.startswith(b"HTTP/1.1 408")
    assert time.monotonic() - started < 18


def test_a_client_that_never_ends_its_body(product, unchanged):
    head = (
        b"POST /v1/debits HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
        b"Authorization: Bearer " + product.bot()["api_key"].encode() +
        b"\r\nIdempotency-Key: slow\r\nContent-Length: 500\r\n\r\n{")
    assert raw(product, head, wait=30).startswith(b"HTTP/1.1 408")


def test_oversized_heads(product):
    answer = raw(product, b"GET / HTTP/1.1\r\nHost: x\r\nX-Big: " + b"a" * 100_000 + b"\r\n\r\n")
    assert answer.split(b" ")[1] in (b"431", b"400")
    many = b"".join(b"X-%d: 1\r\n" % number for number in range(3000))
    answer = raw(product, b"GET / HTTP/1.1\r\nHost: x\r\n" + many + b"\r\n")
    assert answer.split(b" ")[1] in (b"431", b"400")
    assert raw(product, b"\x16\x03\x01 nonsense\r\n\r\n").split(b" ")[1] == b"400"


def children(pid):
    found = []
    for folder in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            parent = (folder / "stat").read_text().rsplit(")", 1)[1].split()[1]
        except OSError:
            continue  # it has ended meanwhile
        if int(parent) == pid:
            found.append(int(folder.name))
    return found


def test_the_database_stopped_in_the_middle(product):
    """503 and nothing changed while it is away; pre-checkout still accepts; then all is well."""
    user = next(people)
    buy(product, user)
    sale = checkout(product, user)
    pid = int((product.data / "postgres/data/postmaster.pid").read_text().split("\n")[0]) \
        if (product.data / "postgres/data/postmaster.pid").exists() else None
    if pid is None:
        pointer = (product.data / "postgres/cluster-path").read_text().strip()
        pid = int(open(pointer + "/data/postmaster.pid").read().split("\n")[0])
    frozen = [pid, *children(pid)]
    key = str(uuid.uuid4())
    for process in frozen:
        os.kill(process, signal.SIGSTOP)
    try:
        started = time.monotonic()
        answer = product.webhook(pre_checkout(user, sale)).json()
        assert answer["ok"] is True
        # One second of patience for the database, of Telegram's ten.
        assert time.monotonic() - started < 3
        assert call("GET", product.url + "/healthz").status == 200
        assert call("GET", product.url + "/readyz").status == 503
        body = {"user": user, "action": "sticker"}
        answer = product.api("POST", "/v1/debits", body, key=key)
        assert problem(answer, 503)["code"] == "unavailable" and answer.headers["Retry-After"]
    finally:
        for process in reversed(frozen):
            os.kill(process, signal.SIGCONT)
    wait_until(lambda: call("GET", product.url + "/readyz").status == 200, 60)
    # Whether the frozen debit was carried out or not, its key makes it happen once.
    answer = product.api("POST", "/v1/debits", {"user": user, "action": "sticker"}, key=key)
    assert answer.status in (200, 201)
    assert product.balance(user) == 9


def form(product, path, fields, cookie="", **headers):
    from urllib.parse import urlencode

    address = urlsplit(product.url)
    connection = http.client.HTTPConnection(address.hostname, address.port, timeout=30)
    connection.request(
        "POST", path, urlencode(fields),
        {"Content-Type": "application/x-www-form-urlencoded", "Cookie": cookie, **headers})
    return connection.getresponse()


def sign_in(product, role="owner"):
    login = product.login(role)
    response = form(
        product, "/login", {"email": login["email"], "password": login["password"]})
    assert response.status == 303, response.read()
    return response.headers["Set-Cookie"].split(";")[0]


def test_sessions_and_forms(product):
    cookie = sign_in(product)
    page = call("GET", product.url + "/w/estudio-aurora-test", headers={"Cookie": cookie})
    assert page.status == 200
    token = page.body.decode().split('name="csrf" value="')[1].split('"')[0]
    other = sign_in(product)
    # A token of another session, none, and a form of another site change nothing.
    assert form(product, "/logout", {"csrf": token}, other).status == 403
    assert form(product, "/logout", {}, cookie).status == 403
    response = form(product, "/logout", {"csrf": token}, cookie, Origin="https://evil.example")
    assert response.status == 403
    assert form(product, "/login", {"email": "a", "password": "b"}, **{
        "Sec-Fetch-Site": "cross-site"}).status == 403
    page = call("GET", product.url + "/w/estudio-aurora-test", headers={"Cookie": cookie})
    assert page.status == 200
    # An expired session is sent to the login page.
    sql(product, "update sessions set last_seen_at = now() - interval '13 hours'")
    connection = http.client.HTTPConnection(urlsplit(product.url).netloc, timeout=30)
    connection.request("GET", "/w/estudio-aurora-test", headers={"Cookie": cookie})
    response = connection.getresponse()
    assert response.status == 303 and response.headers["Location"].startswith("/login")


def test_a_wrong_password_is_kept_out_and_throttled(product):
    email = "viewer@aurora.example"
    statuses = [
        form(product, "/login", {"email": email, "password": f"wrong {number}"}).status
        for number in range(12)]
    assert statuses[:10] == [401] * 10 and statuses[-1] == 429
    sql(product, "delete from throttles")
