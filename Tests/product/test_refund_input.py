"""Forms about refunds that nobody's browser would send, and those that people get wrong."""

import pytest

from running import Dashboard
from refunds import buy
from test_paid_path import sql


@pytest.fixture(scope="module")
def case(product):
    _, charge = buy(product)
    manager = Dashboard(product, "manager")
    _, other = buy(product)
    return {"other": other, "manager": manager, "id": manager.ask(charge)}


def facts(product):
    return sql(product, "select (select count(*) from refunds), (select count(*) from entries), "
               "(select string_agg(state || approvals, ',' order by refund_id) from refunds), "
               "(select count(*) from jobs where kind = 'refund.settle')")


@pytest.fixture
def unchanged(product, case):
    before = facts(product)
    yield
    assert facts(product) == before


@pytest.mark.parametrize("credits", [
    "", "0", "-1", "1000001", "99999999999999999999", "1e3", "ten", "1;drop", "\u0663", "+5"])
def test_goodwill_wants_a_number_of_credits(case, unchanged, credits):
    answer = case["manager"].decide(case["id"], "goodwill", credits=credits)
    assert answer.status == 422
    page = answer.body.decode()
    assert "Give a whole number from 1 to 1,000,000." in page and 'aria-invalid="true"' in page


@pytest.mark.parametrize("reason", ["", "because", "too_old"])
def test_a_decline_wants_a_reason_of_the_list(case, unchanged, reason):
    answer = case["manager"].decide(case["id"], "decline", reason=reason, note="typed")
    assert answer.status == 422
    page = answer.body.decode()
    assert "Choose a reason." in page and 'href="#decline-reason"' in page and "typed" in page


@pytest.mark.parametrize("how", ["approval", "goodwill", "decline"])
def test_words_have_a_length(case, unchanged, how):
    form = {"note": "n" * 501, "message": "m" * 501, "credits": "1", "reason": "other"}
    send = case["manager"].approve if how == "approval" else None
    answer = send(case["id"], **form) if send else case["manager"].decide(case["id"], how, **form)
    assert answer.status == 422
    page = answer.body.decode()
    assert "n" * 501 in page and "m" * 501 in page, "what was typed is kept"
    assert page.count("longer than 500 characters") == 4


@pytest.mark.parametrize("previewed", ["", "x", "75-10-0-0-0-debt-0", "75-9-1-0-0-forgive-0"])
def test_an_approval_of_other_figures(case, unchanged, previewed):
    answer = case["manager"].decide(case["id"], "approval", previewed=previewed)
    assert answer.status == 409 and "The credits moved since you looked" in answer.body.decode()


@pytest.mark.parametrize("form, status", [
    ({"bot": "1", "charge": "x", "reason": "other"}, 404),
    ({"bot": "x", "charge": "x", "reason": "other"}, 404),
    ({"charge": "x"}, 404),
    ({"bot": None, "charge": None, "reason": "refunded_elsewhere"}, 422),
    ({"bot": None, "charge": None, "reason": "because"}, 422),
    ({"bot": None, "charge": None}, 422),
    ({"bot": None, "charge": None, "reason": "other", "note": "x" * 501}, 422),
    ({"bot": None, "charge": "\0", "reason": "other"}, 404),
])
def test_a_request_that_names_nothing(product, case, unchanged, form, status):
    manager = case["manager"]
    filled = {
        "bot": product.bot()["id"], "charge": case["other"],
        **{name: value for name, value in form.items() if value is not None}}
    if "bot" not in form:
        del filled["bot"]
    answer = manager.send(manager.base + "/refunds", {
        "csrf": manager.field(manager.page(case["id"]), "csrf"), **filled})
    assert answer.status == status, answer.body[:300]


@pytest.mark.parametrize("path", ["/refunds/0", "/refunds/x", "/refunds/99999999999999999999",
                                  "/refunds/123456789"])
def test_cases_that_are_not_there(case, path):
    manager = case["manager"]
    assert manager.send(manager.base + path).status == 404


@pytest.mark.parametrize("query", ["?after=x", "?after=-1", "?show=%00", "?after=9999999999999999",
                                   "?reason=x&source=y&bot=z", "?show=closed&bot=9223372036854775807"])
def test_cursors_that_nobody_gave_out(case, query):
    assert case["manager"].send(case["manager"].base + "/refunds" + query).status == 200


def test_a_form_without_its_token(product, case, unchanged):
    manager = case["manager"]
    for how in ("approval", "goodwill", "decline"):
        answer = manager.send(f"{manager.base}/refunds/{case['id']}/{how}", {"credits": "5"})
        assert answer.status == 403


def test_others_workspaces_cases_are_not_there(product, case):
    """The same number on the live side is another workspace's."""
    manager = case["manager"]
    live = f"{product.url}/w/{product.demo['live_workspace']}/refunds/{case['id']}"
    assert manager.send(live).status == 404
