"""What a key may not see, and what many requests may not cost."""

import hashlib
import http.client
import json
import os
import re
import subprocess
import uuid
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

import pytest

from running import BINARY, ROOT, call, cluster_url
from test_paid_path import buy, people, sql


def issue(product, scopes, bot=0):
    """A further key of one of the demo's bots."""
    key = "esk_test_" + uuid.uuid4().hex
    owner = hashlib.sha256(product.bot(bot)["api_key"].encode()).hexdigest()
    sql(product, "insert into api_keys (key_hash, workspace_id, bot_id, prefix, scopes) "
        f"select '\\x{hashlib.sha256(key.encode()).hexdigest()}', workspace_id, bot_id, prefix, "
        f"array[{','.join(repr(scope) for scope in scopes)}] from api_keys "
        f"where key_hash = '\\x{owner}'")
    return key


@pytest.fixture(scope="module")
def stranger(product):
    """The key of a bot of another business on the same server."""
    environment = {
        **os.environ, "DATABASE_URL": cluster_url(product.data), "ESTARS_OPERATOR_PASSWORD": "correct horse battery",
        "ESTARS_BOT_TOKEN": "7700000099:another-Bot_Secret",
        "ESTARS_SECRET_KEY_FILE": str(product.data / "secret.key")}
    call("POST", product.sandbox + "/sandbox/bots", {
        "token": environment["ESTARS_BOT_TOKEN"], "name": "Other", "username": "other_bot"})
    for arguments in (
            ["operator", "add", "--email", "o@other.example", "--name", "Other", "--workspace", "other"],
            ["bot", "add", "--workspace", "other-test", "--environment", product.sandbox]):
        printed = subprocess.run(
            [BINARY, *arguments], cwd=ROOT, check=True, capture_output=True, text=True,
            env=environment).stdout
    return re.search(r"esk_\S+", printed).group(0)


def told(answer):
    """The answer without what differs from request to request."""
    body = answer.json()
    body.pop("request_id", None)
    return answer.status, body


def hold_of(product, user):
    answer = product.api(
        "POST", "/v1/holds", {"user": user, "action": "sticker"}, key=str(uuid.uuid4()))
    assert answer.status == 201, answer.body
    return answer.json()["hold"]["id"]


def test_another_workspaces_things_are_like_none(product, stranger):
    user, nobody = next(people), next(people)
    buy(product, user)
    hold, none = hold_of(product, user), 987_654_321

    def ask(method, path, body=None, key=None):
        return told(product.api(method, path, body, key=key, token=stranger))

    for verb, path, body in (
            ("GET", "", None), ("POST", "/commit", {"units": 1}), ("POST", "/release", {})):
        key = str(uuid.uuid4()) if verb == "POST" else None
        answers = [ask(verb, f"/v1/holds/{number}{path}", body, key) for number in (hold, none)]
        assert answers[0] == answers[1] and answers[0][0] == 404
    theirs, nobodys = (ask("GET", f"/v1/customers/{number}") for number in (user, nobody))
    assert theirs[0] == 200 and {**theirs[1], "user": 0} == {**nobodys[1], "user": 0}
    assert theirs[1]["has_purchased"] is False and theirs[1]["balance"]["available"] == 0
    for path in ("/v1/checks", "/v1/debits"):
        answers = [
            ask("POST", path, {"user": number, "action": "sticker"}, str(uuid.uuid4()))
            for number in (user, nobody)]
        assert answers[0] == answers[1] and answers[0][0] == 422
    # A key that another workspace has used means nothing here.
    key = str(uuid.uuid4())
    assert product.api(
        "POST", "/v1/debits", {"user": user, "action": "sticker"}, key=key).status == 201
    assert ask("POST", "/v1/debits", {"user": nobody, "action": "other"}, key)[0] == 422
    assert product.api("GET", f"/v1/holds/{hold}").json()["hold"]["state"] == "open"
    assert product.balance(user) == 8


def test_a_key_without_the_scope_learns_nothing(product):
    user = next(people)
    buy(product, user)
    hold, none = hold_of(product, user), 987_654_321
    calls = {
        "read": [("GET", "/v1/customers/{}", (user, none)), ("GET", "/v1/holds/{}", (hold, none)),
                 ("GET", "/v1/catalog?user={}", (user, none))],
        "use": [("POST", "/v1/holds/{}/commit", (hold, none)),
                ("POST", "/v1/holds/{}/release", (hold, none)),
                ("POST", "/v1/debits", ()), ("POST", "/v1/holds", ()), ("POST", "/v1/checks", ()),
                ("POST", "/v1/trial-grants", ())],
        "sell": [("POST", "/v1/checkouts", ()), ("POST", "/v1/updates", ())]}
    for scope, paths in calls.items():
        token = issue(product, [other for other in (*calls, "support") if other != scope])
        for method, path, numbers in paths:
            body = {"user": user, "action": "sticker", "sku": "start"} if method == "POST" else None
            answers = [
                told(product.api(
                    method, path.format(number), body, key=str(uuid.uuid4()), token=token))
                for number in numbers or (None,)]
            assert all(answer == answers[0] for answer in answers)
            assert answers[0][0] == 403 and answers[0][1]["code"] == "scope_missing", (scope, path)
    assert product.balance(user) == 9


def hammer(product, token, bodies, threads=16, path="/v1/checks"):
    """Posts all bodies over few connections; the statuses in order."""
    host, chunk = urlsplit(product.url).netloc, -(-len(bodies) // threads)

    def send(part):
        connection = http.client.HTTPConnection(host, timeout=60)
        statuses = []
        for body in part:
            connection.request("POST", path, json.dumps(body), {
                "Authorization": f"Bearer {token}", "Content-Type": "application/json"})
            answer = connection.getresponse()
            answer.read()
            statuses.append(answer.status)
        connection.close()
        return statuses

    parts = [bodies[start:start + chunk] for start in range(0, len(bodies), chunk)]
    with ThreadPoolExecutor(threads) as pool:
        return [status for statuses in pool.map(send, parts) for status in statuses]


def memory(product) -> float:
    """What the server's process holds, in MiB."""
    text = open(f"/proc/{product.process.pid}/status").read()
    return int(re.search(r"VmRSS:\s+(\d+) kB", text).group(1)) / 1024


def test_ten_thousand_unknown_actions_cost_no_memory(product):
    user, token = product.bot()["customer"], issue(product, ["use"])

    def unknown(count):
        # As long as an action's key may be.
        bodies = [{"user": user, "action": f"{uuid.uuid4().hex}{number:016d}"} for number in range(count)]
        assert set(hammer(product, token, bodies)) == {422}

    unknown(2_000)
    before, rows = memory(product), sql(product, "select count(*) from actions")
    unknown(10_000)
    # 10 000 of them kept anywhere, with a kilobyte each, would be 10 MiB; counters with labels more.
    assert memory(product) - before < 24
    assert sql(product, "select count(*) from actions") == rows
    tables = sql(product, "select (select count(*) from usage_counters where length(action) = 48), "
                 "(select count(*) from api_requests where length(action) = 48)")
    assert tables == "0|0"


def test_strangers_cannot_be_tried_out_by_the_thousand(product):
    known, token = next(people), issue(product, ["read", "use"])
    buy(product, known)
    # Whatever the minute: two of them are begun at most, and the rest is refused. Where one of the
    # two actions were not counted, more would be answered.
    first, actions = 8_000_000_001, ["sticker", "hd_export"]
    bodies = [{"user": first + number, "action": actions[number % 2]} for number in range(4_000)]
    statuses = hammer(product, token, bodies)
    assert set(statuses) == {200, 429}
    assert 1_800 <= statuses.count(200) <= 3_600
    # The count ends with the minute, so what follows is asked at once, for a stranger each time.
    refused = product.api("GET", f"/v1/catalog?user={first + 5_000}", token=token)
    if refused.status == 429:
        assert refused.json()["code"] == "too_many_customers"
        assert 1 <= int(refused.headers["Retry-After"]) <= 60
    # Those who are known, and other keys, are served on.
    for action in actions:
        served = {"user": known, "action": action}
        assert product.api("POST", "/v1/checks", served, token=token).status == 200
        asked = {"user": first + 6_000, "action": action}
        assert product.api("POST", "/v1/checks", asked).status == 200
    made = f"telegram_id between {first} and {first + 10_000}"
    assert sql(product, f"select count(*) from customers where {made}") == "0"
