"""An operator finds a payment that nobody told of, in a real browser, and puts it right."""

import itertools
import re
import uuid

import pytest
from playwright.sync_api import expect

from running import Dashboard, call, wait_until
from test_accessibility import look
from test_paid_path import sql
from test_story import sign_in

people = itertools.count(7_400_701)


def fault(product, kind, **more):
    answer = call("POST", product.sandbox + "/sandbox/faults", {
        "kind": kind, "bot_id": product.bot()["id"], **more})
    assert answer.status == 204, answer.body


def lose_a_payment(product):
    """Somebody new pays, and the bot is never told; returns their id and the charge."""
    user = next(people)
    call("POST", product.sandbox + "/sandbox/people", {
        "id": user, "first_name": f"Nina {user}", "language_code": "en", "stars": 500})
    sale = product.api(
        "POST", "/v1/checkouts", {"user": user, "sku": "start"}, key=str(uuid.uuid4())).json()
    fault(product, "lose_update", update="successful_payment")
    paid = call("POST", f"{product.sandbox}/sandbox/people/{user}/payments",
                {"invoice": sale["checkout"]["invoice_link"]}).json()
    assert paid["outcome"] == "paid", paid
    return user, paid["charge_id"]


@pytest.fixture
def by_click(product):
    """The rule is off meanwhile."""
    desk = Dashboard(product, "owner")

    def set_rule(on):
        csrf = desk.field(desk.get("/reconciliation"), "csrf")
        answer = desk.send(desk.base + "/reconciliation/rule", {"csrf": csrf, "on": on})
        assert answer.status == 200, answer.body

    set_rule("0")
    yield
    set_rule("1")


@pytest.mark.parametrize("width", [1280, 390])
def test_find_and_fix_a_mismatch(product, chromium, by_click, width):
    user, charge = lose_a_payment(product)
    assert product.balance(user) == 0
    # Without scripts, as a page that shows progress must do, too.
    context = chromium.new_context(
        viewport={"width": width, "height": 900}, locale="en-US", java_script_enabled=width > 400)
    page = context.new_page()
    sign_in(product, page, path=f"/w/{product.demo['workspace']}/reconciliation")
    page.get_by_role("button", name=f"Compare now: @{product.bot()['username']}").click()
    title = page.get_by_role("link", name="Payment never reported").first
    # What has just happened is judged a few seconds later; the page says that it is at work.
    for _ in range(60):
        if title.count():
            break
        again = page.get_by_role("link", name="Look again")
        if again.count():
            again.first.click()
        else:
            page.wait_for_timeout(500)
            page.reload()
    title.click()
    page.wait_for_url("**/reconciliation/mismatches/*")
    if width > 400:
        look(page)
    expect(page.locator("main")).to_contain_text(charge)
    expect(page.locator("#books + table")).to_contain_text(re.compile(r"Telegram's own.*75\s★", re.S))
    expect(page.locator("main")).to_contain_text("Balance 0 → 10 credits")
    page.get_by_role("button", name="Record and credit it").click()
    page.wait_for_url("**/reconciliation/mismatches/*")
    expect(page.locator("main")).to_contain_text(
        f"Put right by {product.login('manager')['email']}")
    assert product.balance(user) == 10
    # The update comes after all, twice, and changes nothing.
    page.get_by_role("link", name="Reconciliation").last.click()
    expect(page.locator("main")).to_contain_text("Nothing is open")
    context.close()
    assert sql(product, "select source || ' ' || state from payments "
               f"where charge_id = '{charge}'") == "reconciliation credited"


def test_what_cannot_be_fixed_is_closed_with_a_reason(product, by_click):
    bot = product.bot()["id"]
    answer = call("POST", f"{product.sandbox}/sandbox/bots/{bot}/movements",
                  {"direction": "incoming", "partner": "other", "stars": 33})
    assert answer.status == 201, answer.body
    desk, viewer = Dashboard(product, "manager"), Dashboard(product, "viewer")
    csrf = desk.field(desk.get("/reconciliation"), "csrf")

    def compared():
        desk.send(desk.base + "/reconciliation/runs", {"csrf": csrf, "bot": bot})
        return re.search(r'/reconciliation/mismatches/(\d+)">Unknown movement',
                         desk.get("/reconciliation"))

    number = wait_until(compared, 60).group(1)
    path = f"/reconciliation/mismatches/{number}"
    assert "+33\u00a0★" in desk.get(path)
    assert "can close it" in viewer.get(path) and 'name="note"' not in viewer.get(path)
    for note, status in (("", 422), ("x" * 501, 422)):
        answer = desk.send(f"{desk.base}{path}/acceptance", {"csrf": csrf, "note": note})
        assert answer.status == status
        assert 'href="#note"' in answer.body.decode() and note in answer.body.decode()
    assert desk.send(f"{desk.base}{path}/fix", {"csrf": csrf}).status == 409
    for _ in range(2):
        answer = desk.send(f"{desk.base}{path}/acceptance", {"csrf": csrf, "note": "A gift"})
        assert answer.status == 200, "the same form twice says what is done"
    assert "A gift" in desk.get(path) and "left it as it is" in desk.get(path)
    owner = Dashboard(product, "owner")
    late = owner.send(f"{owner.base}{path}/acceptance", {
        "csrf": owner.field(owner.get("/reconciliation"), "csrf"), "note": "Mine"})
    assert late.status == 409
    assert "A gift" in desk.get(path)
    assert desk.send(f"{desk.base}/reconciliation/mismatches/999999").status == 404
    assert desk.send(f"{desk.base}/reconciliation/runs", {"csrf": csrf, "bot": "1"}).status == 404
