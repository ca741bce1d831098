"""The catalogue in Chromium: figures follow what is typed, the server says the same, and bots get
the price that was saved."""

import itertools
import uuid

import pytest
from playwright.sync_api import expect

from test_story import fits, sign_in

people = itertools.count(7_000_001)


def open_page(product, chromium, role="manager", **options):
    context = chromium.new_context(locale="en-US", **options)
    page = context.new_page()
    sign_in(product, page, role)
    page.wait_for_url(f"**/w/{product.demo['workspace']}")
    return page


@pytest.fixture(params=[(1280, "light"), (390, "dark")], ids=["desktop", "phone"])
def page(product, chromium, request):
    width, scheme = request.param
    page = open_page(
        product, chromium, viewport={"width": width, "height": 900}, color_scheme=scheme)
    yield page
    page.context.close()


@pytest.fixture
def owners(product, chromium):
    """The owner's browser, which runs scripts, and another one that does not; both in Portuguese."""
    pages = [open_page(product, chromium, "owner", java_script_enabled=on) for on in (True, False)]
    yield pages
    for page in pages:
        page.context.close()


def go(product, page, path):
    page.goto(f"{product.url}/w/{product.demo['workspace']}/{path}")
    fits(page)


def figures(page):
    """The rows of the page's table of margins: price by cell. What is hidden is not read."""
    rows = page.locator("[data-margins] tbody tr").evaluate_all(
        "rows => rows.map(row => Array.from(row.querySelectorAll('th, td'), cell => cell.innerText))")
    return [[plain(name.split("\n")[0]), *map(plain, cells)] for name, *cells in rows]


def plain(text):
    """Words with one space between two."""
    return " ".join(text.split())


def checkout(product, sku, discount=0):
    answer = product.api(
        "POST", "/v1/checkouts", {"user": next(people), "sku": sku, "discount": discount},
        key=str(uuid.uuid4()))
    assert answer.status == 201, answer.body
    return answer.json()["checkout"]["stars"]


def catalog(product, sku, **query):
    words = "".join(f"&{name}={value}" for name, value in query.items())
    packs = product.api("GET", f"/v1/catalog?user={next(people)}{words}").json()["packs"]
    return next((pack for pack in packs if pack["sku"] == sku), None)


def add_discount(page, percent):
    page.get_by_text("New discount").click()
    page.get_by_label("Percent off").fill(percent)
    page.get_by_role("button", name="Add this discount").click()


def test_a_price_is_edited_and_everything_follows(product, page):
    sku = "party-" + uuid.uuid4().hex[:8]
    go(product, page, "packs")
    page.get_by_role("link", name="New pack").click()
    page.get_by_label("Name", exact=True).fill("Party")
    page.get_by_label("Sku").fill(sku)
    page.get_by_label("Description", exact=True).fill("Forty credits for a party.")
    page.get_by_label("Price in Stars").fill("200")
    page.get_by_label("Credits", exact=True).fill("forty")
    page.get_by_role("button", name="Make this pack").click()
    alert = page.get_by_role("alert")
    expect(alert).to_contain_text("Credits: Give a whole number from 1")
    fits(page)
    alert.get_by_role("link").click()
    page.get_by_label("Credits", exact=True).fill("40")
    # 14.04 BRL of revenue, 40 × 0.15 BRL of cost.
    assert figures(page) == [["Full price", "5.0 ★", "R$14", "133%", "200 ★"]]
    page.get_by_role("button", name="Make this pack").click()
    page.wait_for_url(f"**/packs/{sku}")
    for count, percent in enumerate(["15", "90"], 2):
        add_discount(page, percent)
        expect(page.locator("[data-margins] tbody tr")).to_have_count(count)
    assert figures(page) == [
        ["Full price", "5.0 ★", "R$14", "133%", "200 ★"],
        ["−15%", "4.3 ★", "R$12", "100%", "170 ★"],
        ["−90%", "0.5 ★", "R$1", "−83% Loss-making", "20 ★"],
    ]
    # While it is typed, before anything is sent.
    page.get_by_label("Price in Stars").fill("1,250")
    page.get_by_label("Bonus credits").fill("10")
    edited = [
        ["Full price", "25.0 ★", "R$88", "1,073%", "1,250 ★"],
        ["−15%", "21.3 ★", "R$75", "900%", "1,063 ★"],
        ["−90%", "2.5 ★", "R$9", "20%", "125 ★"],
    ]
    assert figures(page) == edited
    page.get_by_label("Price in Stars").fill("1,25")
    assert [row[-1] for row in figures(page)] == ["–", "–", "–"]
    assert checkout(product, sku) == 200
    page.get_by_label("Price in Stars").fill("1250")
    page.get_by_label("Who may buy it").select_option(label="Staff only")
    assert [row[3] for row in figures(page)] == ["–", "–", "–"]
    page.get_by_label("Who may buy it").select_option(label="Everybody")
    page.get_by_text("Portuguese (Brazil)", exact=True).click()
    page.get_by_label("Name in Portuguese (Brazil)").fill("Festa")
    page.get_by_label("Description in Portuguese (Brazil)").fill("Quarenta créditos.")
    page.get_by_label("Why you change it").fill("Parties are dear")
    page.get_by_role("button", name="Save this pack").click()
    history = page.get_by_role("region", name="History")
    expect(history).to_contain_text("Parties are dear")
    expect(history).to_contain_text("200 → 1,250")
    assert figures(page) == edited
    fits(page)
    assert [checkout(product, sku, off) for off in (0, 15, 90)] == [1250, 1063, 125]
    pack = catalog(product, sku, language="en")
    assert (pack["title"], pack["stars"], pack["bonus_credits"]) == ("Party", 1250, 10)
    assert catalog(product, sku, language="pt-br")["title"] == "Festa"
    # It is no longer listed, then no longer sold.
    page.get_by_label("In the catalogue").select_option(label="Hidden, sold by its sku")
    page.get_by_role("button", name="Save this pack").click()
    expect(page.get_by_role("main")).to_contain_text("Hidden")
    assert catalog(product, sku) is None and checkout(product, sku) == 1250
    page.get_by_role("main").get_by_text("Take this pack off sale").first.click()
    page.get_by_role("button", name="Take this pack off sale").click()
    expect(page.get_by_role("main")).to_contain_text("Withdrawn")
    answer = product.api(
        "POST", "/v1/checkouts", {"user": next(people), "sku": sku, "discount": 15},
        key=str(uuid.uuid4()))
    assert answer.status == 422 and answer.json()["code"] == "unknown_pack"


def test_script_and_server_compute_the_same(product, owners):
    page, scriptless = owners

    def fill(page, usd, currency, fx, cost):
        page.get_by_label("USD por 100 Stars").fill(usd)
        page.get_by_label("Sua moeda", exact=True).fill(currency)
        page.get_by_label("Sua moeda por um USD").fill(fx)
        page.get_by_label("Custo de um crédito").fill(cost)

    for each in owners:
        go(product, each, "rates")
    before = figures(scriptless)
    assert figures(page) == before
    seen = []
    for rates in [
        ("1.30", "rub", "80", "1.5"), ("1.3", "USD", "1", "0.013"), ("2,6", "JPY", "155.25", "9"),
        ("0.000001", "EUR", "0.93", "123456"), ("999.999999", "IRR", "42105.5", "0"),
        ("1.3", "BRL", "5.399999", "0.000001"),
    ]:
        for each in owners:
            fill(each, *rates)
        live = figures(page)
        scriptless.get_by_role("button", name="Calcular").click()
        expect(scriptless.get_by_role("status")).to_contain_text("Nada foi salvo ainda")
        assert live == figures(scriptless), rates
        seen.append(live)
    roubles = {row[0].split()[1]: row[2:] for row in seen[0]}
    assert roubles["Try"] == ["51 RUB", "13,50 RUB", "278%"]
    assert [roubles[name][-1] for name in ("Start", "Pop", "Pro", "Max")] == [
        "420%", "304%", "247%", "212%"]
    assert all("Dá prejuízo" in row[-1] for row in seen[3][1:])
    assert all(row[-1] == "–" for row in seen[4])
    # Nothing of it was kept.
    go(product, scriptless, "rates")
    assert figures(scriptless) == before


def test_the_catalogue_of_the_demo(product, page):
    go(product, page, "packs")
    table = page.get_by_role("region", name="Discounts").get_by_role("table")
    for line in ["44 ★ 68 ★ 158 ★ 450 ★ 1,013 ★", "42 ★ 64 ★ 149 ★ 425 ★ 956 ★",
                 "37 ★ 56 ★ 131 ★ 375 ★ 844 ★"]:
        # On a phone each price has its pack beside it, which is no text of the page.
        assert line in plain(table.inner_text()), line
    row = page.get_by_role("main").get_by_role("row").filter(has_text="Test").first
    expect(row).to_contain_text("Staff only")
    go(product, page, "staff")
    user = next(people)
    page.get_by_label("Telegram id").fill(str(user))
    page.get_by_label("Note").fill("Tester")
    page.get_by_role("button", name="Add to staff").click()
    expect(page.get_by_role("row", name="Tester")).to_contain_text(str(user))
    packs = product.api("GET", f"/v1/catalog?user={user}").json()["packs"]
    assert packs[0]["sku"] == "test"
    page.get_by_role("button", name=f"Remove: {user}").click()
    expect(page.get_by_role("row", name="Tester")).to_have_count(0)
    packs = product.api("GET", f"/v1/catalog?user={user}").json()["packs"]
    assert packs[0]["sku"] == "try"
