"""The quickstart's bot, unchanged, sells in the sandbox from the first refusal to the refund."""

import contextlib
import itertools
import os
import re
import subprocess
import sys

import pytest

from running import BINARY, ROOT, Dashboard, call, cluster_url, free_port, wait_until
from test_paid_path import sql

bots = itertools.count(7_700_000_101)
people = itertools.count(6_960_001)


def add_bot(product, token):
    """Adds a bot to the test side as an operator does at the command line; returns its API key."""
    printed = subprocess.run(
        [BINARY, "bot", "add", "--workspace", product.demo["workspace"],
         "--environment", product.sandbox],
        cwd=ROOT, check=True, capture_output=True, text=True, env={
            **os.environ, "DATABASE_URL": cluster_url(product.data), "ESTARS_BOT_TOKEN": token,
            "ESTARS_SECRET_KEY_FILE": str(product.data / "secret.key")}).stdout
    return re.search(r"esk_\S+", printed).group(0)


def event_secret(product, bot, address):
    """Sets the bot's event address in the dashboard; returns the secret, which is shown once."""
    owner = Dashboard(product, "owner")
    path = f"/bots/{bot}/event-address"
    answer = owner.send(owner.base + path, {
        "csrf": owner.field(owner.get(path), "csrf"), "url": address})
    assert answer.status == 201, answer.body
    return re.search(r"ess_[\w-]+", answer.body.decode()).group(0)


@contextlib.contextmanager
def running(environment, port):
    process = subprocess.Popen(
        [sys.executable, str(ROOT / "content/examples/quickstart.py")],
        env={**os.environ, **environment})

    def is_listening():
        assert process.poll() is None
        try:
            return call("GET", f"http://127.0.0.1:{port}/events").status == 405
        except OSError:
            return False

    try:
        wait_until(is_listening)
        yield
    finally:
        process.terminate()
        process.wait(20)


class Chat:
    """A person's chat with the bot, on the sandbox phone."""

    def __init__(self, product, bot):
        self.user, self.sandbox = next(people), product.sandbox
        call("POST", f"{self.sandbox}/sandbox/people", {
            "id": self.user, "first_name": "Ana", "language_code": "en", "stars": 2000})
        self.address = f"{self.sandbox}/sandbox/people/{self.user}/chats/{bot}"

    def say(self, text):
        return call("POST", self.address + "/messages", {"text": text}).json()

    def messages(self):
        return [line["message"] for line in call("GET", self.address + "/messages").json()]

    def wait(self, part, count=1):
        """Until the bot has said it so many times; the last of these messages."""
        def found():
            said = [message for message in self.messages() if part in message.get("text", "")]
            return said[-1] if len(said) >= count else None
        return wait_until(found, 60)

    def press(self, message, start):
        texts = [row[0]["text"] for row in message["reply_markup"]["inline_keyboard"]]
        text = next(text for text in texts if text.startswith(start))
        answer = call("POST", self.address + "/presses", {
            "message_id": message["message_id"], "text": text, "wait_seconds": 10})
        assert answer.status == 201, answer.body


@pytest.fixture
def shop(product):
    """A bot of its own, with key and event address, and the quickstart running it."""
    number, port = next(bots), free_port()
    token = f"{number}:quickstart-Bot_Secret"
    call("POST", product.sandbox + "/sandbox/bots", {
        "token": token, "name": "Quickstart", "username": f"quick_{number}_bot"})
    key = add_bot(product, token)
    secret = event_secret(product, number, f"http://127.0.0.1:{port}/events")
    product.demo["bots"].append({"id": number, "api_key": key})
    try:
        with running({
                "BOT_TOKEN": token, "ESTARS_URL": product.url, "ESTARS_KEY": key,
                "ESTARS_EVENT_SECRET": secret, "EVENT_PORT": str(port),
                "TELEGRAM_API": product.sandbox}, port):
            yield number
    finally:
        product.demo["bots"].pop()


def test_the_quickstart_sells_and_goes_on(product, shop):
    chat, bot = Chat(product, shop), -1
    # Refused: no credits, and the paywall says what to buy.
    order = chat.say("a cat")
    paywall = chat.wait("", count=2)
    assert "reply_markup" in paywall
    offered = [row[0]["text"] for row in paywall["reply_markup"]["inline_keyboard"]]
    assert len(offered) >= 3 and all("★" in text for text in offered)

    # Buys; the event brings the interrupted work back, and it is done and paid for.
    chat.press(paywall, "Pro:")
    invoice = chat.wait("credits", count=1)
    button = invoice["reply_markup"]["inline_keyboard"][0][0]
    paid = call("POST", f"{product.sandbox}/sandbox/people/{chat.user}/payments", {
        "invoice": button["url"]}).json()
    assert paid["outcome"] == "paid", paid
    done = chat.wait("“a cat” as a sticker")
    assert "99 credits left" in done["text"]

    # The same debit again takes nothing, nor does the same event.
    key = f"sticker-{chat.user}-{order['message_id']}"
    again = product.api(
        "POST", "/v1/debits", {"user": chat.user, "action": "sticker"}, key=key, bot=bot)
    assert again.status == 200 and again.headers["Idempotency-Replayed"] == "true"
    event = sql(
        product, "select event_id from events where kind = 'payment.completed' "
        f"and bot_id = {shop} order by event_id desc limit 1")
    manager = Dashboard(product, "manager")
    page = manager.get(f"/events/{event}")
    answer = manager.send(
        f"{manager.base}/events/{event}/replay", {"csrf": manager.field(page, "csrf")})
    assert answer.status == 200
    chat.wait("“a cat” as a sticker (already paid)")
    assert product.balance(chat.user, bot) == 99

    # The next one is paid for as well, without a detour.
    chat.say("a dog")
    assert "98 credits left" in chat.wait("“a dog”")["text"]
    customer = product.api("GET", f"/v1/customers/{chat.user}", bot=bot).json()
    assert "hd_quality" in [grant["entitlement"] for grant in customer["access"]]

    # The refund takes credits and access, and the bot hears of it.
    refund = manager.ask(paid["charge_id"], bot)
    assert manager.approve(refund).status == 200
    chat.wait("Your access to hd_quality has ended.")
    customer = product.api("GET", f"/v1/customers/{chat.user}", bot=bot).json()
    assert customer["access"] == [] and customer["balance"]["available"] == 0
    paywalls = sum("reply_markup" in message for message in chat.messages())
    chat.say("a bird")
    wait_until(lambda: sum("reply_markup" in each for each in chat.messages()) > paywalls)
    assert product.balance(chat.user, bot) == 0


def test_an_event_that_is_not_signed_is_not_believed(product, shop):
    port = re.search(r":(\d+)/", sql(
        product, f"select event_url from bots where bot_id = {shop}")).group(1)
    chat = Chat(product, shop)
    chat.say("/start")
    chat.wait("Send me a word")
    body = {"id": "evt_1", "kind": "access.changed", "user": chat.user,
            "data": {"entitlement": "hd_quality", "active": False}}
    for signature in ("", "t=1,v1=00", "v1=é".encode().decode("latin-1")):
        answer = call("POST", f"http://127.0.0.1:{port}/events", body, {"eStars-Signature": signature})
        assert answer.status == 401
    assert not [m for m in chat.messages() if "has ended" in m.get("text", "")]
