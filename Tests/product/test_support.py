"""A complaint on the phone, an answer from the desk."""

import itertools
import time

from refunds import buy
from running import Dashboard, call, wait_until

updates = itertools.count(1_780_000_001)


def chat(product, user):
    address = f"{product.sandbox}/sandbox/people/{user}/chats/{product.bot()['id']}/messages"

    def said():
        return [line["message"].get("text", "") for line in call("GET", address).json()]

    return address, said


def test_a_buyer_complains_and_is_answered_in_the_chat(product):
    user, charge = buy(product)
    address, said = chat(product, user)
    call("POST", address, {"text": "just chatting"})
    call("POST", address, {"text": f"/paysupport {charge} nothing came"})
    wait_until(lambda: any("Somebody will answer here" in text for text in said()))
    call("POST", address, {"text": "hello?"})

    desk = Dashboard(product, "support")
    listed = desk.get("/support-cases")
    assert f"{charge} nothing came"[:40] in listed
    number = next(
        part.split('"')[0] for part in listed.split("/support-cases/")[1:]
        if charge[:20] in part.split("</a>")[0])
    wait_until(lambda: "hello?" in desk.get(f"/support-cases/{number}"))
    page = desk.get(f"/support-cases/{number}")
    assert "just chatting" not in page
    assert f"/payments/{product.bot()['id']}/{charge}" in page

    def send(noun, **form):
        page = desk.get(f"/support-cases/{number}")
        return desk.send(f"{desk.base}/support-cases/{number}/{noun}", {
            "csrf": desk.field(page, "csrf"), **form})

    key = desk.field(page, "form_key")
    for _ in range(2):
        assert send("replies", form_key=key, reply="Hi {name}, look again.").status == 200
    wait_until(lambda: f"Hi Lia {user}, look again." in said())
    assert said().count(f"Hi Lia {user}, look again.") == 1
    assert send("closure", seen=desk.field(desk.get(f"/support-cases/{number}"), "seen")).status == 200
    # The case is over: what the person writes now is the bot's again.
    call("POST", address, {"text": "thanks"})
    wait_until(lambda: "thanks" in said() and said()[-1] != "thanks")
    assert "thanks" not in desk.get(f"/support-cases/{number}")


def test_a_bot_passes_a_complaint_on_once(product):
    user, charge = buy(product)
    body = {"user": user, "text": "Nothing came.", "topic": "not_delivered", "charge_id": charge}
    opened = product.api("POST", "/v1/support-cases", body, key=f"support-{user}")
    assert opened.status == 201, opened.body
    again = product.api("POST", "/v1/support-cases", body, key=f"support-{user}")
    assert again.status == 200 and again.body == opened.body
    # The same words arrive as an update, too.
    update = {"update_id": next(updates), "message": {
        "message_id": 1, "date": int(time.time()), "text": "Nothing came.",
        "from": {"id": user, "is_bot": False, "first_name": "Lia"},
        "chat": {"id": user, "type": "private", "first_name": "Lia"}}}
    assert product.api("POST", "/v1/updates", update).json()["handled"] == "support.joined"
    page = Dashboard(product, "viewer").get(
        f"/support-cases/{opened.json()['support_case']['id']}")
    assert page.count('class="talk-words"') == 1
    assert 'name="reply"' not in page
