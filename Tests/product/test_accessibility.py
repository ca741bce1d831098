"""Every page against WCAG 2.2 AA, by axe, on a desktop and a phone, light and dark."""

import pathlib

import axe_playwright_python
import pytest

from refunds import buy
from test_paid_path import sql
from test_story import sign_in
from test_team import PASSWORD, estars, totp

AXE = next(pathlib.Path(axe_playwright_python.__file__).parent.rglob("axe*.js")).read_text()
RULES = {
    "light": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
    # What colours alone decide: nothing else of a page changes with them.
    "dark": {"type": "rule", "values": ["color-contrast", "link-in-text-block"]}}


def look(page):
    """A page is loaded once and looked at in every size, and in the other colours."""
    page.evaluate(AXE)
    for width, scheme in ((390, "light"), (1280, "light"), (1280, "dark")):
        page.set_viewport_size({"width": width, "height": 900})
        page.emulate_media(color_scheme=scheme)
        found = page.evaluate(
            "rules => axe.run({runOnly: rules}).then(report => report.violations)", RULES[scheme])
        assert not found, [
            (page.url, width, scheme, violation["id"],
             [node["html"] for node in violation["nodes"]][:3])
            for violation in found]
        assert page.evaluate(
            "document.documentElement.scrollWidth <= window.innerWidth"), (page.url, width)


class Checker:
    """An operator's browser that looks at the pages it visits."""

    def __init__(self, product, page):
        self.product, self.page = product, page
        self.workspace = f"{product.url}/w/{product.demo['workspace']}"

    def __call__(self, url=None):
        """Looks at the page as it stands, or at the one of this address."""
        if url:
            self.page.goto(url)
        look(self.page)

    def paths(self, *paths):
        for path in paths:
            self(f"{self.workspace}/{path}")

    def follow(self, link):
        """The page that the first such link of this one leads to."""
        self(self.page.locator(link).first.evaluate("link => link.href"))


@pytest.fixture(scope="module")
def check(product, chromium):
    context = chromium.new_context(locale="en-US")
    checker = Checker(product, context.new_page())
    sign_in(product, checker.page)
    checker.page.wait_for_url(checker.workspace)
    yield checker
    context.close()


def test_site_and_sandbox(product, chromium):
    context = chromium.new_context(locale="en-US")
    visit = Checker(product, context.new_page())
    person = product.bot()["customer"]
    for path in ("/", "/pt-br/how-it-works", "/compare/tribute", "/pt-br/margin", "/faq", "/gates",
                 "/pt-br/security", "/docs", "/docs/quickstart", "/pt-br/docs/errors", "/login",
                 "/nothing"):
        visit(product.url + path)
    for path in ("/", f"/people/{person}/chats/{product.bot()['id']}", "/console"):
        visit(product.sandbox + path)
    context.close()


def test_customers_and_what_they_buy(product, check):
    person = product.bot()["customer"]
    check(check.workspace)
    check(product.url + "/workspaces")
    check.paths("customers", "customers?q=nobody-of-this-name", "customers?q=maira",
                f"customers?q={person}")
    customer = check.page.url
    for more in ("?show=messages", "/credit-answers/new?language=ru", "/erasure", "/grants/new",
                 "/subscriptions/new"):
        check(customer + more)
    check.page.goto(customer)
    check.follow("main a[href*='/lots/']")
    check.paths("analytics", "analytics?period=custom&from=x", "payments?from=x", "payments")
    check.follow("main a[href*='/payments/']")
    check.paths("checkouts?state=all")
    check.follow("main a.row-link")
    customer = check.page.locator("dl.facts a").first.get_attribute("href")
    check(product.url + customer + "/checkouts/new")
    check.paths("subscriptions")
    check.follow("main a.row-link")
    check.paths("carts", "holds", "holds?show=closed", "credit-policy", "customers/new")


def test_alerts(product, check):
    sql(product, f"""
        insert into alerts (workspace_id, alert_kind, subject, facts, opened_at, last_seen_at)
        select workspace_id, 'customer.uses', 'customer:1',
          '{{"customer": "1", "credits": "5000", "count": "9"}}', now(), now()
        from workspaces where slug = '{product.demo["workspace"]}'""")
    check.paths("alerts")
    check.follow("main a.row-link")
    check.paths("alert-rules", "alert-chats")
    check.page.get_by_role("button", name="Make a code").click()
    check.page.wait_for_load_state()
    check()


def test_events(check):
    check.paths("events")
    check.follow("main a.row-link")


def test_support(product, check):
    user, _ = buy(product)
    case = product.api("POST", "/v1/support-cases", {"user": user, "text": "Nothing came."},
                       key=f"look-{user}").json()["support_case"]
    check.paths("support-cases", "support-cases?state=all&owner=mine",
                f"support-cases/{case['id']}", "reply-templates", "reply-templates/credits",
                "reply-templates/new")
    check.paths(f"support-cases/{case['id']}")
    page = check.page
    page.get_by_role("button", name="Send the answer").click()
    page.wait_for_load_state()
    check()
    customer = page.locator("dl.facts a").first.get_attribute("href")
    check(product.url + customer + "/support-cases/new")


def test_refunds(product, check):
    check.paths("refunds", "refunds?show=all", "refund-policy")
    _, charge = buy(product, "pro")
    page = check.page
    check.paths(f"payments/{product.bot()['id']}/{charge}")
    page.locator("summary.decision-title").click()
    page.locator("details.decision button").click()
    page.wait_for_url("**/refunds/*")
    check()
    page.locator("summary", has_text="Give credits instead").click()
    page.locator("#goodwill-credits").fill("none")
    page.get_by_role("button", name="Give credits instead").click()
    page.wait_for_load_state()
    check()


def test_rules(check):
    page = check.page
    check.paths(
        "actions", "actions/new", "actions/stem_separation", "tiers", "entitlements", "paywall",
        "trials", "packs", "packs/new", "packs/max", "plans", "plans/new", "plans/pro", "rates",
        "staff")
    for path in ("tiers", "entitlements", "trials"):
        page.goto(f"{check.workspace}/{path}")
        form = page.locator("details.decision").first
        form.locator("summary").click()
        form.locator("input[type=text], input:not([type])").first.fill("")
        form.locator("button").first.click()
        page.wait_for_load_state()
        assert page.get_by_role("alert").count() == 1, path
        check()


def test_team_and_account(product, check):
    check.paths("team", "audit", "gates", "pilot")
    for path in ("", "/totp", "/sessions"):
        check(product.url + "/account" + path)
    check.paths("team")
    check.follow("main a.row-link")


def test_books_and_the_live_side(product, check):
    check.paths("reconciliation")
    live = f"{product.url}/w/{product.demo['live_workspace']}"
    for path in ("", "/customers", "/payments", "/refunds", "/actions", "/trials"):
        check(live + path)


def test_the_ways_in(product, chromium):
    """Links that are used once, and a second factor from its beginning to the next sign-in."""
    email, path = "look@team.example", "/w/look-test"
    estars(product, "operator", "add", "--email", email, "--name", "Lu", "--workspace", "look",
           "--locale", "en")
    context = chromium.new_context(locale="en-US")
    visit = Checker(product, context.new_page())
    page = visit.page

    def send(button, **fields):
        for name, value in fields.items():
            page.locator(f"main [name={name}]").last.fill(value)
        page.get_by_role("button", name=button).click()
        page.wait_for_load_state()

    page.goto(product.url + path + "/team")
    send("Sign in", email=email, password=PASSWORD)
    send("Make the link", name="Rui")
    visit()
    invitation = page.locator("main code").inner_text()
    page.goto(product.url + "/account/totp")
    send("Set it up", password=PASSWORD)
    visit()
    secret = page.locator("main code").first.inner_text()
    send("Turn it on", code=totp(secret))
    visit()
    context.clear_cookies()
    page.goto(product.url + path)
    send("Sign in", email=email, password=PASSWORD)
    visit()
    assert page.url.startswith(product.url + "/login/totp")
    context.clear_cookies()
    visit(invitation)
    visit(estars(product, "operator", "reset", "--email", email).strip())
    visit(product.url + "/invitations/gone")
    context.close()
