"""A bot that makes stickers for credits. It polls Telegram; eStars keeps count.

    pip install aiogram
    BOT_TOKEN=… ESTARS_KEY=… ESTARS_EVENT_SECRET=… python quickstart.py
"""

import asyncio
import hashlib
import hmac
import json
import os
import time

import aiohttp
from aiogram import Bot, Dispatcher, F
from aiogram.client.session.aiohttp import AiohttpSession
from aiogram.client.telegram import TelegramAPIServer
from aiogram.filters import Command
from aiogram.types import CallbackQuery, InlineKeyboardButton, InlineKeyboardMarkup, Message, Update
from aiohttp import web

ESTARS_URL = os.environ.get("ESTARS_URL", "http://localhost:8080")
ESTARS_KEY = os.environ["ESTARS_KEY"]
EVENT_SECRET = os.environ["ESTARS_EVENT_SECRET"]
EVENT_PORT = int(os.environ.get("EVENT_PORT", "8090"))
TELEGRAM = os.environ.get("TELEGRAM_API", "https://api.telegram.org")

bot = Bot(
    os.environ["BOT_TOKEN"], session=AiohttpSession(api=TelegramAPIServer.from_base(TELEGRAM)))
dispatcher = Dispatcher()
waiting: dict[int, dict] = {}  # work that a user must buy credits for, until they choose a pack


async def estars(method: str, path: str, body: dict | None = None, key: str | None = None):
    """One call of the API. A repeated write with the same key is carried out once."""
    headers = {"Authorization": f"Bearer {ESTARS_KEY}", **({"Idempotency-Key": key} if key else {})}
    async with aiohttp.ClientSession(ESTARS_URL, headers=headers) as session:
        for pause in (0.5, 1, 2, 4, None):
            try:
                async with session.request(method, path, json=body) as answer:
                    if answer.status < 500 or pause is None:
                        return answer.status, await answer.json(content_type=None), answer.headers
            except aiohttp.ClientError:
                if pause is None:
                    raise
            await asyncio.sleep(pause)


async def make_sticker(user: int, work: dict) -> None:
    """The paid action. However often this runs for one piece of work, it is paid once."""
    status, answer, headers = await estars(
        "POST", "/v1/debits", {"user": user, "action": "sticker"}, key=work["job"])
    if status == 402:
        waiting[user] = work
        await show_paywall(user, answer["paywall"])
    elif status in (200, 201, 202):
        paid = "already paid" if headers.get("Idempotency-Replayed") else \
            f"{answer['debit'].get('balance', '?')} credits left"
        await bot.send_message(user, f"Here is “{work['text']}” as a sticker ({paid}).")
    else:
        await bot.send_message(user, f"Not possible now: {answer['detail']}")


async def show_paywall(user: int, paywall: dict) -> None:
    rows = [
        [InlineKeyboardButton(
            text=f"{pack['title']}: {pack['stars']} ★", callback_data=f"buy:{pack['sku']}")]
        for pack in paywall["packs"]]
    await bot.send_message(
        user, paywall["text"], reply_markup=InlineKeyboardMarkup(inline_keyboard=rows))


@dispatcher.callback_query(F.data.startswith("buy:"))
async def choose(query: CallbackQuery):
    user, sku = query.from_user.id, query.data.split(":")[1]
    work = waiting.pop(user, None)
    # What was interrupted travels with the invoice and comes back with the payment.
    body = {"user": user, "sku": sku, "language": query.from_user.language_code or "en"}
    if work:
        body["resume"] = json.dumps(work)
    status, answer, _ = await estars("POST", "/v1/checkouts", body, key=f"press-{query.id}")
    await query.answer()
    if status not in (200, 201):
        return await bot.send_message(user, answer["detail"])
    sale = answer["checkout"]
    button = InlineKeyboardButton(text=f"Pay {sale['stars']} ★", url=sale["invoice_link"])
    await bot.send_message(
        user, sale["description"], reply_markup=InlineKeyboardMarkup(inline_keyboard=[[button]]))


@dispatcher.message(Command("balance"))
async def balance(message: Message) -> None:
    _, answer, _ = await estars("GET", f"/v1/customers/{message.chat.id}")
    await message.answer(f"You have {answer['balance']['available']} credits.")


@dispatcher.message(F.text)
async def order(message: Message):
    if message.text.startswith("/"):
        return await message.answer("Send me a word and I make a sticker of it.")
    job = f"sticker-{message.chat.id}-{message.message_id}"
    await make_sticker(message.chat.id, {"job": job, "text": message.text[:100]})


@dispatcher.update.outer_middleware()
async def hand_over(handler, update: Update, data: dict):
    """What concerns money goes to eStars, which answers Telegram and credits the user."""
    message = update.message
    if update.pre_checkout_query or message and (
            message.successful_payment or message.refunded_payment):
        await estars(
            "POST", "/v1/updates", update.model_dump(mode="json", exclude_none=True, by_alias=True))
    else:
        return await handler(update, data)


def is_genuine(signature: str, body: bytes) -> bool:
    parts = [part.strip().partition("=") for part in signature.split(",")]
    stamp = next((value for name, _, value in parts if name == "t"), "")
    if not stamp.isdigit() or abs(time.time() - int(stamp)) > 300:
        return False
    signed = stamp.encode() + b"." + body
    expected = hmac.new(EVENT_SECRET.encode(), signed, hashlib.sha256).hexdigest().encode()
    return any(
        name == "v1" and hmac.compare_digest(value.encode(), expected) for name, _, value in parts)


async def event(request: web.Request) -> web.Response:
    body = await request.read()
    if not is_genuine(request.headers.get("eStars-Signature", ""), body):
        return web.Response(status=401)
    event = json.loads(body)
    data = event["data"]
    if event["kind"] == "payment.completed" and data.get("resume"):
        await make_sticker(event["user"], json.loads(data["resume"]))
    elif event["kind"] == "access.changed" and not data["active"]:
        await bot.send_message(event["user"], f"Your access to {data['entitlement']} has ended.")
    return web.Response()


async def main() -> None:
    server = web.Application()
    server.add_routes([web.post("/events", event)])
    runner = web.AppRunner(server)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", EVENT_PORT).start()
    await dispatcher.start_polling(
        bot, allowed_updates=["message", "callback_query", "pre_checkout_query"])


asyncio.run(main())
