"""Credits that people give: forms as a browser sends them, and in a real browser."""

import concurrent.futures
import itertools
import re

import pytest
from playwright.sync_api import expect

from running import Dashboard
from refunds import buy
from test_paid_path import sql
from test_story import fits, page, sign_in, words  # noqa: F401 (page is a fixture)

newcomers = itertools.count(6_900_001)


def number(product, user):
    """Our own number of the customer with this Telegram id."""
    return sql(product, f"select customer_id from customers where telegram_id = {user} "
               f"and workspace_id = (select workspace_id from workspaces "
               f"where slug = '{product.demo['workspace']}')")


@pytest.fixture
def customer(product):
    user, _ = buy(product)
    return number(product, user), user


def opened(desk, path):
    """The form as it stands: its token and key, to be sent with what is typed."""
    form = desk.get(path)
    return {"csrf": desk.field(form, "csrf"), "form_key": desk.field(form, "form_key")}


def give(desk, customer, step="give", form=None, **typed):
    form = form or opened(desk, f"/customers/{customer}/grants/new")
    return desk.send(f"{desk.base}/customers/{customer}/grants", {
        **form, "source": "goodwill", "credits": "5", "reason": "the bot was down", "step": step,
        **typed})


def facts(product):
    return sql(product, "select (select count(*) from credit_grants), "
               "(select count(*) from entries), (select count(*) from audit_entries)")


def test_goodwill_is_read_before_it_is_given(product, page, customer):
    """The demo's support reads Portuguese."""
    who, user = customer
    sign_in(product, page, role="support",
            path=f"/w/{product.demo['workspace']}/customers/{who}")
    page.wait_for_url("**/customers/*")
    page.get_by_role("link", name="Dar créditos").click()
    page.wait_for_url("**/grants/new")
    fits(page)
    expect(page.get_by_text("Você ainda pode dar 50 a este cliente")).to_be_visible()
    assert page.get_by_role("radio").count() == 1, "support gives goodwill alone"
    page.get_by_label("Créditos", exact=True).fill("5")
    page.get_by_label("Motivo").fill("two answers\nwere empty")
    page.get_by_role("button", name="Ver antes de dar").click()
    expect(page.get_by_text("Saldo 10 → 15")).to_be_visible()
    fits(page)
    assert product.balance(user) == 10, "nothing is given yet"
    page.get_by_role("button", name="Mudar").click()
    expect(page.get_by_label("Créditos", exact=True)).to_have_value("5")
    expect(page.get_by_label("Motivo")).to_have_value("two answers\nwere empty")
    page.get_by_label("Créditos", exact=True).fill("7")
    page.get_by_role("button", name="Ver antes de dar").click()
    page.get_by_role("button", name="Dar 7 créditos").click()
    page.wait_for_url("**/customers/*given=*")
    expect(page.get_by_role("status")).to_have_text("7 créditos: concedidos como cortesia.")
    fits(page)
    assert product.balance(user) == 17
    row = page.locator(".strip-row").first
    for line in ("Créditos de cortesia", "+7 créditos", "two answers", product.login("support")["email"]):
        expect(row).to_contain_text(line)

    # The lot says who and why, and what became of it.
    row.locator("summary").click()
    row.locator(".moves a").first.click()
    page.wait_for_url("**/lots/1/*")
    fits(page)
    expect(page.locator("dl.facts")).to_contain_text("two answers")
    expect(page.locator("dl.facts")).to_contain_text(product.login("support")["email"])
    expect(page.locator("p.balance")).to_have_text("7 concedidos = restam 7")
    for index in range(3):
        product.api("POST", "/v1/debits", {"user": user, "action": "sticker", "ref": f"job-{index}"},
                    key=f"{user}-{index}")
    page.reload()
    expect(page.locator("p.balance")).to_have_text("7 concedidos = 3 usados + restam 4")
    moves = words(page.get_by_role("region", name="Todos os movimentos"))
    assert "nota: job-2" in moves and "restam 4 deste lote" in moves, moves
    # From a movement to the customer's timeline and back to the lot of the charge.
    page.locator(".strip-row a", has_text=re.compile(r"^v\d+$")).first.click()
    page.wait_for_url("**/customers/*#v*")
    expect(page.locator(".strip-row:target")).to_contain_text("Sticker")
    page.locator("table a", has_text="Lote 1").click()
    page.wait_for_url("**/lots/1/1")
    expect(page.locator("p.balance")).to_have_text("10 concedidos = restam 10")
    expect(page.locator("dl.facts a[href*='/payments/']")).to_have_count(1)


def test_an_opening_balance_for_somebody_new(product, page):
    user = next(newcomers)
    sign_in(product, page, role="manager", path=f"/w/{product.demo['workspace']}/customers")
    page.wait_for_url("**/customers")
    page.get_by_role("link", name="Add an opening balance").click()
    page.wait_for_url("**/customers/new")
    fits(page)
    expect(page.get_by_text("Importing customers in bulk is closed")).to_be_visible()
    page.get_by_label("Telegram id").fill(str(user))
    page.get_by_label("Name").fill("João Velho")
    page.get_by_label("Credits", exact=True).fill("1,200")
    page.get_by_label("Reason").fill("from the old bot")
    page.get_by_role("button", name="Look at it first").click()
    expect(page.get_by_text("Balance 0 → 1,200")).to_be_visible()
    fits(page)
    assert number(product, user) == "", "nobody is made by looking"
    page.get_by_role("button", name="Give 1,200 credits").click()
    page.wait_for_url("**/customers/*given=*")
    expect(page.get_by_role("heading", level=1)).to_have_text("João Velho")
    expect(page.locator(".strip-row").first).to_contain_text("Adjustment")
    assert product.balance(user) == 1200
    assert product.api("GET", f"/v1/customers/{user}").json()["has_purchased"] is False


def test_a_known_persons_opening_balance_comes_on_top(product, customer):
    who, user = customer
    desk = Dashboard(product, "manager")
    form = opened(desk, "/customers/new")
    sent = {**form, "telegram": str(user), "credits": "3", "reason": "old bot", "step": "review"}
    page = desk.send(desk.base + "/customers", sent).body.decode()
    assert "is your customer" in page and "Balance 10 → 13" in page
    assert desk.send(desk.base + "/customers", {**sent, "step": "give"}).status == 200
    assert product.balance(user) == 13 and number(product, user) == who


def test_support_stops_at_the_cap_and_managers_do_not(product, customer):
    who, user = customer
    support = Dashboard(product, "support")
    forms = [opened(support, f"/customers/{who}/grants/new") for _ in range(8)]
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(
            lambda form: give(support, who, form=form, credits="9").status, forms))
    assert sorted(answers) == [200] * 5 + [422] * 3, answers
    assert product.balance(user) == 10 + 45
    answer = give(support, who, "review", credits="6")
    page = answer.body.decode()
    assert answer.status == 422 and "passa do que o suporte ainda pode dar" in page
    assert "Você ainda pode dar 5 a este cliente" in page and 'value="6"' in page
    assert give(support, who, source="promo").status == 403
    manager = Dashboard(product, "manager")
    assert give(manager, who, source="promo", credits="1.000", days="30").status == 200
    assert product.balance(user) == 1055
    assert Dashboard(product, "viewer").send(
        f"{manager.base}/customers/{who}/grants/new").status == 403
    assert "Give credits" not in Dashboard(product, "viewer").get(f"/customers/{who}")
    assert support.send(manager.base + "/customers/new").status == 403


def test_a_form_sent_many_times_gives_once(product, customer):
    who, user = customer
    desk = Dashboard(product, "manager")
    form = opened(desk, f"/customers/{who}/grants/new")
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: give(desk, who, form=form).status, range(16)))
    assert answers == [200] * 16 and product.balance(user) == 15
    answer = give(desk, who, form=form, credits="6")
    page = answer.body.decode()
    assert answer.status == 409 and "sent before with other values" in page
    assert desk.field(page, "form_key") != form["form_key"], "what is sent next is a new form"
    assert product.balance(user) == 15


@pytest.mark.parametrize("typed, words", [
    ({"credits": ""}, "whole number"), ({"credits": "0"}, "whole number"),
    ({"credits": "-1"}, "whole number"), ({"credits": "1e3"}, "whole number"),
    ({"credits": "1000001"}, "whole number"), ({"credits": "99999999999999999999"}, "whole number"),
    ({"credits": "\u0663"}, "whole number"), ({"reason": ""}, "Say why"),
    ({"reason": " \n "}, "Say why"), ({"reason": "r" * 501}, "Say why"),
    ({"source": "promo", "days": "0"}, "number of days"),
    ({"source": "promo", "days": "3651"}, "number of days"),
    ({"source": "promo", "days": "soon"}, "number of days"),
    ({"source": "promo", "days": "99999999999999999999"}, "number of days"),
    ({"source": "adjustment"}, None), ({"source": "payment"}, None), ({"source": ""}, None),
    ({"form_key": ""}, "sent before"), ({"form_key": "k" * 101}, "sent before"),
    ({"unit": "9", "credits": "x"}, "whole number"),
])
def test_what_does_not_fit_gives_nothing(product, customer, typed, words):
    who, _ = customer
    desk = Dashboard(product, "manager")
    before = facts(product)
    answer = give(desk, who, **typed)
    if words:
        page = answer.body.decode()
        assert answer.status in (409, 422) and words in page
        assert page.count('role="alert"') == 1
        for name, text in typed.items():
            if name == "reason" and text.strip():
                assert text in page, "what was typed is kept"
    else:
        assert answer.status == 403
    assert facts(product) == before


@pytest.mark.parametrize("telegram", ["", "0", "-5", "abc", "@ana", "9" * 19, "1.5", "\u0665"])
def test_a_telegram_id_is_digits(product, telegram):
    desk = Dashboard(product, "manager")
    before = facts(product)
    answer = desk.send(desk.base + "/customers", {
        **opened(desk, "/customers/new"), "telegram": telegram, "credits": "5", "reason": "r",
        "name": "n" * 129, "step": "give"})
    page = answer.body.decode()
    assert answer.status == 422 and "Telegram id as digits" in page and "128 characters" in page
    assert facts(product) == before


@pytest.mark.parametrize("path", [
    "/customers/999999/grants/new", "/customers/x/grants/new", "/customers/999999/lots/1/1",
    "/customers/{who}/lots/1/99", "/customers/{who}/lots/99999/1", "/customers/{who}/lots/0/1",
    "/customers/{who}/lots/1/99999999999999999999", "/holds/999999", "/holds/x"])
def test_what_is_not_there(product, customer, path):
    desk = Dashboard(product, "owner")
    assert desk.send(desk.base + path.format(who=customer[0])).status == 404


def test_queries_that_nobody_gave_out(product, customer):
    desk = Dashboard(product, "viewer")
    who = customer[0]
    for path in (f"/customers/{who}?given=1", f"/customers/{who}?given=x", f"/customers/{who}?unit=9",
                 f"/customers/{who}/lots/1/1?after=0", f"/customers/{who}/lots/1/1?after=x"):
        answer = desk.send(desk.base + path)
        assert answer.status == 200 and b"credits given" not in answer.body, path


def test_the_owner_sets_the_cap(product, customer):
    who, user = customer
    owner = Dashboard(product, "owner")

    def save(**typed):
        form = owner.get("/credit-policy")
        return owner.send(owner.base + "/credit-policy", {
            "csrf": owner.field(form, "csrf"), "goodwill_cap": "50", "low_credits": "3", **typed})

    try:
        answer = save(goodwill_cap="2")
        assert answer.status == 200 and "ajustes foram salvos" in answer.body.decode()
        support = Dashboard(product, "support")
        assert give(support, who, credits="3").status == 422
        assert give(support, who, credits="2").status == 200 and product.balance(user) == 12
        for bad in ("", "-1", "1000000001", "many", "99999999999999999999"):
            answer = save(goodwill_cap=bad, low_credits=bad)
            page = answer.body.decode()
            assert answer.status == 422 and page.count('aria-invalid="true"') == 2
        page = support.get("/credit-policy")
        assert "2 créditos" in page and "<form class=\"form\"" not in page
        manager = Dashboard(product, "manager")
        form = manager.get(f"/customers/{who}/grants/new")
        assert manager.send(manager.base + "/credit-policy", {
            "csrf": manager.field(form, "csrf"), "goodwill_cap": "9",
            "low_credits": "9"}).status == 403
    finally:
        assert save().status == 200
