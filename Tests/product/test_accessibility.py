"""Every page against WCAG 2.2 AA, by axe, on a desktop and a phone, light and dark."""

import pathlib

import axe_playwright_python
import pytest

from refunds import buy
from test_story import sign_in

AXE = next(pathlib.Path(axe_playwright_python.__file__).parent.rglob("axe*.js")).read_text()
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_pages_are_accessible_and_fit(product, chromium, width, scheme):
    context = chromium.new_context(
        viewport={"width": width, "height": 900}, color_scheme=scheme, locale="en-US")
    page = context.new_page()

    def check(url=None):
        if url:
            page.goto(url)
        page.evaluate(AXE)
        found = page.evaluate(
            "tags => axe.run({runOnly: tags}).then(report => report.violations)", RULES)
        assert not found, [
            (page.url, violation["id"], [node["html"] for node in violation["nodes"]][:3])
            for violation in found]
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), page.url

    workspace = f"{product.url}/w/{product.demo['workspace']}"
    person = product.bot()["customer"]
    check(product.url + "/")
    for path in ("/docs", "/docs/quickstart", "/pt-br/docs/errors", "/pt-br/docs/webhooks"):
        check(product.url + path)
    check(product.url + "/login")
    check(product.url + "/nothing")
    check(product.sandbox + "/")
    check(f"{product.sandbox}/people/{person}/chats/{product.bot()['id']}")
    check(product.sandbox + "/console")
    sign_in(product, page)
    page.wait_for_url(workspace)
    check()
    check(product.url + "/workspaces")
    check(workspace + "/customers")
    check(workspace + "/customers?q=nobody-of-this-name")
    check(f"{workspace}/customers?q={person}")
    page.locator("main a[href*='/customers/']:not([href$='/new'])").first.click()
    check()
    check(workspace + "/payments")
    page.locator("main a[href*='/payments/']").first.click()
    check()
    check(workspace + "/checkouts?state=all")
    page.locator("main a.row-link").first.click()
    check()
    customer = page.locator("dl.facts a").first.get_attribute("href")
    check(product.url + customer + "/checkouts/new")
    for show in ("", "?show=all"):
        check(workspace + "/refunds" + show)
    for path in ("/holds", "/holds?show=closed", "/credit-policy", "/customers/new"):
        check(workspace + path)
    _, charge = buy(product, "pro")
    check(f"{workspace}/payments/{product.bot()['id']}/{charge}")
    page.locator("summary.decision-title").click()
    page.locator("details.decision button").click()
    page.wait_for_url("**/refunds/*")
    check()
    page.locator("summary", has_text="Give credits instead").click()
    page.locator("#goodwill-credits").fill("none")
    page.get_by_role("button", name="Give credits instead").click()
    page.wait_for_load_state()
    check()
    for path in ("actions", "actions/new", "actions/stem_separation", "tiers", "entitlements",
                 "paywall", "trials", "packs", "packs/new", "packs/max", "rates", "staff"):
        check(f"{workspace}/{path}")
    for path in ("tiers", "entitlements", "trials"):
        page.goto(f"{workspace}/{path}")
        form = page.locator("details.decision").first
        form.locator("summary").click()
        form.locator("input[type=text], input:not([type])").first.fill("")
        form.locator("button").first.click()
        page.wait_for_load_state()
        assert page.get_by_role("alert").count() == 1, path
        check()
    live = f"{product.url}/w/{product.demo['live_workspace']}"
    for path in ("", "/customers", "/payments", "/refunds", "/actions", "/trials"):
        check(live + path)
    context.close()
