"""What a workspace holds: stuck ones first, and a person who releases one."""

import uuid

import pytest
from playwright.sync_api import expect

from running import Dashboard, wait_until
from refunds import buy, fault, settled, state
from test_grants import number
from test_paid_path import sql
from test_story import fits, page, sign_in, words  # noqa: F401 (page is a fixture)


def hold(product, user, units=3, ttl=900, action="sticker"):
    answer = product.api("POST", "/v1/holds", {
        "user": user, "action": action, "units": units, "ttl_seconds": ttl, "ref": f"job {user}"},
        key=str(uuid.uuid4()))
    assert answer.status == 201, answer.body
    return answer.json()["hold"]["id"]


def age(product, hold_id, hours):
    """As if it had been made that much earlier, with a time long enough to be open still."""
    sql(product, f"""
        alter table usage_holds disable trigger once;
        update usage_holds set created_at = created_at - interval '{hours} hours',
          expires_at = created_at + interval '12 hours' where hold_id = {hold_id};
        alter table usage_holds enable trigger once""")


def release(desk, hold_id, **typed):
    form = desk.get(f"/holds/{hold_id}")
    return desk.send(f"{desk.base}/holds/{hold_id}/release", {
        "csrf": desk.field(form, "csrf"), "reason": "the worker died", **typed})


def test_a_stuck_hold_is_released_by_a_manager(product, page):
    user, _ = buy(product)
    other, _ = buy(product)
    young, stuck = hold(product, other), hold(product, user, 4)
    age(product, stuck, 2)
    assert product.balance(user) == 6
    sign_in(product, page, role="manager", path=f"/w/{product.demo['workspace']}/holds")
    page.wait_for_url("**/holds")
    fits(page)
    rows = page.locator("tbody tr")
    expect(rows.first).to_contain_text(f"Lia {user}")
    expect(rows.first).to_contain_text("Stuck")
    expect(rows.first).to_contain_text("4 credits")
    assert f"Lia {other}" in words(page.locator("table"))
    page.get_by_role("link", name="Stuck", exact=True).click()
    page.wait_for_url("**/holds?show=stuck")
    expect(page.locator("table")).not_to_contain_text(f"Lia {other}")
    fits(page)
    page.locator("tbody .row-link", has_text="Sticker").first.click()
    page.wait_for_url(f"**/holds/{stuck}")
    fits(page)
    expect(page.get_by_text("Balance 6 → 10")).to_be_visible()
    expect(page.locator("dl.facts")).to_contain_text(f"job {user}")
    page.get_by_label("Reason").fill("the worker died")
    page.get_by_role("button", name="Release 4 credits").click()
    expect(page.locator(".title .state")).to_have_text("Released")
    expect(page.locator(".audit")).to_contain_text("the worker died")
    expect(page.locator(".audit")).to_contain_text(product.login("manager")["email"])
    fits(page)
    assert product.balance(user) == 10

    # The bot's commit comes too late, and is told so.
    late = product.api("POST", f"/v1/holds/{stuck}/commit", {"units": 4}, key=str(uuid.uuid4()))
    assert late.status == 409 and late.json()["code"] == "hold_closed"
    page.goto(f"{product.url}/w/{product.demo['workspace']}/holds?show=closed")
    expect(page.locator("tbody tr").first).to_contain_text("Released")
    fits(page)
    # The customer's page and the lot tell the same.
    page.goto(f"{product.url}/w/{product.demo['workspace']}/customers/{number(product, user)}/lots/1/1")
    expect(page.locator("p.balance")).to_have_text("10 given = 10 left")
    moves = words(page.get_by_role("region", name="Every movement"))
    assert "Released from a hold" in moves and "Held for Sticker" in moves
    page.goto(f"{product.url}/w/{product.demo['workspace']}/customers/{number(product, other)}")
    held = page.get_by_role("region", name="Held for work in progress")
    expect(held).to_contain_text("3 credits")
    held.get_by_role("link").click()
    page.wait_for_url(f"**/holds/{young}")


def test_a_release_needs_a_reason_and_a_role(product):
    user, _ = buy(product)
    mine = hold(product, user)
    manager, support = Dashboard(product, "manager"), Dashboard(product, "support")
    for reason, words_ in (("", "Say why you release it."), (" \n", "Say why you release it."),
                           ("r" * 501, "longer than 500 characters")):
        answer = release(manager, mine, reason=reason)
        page = answer.body.decode()
        assert answer.status == 422 and page.count(words_) == 2
        assert reason.strip() in page
    form = support.get(f"/customers/{number(product, user)}/grants/new")
    refused = support.send(f"{support.base}/holds/{mine}/release", {
        "csrf": support.field(form, "csrf"), "reason": "no"})
    assert refused.status == 403
    read = support.get(f"/holds/{mine}")
    assert "Quem pode devolver é a gerência" in read
    assert 'name="reason"' not in read
    assert manager.send(f"{manager.base}/holds/{mine}/release", {"reason": "x"}).status == 403
    assert product.balance(user) == 7
    # The same form sent twice releases once; what the bot closed first stays as the bot said.
    sent = {"csrf": manager.field(manager.get(f"/holds/{mine}"), "csrf"), "reason": "stuck"}
    for _ in range(2):
        assert manager.send(f"{manager.base}/holds/{mine}/release", sent).status == 200
    assert product.balance(user) == 10
    assert sql(product, "select count(*) from audit_entries where action = 'hold.released' "
               f"and subject = '{mine}'") == "1"
    done = hold(product, user)
    form = manager.get(f"/holds/{done}")
    assert product.api("POST", f"/v1/holds/{done}/commit", {}, key=str(uuid.uuid4())).status == 201
    answer = manager.send(f"{manager.base}/holds/{done}/release", {
        "csrf": manager.field(form, "csrf"), "reason": "too late"})
    assert answer.status == 409 and "closed while you looked" in answer.body.decode()
    assert product.balance(user) == 7


def test_a_release_gives_units_back_to_the_quota(product):
    user, _ = buy(product)
    sql(product, f"""
        insert into action_tiers (workspace_id, action, tier, units_per_day)
        select workspace_id, 'sticker', 'free', 5 from workspaces
        where slug = '{product.demo['workspace']}' on conflict do nothing""")
    try:
        def used():
            quotas = product.api("GET", f"/v1/customers/{user}").json()["quotas"]
            return next(quota["used"] for quota in quotas
                        if quota["action"] == "sticker" and quota["period"] == "day")

        wait_until(lambda: product.api("GET", f"/v1/customers/{user}").json().get("quotas"))
        mine = hold(product, user, 4)
        assert used() == 4
        desk = Dashboard(product, "manager")
        form = desk.get(f"/holds/{mine}")
        assert "Units go back to the quotas" in form and "+4" in form
        assert release(desk, mine).status == 200
        assert used() == 0 and product.balance(user) == 10
        page = desk.get(f"/customers/{number(product, user)}")
        assert "Sticker" in page and "0 of 5" in page
    finally:
        sql(product, "delete from action_tiers where action = 'sticker' and tier = 'free' "
            f"and workspace_id = (select workspace_id from workspaces "
            f"where slug = '{product.demo['workspace']}')")


def test_a_refunds_hold_leads_to_its_case(product):
    user, charge = buy(product)
    manager = Dashboard(product, "manager")
    refund = manager.ask(charge)
    # Telegram asks us to wait, so that the refund is under way for a while.
    fault(product, "too_many_requests", seconds=20)
    manager.approve(refund)
    assert state(product, refund) != "confirmed"
    page = manager.get("/holds")
    assert "Held for a refund" in page and f'href="/w/{product.demo["workspace"]}/refunds/{refund}"' in page
    assert "When Telegram has answered" in page
    settled(product, refund, timeout=120)
    assert f"/refunds/{refund}\"" not in manager.get("/holds")


@pytest.mark.parametrize("query", [
    "?after=x", "?after=1~2~3~k", "?show=closed&after=x", "?show=nothing", "?show=stuck&after=-1",
    "?after=0~0~0~k", "?show=closed&after=99999999999999999999", "?after=%00"])
def test_cursors_that_nobody_gave_out(product, query):
    assert Dashboard(product, "viewer").send(
        f"{product.url}/w/{product.demo['workspace']}/holds{query}").status == 200
