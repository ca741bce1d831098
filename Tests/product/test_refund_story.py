"""An operator decides about refunds in a real browser; the buyer's phone follows."""

import re

import pytest
from playwright.sync_api import expect

from running import Dashboard, call, wait_until
from refunds import buy
from test_paid_path import sql
from test_story import fits, sign_in, words


@pytest.fixture(params=[(1280, True), (390, False)], ids=["desktop", "phone-without-script"])
def page(request, chromium):
    width, has_script = request.param
    context = chromium.new_context(
        viewport={"width": width, "height": 900}, java_script_enabled=has_script, locale="en-US")
    yield context.new_page()
    context.close()


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
    ask_here(page)


def ask_here(page):
    fits(page)
    page.locator("summary.decision-title").click()
    page.locator("#reason").select_option("bought_by_mistake")
    page.locator("#note").fill("wrote to us in the chat")
    page.locator("details.decision button").click()
    page.wait_for_url("**/refunds/*")
    fits(page)


def stars(product, user):
    people = call("GET", product.sandbox + "/sandbox/people").json()
    return next(person["stars"] for person in people if person["id"] == user)


def facts(page):
    return words(page.locator("dl.facts"))


def test_i_want_my_money_back(product, page):
    """Three people ask, and each complaint ends another way; a fourth goes to Telegram itself."""
    refund_what_is_unused(product, page)
    give_credits_instead(product, page)
    decline_what_is_used_up(product, page)
    see_what_telegram_refunds(product, page)


def refund_what_is_unused(product, page):
    user, charge = buy(product, "pro", language="pt-br")
    # From the complaint to the case: the charge id is all that the buyer sent.
    sign_in(product, page, path=f"/w/{product.demo['workspace']}/customers?q={charge}")
    page.wait_for_url("**/payments/**")
    ask_here(page)
    path = words(page.get_by_role("region", name="The way of this payment"))
    steps = ["Invoice", "500 ★", "Pre-checkout accepted", "Payment", "+500 ★", "+100 credits"]
    places = [path.find(step) for step in steps]
    assert -1 not in places and places == sorted(places), (places, path)
    preview = words(page.get_by_role("region", name="What a refund does"))
    for line in ("Your rule says: refund", "within 24 hours · nothing used", "−500 ★",
                 "−100 credits", "of 100 given", "Access: HD quality", "Balance 100 → 0",
                 "Cost of what was used", "Margin of this payment"):
        assert line in preview, (line, preview)
    # What the buyer would read, in the buyer's language, before anything happens.
    approval = page.locator("details.decision", has=page.locator("[name=previewed]"))
    expect(approval.locator(".bubble")).to_contain_text("(Portuguese")
    approval.get_by_label("Message to the buyer").fill("Volte sempre.")
    approval.get_by_role("button", name="Show what the buyer reads").click()
    page.wait_for_load_state()
    fits(page)
    expect(approval.locator(".bubble")).to_contain_text(re.compile(
        "500 ★ por “Pro” foi estornado.*100 créditos não usados.*Volte sempre", re.S))
    assert product.balance(user) == 100
    page.get_by_role("button", name="Refund 500 ★").click()
    page.wait_for_load_state()
    expect(page.locator(".title .state")).to_have_text("Refunded")
    fits(page)
    assert "Bought by mistake" in facts(page) and "Your rule said" in facts(page)
    assert "100 credits" in words(page.get_by_role("region", name="What it took back"))
    expect(page.locator("dl.facts")).to_contain_text("was told through the bot")
    case = page.url

    # The buyer's phone: Telegram's own line and the bot's message, once each.
    page.goto(chat(product, user))
    log = page.get_by_role("log")
    expect(log.get_by_text(re.compile("foi estornado.*Volte sempre", re.S))).to_have_count(1)
    assert stars(product, user) == 5000

    # Balance, access and timeline.
    customer = product.api("GET", f"/v1/customers/{user}").json()
    assert customer["balance"]["available"] == 0 and customer["access"] == []
    page.goto(case)
    page.locator("dl.facts a[href*='/customers/']").click()
    fits(page)
    timeline = words(page.get_by_role("region", name="Timeline"))
    order = ["−500 ★", "−100 credits", "Held for a refund", "+500 ★"]
    places = [timeline.find(text) for text in order]
    assert -1 not in places and places == sorted(places), (places, timeline)


def give_credits_instead(product, page):
    user, charge = buy(product)
    use(product, user, 4)
    page.goto(product.url + charge_page(product, charge))
    ask_here(page)
    path = words(page.get_by_role("region", name="The way of this payment"))
    assert "used 4 times" in path and "−4 credits" in path
    assert "4 credits used or in use (40%, at most 0%)" in words(page.locator("main"))
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
    assert product.balance(user) == 11 and stars(product, user) == 4925
    page.goto(chat(product, user))
    expect(page.get_by_role("log").get_by_text(
        "we have added 5 credits to your balance")).to_have_count(1)


def decline_what_is_used_up(product, page):
    user, charge = buy(product)
    use(product, user, 10)
    page.goto(product.url + charge_page(product, charge))
    ask_here(page)
    case = page.url
    # The queue names reason and age, and what the rule says.
    page.goto(f"{product.url}/w/{product.demo['workspace']}/refunds?reason=bought_by_mistake")
    fits(page)
    row = page.get_by_role("row", name=re.compile(f"Lia {user}"))
    assert "Too much used" in words(row) and "Bought by mistake" in words(row)
    row.get_by_role("link").click()
    assert page.url == case
    page.locator("summary", has_text="Decline").click()
    reason = page.get_by_label("Why not")
    assert reason.input_value() == "credits_used", "the rule's own reason is proposed"
    reason.select_option("delivered")
    page.locator("#decline-message").fill("All ten stickers are in your chat.")
    page.get_by_role("button", name="Decline").click()
    page.wait_for_load_state()
    expect(page.locator(".title .state")).to_have_text("Declined")
    fits(page)
    assert "It was delivered" in facts(page) and product.balance(user) == 0
    page.goto(chat(product, user))
    expect(page.get_by_role("log").get_by_text(re.compile(
        "will not refund it. What you paid for was delivered.*All ten stickers", re.S))
    ).to_have_count(1)


def see_what_telegram_refunds(product, page):
    """Nobody of the team has a part in it: the case is there, settled, with what it took."""
    user, charge = buy(product)
    use(product, user, 1)
    answer = call(
        "POST", product.sandbox + "/console/refunds", f"charge={charge}&origin=telegram".encode(),
        {"Content-Type": "application/x-www-form-urlencoded"})
    assert answer.status < 400, answer.body
    wait_until(lambda: product.balance(user) == 0)
    page.goto(f"{product.url}/w/{product.demo['workspace']}/refunds?show=closed&source=telegram")
    fits(page)
    page.get_by_role("row", name=re.compile(f"Lia {user}")).get_by_role("link").click()
    expect(page.locator(".title .state")).to_have_text("Refunded")
    assert "by Telegram: refunded elsewhere" in facts(page)
    assert "9 credits" in words(page.get_by_role("region", name="What it took back"))
    assert page.locator("details.decision").count() == 0


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
        "csrf": token, "previewed": previewed, "credits": "3", "reason": "other"})
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
    viewer = Dashboard(product, "viewer")
    customer = sql(product, f"select customer_id from customers where telegram_id = {user}")

    def cases():
        page = viewer.get(f"/refunds?show=all&reason=double_payment&customer={customer}")
        return len(re.findall(r'href="[^"]*/refunds/\d+"', page))

    assert cases() == 0
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
    assert cases() == 1
    page = viewer.get(f"/payments/{product.bot()['id']}/stxTwice{user}n1")
    assert "The same invoice was paid before" in page and "Ask for a refund" not in page


def test_the_rule_decides_alone_where_it_may(product):
    """An owner lets the rule approve; what it speaks for is with the buyer at once."""
    owner, support = Dashboard(product, "owner"), Dashboard(product, "support")
    manager = Dashboard(product, "manager")

    def settle(**changes):
        page = owner.get("/refund-policy")
        answer = owner.send(owner.base + "/refund-policy", {
            "csrf": owner.field(page, "csrf"), "version": owner.field(page, "version"),
            "max_age_hours": "24", "max_used_percent": "0", "one_per_customer": "yes",
            "auto_approves": "no", "four_eyes_stars": "", "refund_debt_policy": "forgive",
            **changes})
        assert answer.status == 200 and answer.url.endswith("?saved=1"), answer.body

    settle(auto_approves="yes")
    try:
        user, charge = buy(product)
        case = support.ask(charge)
        wait_until(lambda: sql(
            product, f"select state from refunds where refund_id = {case}") == "confirmed")
        assert "eStars, by your rule" in manager.get(f"/refunds/{case}")
        assert product.balance(user) == 0 and stars(product, user) == 5000
        # One that it does not speak for waits, whoever asks: here the buyer, through the bot.
        user, _ = buy(product)
        use(product, user, 1)
        answer = product.api("POST", "/v1/support-cases", {
            "user": user, "text": "I want my money back", "topic": "refund"}, key=f"back-{user}")
        assert answer.status == 201, answer.body
        waiting = "select state from refunds where source = 'buyer' order by refund_id desc limit 1"
        wait_until(lambda: sql(product, waiting))
        page = manager.get("/refunds?source=buyer")
        assert f"Lia {user}" in page and "Too much used" in page
        assert sql(product, waiting) == "requested" and product.balance(user) == 9
    finally:
        settle()
