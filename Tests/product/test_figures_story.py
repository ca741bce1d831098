"""How did we do this week: an operator reads the overview, the analytics and the payments behind
them, with scripts on a desktop and without any on a phone."""

import re

import pytest

from refunds import buy
from running import Dashboard
from test_paid_path import sql
from test_story import fits, sign_in, words


@pytest.fixture(params=[(True, 1280, "light"), (False, 390, "dark")], ids=["script", "no-script"])
def page(request, chromium):
    scripts, width, scheme = request.param
    context = chromium.new_context(
        java_script_enabled=scripts, viewport={"width": width, "height": 900},
        color_scheme=scheme, locale="en-US")
    yield context.new_page()
    context.close()


def figure(page, label):
    """The number of a figure, as digits."""
    card = page.locator(".figure", has=page.locator("dt", has_text=re.compile(f"^{label}$"))).first
    value = words(card.locator(".figure-value"))
    assert words(card.locator(".figure-note")), label
    return int(re.sub(r"[^\d−]", "", value).replace("−", "-"))


def test_how_did_we_do_this_week(product, page):
    buy(product)
    sign_in(product, page)
    page.wait_for_url(f"**/w/{product.demo['workspace']}")
    fits(page)
    main = page.locator("main")
    assert "beside the 7 days before" in words(main)
    net, paid = figure(page, "Net Stars"), figure(page, "Payments")
    used = figure(page, "Credits used")

    # Whatever happens is in the figures at once.
    user, charge = buy(product)
    answer = product.api(
        "POST", "/v1/debits", {"user": user, "action": "sticker", "units": 2}, key=f"week-{user}")
    assert answer.status == 201, answer.body
    page.reload()
    assert "Everything that has happened is counted" in words(main)
    assert figure(page, "Net Stars") == net + 75
    assert figure(page, "Payments") == paid + 1
    assert figure(page, "Credits used") == used + 2
    assert page.locator("svg[role=img][aria-label^='Net Stars by day']").count() == 1

    # The same week in full: each number with what it means, and the days in a table.
    page.get_by_role("link", name="All figures of this time").click()
    page.wait_for_url("**/analytics?period=7d")
    fits(page)
    assert figure(page, "Net Stars") == net + 75
    assert figure(page, "Used") == used + 2
    assert "Stars paid less Stars refunded" in words(main)
    for label in ("Refund rate", "Success rate", "Trial conversion", "Churn", "MRR",
                  "Lifetime value", "Outstanding", "Margin", "Pressure"):
        assert page.locator(".figure dt", has_text=re.compile(f"^{label}$")).count() == 1, label
    chart = page.locator(".chart-box").first
    chart.locator("summary").click()
    rows = chart.locator("tbody tr")
    assert rows.count() == 7
    days = [int(re.sub(r"[^\d−]", "", words(row.locator("td").last)).replace("−", "-"))
            for row in rows.all()]
    assert sum(days) == net + 75
    fits(page)
    for section in ("Money", "Paying", "Credits", "Usage and margin", "Customers", "Support"):
        assert page.get_by_role("heading", level=2, name=section, exact=True).count() == 1, section

    # Dates of one's own.
    page.locator("summary", has_text="Choose dates").click()
    page.locator("#from").fill("2026-01-31")
    page.locator("#to").fill("2026-01-01")
    page.get_by_role("button", name="Show").click()
    page.wait_for_load_state()
    assert "1 Jan 2026 – 31 Jan 2026" in words(main)
    assert figure(page, "Stars paid") == 0
    fits(page)

    # What sold best, down to one payment.
    page.goto(page.url.split("?")[0] + "?period=7d")
    page.get_by_role("table", name="Top products").locator("a[href$='sku=start']").click()
    page.wait_for_url("**/payments?sku=start")
    fits(page)
    assert "Only payments for start" in words(main)
    page.locator("#period").select_option("today")
    page.locator("#state").select_option("paid")
    page.locator("#who").fill(charge)
    page.get_by_role("button", name="Filter").click()
    page.wait_for_load_state()
    assert "sku=start" in page.url and "state=paid" in page.url
    fits(page)
    rows = page.locator("main table tbody tr")
    assert rows.count() == 1 and "75 ★" in words(rows) and "R$" in words(rows)
    rows.locator("a[href*='/payments/']").click()
    page.wait_for_url(f"**/{charge}")
    fits(page)
    history = page.get_by_role("region", name="State history").locator("tbody th")
    assert history.all_inner_texts() == ["Open", "Being paid", "Being booked", "Paid"]
    page.goto(page.url.rsplit("/payments/", 1)[0] + f"/payments?q={user}")
    assert page.locator("main table tbody tr").count() == 1


def test_figures_are_what_the_tables_say(product):
    """On all the demo's data, against sums made here."""
    viewer = Dashboard(product, "viewer")
    text = viewer.get("/analytics?period=custom&from=2025-01-01")
    workspace = f"(select workspace_id from workspaces where slug = '{product.demo['workspace']}')"
    net = sql(product, f"""
        select coalesce((select sum(stars) from payments where workspace_id = {workspace}), 0)
          - coalesce((select sum(stars) from refunds
              where workspace_id = {workspace} and refunded_at is not null), 0)""")
    used = sql(product, f"""
        select -sum(amount) from entries where workspace_id = {workspace} and kind = 'debit'""")
    owed = sql(product, f"""
        select sum(balance) + (select coalesce(sum(amount), 0) from holds
          where workspace_id = {workspace}) from accounts where workspace_id = {workspace}""")

    def shown(label):
        found = re.search(rf"<dt>{label}</dt><dd class=\"figure-value\">([^<]*)</dd>", text)
        return re.sub(r"[^\d−]", "", found.group(1))

    assert shown("(?:Net Stars|Stars líquidas)") == net
    assert shown("(?:Used|Usados)") == used
    assert shown("(?:Outstanding|Em aberto)") == owed
