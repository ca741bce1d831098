"""API keys: shown once, scoped, rotated with an overlap, revoked, never in a log."""

import re
import time

import pytest

from bots import Owner, text
from running import Dashboard, wait_until
from test_paid_path import sql


@pytest.fixture(scope="module")
def owner(product):
    return Owner(product)


def make(product, owner, name="server", **scopes):
    scopes = scopes or {"scope_read": "1"}
    answer = owner.post(
        "/keys", "/keys/new", name=name, bot=str(product.bot()["id"]), **scopes)
    assert answer.status == 201, answer.body
    return shown(answer)


def shown(answer):
    return re.search(r"<code>(esk_test_[A-Za-z0-9_-]{40})</code>", text(answer)).group(1)


def number(product, secret):
    return int(sql(product, "select api_key_id from api_keys "
                   f"where key_hash = sha256('{secret}')"))


def status(product, secret, method="GET", path="/v1/catalog?user=5"):
    return product.api(method, path, token=secret).status


def test_a_key_is_shown_once(product, owner):
    answer = owner.post("/keys", "/keys/new", name="produção", bot=str(product.bot()["id"]),
                        scope_read="1")
    assert answer.status == 201 and answer.headers["Cache-Control"] == "no-store"
    secret = shown(answer)
    assert status(product, secret) == 200
    pages = owner.get("/keys") + owner.get(f"/keys/{number(product, secret)}")
    assert "produção" in pages and secret not in pages and secret[:14] in pages
    dump = sql(product, "select * from api_keys") + sql(
        product, "select before, after, reason, subject from audit_entries")
    assert secret not in dump and "produção" in dump


def test_a_key_does_what_its_scopes_say(product, owner):
    reader = make(product, owner, scope_read="1")
    seller = make(product, owner, scope_sell="1")
    assert status(product, reader) == 200 and status(product, seller) == 403
    assert status(product, reader, "POST", "/v1/checkouts") == 403
    assert status(product, seller, "POST", "/v1/checkouts") == 400


@pytest.mark.parametrize("form", [
    {}, {"name": ""}, {"name": "n" * 61}, {"bot": "1"}, {"bot": "x"}, {"scope_read": None}])
def test_a_form_that_does_not_fit(product, owner, form):
    before = sql(product, "select count(*) from api_keys")
    whole = {"name": "a & b", "bot": str(product.bot()["id"]), "scope_read": "1"}
    sent = {} if not form else {
        key: value for key, value in {**whole, **form}.items() if value is not None}
    answer = owner.post("/keys", "/keys/new", **sent)
    assert answer.status == 422 and "esk_" not in text(answer)
    if "name" not in form and sent:
        assert 'value="a & b"' in text(answer), "what was typed is kept"
    assert sql(product, "select count(*) from api_keys") == before


def test_the_last_use_is_noted_once_a_minute(product, owner):
    secret = make(product, owner)
    key = number(product, secret)

    def used():
        return sql(product, f"select last_used_at from api_keys where api_key_id = {key}").strip()

    assert used() == "" and "Nunca" in owner.get(f"/keys/{key}")
    status(product, secret)
    first = wait_until(used)
    written = sql(product, f"select xmin from api_keys where api_key_id = {key}")
    for _ in range(30):
        status(product, secret)
    time.sleep(0.5)
    now = sql(product, f"select xmin from api_keys where api_key_id = {key}")
    # A new minute may have begun meanwhile; fifty seconds have not passed.
    assert now == written and used() == first


def test_rotation_overlaps_as_long_as_the_owner_says(product, owner):
    old = make(product, owner, "rotating", scope_read="1", scope_use="1")
    key = number(product, old)
    answer = owner.post(f"/keys/{key}/rotation", f"/keys/{key}", overlap="3600")
    assert answer.status == 201
    new = shown(answer)
    assert status(product, old) == 200 and status(product, new) == 200
    page = owner.get(f"/keys/{key}")
    assert "Sendo trocada" in page and "/rotation" not in page and "/revocation" in page
    again = owner.post(f"/keys/{key}/rotation", f"/keys/{key}", overlap="0")
    assert again.status == 409 and "esk_test_" not in re.sub(re.escape(old[:14]) + "…", "", text(again))
    row = sql(product, "select name, array_to_string(scopes, ' '), "
              f"bot_id from api_keys where api_key_id = {number(product, new)}")
    assert "rotating" in row and "read use" in row
    # When its time is over the old one is refused, also by a server that remembers it.
    sql(product, f"update api_keys set expires_at = now() where api_key_id = {key}")
    wait_until(lambda: status(product, old) == 401)
    assert status(product, new) == 200
    assert "Encerrada" in owner.get(f"/keys/{key}")


def test_rotation_without_overlap(product, owner):
    old = make(product, owner)
    key = number(product, old)
    assert status(product, old) == 200
    assert owner.post(f"/keys/{key}/rotation", f"/keys/{key}", overlap="7").status == 422
    new = shown(owner.post(f"/keys/{key}/rotation", f"/keys/{key}", overlap="0"))
    wait_until(lambda: status(product, old) == 401)
    assert status(product, new) == 200


def test_a_revoked_key_is_refused(product, owner):
    secret = make(product, owner)
    key = number(product, secret)
    assert status(product, secret) == 200
    assert owner.post(f"/keys/{key}/revocation", f"/keys/{key}").status == 422, "unconfirmed"
    assert status(product, secret) == 200
    csrf = owner.field(owner.get(f"/keys/{key}"), "csrf")
    for _ in range(2):
        answer = owner.send(
            f"{owner.base}/keys/{key}/revocation", {"csrf": csrf, "confirmed": "1"})
        assert answer.status == 200 and answer.url.endswith(f"/keys/{key}")
    wait_until(lambda: status(product, secret) == 401)
    log = sql(product, f"select action from audit_entries where subject = '{key}' "
              "and subject_kind = 'key' order by audit_entry_id").split()
    assert log == ["key.created", "key.revoked"]


def test_only_an_owner_changes_keys(product, owner):
    key = number(product, make(product, owner))
    for role in ("viewer", "support", "manager"):
        other = Dashboard(product, role)
        assert "/keys/new" not in other.get("/keys")
        page = other.get(f"/keys/{key}")
        assert "/revocation" not in page and "/rotation" not in page
        form = {"csrf": other.field(page, "csrf"), "confirmed": "1", "overlap": "0"}
        for path in ("/keys", f"/keys/{key}/rotation", f"/keys/{key}/revocation"):
            assert other.send(other.base + path, form).status == 403
    assert owner.send(f"{owner.base}/keys/999999").status == 404
