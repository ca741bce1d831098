"""Plans and subscriptions in Chromium: a plan is made, sold, paid at the sandbox, and stopped."""

import itertools
import re
import uuid

import pytest
from playwright.sync_api import expect

from running import call, wait_until
from test_rules import go, page  # noqa: F401  (the fixture: a manager, at two widths)
from test_story import fits

people = itertools.count(7_300_001)


def subscriber(product):
    user = next(people)
    call("POST", product.sandbox + "/sandbox/people", {
        "id": user, "first_name": f"Iara {user}", "language_code": "pt-br", "stars": 9000})
    return user


def subscription(product, user):
    return product.api("GET", f"/v1/customers/{user}").json().get("subscription")


def test_a_plan_is_made_sold_and_stopped(product, page):
    plan, user = "studio_" + uuid.uuid4().hex[:8], subscriber(product)
    go(product, page, "plans")
    expect(page.get_by_role("row", name="Commercial use")).to_contain_text("Yes")
    page.get_by_role("link", name="New plan").click()
    page.get_by_label("Name", exact=True).first.fill("Studio")
    page.get_by_label("Key", exact=True).fill(plan)
    page.get_by_label("Description", exact=True).first.fill("300 credits a month.")
    page.get_by_label("Tier").select_option("pro")
    page.get_by_label("Stars every 30 days").fill("12,000")
    page.get_by_label("Credits a month").fill("300")
    page.get_by_label("HD quality").check()
    page.get_by_text("português (Brasil)", exact=False).or_(
        page.get_by_text("Portuguese (Brazil)")).first.click()
    page.locator('[id="title:pt-br"]').fill("Estúdio")
    page.locator('[id="description:pt-br"]').fill("300 créditos por mês.")
    page.get_by_role("button", name="Make this plan").click()
    alert = page.get_by_role("alert")
    expect(alert).to_contain_text("Give a whole number from 1 to 10,000")
    expect(page.get_by_label("HD quality")).to_be_checked()
    fits(page)
    alert.get_by_role("link").click()
    page.get_by_label("Stars every 30 days").fill("1,500")
    page.get_by_role("button", name="Make this plan").click()
    page.wait_for_url(f"**/plans/{plan}")
    fits(page)

    told = {row["plan"]: row for row in product.api(
        "GET", f"/v1/catalog?user={user}&language=pt-br").json()["plans"]}[plan]
    assert (told["title"], told["stars"], told["credits_per_cycle"]) == ("Estúdio", 1500, 300)
    assert told["entitlements"] == ["pro", "hd_quality"]
    sale = product.api(
        "POST", "/v1/checkouts", {"user": user, "plan": plan}, key=str(uuid.uuid4()))
    assert sale.status == 201, sale.body
    link = {"invoice": sale.json()["checkout"]["invoice_link"]}
    # At once: what was put on sale a moment ago is sold.
    paid = call("POST", f"{product.sandbox}/sandbox/people/{user}/payments", link)
    assert paid.json()["outcome"] == "paid", paid.body
    wait_until(lambda: subscription(product, user))
    assert subscription(product, user)["renewal"] == "on" and product.balance(user) == 300

    go(product, page, f"subscriptions?plan={plan}")
    row = page.get_by_role("row", name=re.compile(f"Iara {user}"))
    expect(row).to_contain_text("Active")
    row.get_by_role("link").click()
    fits(page)
    page.get_by_text("Stop the renewal").first.click()
    page.get_by_label("Reason").first.fill("Wrote to support")
    page.get_by_role("button", name="Stop the renewal").click()
    # Telegram is asked by a job; the page says so until it has confirmed.
    wait_until(lambda: subscription(product, user)["renewal"] == "off")
    page.reload()
    expect(page.locator(".facts")).to_contain_text("Off")
    expect(page.get_by_role("region", name="History")).to_contain_text("stopped the renewal")
    fits(page)
    known = call("GET", f"{product.sandbox}/sandbox/people/{user}/subscriptions").json()
    assert [entry["state"] for entry in known] == ["canceled"]
    assert subscription(product, user)["state"] == "active"


@pytest.mark.parametrize("path", ["plans", "plans/pro", "plans/new", "subscriptions?show=all"])
def test_pages_fit(product, page, path):
    go(product, page, path)
