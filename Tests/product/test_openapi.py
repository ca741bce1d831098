"""The description at /openapi.json is what the running server does."""

import copy
import os
import re
import subprocess
import sys
import uuid

import jsonschema
import pytest
from jsonschema import Draft202012Validator

from running import call
from test_api_bounds import issue
from test_paid_path import payment, people, refund, sql


@pytest.fixture(scope="module")
def description(product):
    answer = call("GET", product.url + "/openapi.json")
    assert answer.status == 200 and answer.headers["Content-Type"] == "application/json"
    return answer.json()


class Checked:
    """Calls the API and compares every answer with its description, unknown fields included."""

    def __init__(self, product, description):
        self.product, self.description = product, description
        self.met = set()
        self.components = copy.deepcopy(description["components"])
        closed(self.components["schemas"])

    def __call__(self, method, path, body=None, key=None, **headers):
        answer = self.product.api(method, path, body, key=key, **headers)
        route, operation = self.operation(method, path.split("?")[0])
        declared = operation["responses"].get(str(answer.status))
        assert declared, f"{method} {path} answered {answer.status}, which is not declared"
        if "$ref" in declared:
            declared = self.components["responses"][declared["$ref"].rsplit("/", 1)[1]]
        kind = answer.headers["Content-Type"].split(";")[0]
        schema = declared["content"][kind]["schema"]
        validator = Draft202012Validator(
            {"allOf": [schema], "unevaluatedProperties": False, "components": self.components},
            format_checker=jsonschema.FormatChecker())
        validator.validate(answer.json())
        replayed = "Idempotency-Replayed" in answer.headers
        assert replayed == ("Idempotency-Replayed" in declared.get("headers", {}))
        self.met.add((method, route, answer.status))
        return answer

    def operation(self, method, path):
        for route, operations in self.description["paths"].items():
            if re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", route), path) and method.lower() in operations:
                return route, operations[method.lower()]
        raise AssertionError(f"{method} {path} is not described")


def closed(node):
    """Lets no object have fields that its schema does not name, except where schemas are joined."""
    for name, value in node.items() if isinstance(node, dict) else enumerate(node):
        if isinstance(value, (dict, list)) and name != "allOf":
            closed(value)
    joined = isinstance(node, dict) and (
        "code" in node.get("properties", {}) or "additionalProperties" in node)
    if isinstance(node, dict) and node.get("type") == "object" and "properties" in node and not joined:
        node["additionalProperties"] = False


@pytest.fixture(scope="module")
def v1(product, description):
    return Checked(product, description)


def new(product, v1, sku=None):
    """Somebody new, who perhaps bought a pack."""
    user = next(people)
    if sku:
        sale = v1("POST", "/v1/checkouts", {"user": user, "sku": sku, "resume": "note"},
                  key=str(uuid.uuid4())).json()["checkout"]
        paid = payment(user, sale, "stx" + uuid.uuid4().hex)
        first = v1("POST", "/v1/updates", paid).json()
        assert first["handled"] == "payment.credited" and first["payment"]["resume"] == "note"
        assert v1("POST", "/v1/updates", paid).json()["duplicate"] is True
    return user


def fresh():
    return str(uuid.uuid4())


def test_reading(product, v1):
    user = new(product, v1, "pro")
    assert v1("GET", f"/v1/catalog?user={user}").json()["packs"]
    assert v1("GET", f"/v1/customers/{user}").json()["balance"]["available"] == 100
    assert v1("GET", f"/v1/customers/{next(people)}").json()["has_purchased"] is False
    assert v1("GET", "/v1/catalog").status == 400
    assert v1("GET", "/v1/customers/0").status == 400
    assert v1("GET", "/v1/customers/5", token="esk_test_none").status == 401


def test_checks_and_debits(product, v1):
    poor, user = new(product, v1), new(product, v1, "start")
    assert v1("POST", "/v1/checks", {"user": user, "action": "sticker"}).json()["allowed"]
    refused = v1("POST", "/v1/checks", {"user": poor, "action": "sticker", "language": "pt-br"})
    assert refused.json()["paywall"]["state"] == "wait_first_purchase"
    assert v1("POST", "/v1/checks", {"user": user, "action": "none"}).status == 422
    assert v1("POST", "/v1/checks", {"user": user}).status == 400
    assert v1("POST", "/v1/checks", b"{}", **{"Content-Type": "text/plain"}).status == 415
    body, key = {"user": user, "action": "sticker", "ref": "job"}, fresh()
    assert v1("POST", "/v1/debits", body, key=key).status == 201
    assert v1("POST", "/v1/debits", body, key=key).status == 200
    assert v1("POST", "/v1/debits", {**body, "units": 2}, key=key).status == 409
    assert v1("POST", "/v1/debits", {**body, "user": poor}, key=fresh()).status == 402
    assert v1("POST", "/v1/debits", body).status == 400
    assert v1("POST", "/v1/debits", {**body, "action": "none"}, key=fresh()).status == 422
    assert v1("POST", "/v1/debits", b" " * (1 << 20) + b"{}", key=fresh()).status == 413


def test_checkouts_and_updates(product, v1):
    user, key = next(people), fresh()
    body = {"user": user, "sku": "start"}
    sale = v1("POST", "/v1/checkouts", body, key=key)
    assert sale.status == 201
    assert v1("POST", "/v1/checkouts", body, key=key).status == 200
    assert v1("POST", "/v1/checkouts", {**body, "sku": "pop"}, key=key).status == 409
    assert v1("POST", "/v1/checkouts", {**body, "sku": "none"}, key=fresh()).status == 422
    assert v1("POST", "/v1/checkouts", {**body, "sku": "test"}, key=fresh()).status == 403
    charge = "stx" + uuid.uuid4().hex
    back = refund(user, sale.json()["checkout"], charge)
    assert v1("POST", "/v1/updates", back).json()["handled"] == "refund.recorded"
    assert v1("POST", "/v1/updates", {"update_id": "x"}).status == 400


def test_holds(product, v1):
    poor, user = new(product, v1), new(product, v1, "start")
    body, key = {"user": user, "action": "sticker", "units": 5, "ref": "render"}, fresh()
    held = v1("POST", "/v1/holds", body, key=key)
    assert held.status == 201
    number = held.json()["hold"]["id"]
    assert v1("POST", "/v1/holds", body, key=key).status == 200
    assert v1("POST", "/v1/holds", {**body, "units": 1}, key=key).status == 409
    assert v1("POST", "/v1/holds", {**body, "user": poor}, key=fresh()).status == 402
    assert v1("POST", "/v1/holds", {**body, "ttl_seconds": 90_000}, key=fresh()).status == 400
    assert v1("GET", f"/v1/holds/{number}").json()["hold"]["state"] == "open"
    assert v1("GET", "/v1/holds/999999999").status == 404
    commit, key = f"/v1/holds/{number}/commit", fresh()
    assert v1("POST", commit, {"units": 6}, key=fresh()).status == 422
    assert v1("POST", commit, {"units": 2}, key=key).json()["hold"]["used_units"] == 2
    assert v1("POST", commit, {"units": 2}, key=key).status == 200
    assert v1("POST", commit, {"units": 2}, key=fresh()).status == 409
    assert v1("POST", f"/v1/holds/{number}/release", key=fresh()).json()["state"] == "committed"
    other = v1("POST", "/v1/holds", body, key=fresh()).json()["hold"]["id"]
    assert v1("POST", f"/v1/holds/{other}/release", {}, key=fresh()).status == 201
    assert product.balance(user) == 8


def test_trials(product, v1):
    user, key = next(people), fresh()
    body = {"user": user, "engagement": 9, "intent": 9, "source": "google"}
    assert v1("POST", "/v1/trial-grants", body, key=key).status == 201
    assert v1("POST", "/v1/trial-grants", body, key=key).status == 200
    assert v1("POST", "/v1/trial-grants", {**body, "intent": 1}, key=key).status == 409
    assert v1("POST", "/v1/trial-grants", {**body, "intent": 11}, key=fresh()).status == 400
    grant = v1("POST", "/v1/trial-grants", {**body, "engagement": 0}, key=fresh()).json()
    assert grant["trial_grant"]["granted"] is False


def test_subscriptions(product, v1):
    tried, paid = new(product, v1), new(product, v1)
    body, key = {"user": tried, "plan": "pro"}, fresh()
    assert v1("POST", "/v1/subscriptions", body, key=key).status == 201
    assert v1("POST", "/v1/subscriptions", body, key=key).status == 200
    assert v1("POST", "/v1/subscriptions", {**body, "plan": "premium"}, key=key).status == 409
    assert v1("POST", "/v1/subscriptions", {**body, "plan": "none"}, key=fresh()).status == 422
    stop = f"/v1/subscriptions/{tried}/cancellation"
    assert v1("POST", stop, key=fresh()).json()["code"] == "not_renewable"
    assert v1("GET", f"/v1/customers/{tried}").json()["subscription"]["trial"] is True
    plans = v1("GET", f"/v1/catalog?user={paid}").json()["plans"]
    assert [plan["plan"] for plan in plans][:4] == ["free", "pro", "premium", "enterprise"]

    sale = v1("POST", "/v1/checkouts", {"user": paid, "plan": "premium"}, key=fresh())
    first = payment(paid, sale.json()["checkout"], "stx" + uuid.uuid4().hex)
    first["message"]["successful_payment"].update(
        is_recurring=True, is_first_recurring=True,
        subscription_expiration_date=first["message"]["date"] + 2_592_000)
    assert v1("POST", "/v1/updates", first).json()["handled"] == "payment.credited"
    ways = {"cancellation": {}, "reactivation": {"plan": "premium"}, "downgrade": {"plan": "pro"}}
    for way, body in ways.items():
        path, key = f"/v1/subscriptions/{paid}/{way}", fresh()
        assert v1("POST", path, body, key=key).status == 202
        assert v1("POST", path, body, key=key).status == 200
        assert v1("POST", path, {"plan": "none"}, key=fresh()).status in (404, 422)
        nobody = f"/v1/subscriptions/{next(people)}/{way}"
        assert v1("POST", nobody, {"plan": "pro"}, key=fresh()).status == 404
    assert v1("GET", f"/v1/customers/{paid}").json()["subscription"]["next_plan"] == "pro"


def test_support_cases(product, v1):
    user, key = new(product, v1, "start"), fresh()
    body = {"user": user, "text": "I paid and nothing came.", "topic": "not_delivered"}
    assert v1("POST", "/v1/support-cases", body, key=key).status == 201
    assert v1("POST", "/v1/support-cases", body, key=key).status == 200
    assert v1("POST", "/v1/support-cases", {**body, "text": "Other words."}, key=key).status == 409
    assert v1("POST", "/v1/support-cases", {**body, "text": ""}, key=fresh()).status == 400
    unknown = {**body, "charge_id": "nobody-paid-this"}
    assert v1("POST", "/v1/support-cases", unknown, key=fresh()).json()["code"] == "unknown_charge"


def test_every_call_was_met(v1, description):
    """Runs after the others: each operation was seen to succeed and to refuse."""
    for route, operations in description["paths"].items():
        for method in operations:
            statuses = {status for verb, path, status in v1.met if (verb, path) == (method.upper(), route)}
            assert statuses & {200, 201, 202}, (method, route)
            assert any(status >= 400 for status in statuses), (method, route)


def test_schemathesis_finds_nothing(product):
    """Made-up requests, valid and broken: no 5xx, and every answer as declared."""
    checks = [
        "not_a_server_error", "status_code_conformance", "content_type_conformance",
        "response_schema_conformance", "response_headers_conformance", "negative_data_rejection",
        "missing_required_header", "unsupported_method", "ignored_auth"]
    # A key of its own: it may reach limits that other tests should not meet.
    token = issue(product, ["read", "use", "sell"])
    result = subprocess.run(
        [sys.executable, "-m", "schemathesis.cli", "run", product.url + "/openapi.json",
         "--header", f"Authorization: Bearer {token}",
         "--checks", ",".join(checks), "--max-examples", os.environ.get("ESTARS_FUZZ", "10"),
         "--phases", "examples,coverage,fuzzing", "--seed", "17", "--max-time", "80",
         "--request-timeout", "30", "--no-color"],
        cwd=product.data, capture_output=True, text=True, timeout=400)
    assert result.returncode == 0, result.stdout[-6000:] + result.stderr[-2000:]
    made = re.search(r"(\d+) generated", result.stdout)
    assert made and int(made.group(1)) > 300, result.stdout[-2000:]
    assert sql(product, "select count(*) from accounts where balance < 0") == "0"
