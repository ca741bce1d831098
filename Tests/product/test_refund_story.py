"""An operator decides about refunds in a real browser; the buyer's phone follows."""

import re

import pytest
from playwright.sync_api import expect

from running import Dashboard, call
from refunds import buy
from test_paid_path import sql
from test_story import fits, page, sign_in, words  # noqa: F401 (page is a fixture)


def charge_page(product, charge):
    return f"/w/{product.demo['workspace']}/payments/{product.bot()['id']}/{charge}"


def chat(product, user):
    return f"{product.sandbox}/people/{user}/chats/{product.bot()['id']}"


def use(product, user, times):
    for number in range(times):
        answer = product.api(
            "POST", "/v1/debits", {"user": user, "action": "sticker"}, key=f"{user}-{number}")
        assert answer.status == 201, answer.body


def ask(product, page, charge, role="manager"):
    """From the payment's page to its refund case."""
    sign_in(product, page, role=role, path=charge_page(product, charge))
    page.wait_for_url("**/payments/**")
    fits(page)
    page.locator("summary.decision-title").click()
    page.locator("#reason").select_option("bought_by_mistake")
    page.locator("#note").fill("wrote to us in the chat")
    page.locator("details.decision button").click()
    page.wait_for_url("**/refunds/*")
    fits(page)


def facts(page):
    return words(page.locator("dl.facts"))


def test_an_approved_refund_reaches_the_buyer(product, page):
    user, charge = buy(product, "pro")
    use(product, user, 3)
    ask(product, page, charge)
    preview = words(page.get_by_role("region", name="What a refund does"))
    for line in ("Your rule says: do not refund", "3 credits used or in use", "−500 ★",
                 "−97 credits", "of 100 given", "Used already, forgiven", "3 credits",
                 "Access: HD quality", "Balance 97 → 0"):
        assert line in preview, (line, preview)
    page.get_by_label("Message to the buyer").locator("visible=true").fill("See you soon.")
    page.get_by_role("button", name="Refund 500 ★").click()
    page.wait_for_load_state()
    expect(page.locator(".title .state")).to_have_text("Refunded")
    fits(page)
    assert "Bought by mistake" in facts(page)
    result = words(page.get_by_role("region", name="What it took back"))
    assert "97 credits" in result and "Used before, forgiven" in result
    case = page.url
    expect(page.locator("dl.facts")).to_contain_text("was told through the bot")

    # The buyer's phone: Telegram's own line and the bot's message, once each.
    page.goto(chat(product, user))
    log = page.get_by_role("log")
    expect(log.get_by_text(re.compile(
        r"Your payment of 500 ★ for “Pro” is refunded.*97 unused credits.*See you soon", re.S))
    ).to_have_count(1)
    expect(log).to_contain_text(re.compile("refund", re.I))
    people = call("GET", product.sandbox + "/sandbox/people").json()
    assert next(p["stars"] for p in people if p["id"] == user) == 5000

    # Balance, access and timeline.
    customer = product.api("GET", f"/v1/customers/{user}").json()
    assert customer["balance"]["available"] == 0 and customer["access"] == []
    answer = product.api(
        "POST", "/v1/debits", {"user": user, "action": "sticker"}, key=f"{user}-after")
    assert answer.status == 402
    page.goto(case)
    page.locator("dl.facts a[href*='/customers/']").click()
    fits(page)
    timeline = words(page.get_by_role("region", name="Timeline"))
    order = ["−500 ★", "−100 credits", "+3 credits", "Held for a refund", "−97 credits",
             "−1 credit", "+100 credits", "+500 ★"]
    places = [timeline.find(text) for text in order]
    assert -1 not in places, (list(zip(order, places)), timeline)
    assert "Withdrawn" in words(page.get_by_role("region", name="Access"))
    page.goto(product.url + charge_page(product, charge))
    fits(page)
    assert "Refunded" in words(page.locator(".title"))


def test_a_declined_refund_moves_nothing(product, page):
    user, charge = buy(product)
    ask(product, page, charge)
    page.locator("summary", has_text="Decline").click()
    page.locator("#decline-message").fill("All ten credits were used.")
    page.get_by_role("button", name="Decline").click()
    page.wait_for_load_state()
    expect(page.locator(".title .state")).to_have_text("Declined")
    fits(page)
    assert product.balance(user) == 10
    page.goto(chat(product, user))
    expect(page.get_by_role("log").get_by_text(re.compile(
        "will not refund it.*All ten credits were used", re.S))).to_have_count(1)
    page.goto(f"{product.url}/w/{product.demo['workspace']}/customers?q={user}")
    assert "Refund declined, pack Start" in words(page.get_by_role("region", name="Timeline"))


def test_goodwill_credits_instead_of_stars(product, page):
    user, charge = buy(product)
    use(product, user, 4)
    ask(product, page, charge)
    page.locator("summary", has_text="Give credits instead").click()
    credits = page.get_by_label("Credits to give")
    assert credits.input_value() == "4", "what was used is proposed"
    credits.fill("minus two")
    page.locator("#goodwill-note").fill("slow last night")
    page.get_by_role("button", name="Give credits instead").click()
    page.wait_for_load_state()
    fits(page)
    expect(page.get_by_role("alert")).to_contain_text("whole number from 1 to 1,000,000")
    assert credits.input_value() == "minus two"
    assert page.locator("#goodwill-note").input_value() == "slow last night"
    assert product.balance(user) == 6
    credits.fill("5")
    page.get_by_role("button", name="Give credits instead").click()
    page.wait_for_load_state()
    expect(page.locator(".title .state")).to_have_text("Goodwill given")
    assert product.balance(user) == 11
    page.goto(chat(product, user))
    expect(page.get_by_role("log").get_by_text(
        "we have added 5 credits to your balance")).to_have_count(1)
    page.goto(f"{product.url}/w/{product.demo['workspace']}/customers?q={user}")
    timeline = words(page.get_by_role("region", name="Timeline"))
    assert "Goodwill credits" in timeline and "+5 credits" in timeline
    people = call("GET", product.sandbox + "/sandbox/people").json()
    assert next(p["stars"] for p in people if p["id"] == user) == 4925


def test_support_asks_and_a_manager_decides(product, page):
    user, charge = buy(product)
    ask(product, page, charge, role="support")
    # The demo's support reads Portuguese.
    assert "Quem decide este caso é a gerência" in words(page.locator("main"))
    assert page.locator("main button").count() == 0
    case = int(page.url.rsplit("/", 1)[1])
    page.goto(f"{product.url}/w/{product.demo['workspace']}/refunds")
    fits(page)
    page.locator(f"main a[href$='/refunds/{case}']").click()
    assert product.balance(user) == 10
    # Between the manager's look and the click, the customer uses some.
    manager = Dashboard(product, "manager")
    previewed = manager.field(manager.page(case), "previewed")
    use(product, user, 2)
    answer = manager.approve(case, previewed=previewed)
    assert answer.status == 409
    assert "The credits moved since you looked" in answer.body.decode()
    assert product.balance(user) == 8
    assert manager.approve(case).status == 200
    assert product.balance(user) == 0


@pytest.mark.parametrize("how, status", [("approval", 200), ("goodwill", 409), ("decline", 409)])
def test_a_decided_case_is_not_decided_again(product, how, status):
    """The same form sent twice lands on its result; another decision is refused."""
    user, charge = buy(product)
    manager = Dashboard(product, "manager")
    case = manager.ask(charge)
    first = manager.page(case)
    token, previewed = manager.field(first, "csrf"), manager.field(first, "previewed")
    assert manager.approve(case).status == 200
    answer = manager.send(f"{manager.base}/refunds/{case}/{how}", {
        "csrf": token, "previewed": previewed, "credits": "3"})
    assert answer.status == status, answer.body
    assert ("Somebody else decided" in answer.body.decode()) == (status == 409)
    assert product.balance(user) == 0
    assert sql(product, f"select approvals from refunds where refund_id = {case}") == "1"
    # Another manager's click on the same button is told.
    owner = Dashboard(product, "owner")
    page = owner.get()
    answer = owner.send(f"{owner.base}/refunds/{case}/approval", {
        "csrf": owner.field(page, "csrf"), "previewed": previewed})
    assert answer.status == 409


def test_the_same_invoice_paid_twice_opens_a_case(product):
    user, _ = buy(product)
    sale = product.api(
        "POST", "/v1/checkouts", {"user": user, "sku": "start"}, key=f"twice-{user}").json()
    before = Dashboard(product, "viewer").get("/refunds?show=all").count("Paid twice")
    for number in range(2):
        charge = f"stxTwice{user}n{number}"
        assert product.webhook({"update_id": 1_800_000_000 + user * 2 + number, "message": {
            "message_id": 1, "date": 1_795_000_000,
            "from": {"id": user, "is_bot": False, "first_name": "Lia"},
            "chat": {"id": user, "type": "private", "first_name": "Lia"},
            "successful_payment": {
                "currency": "XTR", "total_amount": 75,
                "invoice_payload": sale["checkout"]["payload"],
                "telegram_payment_charge_id": charge, "provider_payment_charge_id": "x"}}}
        ).status == 200
    viewer = Dashboard(product, "viewer")
    assert viewer.get("/refunds?show=all").count("Paid twice") == before + 1
    page = viewer.get(f"/payments/{product.bot()['id']}/stxTwice{user}n1")
    assert "The same invoice was paid before" in page and "Ask for a refund" not in page
