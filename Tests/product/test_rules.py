"""Usage rules in Chromium: what an operator settles binds the bot at once, and the page tells."""

import itertools
import uuid

import pytest
from playwright.sync_api import expect

from test_story import fits, sign_in

people = itertools.count(6_750_001)


@pytest.fixture(params=[(1280, "light"), (390, "dark")], ids=["desktop", "phone"])
def page(product, chromium, request):
    width, scheme = request.param
    context = chromium.new_context(
        viewport={"width": width, "height": 900}, color_scheme=scheme, locale="en-US")
    page = context.new_page()
    sign_in(product, page)
    page.wait_for_url(f"**/w/{product.demo['workspace']}")
    yield page
    context.close()


def go(product, page, path):
    page.goto(f"{product.url}/w/{product.demo['workspace']}/{path}")
    fits(page)


def use(product, user, action):
    return product.api(
        "POST", "/v1/debits", {"user": user, "action": action}, key=str(uuid.uuid4()))


def test_a_limit_binds_the_bot_and_its_history_is_kept(product, page):
    action, user = "voice_" + uuid.uuid4().hex[:8], next(people)
    go(product, page, "actions")
    page.get_by_role("link", name="New action").click()
    page.get_by_label("Name", exact=True).fill("Voice minute")
    page.get_by_label("Key", exact=True).fill(action)
    page.get_by_label("Price in credits per unit").fill("none")
    page.get_by_label("Free: A day").fill("2")
    page.get_by_role("button", name="Make this action").click()
    alert = page.get_by_role("alert")
    expect(alert).to_contain_text("Give a whole number from 0")
    fits(page)
    alert.get_by_role("link").click()
    page.get_by_label("Price in credits per unit").fill("0")
    page.get_by_role("button", name="Make this action").click()
    page.wait_for_url(f"**/actions/{action}")
    assert [use(product, user, action).status for _ in range(3)] == [201, 201, 429]

    page.get_by_label("Free: A day").fill("3")
    page.get_by_label("Why you change it").fill("Two were not enough")
    page.get_by_role("button", name="Change the rules").click()
    history = page.get_by_role("region", name="History")
    expect(history).to_contain_text("Two were not enough")
    expect(history).to_contain_text("Free: units a day")
    expect(history).to_contain_text("2 → 3")
    fits(page)
    assert [use(product, user, action).status for _ in range(2)] == [201, 429]

    page.get_by_text("Withdraw this action").first.click()
    page.get_by_role("button", name="Withdraw this action").click()
    expect(page.locator(".title .state")).to_have_text("Withdrawn")
    gone = use(product, user, action)
    assert (gone.status, gone.json()["code"]) == (422, "unknown_action")


def test_the_paywall_says_what_an_operator_wrote(product, page):
    user, words = next(people), f"Pick a pack, friend {uuid.uuid4().hex[:6]}."

    def told():
        answer = product.api(
            "POST", "/v1/checks", {"user": user, "action": "sticker", "language": "de"}).json()
        return answer["paywall"]["text"]

    go(product, page, "paywall")
    page.get_by_label("Another language").fill("de")
    page.get_by_role("button", name="Open this language").click()
    section = page.get_by_role("region", name="Before the first purchase")
    expect(section).to_contain_text("There are no words in this language yet")
    section.get_by_text("Change these words").click()
    section.get_by_label("Text").fill(words)
    section.get_by_role("button", name="Use these words").click()
    expect(section.locator(".bubble")).to_contain_text(words)
    fits(page)
    assert told() == words
    section.get_by_text("Change these words").click()
    section.get_by_role("button", name="Go back to our words").click()
    expect(section.locator(".bubble")).not_to_contain_text(words)
    assert told() != words


def test_a_decision_about_a_trial_shows_its_factors(product, page):
    user, source = next(people), "ad " + uuid.uuid4().hex[:6]
    answer = product.api(
        "POST", "/v1/trial-grants",
        {"user": user, "engagement": 4, "intent": 3, "source": source}, key=str(uuid.uuid4()))
    assert (answer.status, answer.json()["trial_grant"]["reason"]) == (201, "score_too_low")
    go(product, page, "trials")
    row = page.locator("tr", has_text=source)
    for words in ("Too few points", "7, 12 needed", "engagement\u00a04, intent\u00a03"):
        expect(row).to_contain_text(words)
