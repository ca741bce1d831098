from aiohttp import ClientSession

from sandbox import ANN, BOT, SECRET, TOKEN
from test_polling import buy, pay

KINDS = ["message", "callback_query", "pre_checkout_query", "subscription"]


async def test_sells_by_webhook(sandbox, bot, webhook_shop):
    await bot.set_webhook(webhook_shop.url, secret_token=SECRET, allowed_updates=KINDS)
    info = await bot.get_webhook_info()
    assert info.url == webhook_shop.url and info.allowed_updates == KINDS

    # aiogram answers in the webhook's reply body wherever it can.
    _, invoice = await buy(sandbox, "Pro: 250 ★")
    assert (await pay(sandbox, invoice))["outcome"] == "paid"
    await sandbox.text(ANN, BOT, "You have 40 credits")
    log = await sandbox.get(f"/deliveries?bot_id={BOT}")
    assert {row["status"] for row in log} == {200}
    assert (await bot.get_webhook_info()).pending_update_count == 0


async def test_a_duplicate_is_credited_once(sandbox, bot, webhook_shop):
    await bot.set_webhook(webhook_shop.url, secret_token=SECRET, allowed_updates=KINDS)
    _, invoice = await buy(sandbox)
    await sandbox.post(
        "/faults", {"kind": "duplicate", "bot_id": BOT, "update": "message", "copies": 5}
    )
    assert (await pay(sandbox, invoice))["outcome"] == "paid"
    await sandbox.text(ANN, BOT, "You have 10 credits")
    for _ in range(100):
        log = await sandbox.get(f"/deliveries?bot_id={BOT}")
        if sum(row["is_duplicate"] for row in log) == 4:
            break
    assert sum(row["is_duplicate"] for row in log) == 4
    assert webhook_shop.credits == {ANN: 10}


async def test_a_wrong_secret_is_retried_until_it_is_right(sandbox, bot, webhook_shop):
    await bot.set_webhook(webhook_shop.url, secret_token="wrong", allowed_updates=KINDS)
    await sandbox.say(ANN, BOT, "/start")
    for _ in range(100):
        info = await bot.get_webhook_info()
        if info.last_error_message:
            break
    assert info.last_error_message == "Wrong response from the webhook: 401"
    assert info.pending_update_count == 1
    await bot.delete_webhook()
    updates = await bot.get_updates(timeout=1)
    assert [update.message.text for update in updates] == ["/start"]


async def test_a_dropped_connection_after_acting(sandbox, bot):
    await sandbox.say(ANN, BOT, "/start")
    await sandbox.post("/faults", {"kind": "drop_connection", "method": "sendMessage"})
    async with ClientSession() as session:
        try:
            await session.post(
                f"{sandbox.url}/bot{TOKEN}/sendMessage", json={"chat_id": ANN, "text": "once"}
            )
            raise AssertionError("there was an answer")
        except OSError:
            pass
        except Exception as error:
            assert "disconnect" in type(error).__name__.lower()
    lines = await sandbox.transcript(ANN, BOT)
    assert [line["message"].get("text") for line in lines] == ["/start", "once"]
