"""What a newcomer does, in a real browser: landing page, phone, dashboard."""

import itertools
import re

import pytest
from playwright.sync_api import expect

from running import call

newcomers = itertools.count(6_500_001)


@pytest.fixture(params=[(1280, "light"), (390, "dark")], ids=["desktop", "phone"])
def page(request, chromium):
    width, scheme = request.param
    context = chromium.new_context(
        viewport={"width": width, "height": 900}, color_scheme=scheme, locale="en-US")
    page = context.new_page()
    problems = []
    page.on("console", lambda message: message.type == "error" and problems.append(message.text))
    page.on("pageerror", lambda error: problems.append(str(error)))
    # A page that is left while it asks for news is no problem.
    page.on("requestfailed", lambda request: "ABORTED" in (request.failure or "")
            or problems.append(request.url))
    yield page
    context.close()
    # Nothing on our pages may be blocked by our own policy, missing or broken.
    assert [text for text in problems if "the server responded with a status of 4" not in text] == []


def fits(page):
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), page.url


def sign_in(product, page, role="manager", path=None):
    login = product.login(role)
    page.goto(product.url + (path or f"/w/{product.demo['workspace']}"))
    page.get_by_label("E-mail").fill(login["email"])
    page.get_by_label("Password").fill(login["password"])
    page.get_by_role("button", name="Sign in").click()


def credits_after(text):
    return int(re.search(r"You have (\d+) credits?", text).group(1))


def test_a_payment_becomes_credits_and_an_operator_sees_it(product, page):
    page.goto(product.url + "/")
    fits(page)
    assert page.get_by_role("heading", level=1).is_visible()
    assert page.get_by_role("link", name="Sign in").first.is_visible()

    # The phone: somebody new buys the pack Start from the sticker bot.
    user = next(newcomers)
    name = f"Zoë {user}"
    call("POST", product.sandbox + "/sandbox/people", {
        "id": user, "first_name": name, "language_code": "en", "stars": 500})
    page.goto(product.sandbox + "/")
    page.get_by_role("link", name=re.compile(name)).click()
    page.get_by_role("link", name=re.compile("Aurora Stickers")).click()
    fits(page)
    page.get_by_role("textbox").last.fill("/buy")
    page.get_by_role("button", name="Send").click()
    page.get_by_role("button", name=re.compile(r"Start · 10 credits · 75 ★")).last.click()
    page.get_by_role("button", name="Pay 75 ★").last.or_(
        page.get_by_role("link", name="Pay 75 ★").last).first.wait_for()
    page.locator("text=Pay 75 ★").last.click()
    page.get_by_role("button", name=re.compile(r"^Pay")).last.click()
    confirmations = page.get_by_role("log").get_by_text(re.compile(r"Payment of 75 ★ received"))
    expect(confirmations).to_have_count(1, timeout=20_000)
    balance = credits_after(confirmations.last.inner_text())
    assert balance == 10

    # The paid action takes one.
    page.get_by_role("button", name="Make a sticker · 1 credit").last.click()
    used = page.get_by_role("log").get_by_text(re.compile(rf"1 credit used, {balance - 1} credits? left"))
    expect(used.last).to_be_visible(timeout=20_000)

    # The dashboard: found by name, by Telegram id and by charge id.
    sign_in(product, page, path=f"/w/{product.demo['workspace']}/customers")
    page.wait_for_url("**/customers")
    fits(page)

    def search(text):
        page.get_by_role("searchbox").fill(text)
        page.get_by_role("button", name="Search").click()
        page.wait_for_load_state()

    search(f"zoe {user}")
    page.get_by_role("link", name=name).click()
    fits(page)
    events = words(page.get_by_role("region", name="Timeline"))
    assert events.index("−1 credit") < events.index("+10 credits") < events.index("+75 ★")
    charge = page.locator("main a[href*='/payments/']").first
    charge_id = charge.get_attribute("href").rsplit("/", 1)[1]
    customer_url = page.url
    # An id leads straight to what has it.
    page.goto(f"{product.url}/w/{product.demo['workspace']}/customers")
    search(str(user))
    assert page.url == customer_url
    page.goto(f"{product.url}/w/{product.demo['workspace']}/customers")
    search(charge_id)
    assert page.url.endswith(f"/payments/{product.bot()['id']}/{charge_id}")
    fits(page)
    assert "75 ★" in words(page.get_by_role("heading", level=1))
    assert "10 credits given · 1 used · 9 left" in words(page.locator("main"))


def words(place):
    """What a person reads, with ordinary spaces."""
    return place.inner_text().replace("\u00a0", " ")


def test_every_page_without_a_script(product, chromium):
    """The dashboard works where JavaScript is off."""
    context = chromium.new_context(java_script_enabled=False, locale="pt-BR")
    page = context.new_page()
    login = product.login("owner")
    page.goto(f"{product.url}/w/{product.demo['workspace']}/payments")
    assert page.url.startswith(product.url + "/login")
    page.locator("input[name=email]").fill(login["email"])
    page.locator("input[name=password]").fill("not this one")
    page.locator("main button").click()
    assert page.locator("input[name=email]").input_value() == login["email"]
    page.locator("input[name=password]").fill(login["password"])
    page.locator("main button").click()
    assert page.url == f"{product.url}/w/{product.demo['workspace']}/payments"
    assert page.locator("html").get_attribute("lang") == "pt-BR"
    page.locator("main a[href*='/payments/']").first.click()
    page.get_by_role("button", name="Sair").first.click()
    assert "/login" in page.url
    page.goto(f"{product.url}/w/{product.demo['workspace']}")
    assert "/login" in page.url
    context.close()


def test_the_keyboard_reaches_the_search_and_skips_the_rail(product, chromium):
    context = chromium.new_context(locale="en-US")
    page = context.new_page()
    sign_in(product, page, path=f"/w/{product.demo['workspace']}/customers")
    page.wait_for_url("**/customers")
    page.keyboard.press("/")
    assert page.evaluate("document.activeElement.name") == "q"
    page.reload()
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.getAttribute('href')") == "#main"
    context.close()


def test_visitors_get_no_cookie(product, chromium):
    context = chromium.new_context()
    page = context.new_page()
    page.goto(product.url + "/")
    page.goto(product.url + "/login")
    assert context.cookies() == []
    context.close()
