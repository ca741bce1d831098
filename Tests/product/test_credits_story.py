""""My credits vanished": an operator finds the buyer, sees where they went and says so."""

import itertools
import re
import uuid

import pytest
from playwright.sync_api import expect

from running import Dashboard, call, wait_until
from test_paid_path import sql
from test_story import fits, sign_in, words

people = itertools.count(7_600_001)


@pytest.fixture(params=[True, False], ids=["script", "no-script"])
def desk(request, chromium):
    """A page with JavaScript on a desktop, and one without on a phone."""
    size = {"width": 1280, "height": 900} if request.param else {"width": 390, "height": 844}
    context = chromium.new_context(
        java_script_enabled=request.param, viewport=size, locale="en-US")
    if request.param:
        context.grant_permissions(["clipboard-read", "clipboard-write"])
    page = context.new_page()
    page.has_script = request.param
    yield page
    context.close()


def buyer(product, name):
    """Somebody who bought ten credits, used four, and holds none."""
    user = next(people)
    call("POST", product.sandbox + "/sandbox/people", {
        "id": user, "first_name": name, "last_name": f"N{user}", "username": f"buyer_{user}",
        "language_code": "pt-br", "stars": 500})
    call("POST", f"{product.sandbox}/sandbox/people/{user}/chats/{product.bot()['id']}/messages",
         {"text": "/start"})
    sale = product.api(
        "POST", "/v1/checkouts", {"user": user, "sku": "start"}, key=str(uuid.uuid4())).json()
    paid = call("POST", f"{product.sandbox}/sandbox/people/{user}/payments",
                {"invoice": sale["checkout"]["invoice_link"]}).json()
    assert paid["outcome"] == "paid", paid
    wait_until(lambda: product.balance(user) == 10)
    for number in range(4):
        answer = product.api(
            "POST", "/v1/debits", {"user": user, "action": "sticker"}, key=f"{user}-{number}")
        assert answer.status == 201, answer.body
    return user, paid["charge_id"]


def find(page, text):
    """Through the box that every page has: in its header, or on a phone in the menu."""
    if page.has_script:
        page.keyboard.press("/")
        page.keyboard.type(text)
        with page.expect_navigation():
            page.keyboard.press("Enter")
    else:
        box = page.locator("main input[type=search]")
        if box.count() == 0:
            page.locator("summary.menu-button").click()
            box = page.locator(".menu-panel input[type=search]")
        box.fill(text)
        with page.expect_navigation():
            box.press("Enter")


def test_my_credits_vanished(product, desk):
    user, charge = buyer(product, "Tomás")
    sign_in(product, desk)
    desk.wait_for_url(f"**/w/{product.demo['workspace']}")
    fits(desk)

    # Ids lead straight there; a name with a letter wrong leads there, too.
    find(desk, charge)
    assert "/payments/" in desk.url
    find(desk, f"@Buyer_{user}")
    customer = desk.url
    assert "/customers/" in customer
    find(desk, str(user))
    assert desk.url == customer
    find(desk, f"tomsa n{user}")
    fits(desk)
    expect(desk.get_by_role("status")).to_contain_text("letter by letter")
    desk.get_by_role("link", name=f"Tomás N{user}").click()
    assert desk.url == customer
    fits(desk)

    # Where they went, at a glance and one by one.
    balance = words(desk.get_by_role("region", name="Balance"))
    assert re.search(r"Came in\s+\+10", balance) and re.search(r"× 4\s+−4", balance), balance
    assert re.search(r"Left\s+6", balance), balance
    assert "75 ★" in words(desk.get_by_role("region", name="Since the beginning"))
    timeline = desk.get_by_role("region", name="Timeline")
    everything = words(timeline)
    for what in ("−1 credit", "+10 credits", "+75 ★"):
        assert what in everything, (what, everything)
    timeline.get_by_role("link", name="Uses", exact=True).click()
    desk.wait_for_url("**show=uses**")
    uses = words(timeline)
    assert uses.count("−1 credit") == 4 and "★" not in uses, uses
    fits(desk)
    timeline.get_by_role("link", name="Cases", exact=True).click()
    desk.wait_for_url("**show=cases**")
    assert "Nothing of this kind" in words(timeline)

    # The answer is ready, in the buyer's language.
    desk.get_by_role("link", name="Where did the credits go?").click()
    desk.wait_for_url("**/credit-answers/new")
    fits(desk)
    answer = desk.get_by_label("Answer", exact=True)
    assert "Olá, Tomás!" in answer.input_value()
    for language, said in (("Spanish", "Ahora tienes 6 créditos."),
                           ("Russian", "Сейчас у вас: 6 кредитов."),
                           ("English", "Now you have 6 credits.")):
        desk.get_by_role("link", name=language).click()
        desk.wait_for_load_state()
        assert said in answer.input_value(), answer.input_value()
    desk.get_by_role("link", name="Portuguese").click()
    desk.wait_for_load_state()
    text = answer.input_value()
    assert "Agora você tem 6 créditos." in text and "−4 créditos" in text, text
    copy = desk.get_by_role("button", name="Copy")
    if desk.has_script:
        copy.click()
        expect(desk.get_by_role("button", name="Copied")).to_be_visible()
        assert desk.evaluate("navigator.clipboard.readText()") == text
    else:
        assert copy.count() == 0

    # Nothing is sent empty; what is sent arrives once, as it stood there.
    answer.fill(" ")
    desk.get_by_role("button", name="Send to Tomás").click()
    desk.wait_for_load_state()
    expect(desk.get_by_role("alert")).to_contain_text("Write what the customer is to read")
    answer.fill(text + "\n\nUm abraço, Lia")
    desk.get_by_role("button", name="Send to Tomás").click()
    desk.wait_for_url("**answered=**")
    fits(desk)
    expect(desk.get_by_role("status")).to_contain_text("Sent")
    said = desk.get_by_role("region", name="Timeline").locator(".strip-row").first
    expect(said).to_contain_text("Answer: where the credits went")
    desk.goto(f"{product.sandbox}/people/{user}/chats/{product.bot()['id']}")
    expect(desk.get_by_role("log").get_by_text(
        re.compile("Agora você tem 6 créditos.*Um abraço, Lia", re.S))).to_have_count(1)


def test_a_customer_is_erased(product, desk):
    user, charge = buyer(product, "Wanda")
    sign_in(product, desk)
    desk.wait_for_url(f"**/w/{product.demo['workspace']}")
    find(desk, str(user))
    customer = desk.url
    desk.get_by_role("link", name="Erase this customer").click()
    desk.wait_for_url("**/erasure")
    fits(desk)
    page = words(desk.locator("main"))
    for said in ("6 credits that are left", "1 payment with its Stars", "cannot be taken back"):
        assert said in page, (said, page)
    desk.get_by_role("button", name="Erase Wanda").click()
    desk.wait_for_load_state()
    expect(desk.get_by_role("alert")).to_contain_text("Tick the box")
    desk.get_by_label("Yes, forget this person").check()
    desk.get_by_role("button", name="Erase Wanda").click()
    desk.wait_for_url(customer)
    fits(desk)
    page = words(desk.locator("main"))
    assert "Wanda" not in page and str(user) not in page and "Erased" in page
    # What was paid and used is still there, and nobody can be told of it.
    timeline = words(desk.get_by_role("region", name="Timeline"))
    assert "+75 ★" in timeline and timeline.count("−1 credit") == 4
    assert desk.get_by_role("link", name="Where did the credits go?").count() == 0
    find(desk, "wanda")
    assert f"N{user}" not in words(desk.locator("main"))
    find(desk, charge)
    assert "Wanda" not in words(desk.locator("main"))
    # To the bot the person is somebody new.
    answer = product.api("GET", f"/v1/customers/{user}")
    assert answer.status == 404 or answer.json()["balance"]["available"] == 0
    number = int(customer.rsplit("/", 1)[1])
    assert sql(product, f"select telegram_id from customers where customer_id = {number}") \
        == str(-number)


def test_only_a_manager_erases(product):
    user, _ = buyer(product, "Ivo")
    support = Dashboard(product, "support")
    answer = support.send(f"{support.base}/customers?q={user}")
    assert "/erasure" not in answer.body.decode()
    assert support.send(f"{answer.url}/erasure").status == 403
    assert product.balance(user) == 6
