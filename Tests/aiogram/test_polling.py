import asyncio

import aiohttp
import pytest
from aiogram.exceptions import TelegramBadRequest, TelegramConflictError, TelegramUnauthorizedError
from aiogram.types import LabeledPrice

from sandbox import ANN, BOT
from shop_bot import make_bot


async def buy(sandbox, pack="Start: 75 ★"):
    """From /buy to the invoice, as a person taps it."""
    await sandbox.say(ANN, BOT, "/buy")
    menu = await sandbox.text(ANN, BOT, "Choose a pack")
    press = await sandbox.press(ANN, BOT, menu, pack)
    assert press["is_answered"]
    invoice = await sandbox.message(ANN, BOT, lambda m: "invoice" in m)
    return press, invoice


async def pay(sandbox, invoice):
    return await sandbox.post(
        f"/people/{ANN}/payments", {"bot_id": BOT, "message_id": invoice["message_id"]}
    )


async def test_sells_and_consumes_a_pack(sandbox, bot, shop):
    press, invoice = await buy(sandbox)
    assert press["text"] == "Start it is"
    edited = await sandbox.text(ANN, BOT, "You chose Start.")
    assert "edit_date" in edited and "reply_markup" not in edited

    result = await pay(sandbox, invoice)
    assert result["outcome"] == "paid"
    assert result["charge_id"].startswith("stx")
    await sandbox.text(ANN, BOT, "You have 10 credits")
    assert shop.checkouts[0].total_amount == 75
    assert await sandbox.stars(ANN) == 925
    assert (await bot.get_my_star_balance()).amount == 75

    for left in range(9, -1, -1):
        await sandbox.say(ANN, BOT, "/use")
        await sandbox.text(ANN, BOT, f"{left} credits left")
    await sandbox.say(ANN, BOT, "/use")
    await sandbox.text(ANN, BOT, "No credits")

    with pytest.raises(Exception, match="already_paid"):
        await pay(sandbox, invoice)


async def test_a_refused_checkout_charges_nothing(sandbox, bot, shop):
    shop.refusal = "Sold out."
    _, invoice = await buy(sandbox)
    result = await pay(sandbox, invoice)
    assert result == {"outcome": "refused", "message": "Sold out."}
    assert await sandbox.stars(ANN) == 1000
    assert (await bot.get_star_transactions()).transactions == []
    assert shop.credits == {}


async def test_a_refund_has_the_id_of_its_payment(sandbox, bot, shop):
    _, invoice = await buy(sandbox)
    charge = (await pay(sandbox, invoice))["charge_id"]
    await sandbox.text(ANN, BOT, "You have 10 credits")

    await sandbox.post(f"/charges/{charge}/complaint", {"reason": "too dear"})
    await sandbox.text(ANN, BOT, "Refunded.")
    refund = await sandbox.message(ANN, BOT, lambda m: "refunded_payment" in m)
    assert refund["from"]["id"] == BOT and refund["chat"]["id"] == ANN
    for _ in range(100):
        if charge in shop.refunded:
            break
        await asyncio.sleep(0.05)
    assert shop.credits[ANN] == 0
    assert await sandbox.stars(ANN) == 1000

    rows = (await bot.get_star_transactions()).transactions
    assert [row.id for row in rows] == [charge, charge]
    assert rows[0].source.user.id == ANN and rows[0].receiver is None
    assert rows[1].receiver.user.id == ANN and rows[1].source is None
    with pytest.raises(TelegramBadRequest, match="CHARGE_ALREADY_REFUNDED"):
        await bot.refund_star_payment(ANN, charge)


async def test_a_subscription_renews_cancels_and_fails(sandbox, bot, shop):
    await sandbox.say(ANN, BOT, "/plan")
    offer = await sandbox.text(ANN, BOT, "A plan")
    link = offer["reply_markup"]["inline_keyboard"][0][0]["url"]
    first = await sandbox.post(f"/people/{ANN}/payments", {"invoice": link})
    await sandbox.text(ANN, BOT, "You have 30 credits")

    await sandbox.post("/clock", {"seconds": 30 * 86400 + 60})
    await sandbox.text(ANN, BOT, "You have 60 credits")
    renewal = await sandbox.message(ANN, BOT, lambda m: "successful_payment" in m)
    payment = renewal["successful_payment"]
    assert payment["is_recurring"] and "is_first_recurring" not in payment
    assert payment["telegram_payment_charge_id"] != first["charge_id"]

    subscription = (await sandbox.get(f"/people/{ANN}/subscriptions"))[0]
    assert subscription["id"] == first["charge_id"]
    await sandbox.post(f"/subscriptions/{subscription['id']}/cancellation")
    await sandbox.call("DELETE", f"/subscriptions/{subscription['id']}/cancellation")
    # 800 Stars are left: eight more months, then the ninth fails.
    await sandbox.post("/clock", {"seconds": 10 * 30 * 86400})
    for _ in range(200):
        if len(shop.updates) == 3:
            break
        await asyncio.sleep(0.05)
    assert [state for state, _ in shop.updates] == ["canceled", "active", "failed"]
    assert {payload for _, payload in shop.updates} == {"plan:monthly"}
    await sandbox.text(ANN, BOT, "You have 300 credits")
    assert await sandbox.stars(ANN) == 0

    assert await bot.edit_user_star_subscription(ANN, first["charge_id"], True)
    with pytest.raises(TelegramBadRequest, match="CHARGE_ID_INVALID"):
        await bot.edit_user_star_subscription(ANN, "stxNothing", True)


async def test_menu_and_profile(sandbox, bot, shop):
    me = await bot.get_me()
    assert (me.id, me.username, me.is_bot) == (BOT, "shop_bot", True)
    assert [c.command for c in await bot.get_my_commands()] == ["buy", "use", "paysupport"]


async def test_errors_are_those_aiogram_knows(sandbox, bot):
    with pytest.raises(TelegramBadRequest, match="chat not found"):
        await bot.send_message(4242, "hello")
    with pytest.raises(TelegramBadRequest, match="INVOICE_PAYLOAD_INVALID"):
        await bot.create_invoice_link("T", "D", "x" * 129, "XTR", [LabeledPrice(label="L", amount=1)])
    stranger = make_bot(f"{BOT}:wrong", sandbox.url)
    with pytest.raises(TelegramUnauthorizedError):
        await stranger.get_me()
    await stranger.session.close()


async def test_a_second_poll_ends_the_first(sandbox, bot):
    first = asyncio.create_task(bot.get_updates(timeout=20))
    await asyncio.sleep(0.3)
    second = asyncio.create_task(bot.get_updates(timeout=2))
    with pytest.raises(TelegramConflictError, match="terminated by other getUpdates request"):
        await first
    assert await second == []


async def test_updates_survive_a_kill(sandbox, bot):
    await sandbox.say(ANN, BOT, "/start before")
    sandbox.kill()
    await sandbox.start()
    updates = await bot.get_updates(timeout=1)
    assert [update.message.text for update in updates] == ["/start before"]


async def test_what_was_acknowledged_survives_a_kill_under_load(sandbox, bot):
    acknowledged = set()

    async def chatter(number):
        for index in range(1000):
            text = f"{number}:{index}"
            try:
                await sandbox.say(ANN, BOT, text)
            except aiohttp.ClientError:
                return
            acknowledged.add(text)

    talkers = [asyncio.create_task(chatter(number)) for number in range(8)]
    while len(acknowledged) < 200:
        await asyncio.sleep(0.01)
    sandbox.kill()
    await asyncio.gather(*talkers)
    await sandbox.start()

    updates, offset = [], None
    while page := await bot.get_updates(offset=offset, timeout=0):
        updates += page
        offset = page[-1].update_id + 1
    texts = [update.message.text for update in updates]
    assert acknowledged <= set(texts)
    assert len(texts) == len(set(texts)) <= len(acknowledged) + 8
    ids = [update.update_id for update in updates]
    assert ids == list(range(ids[0], ids[0] + len(ids)))
    for number in range(8):
        own = [text for text in texts if text.startswith(f"{number}:")]
        assert own == sorted(own, key=lambda text: int(text.split(":")[1]))
