"""A bot is added by its token and taken over gently: whatever was there comes back."""

import re
import uuid

import pytest

from bots import Owner, SandboxBot, handler, text
from running import Dashboard, call, wait_until
from test_accessibility import look
from test_paid_path import sql

NEEDED = {
    "message", "edited_message", "callback_query", "inline_query", "pre_checkout_query",
    "purchased_paid_media", "chat_member", "my_chat_member", "subscription"}


@pytest.fixture(scope="module")
def owner(product):
    return Owner(product)


@pytest.fixture
def bot(product):
    return SandboxBot(product)


def stored(product, bot, what):
    return sql(product, f"select {what} from bots where bot_id = {bot.id}").strip()


def updates(product, bot):
    return int(sql(product, f"select count(*) from updates where bot_id = {bot.id}"))


def test_adding_a_bot_changes_nothing_at_telegram(product, owner, bot):
    with handler(status=500) as own:
        bot.method("setWebhook", url=own.url, secret_token="s3cret", allowed_updates=["message", "poll"])
        bot.says(bot.person(), "hello?")
        answer = owner.add(bot)
        assert answer.status == 200 and answer.url.endswith(f"/bots/{bot.id}/connection")
        page = text(answer)
        assert own.url in page, "the owner sees the address, to relay to it"
        assert "poll" in page and ">1<" in page, "what waits and what was asked for"
        info = bot.webhook
        assert info["url"] == own.url and info["pending_update_count"] == 1
        assert stored(product, bot, "mode || (webhook_secret_hash is null)") == "forwardingtrue"
        assert bot.token not in page
        # Whoever may not change it sees the host alone: the path may hold a token.
        seen = Dashboard(product, "viewer").get(f"/bots/{bot.id}")
        assert "http://127.0.0.1" in seen and "secret-path" not in seen


def test_forwarding_leaves_the_webhook(product, owner, bot):
    with handler() as own:
        bot.method("setWebhook", url=own.url)
        owner.add(bot)
        answer = owner.connect(bot, "forwarding")
        assert answer.url.endswith(f"/bots/{bot.id}")
        assert bot.webhook["url"] == own.url
        owner.disconnect(bot)
        assert bot.webhook["url"] == own.url


def test_the_webhook_is_taken_over_and_given_back(product, owner, bot):
    with handler(status=500) as own:
        bot.method("setWebhook", url=own.url, allowed_updates=["message", "poll"])
        person = bot.person()
        bot.says(person, "waiting since before")
        owner.add(bot)
        answer = owner.connect(bot, "webhook")
        assert answer.url.endswith(f"/bots/{bot.id}"), text(answer)
        info = bot.webhook
        assert info["url"] == bot.our_url
        assert set(info["allowed_updates"]) == NEEDED | {"poll"}
        wait_until(lambda: updates(product, bot) == 1)
        bot.says(person, "and this one now")
        wait_until(lambda: updates(product, bot) == 2)
        assert bot.webhook["pending_update_count"] == 0
        page = owner.bot_page(bot)
        assert "Conectar de novo" not in page, "nothing differs"
        own.status, before = 200, len(own.calls)
        owner.disconnect(bot)
        info = bot.webhook
        assert info["url"] == own.url and set(info["allowed_updates"]) == {"message", "poll"}
        bot.says(person, "back again")
        wait_until(lambda: len(own.calls) > before)
        assert stored(product, bot, "disconnected_at is not null") == "t"
        assert updates(product, bot) == 2


def test_a_relay_keeps_the_old_address_and_its_secret(product, owner, bot):
    with handler() as own:
        bot.method("setWebhook", url=own.url, secret_token="before")
        owner.add(bot)
        answer = owner.connect(bot, "relay", url=own.url)
        assert answer.status == 200 and answer.headers["Cache-Control"] == "no-store"
        secret = re.search(r"<code>([A-Za-z0-9_-]{43})</code>", text(answer)).group(1)
        assert stored(product, bot, "mode || relay_url") == "relay" + own.url
        # A default list stands for every kind but three: a handler behind a relay misses none.
        assert NEEDED | {"channel_post", "poll_answer"} <= set(bot.webhook["allowed_updates"])
        assert secret not in owner.bot_page(bot)
        # Connecting again keeps the secret that the handler knows by now.
        assert owner.connect(bot, "relay", url=own.url).url.endswith(f"/bots/{bot.id}")
        owner.disconnect(bot)
        assert bot.webhook["url"] == own.url
        bot.says(bot.person(), "directly")
        wait_until(lambda: secret in [sent for sent, _ in own.calls])


def test_a_relay_takes_the_secret_that_the_handler_expects(product, owner, bot):
    with handler() as own:
        owner.add(bot)
        answer = owner.connect(bot, "relay", url=own.url, secret="as_before-1")
        assert answer.url.endswith(f"/bots/{bot.id}"), "nothing new to show"
        assert "as_before-1" not in text(answer)
        assert "as_before-1" not in sql(product, "select before::text || after::text from audit_entries")


def test_what_waits_for_a_handler_is_given_up_knowingly(product, owner, bot):
    with handler(status=500) as own:
        owner.add(bot)
        owner.connect(bot, "relay", url=own.url, secret="s")
        bot.says(bot.person(), "waits")
        wait_until(lambda: own.calls)
        for act in (owner.disconnect, lambda bot: owner.connect(bot, "webhook"),
                    lambda bot: owner.connect(bot, "forwarding")):
            answer = act(bot)
            assert answer.status == 422 and "Desistir de 1 atualização que" in text(answer)
            assert "Há atualizações à espera do seu servidor" in text(answer)
        assert stored(product, bot, "mode") == "relay" and bot.webhook["url"] == bot.our_url
        # Another address of the handler's is no reason to give anything up.
        with handler() as new:
            wait_until(lambda: owner.connect(bot, "relay", url=new.url).status == 200)
            wait_until(lambda: [update["message"]["text"] for _, update in new.calls] == ["waits"])
            new.status = 500
            bot.says(bot.person(), "given up")
            wait_until(lambda: len(new.calls) > 1)
            owner.disconnect(bot, give_up="1")
        assert stored(product, bot, "disconnected_at is not null") == "t"
        assert bot.webhook["url"] == ""


@pytest.mark.parametrize("form", [
    {"url": ""}, {"url": "ftp://127.0.0.1/x"}, {"url": "not an address"},
    {"url": "http://user:pass@127.0.0.1:9/"}, {"url": "http://127.0.0.1:9/", "secret": "no spaces"},
    {"url": "http://127.0.0.1:9/", "secret": "é"}, {"url": "https://" + "h" * 2100 + ".example/"}])
def test_a_relay_wants_an_address_and_a_secret(product, owner, form):
    bot = SandboxBot(product)
    owner.add(bot)
    answer = owner.connect(bot, "relay", **form)
    assert answer.status == 422 and 'aria-invalid="true"' in text(answer)
    assert bot.webhook["url"] == "" and stored(product, bot, "mode") == "forwarding"


def test_a_relay_to_ourselves_is_refused(product, owner, bot):
    owner.add(bot)
    for url in (bot.our_url, product.url + "/", product.url + "/telegram/1"):
        assert owner.connect(bot, "relay", url=url).status == 422


def test_polling_ends_where_it_must_and_comes_back(product, owner, bot):
    person = bot.person()
    bot.says(person, "one")
    page = text(owner.add(bot))
    assert "409" in page, "the page warns that polling stops"
    owner.connect(bot, "webhook")
    wait_until(lambda: updates(product, bot) == 1)
    owner.connect(bot, "forwarding")
    assert bot.webhook["url"] == ""
    bot.says(person, "two")
    assert [update["message"]["text"] for update in bot.method("getUpdates")] == ["two"]


def test_a_token_is_checked(product, owner, bot):
    for wrong in ("", "x", "123:short", bot.token[:-1] + "y", "7199999999:AAF" + "x" * 32):
        answer = owner.post("/bots", "/bots/new", token=wrong, environment="sandbox")
        assert answer.status == 422 and 'aria-invalid="true"' in text(answer), wrong
        assert len(wrong) < 9 or wrong not in text(answer)
    assert owner.post(
        "/bots", "/bots/new", token=bot.token, environment="live").status == 422
    assert sql(product, f"select count(*) from bots where bot_id = {bot.id}").strip() == "0"


def test_a_bot_of_another_workspace_is_refused_and_not_betrayed(product, owner, bot):
    sql(product, f"""
        insert into bots (bot_id, workspace_id, username, name, segment, environment, api_base_url,
          sealed_token) select {bot.id}, workspace_id, 'x', 'Elsewhere Ltd', 'ai_bot', 'live',
          'https://api.telegram.org', '\\x00' from workspaces
          where slug = '{product.demo["live_workspace"]}'""")
    answer = owner.add(bot)
    assert answer.status == 422
    assert "Elsewhere" not in text(answer) and "já está ligado" in text(answer)
    for path in ("", "/connection", "/replies"):
        assert owner.send(f"{owner.base}/bots/{bot.id}{path}").status == 404
    # Without its token nobody learns that it is anywhere.
    guess = f"{bot.id}:AAF" + "z" * 32
    answer = owner.post("/bots", "/bots/new", token=guess, environment="sandbox")
    assert answer.status == 422 and "já está ligado" not in text(answer)


@pytest.mark.parametrize("fault, status, words", [
    ({"kind": "too_many_requests", "seconds": 60}, 409, "O Telegram recusou"),
    ({"kind": "internal_error"}, 409, "não respondeu")])
def test_a_webhook_that_could_not_be_set(product, owner, fault, status, words):
    bot = SandboxBot(product)
    with handler() as own:
        bot.method("setWebhook", url=own.url)
        owner.add(bot)
        seen = bot.webhook["url"]
        bot.fault(**fault, method="setwebhook")
        answer = owner.connect(bot, "webhook", seen=seen)
        assert answer.status == status and words in text(answer)
        assert bot.webhook["url"] == own.url
        assert stored(product, bot, "mode || (webhook_secret_hash is null)") == "forwardingtrue"
        call("DELETE", product.sandbox + "/sandbox/faults")
        owner.connect(bot, "webhook")
        assert bot.webhook["url"] == bot.our_url
        owner.disconnect(bot)
        assert bot.webhook["url"] == own.url


def test_what_was_shown_is_what_is_taken_over(product, owner, bot):
    owner.add(bot)
    with handler() as own:
        bot.method("setWebhook", url=own.url)
        answer = owner.connect(bot, "webhook", seen="")
        assert answer.status == 409 and bot.webhook["url"] == own.url


def test_somebody_else_takes_the_webhook(product, owner, bot):
    """The page says what Telegram does, and connecting again keeps the newer address."""
    owner.add(bot)
    owner.connect(bot, "webhook")
    with handler() as own:
        # Telegram takes one change a second.
        wait_until(lambda: call(
            "POST", f"{product.sandbox}/bot{bot.token}/setWebhook", {"url": own.url}).status == 200)
        page = owner.bot_page(bot)
        assert "Conectar de novo" in page and "outro endereço" in page
        wait_until(lambda: owner.connect(bot, "webhook").status == 200)
        assert bot.webhook["url"] == bot.our_url
        owner.disconnect(bot)
        assert bot.webhook["url"] == own.url


def test_a_disconnected_bot_can_come_back(product, owner, bot):
    owner.add(bot)
    key = owner.post(
        "/keys", "/keys/new", name="server", bot=str(bot.id), scope_read="1", scope_use="1")
    secret = re.search(r"<code>(esk_test_[^<]+)</code>", text(key)).group(1)
    assert product.api("GET", "/v1/catalog?user=5", token=secret).status == 200
    page = owner.bot_page(bot)
    assert owner.send(f"{owner.base}/bots/{bot.id}/disconnection", {
        "csrf": owner.field(page, "csrf")}).status == 422, "unconfirmed"
    owner.disconnect(bot)
    refused = wait_until(lambda: (
        lambda answer: answer if answer.status == 403 else None)(
            product.api("GET", "/v1/catalog?user=5", token=secret)))
    assert refused.json()["code"] == "bot_disconnected"
    assert owner.add(bot).status == 200
    wait_until(lambda: product.api("GET", "/v1/catalog?user=5", token=secret).status == 200)


def test_a_token_is_renewed(product, owner, bot):
    owner.add(bot)
    path, page = f"/bots/{bot.id}/token", f"/bots/{bot.id}"
    other = SandboxBot(product)
    assert owner.post(path, page, token=other.token).status == 422
    assert owner.post(path, page, token="nonsense").status == 422
    before = stored(product, bot, "encode(sealed_token, 'hex')")
    assert owner.post(path, page, token=bot.token).status == 200
    assert stored(product, bot, "encode(sealed_token, 'hex')") != before
    log = sql(product, f"select action, before, after, reason from audit_entries where subject = '{bot.id}'")
    assert "bot.token_renewed" in log and "AAF" not in log


@pytest.fixture(scope="module")
def shop(product, owner):
    bot = SandboxBot(product)
    owner.add(bot)
    assert owner.connect(bot, "webhook").status == 200
    return bot, owner


class TestCommands:
    def ask(self, bot, person, command, count=None):
        before = len(bot.answers(person))
        bot.says(person, command)
        wait_until(lambda: len(bot.answers(person)) > before)
        return bot.answers(person)[-1]

    def test_they_are_answered_in_the_persons_language(self, product, shop):
        bot, _ = shop
        brazilian, english, german = bot.person("pt-br"), bot.person("en"), bot.person("de")
        assert "Uma pessoa vai olhar" in self.ask(bot, brazilian, "/paysupport")
        assert "A person will look" in self.ask(bot, english, f"/paysupport@{bot.username.upper()}")
        assert "Uma pessoa vai olhar" in self.ask(bot, german, "/paysupport"), "the workspace's"
        assert bot.name in self.ask(bot, english, "/terms and more")
        assert "Telegram ID" in self.ask(bot, english, "/privacy")
        assert self.ask(bot, english, "/balance") == "You have no credits."
        wait_until(lambda: updates(product, bot) >= 6), "the updates are stored as usual"

    def test_a_balance_says_credits_and_access(self, product, shop):
        bot, owner = shop
        person = bot.person("en")
        key = owner.post("/keys", "/keys/new", name="k", bot=str(bot.id), scope_sell="1")
        token = re.search(r"<code>(esk_test_[^<]+)</code>", text(key)).group(1)
        sale = product.api("POST", "/v1/checkouts", {"user": person, "sku": "pro"},
                           key=str(uuid.uuid4()), token=token).json()["checkout"]
        path = f"/sandbox/people/{person}/payments"
        paid = call("POST", product.sandbox + path, {"invoice": sale["invoice_link"]})
        assert paid.status < 300, paid.body
        # The receipt may come between a question and its answer.
        wait_until(lambda: re.match(r"You have \d+ credits\.", self.ask(bot, person, "/balance")))

    def test_texts_of_ones_own(self, product, shop):
        bot, owner = shop
        person, path = bot.person("en"), f"/bots/{bot.id}/replies"
        answer = owner.post(path, language="en", enabled="1", paysupport="", privacy="",
                            terms="Our <b>own</b> terms & more")
        assert answer.status == 200 and "Salvo" in text(answer)
        wait_until(lambda: self.ask(bot, person, "/terms") == "Our <b>own</b> terms & more")
        assert "vende serviços digitais" in self.ask(bot, bot.person("pt"), "/terms")
        too_long = owner.post(path, language="en", enabled="1", terms="ü" * 3001)
        assert too_long.status == 422 and "ü" * 3001 in text(too_long)
        assert self.ask(bot, person, "/terms") == "Our <b>own</b> terms & more"
        assert owner.post(path, language="xx", terms="a").status == 422
        owner.post(path, language="en", enabled="1", terms="")
        wait_until(lambda: "sells digital services" in self.ask(bot, person, "/terms"))

    def test_what_is_not_answered(self, product, shop):
        bot, owner = shop
        person = bot.person("en")
        update = {"update_id": 1, "message": {
            "message_id": 1, "date": 1_795_000_000, "text": "/paysupport",
            "from": {"id": person, "is_bot": False, "first_name": "A", "language_code": "en"},
            "chat": {"id": person, "type": "private", "first_name": "A"}}}
        secret = "known-to-the-test"
        sql(product, f"update bots set webhook_secret_hash = sha256('{secret}') "
            f"where bot_id = {bot.id}")
        numbers = iter(range(1, 100))

        def answer(**message):
            update["update_id"] = next(numbers)
            body = {**update, "message": {**update["message"], **message}}
            reply = call("POST", bot.our_url, body, {"X-Telegram-Bot-Api-Secret-Token": secret})
            assert reply.status == 200, reply.body
            return reply.json()

        wait_until(lambda: call("POST", bot.our_url, {"update_id": 990}, {
            "X-Telegram-Bot-Api-Secret-Token": secret}).status == 200)
        assert answer()["method"] == "sendMessage"
        for text_ in ("/paysupport@another_bot", "paysupport", "/paysupportx", "/", "/ paysupport",
                      "say /paysupport", "/paysupport@", "/PAYSUPPORT@a@b"):
            assert answer(text=text_) == {}, text_
        assert answer(text="/PaySupport")["method"] == "sendMessage"
        assert answer(chat={"id": -100, "type": "group", "title": "G"}) == {}
        assert answer(chat={"id": -100, "type": "supergroup", "title": "G"}) == {}
        owner.post(f"/bots/{bot.id}/replies", language="en")
        wait_until(lambda: answer() == {})
        owner.post(f"/bots/{bot.id}/replies", language="en", enabled="1")
        wait_until(lambda: answer() != {})


def test_in_a_browser(product, chromium, bot):
    """Add, relay, look, disconnect: with a keyboard's worth of clicks and no script."""
    with handler() as own:
        bot.method("setWebhook", url=own.url, secret_token="s")
        context = chromium.new_context(java_script_enabled=False, locale="pt-BR")
        page = context.new_page()
        login = product.login("owner")
        page.goto(f"{product.url}/w/{product.demo['workspace']}/bots")
        page.locator("input[name=email]").fill(login["email"])
        page.locator("input[name=password]").fill(login["password"])
        page.locator("main button").click()
        page.get_by_role("link", name="Adicionar um bot").click()
        page.get_by_label("Token do bot").fill(bot.token)
        page.get_by_label("Ambiente").select_option("sandbox")
        page.get_by_role("button", name="Adicionar um bot").click()
        page.wait_for_url("**/connection")
        page.locator("summary", has_text="O eStars repassa ao seu servidor").click()
        assert page.get_by_label("Endereço do seu servidor").input_value() == own.url
        page.get_by_role("button", name="Conectar e repassar").click()
        secret = page.locator(".secret").inner_text()
        assert len(secret) == 43
        page.get_by_role("link", name="Já guardei").click()
        assert page.locator("main .state").first.inner_text() == "Conectado"
        assert "O eStars repassa" in page.locator(".facts").first.inner_text()
        page.locator("summary", has_text="Desconectar").click()
        page.get_by_label("Desconectar este bot").check()
        page.get_by_role("button", name="Desconectar").click()
        page.wait_for_url(f"**/bots/{bot.id}")
        assert page.locator("main .state").first.inner_text() == "Desconectado"
        assert bot.webhook["url"] == own.url
        context.close()


def test_pages_of_bots_and_keys_are_accessible_and_fit(product, chromium, owner, bot):
    with handler(status=500) as own:
        bot.method("setWebhook", url=own.url + "/" + "x" * 120)
        bot.says(bot.person(), "waits")
        wait_until(lambda: bot.webhook.get("last_error_message"))
        owner.add(bot)
        context = chromium.new_context()
        page = context.new_page()
        base = f"{product.url}/w/{product.demo['workspace']}"

        def check(path=None):
            if path:
                page.goto(base + path)
            page.evaluate("document.querySelectorAll('main details').forEach(d => d.open = true)")
            look(page)

        login = product.login("owner")
        page.goto(base + "/bots")
        page.locator("input[name=email]").fill(login["email"])
        page.locator("input[name=password]").fill(login["password"])
        page.locator("main button").click()
        page.wait_for_url(base + "/bots")
        check()
        for path in ("/bots/new", f"/bots/{bot.id}", f"/bots/{bot.id}/connection",
                     f"/bots/{bot.id}/replies", "/keys", "/keys/new"):
            check(path)
        page.locator("#name").fill("n")
        page.locator("main button").click()
        page.wait_for_load_state()
        check()
        page.goto(base + "/keys")
        page.locator("main .row-link").first.click()
        check()
        page.goto(base + "/bots/new")
        page.locator("#token").fill("nonsense")
        page.locator("main button").click()
        page.wait_for_load_state()
        check()
        owner.disconnect(bot)
        check(f"/bots/{bot.id}")
        context.close()
