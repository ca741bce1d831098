"""A bot that keeps its own handler gets its updates through the product, as Telegram sent them."""

import asyncio
import contextlib
import json
import threading
import time
import uuid
from concurrent.futures import ThreadPoolExecutor

import pytest

from receiver import receiving
from running import Dashboard, call, free_port, temporary_product, wait_until
from test_paid_path import checkout, payment, people, sql, updates
from test_events import secret_of, set_address


@pytest.fixture(scope="module")
def relayed():
    """A product whose first bot is relayed, and the bot's own handler."""
    with temporary_product() as product, receiving() as handler:
        connect(product, handler)
        yield product, handler


@pytest.fixture(scope="module")
def troubled():
    """Another such product, whose handler does not always answer."""
    with temporary_product() as product, receiving() as handler:
        connect(product, handler)
        yield product, handler


def connect(product, handler, bot=0):
    """What an owner does on the bot's page, with a secret that we know: the sealed one of the
    events is borrowed for it."""
    owner = Dashboard(product, "owner")
    handler.secret = secret_of(set_address(product, owner, handler.url, bot))
    sql(product,
        f"update bots set mode = 'relay', relay_url = '{handler.url}', sealed_relay_secret = "
        "sealed_event_secret, event_url = null, sealed_event_secret = null "
        f"where bot_id = {product.bot(bot)['id']}")
    time.sleep(2.5)  # What the product remembers of a bot is two seconds old at most.
    touch = product.webhook(message(next(people), "awake"))
    assert touch.status == 200
    time.sleep(0.5)


def message(user, text, chat=None, **fields):
    return {
        "update_id": next(updates),
        "message": {
            "message_id": 5, "date": 1_795_000_000,
            "from": {"id": user, "is_bot": False, "first_name": "Ana"},
            "chat": {"id": chat or user, "type": "private"}, "text": text, **fields}}


def got(handler, update):
    return [got for got in list(handler.got)
            if got.json().get("update_id") == update["update_id"]]


def state(product, update):
    return sql(product, "select relay_state, body is null from updates "
               f"where update_id = {update['update_id']}")


def test_an_update_arrives_byte_for_byte_with_the_secret(relayed):
    product, handler = relayed
    update = message(next(people), "olá ☃ \u0000 <b>", entities=[{"type": "bold"}], new_field=1.50)
    raw = ("  " + json.dumps(update, ensure_ascii=False, indent=3) + "\n").encode()
    assert product.webhook(raw, **{"Content-Type": "application/json"}).status == 200
    [one] = wait_until(lambda: got(handler, update))
    assert one.body == raw
    assert one.headers["X-Telegram-Bot-Api-Secret-Token"] == handler.secret
    wait_until(lambda: state(product, update) == "delivered|t")
    # Telegram's second delivery is no second update.
    assert product.webhook(raw, **{"Content-Type": "application/json"}).status == 200
    time.sleep(1.5)
    assert len(got(handler, update)) == 1


def test_a_chat_keeps_its_order_and_holds_no_other(relayed):
    product, handler = relayed
    stuck, free = next(people), next(people)
    ours = [message(stuck, str(index)) for index in range(8)]
    refusals = []

    def answer(one):
        if one.json()["message"]["from"]["id"] == stuck and len(refusals) < 2:
            refusals.append(one.json()["update_id"])
            return 502
        return 200

    handler.answer = answer
    try:
        for update in ours:
            assert product.webhook(update).status == 200
        other = message(free, "hello")
        assert product.webhook(other).status == 200
        wait_until(lambda: got(handler, other), 15)
        wait_until(lambda: got(handler, ours[-1]), 60)
    finally:
        handler.answer = lambda one: 200
    assert refusals == [ours[0]["update_id"]] * 2
    order = [one.json()["update_id"] for one in handler.got
             if one.json()["message"]["from"]["id"] == stuck]
    assert order[2:] == [update["update_id"] for update in ours]


def test_many_chats_at_once(relayed):
    product, handler = relayed
    chats = [[message(user, str(index)) for index in range(5)]
             for user in (next(people) for _ in range(20))]

    def send(chat):
        for update in chat:
            assert product.webhook(update).status == 200

    with ThreadPoolExecutor(10) as pool:
        list(pool.map(send, chats))
    wanted = [[update["update_id"] for update in chat] for chat in chats]
    every = {number for chat in wanted for number in chat}
    wait_until(lambda: every <= {one.json().get("update_id") for one in list(handler.got)}, 60)
    order = [one.json().get("update_id") for one in handler.got]
    for chat in wanted:
        assert [number for number in order if number in chat] == chat


def test_a_payment_is_booked_and_handed_on(relayed):
    product, handler = relayed
    user = next(people)
    sale = checkout(product, user)
    update = payment(user, sale, "rl" + uuid.uuid4().hex)
    assert product.webhook(update).status == 200
    assert product.balance(user) > 0
    wait_until(lambda: got(handler, update))
    wait_until(lambda: state(product, update) == "delivered|t")
    # What a bot forwards by itself does not come back to it.
    own = message(user, "mine")
    assert product.api("POST", "/v1/updates", own).status == 200
    time.sleep(1.5)
    assert got(handler, own) == []


def test_a_handler_that_is_down_gets_its_updates_later(troubled):
    product, handler = troubled
    handler.stop()
    ours = [message(next(people), "later") for _ in range(3)]
    for update in ours:
        assert product.webhook(update).status == 200
    wait_until(lambda: sql(
        product, "select count(*) from updates where relay_error = 'not_reached'") == "3")
    assert all(state(product, update) == "due|f" for update in ours)
    product.stop(9)
    handler.start()
    product.start()
    wait_until(lambda: all(got(handler, update) for update in ours), 120)
    wait_until(lambda: all(state(product, update) == "delivered|t" for update in ours))


def test_a_handler_that_hangs_holds_nobody_up(troubled):
    product, handler = troubled
    with receiving() as events:
        set_address(product, Dashboard(product, "owner"), events.url, 0)
        stuck = {next(people) for _ in range(40)}
        over = threading.Event()

        def answer(one):
            sender = one.json().get("message", {}).get("from", {}).get("id")
            return over.wait(60) and 200 if sender in stuck else 200

        handler.answer = answer
        try:
            for user in stuck:
                assert product.webhook(message(user, "slow")).status == 200
            time.sleep(3)
            # The owner's events get through, and a purchase of the bot's own is still asked about.
            buyer = next(people)
            sale = checkout(product, buyer)
            update = payment(buyer, sale, "hg" + uuid.uuid4().hex)
            assert product.webhook(update).status == 200
            events.wait_for(1, kind="payment.completed", user=buyer)
            query = pre_checkout(next(people), "their own")
            started = time.monotonic()
            assert product.webhook(query).json() == {}
            assert got(handler, query) and time.monotonic() - started < 20
        finally:
            over.set()
            handler.answer = lambda one: 200


@pytest.mark.parametrize("reply", ["json", "form"])
def test_a_method_in_the_reply_is_carried_out(relayed, reply):
    product, handler = relayed
    user = product.bot()["customer"]
    text = f"from the handler {uuid.uuid4().hex}"
    if reply == "json":
        answer = (200, "application/json", json.dumps(
            {"method": "sendMessage", "chat_id": user, "text": text}).encode())
    else:
        parts = [("method", "sendMessage"), ("chat_id", str(user)), ("text", text)]
        answer = (200, "multipart/form-data; boundary=edge", ("".join(
            f'--edge\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
            for name, value in parts) + "--edge--\r\n").encode())
    handler.answer = lambda one: answer
    try:
        update = message(user, "hello")
        assert product.webhook(update).status == 200
        wait_until(lambda: text in transcript(product, user))
    finally:
        handler.answer = lambda one: 200
    assert len(got(handler, update)) == 1
    assert transcript(product, user).count(text) == 1


def test_a_reply_moves_no_webhook(relayed):
    product, handler = relayed
    handler.answer = lambda one: (200, "application/json", json.dumps(
        {"method": "setWebhook", "url": "https://evil.example/"}).encode())
    try:
        update = message(next(people), "hello")
        assert product.webhook(update).status == 200
        wait_until(lambda: state(product, update) == "delivered|t")
        time.sleep(1)
    finally:
        handler.answer = lambda one: 200
    info = bot_api(product, "getWebhookInfo")
    assert "evil" not in json.dumps(info)


def bot_api(product, method, bot=0):
    answer = call("POST", f"{product.sandbox}/bot{product.bot(bot)['token']}/{method}", {})
    return answer.json()["result"]


def transcript(product, user, bot=0):
    """What the sandbox has of the chat."""
    return call(
        "GET", f"{product.sandbox}/sandbox/people/{user}/chats/{product.bot(bot)['id']}/messages"
    ).body.decode()


def pre_checkout(user, payload, stars=10):
    return {
        "update_id": next(updates),
        "pre_checkout_query": {
            "id": uuid.uuid4().hex, "from": {"id": user, "is_bot": False, "first_name": "Ana"},
            "currency": "XTR", "total_amount": stars, "invoice_payload": payload}}


def test_our_pre_checkout_is_answered_here_and_goes_nowhere_else(relayed):
    product, handler = relayed
    user = next(people)
    sale = checkout(product, user)
    update = pre_checkout(user, sale["payload"], sale["stars"])
    answer = product.webhook(update).json()
    assert answer["method"] == "answerPreCheckoutQuery" and answer["ok"] is True
    time.sleep(1)
    assert got(handler, update) == []


def test_a_foreign_pre_checkout_is_the_handlers(relayed):
    product, handler = relayed
    for ok in (True, False):
        update = pre_checkout(next(people), "their own")
        number = update["pre_checkout_query"]["id"]
        handler.answer = lambda one: (200, "application/json", json.dumps({
            "method": "answerPreCheckoutQuery", "pre_checkout_query_id": number, "ok": ok,
            "error_message": "sold out"}).encode())
        answer = product.webhook(update).json()
        handler.answer = lambda one: 200
        assert (answer["method"], answer["pre_checkout_query_id"], answer["ok"]) == (
            "answerPreCheckoutQuery", number, ok)
        assert len(got(handler, update)) == 1
    # It answers by a call of its own: then nobody else does.
    update = pre_checkout(next(people), "their own")
    assert product.webhook(update).json() == {}
    # It did not take it: Telegram delivers it again.
    handler.answer = lambda one: 502
    assert product.webhook(pre_checkout(next(people), "their own")).status == 503
    # An answer to another query is none.
    handler.answer = lambda one: (200, "application/json", json.dumps({
        "method": "answerPreCheckoutQuery", "pre_checkout_query_id": "x", "ok": True}).encode())
    assert product.webhook(pre_checkout(next(people), "their own")).json() == {}
    # A handler that is slow may still answer by itself.
    handler.answer = lambda one: time.sleep(9) or 200
    started = time.monotonic()
    assert product.webhook(pre_checkout(next(people), "their own")).json() == {}
    assert time.monotonic() - started < 9
    handler.answer = lambda one: 200


def test_a_foreign_pre_checkout_that_nobody_can_hear_is_refused(relayed):
    product, handler = relayed
    handler.stop()
    try:
        answer = product.webhook(pre_checkout(next(people), "their own")).json()
        assert answer["ok"] is False and answer["error_message"]
    finally:
        handler.start()


@contextlib.contextmanager
def aiogram_handler(product, secret):
    """An unmodified aiogram webhook application that answers in its replies."""
    from aiogram import Bot, Dispatcher
    from aiogram.client.session.aiohttp import AiohttpSession
    from aiogram.client.telegram import TelegramAPIServer
    from aiogram.methods import AnswerPreCheckoutQuery, SendMessage
    from aiogram.webhook.aiohttp_server import SimpleRequestHandler
    from aiohttp import web

    port, up, loop = free_port(), threading.Event(), asyncio.new_event_loop()

    async def serve():
        bot = Bot(product.bot()["token"], session=AiohttpSession(
            api=TelegramAPIServer.from_base(product.sandbox)))
        dispatcher = Dispatcher()

        @dispatcher.message()
        async def echo(message):
            return SendMessage(chat_id=message.chat.id, text=f"aiogram heard {message.text}")

        @dispatcher.pre_checkout_query()
        async def check(query):
            return AnswerPreCheckoutQuery(pre_checkout_query_id=query.id, ok=True)

        application = web.Application()
        SimpleRequestHandler(
            dispatcher, bot, handle_in_background=False, secret_token=secret
        ).register(application, path="/hook")
        runner = web.AppRunner(application)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", port).start()
        up.set()
        await stopped.wait()
        await runner.cleanup()
        await bot.session.close()

    stopped = asyncio.Event()
    thread = threading.Thread(target=loop.run_until_complete, args=(serve(),), daemon=True)
    thread.start()
    assert up.wait(30)
    try:
        yield f"http://127.0.0.1:{port}/hook"
    finally:
        loop.call_soon_threadsafe(stopped.set)
        thread.join(30)


def test_an_aiogram_bot_behind_the_relay(relayed):
    product, handler = relayed
    user = product.bot()["customer"]
    with aiogram_handler(product, handler.secret) as url:
        sql(product, f"update bots set relay_url = '{url}' where bot_id = {product.bot()['id']}")
        time.sleep(2.5)
        product.webhook(message(next(people), "awake"))
        time.sleep(0.5)
        text = uuid.uuid4().hex
        update = message(user, text)
        assert product.webhook(update).status == 200
        wait_until(lambda: f"aiogram heard {text}" in transcript(product, user))
        wait_until(lambda: state(product, update) == "delivered|t")
        foreign = pre_checkout(next(people), "their own")
        answer = product.webhook(foreign).json()
        assert answer["ok"] is True
        assert answer["pre_checkout_query_id"] == foreign["pre_checkout_query"]["id"]
    sql(product, f"update bots set relay_url = '{handler.url}' "
        f"where bot_id = {product.bot()['id']}")
    time.sleep(2.5)
    product.webhook(message(next(people), "awake"))
