"""The team, the second factor and the doors that nothing but pages leaves by."""

import base64
import collections
import hashlib
import hmac
import html
import os
import re
import struct
import subprocess
import time
import urllib.parse

from running import BINARY, ROOT, Dashboard, call, cluster_url
from test_paid_path import sql

PASSWORD = "correct horse battery"


def totp(secret, steps=0):
    """RFC 6238, written anew: what somebody's phone would show."""
    key = base64.b32decode(secret.replace(" ", ""))
    counter = struct.pack(">Q", int(time.time()) // 30 + steps)
    mac = hmac.new(key, counter, hashlib.sha1).digest()
    offset = mac[-1] & 15
    number = struct.unpack(">I", mac[offset:offset + 4])[0] & 0x7FFFFFFF
    return f"{number % 10**6:06}"


class Person(Dashboard):
    """Somebody with an account that the demo does not know."""

    def __init__(self, product, email=None):
        self.email = email
        super().__init__(product, "viewer")

    def send(self, url, form=None):
        if form and "email" in form and self.email:
            form = {"email": self.email, "password": PASSWORD}
        return super().send(url, form)


def estars(product, *arguments):
    environment = {
        **os.environ, "DATABASE_URL": cluster_url(product.data), "ESTARS_OPERATOR_PASSWORD": PASSWORD,
        "ESTARS_SECRET_KEY_FILE": str(product.data / "secret.key"),
        "ESTARS_PUBLIC_URL": product.url}
    return subprocess.run(
        [BINARY, *arguments], cwd=ROOT, check=True, capture_output=True, text=True,
        env=environment).stdout


def test_every_page_is_a_page_and_nothing_is_kept(product):
    """From the overview along every link, as the owner: of each kind of page the first four, as
    a list may be empty under one of its filters."""
    owner = Dashboard(product, "owner")
    waiting, visited = collections.deque([owner.base, product.url + "/account"]), set()
    seen = collections.Counter()
    while waiting:
        url = waiting.popleft()
        path = urllib.parse.urlsplit(url).path
        kind = re.sub(r"/[^/]*\d[^/]*", "/:n", path)
        if path.startswith(("/docs", "/assets", "/pt-br")) or path == "/":
            continue
        if url in visited or seen[kind] == 4:
            continue
        visited.add(url)
        seen[kind] += 1
        answer = owner.send(url)
        assert answer.status == 200, url
        assert answer.headers["Content-Type"] == "text/html; charset=utf-8", url
        assert answer.headers["Cache-Control"] == "no-store", url
        assert answer.headers["Content-Disposition"] is None, url
        page = html.unescape(answer.body.decode())
        assert "download" not in re.findall(r"<a\b[^>]*\s(download)\b", page), url
        for link in re.findall(r'href="([^"]+)"', page):
            target = urllib.parse.urljoin(url, link)
            if target.startswith(product.url):
                waiting.append(target)
    slug = "/w/" + product.demo["workspace"]
    assert {slug, slug + "/team", slug + "/audit", slug + "/gates", "/account/totp",
            slug + "/customers/:n", slug + "/refunds/:n"} <= seen.keys()
    assert len(seen) > 45, sorted(seen)


def test_a_phone_of_ones_own_and_a_lost_one(product):
    email = "totp@team.example"
    estars(product, "operator", "add", "--email", email, "--name", "Téo", "--workspace",
           "team-of-teo", "--locale", "en")
    person = Person(product, email)
    setup = person.post("/account/totp", password=PASSWORD).body.decode()
    secret = re.search(r"<code>([A-Z2-7 ]+)</code>", setup).group(1)
    confirmed = person.post(
        "/account/totp/confirmation", "/account/totp", code=totp(secret)).body.decode()
    codes = re.findall(r"<li>([a-z2-7-]{19})</li>", confirmed)
    assert len(codes) == 10
    stored = sql(product, "select totp_secret from operators") + sql(
        product, "select code_hash from recovery_codes")
    assert secret.replace(" ", "") not in stored and codes[0] not in stored

    again = Person(product, email)
    assert "/login/totp" in again.send(product.url + "/account").url
    assert again.post("/login/totp", code="000000").status == 422
    code = totp(secret, 1)
    inside = again.post("/login/totp", code=code)
    assert inside.status == 200 and "/login" not in inside.url
    # The same code on another machine, then a recovery code.
    third = Person(product, email)
    assert third.post("/login/totp", code=code).status == 422
    assert "/login" not in third.post("/login/totp", code=codes[0].upper()).url

    link = estars(product, "operator", "reset", "--email", email, "--totp").strip()
    assert link.startswith(product.url + "/resets/")
    token = link.rsplit("/", 1)[1]
    assert token not in sql(product, "select * from reset_links")
    form = urllib.parse.urlencode({"password": PASSWORD}).encode()
    kind = {"Content-Type": "application/x-www-form-urlencoded"}
    foreign = call("POST", link, form, {**kind, "Origin": "https://evil.example"})
    assert foreign.status == 403
    assert call("POST", link, form, kind).status == 200
    assert call("GET", link).status == 404
    assert "/login" in again.send(product.url + "/account").url, "signed out everywhere"
    back = Person(product, email).send(product.url + "/account")
    assert back.status == 200 and back.url.endswith("/account")


def test_the_demos_admin_has_something_to_decide(product):
    login = product.login("admin")
    admin = Dashboard(product, "admin")
    page = admin.get_page("/admin")
    assert 'name="code"' in page and "Applications" not in page
    opened = admin.post("/login/totp", code=totp(login["totp_secret"]))
    assert opened.status == 200 and "/login" not in opened.url
    queue = admin.get_page("/admin/applications")
    # Whoever has a code stands first; the second of two alike is known.
    assert 0 < queue.index("@demo_receitas_bot") < queue.index("@demo_translate_bot")
    assert queue.count("known already") >= 2
    everybody = admin.get_page("/admin/applications?show=all")
    assert "@demo_wallpaper_bot" in everybody and "@aurora_sticker_bot" in everybody
    dubbing = re.search(r'href="(/admin/applications/\d+)"[^@]*@demo_dublagem_bot', queue).group(1)
    assert "vídeo mais longo" in admin.get_page(dubbing)
    codes = admin.get_page("/admin/invitation-codes")
    assert "Meetup de bots" in codes and product.demo["invitation_code"] not in codes


def test_an_admin_is_made_by_the_command_line(product):
    email = "eve@team.example"
    said = estars(
        product, "operator", "add", "--email", email, "--name", "Eve", "--admin", "--locale", "en")
    assert "is an admin" in said and PASSWORD not in said
    eve = Person(product, email)
    # The password alone leads to the second factor, and nowhere else.
    assert eve.send(product.url + "/admin").url.endswith("/account/totp")
    setup = eve.post("/account/totp", password=PASSWORD).body.decode()
    secret = re.search(r"<code>([A-Z2-7 ]+)</code>", setup).group(1)
    eve.post("/account/totp/confirmation", "/account/totp", code=totp(secret))
    today = eve.get_page("/admin")
    assert "Applications to read" in today and "0008_pilots.sql" in today
    log = eve.get_page("/admin/audit")
    assert "made an admin" in log and "estars operator add" in log
    assert Dashboard(product, "owner").send(product.url + "/admin").status == 404
