"""What the developer pages show runs as it stands."""

import hashlib
import hmac
import json
import re
import subprocess
import sys
import time
from urllib.parse import urlencode

import pytest

from running import ROOT

sys.path.insert(0, str(ROOT / "content/examples"))

import check_init_data
import verify_event

PAGES = [
    f"{language}/docs/{page}.md" for language in ("en", "pt-br")
    for page in ("index", "concepts", "idempotency", "checkouts", "holds", "subscriptions",
                 "webhooks", "reconciliation", "sandbox")]


def shell_of(page):
    """The page's shell blocks that call something, in order, as one script."""
    blocks = re.findall(r"^```sh\n(.*?)^```$", (ROOT / "content" / page).read_text(), re.M | re.S)
    return "\n".join(block for block in blocks if "curl" in block)


@pytest.mark.parametrize("page", PAGES)
def test_shell_examples_run(product, page):
    script = shell_of(page)
    assert script
    # Every call notes its status where the example's own output does not go.
    notes = product.data / "statuses"
    notes.write_text("")
    script = (
        f'curl() {{ command curl -w "%{{stderr}}%{{http_code}}\\n" "$@" 2>>"{notes}"; }}\n'
        f"set -o pipefail\n{script}")
    subprocess.run(
        ["bash", "-c", script], check=True, timeout=120, stdout=subprocess.DEVNULL, env={
            "PATH": "/usr/local/bin:/usr/bin:/bin", "ESTARS": product.url,
            "KEY": product.bot()["api_key"], "SANDBOX": product.sandbox})
    statuses = [int(status) for status in notes.read_text().split()]
    assert len(statuses) >= script.count('curl -s')
    # A hold that is released after its commit is shown on purpose; people and bots are made once.
    changes = ("holds.md", "sandbox.md", "reconciliation.md")
    expected = {200, 201, 204, 409} if page.endswith(changes) else {200, 201}
    assert set(statuses) <= expected, statuses


def signed(body, secret, at):
    mac = hmac.new(secret.encode(), f"{at}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={at},v1={mac}"


def test_the_signature_check_of_the_events_page():
    body, at = json.dumps({"id": "evt_1", "text": "é"}).encode(), 1_795_000_000
    good = signed(body, "secret", at)

    def check(signature, body=body, secret="secret", now=at):
        return verify_event.is_genuine(secret, signature, body, now)

    assert check(good)
    assert check(good, now=at + 299) and not check(good, now=at + 301)
    assert not check(good, now=at - 301)
    assert not check(good, body=body + b" ")
    assert not check(good, secret="other")
    # During a rotation the other secret's signature stands beside ours.
    other = signed(body, "other", at).split(",")[1]
    assert check(good.replace(",", f",{other},"))
    assert check(f"{good},{other}")
    for broken in ("", "t=", "v1=", "t=x,v1=y", f"t={at}", f"t={at},v1=", f"t={at},v1=é",
                   good.replace("v1", "v0"), good.split(",")[1], "," * 100):
        assert not check(broken), broken


TOKEN = "7000000001:AAFixtureFixtureFixtureFixtureFixtu"


def init_data(age=0, token=TOKEN, **changes):
    """As Telegram makes it: all fields but `hash`, in order, under a key made of the token."""
    fields = {
        "query_id": "AAF", "auth_date": str(int(time.time()) - age), "signature": "x_y-z",
        "user": json.dumps({"id": 5001001, "first_name": "Ana & Zoë"})}
    lines = "\n".join(f"{name}={fields[name]}" for name in sorted(fields))
    key = hmac.new(b"WebAppData", token.encode(), hashlib.sha256).digest()
    fields["hash"] = hmac.new(key, lines.encode(), hashlib.sha256).hexdigest()
    return urlencode({**fields, **changes})


def test_the_init_data_check_of_the_mini_apps_page():
    # Somebody else's reading of Telegram's rule agrees with how this test makes its data.
    # Takes seconds to load, which other processes need not spend.
    from aiogram.utils.web_app import check_webapp_signature

    assert check_webapp_signature(TOKEN, init_data())
    assert check_init_data.user_of(init_data(), TOKEN) == {"id": 5001001, "first_name": "Ana & Zoë"}
    assert check_init_data.user_of(init_data(age=3500), TOKEN)
    assert check_init_data.user_of(init_data(age=3700), TOKEN) is None
    assert check_init_data.user_of(init_data(token=TOKEN + "x"), TOKEN) is None
    assert check_init_data.user_of(init_data(user='{"id":1}'), TOKEN) is None
    assert check_init_data.user_of(init_data(hash="é"), TOKEN) is None
    assert check_init_data.user_of(init_data(extra="1"), TOKEN) is None
    for broken in ("", "hash", "hash=x", "a=b&hash=x", init_data().replace("hash=", "hush=")):
        assert check_init_data.user_of(broken, TOKEN) is None
