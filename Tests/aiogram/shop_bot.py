"""A shop as anybody would write it with aiogram: sells packs for Stars, spends their credits."""

from aiogram import Bot, Dispatcher, F, Router
from aiogram.client.session.aiohttp import AiohttpSession
from aiogram.client.telegram import TelegramAPIServer
from aiogram.filters import Command, CommandStart
from aiogram.types import (
    BotCommand,
    CallbackQuery,
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    LabeledPrice,
    Message,
    PreCheckoutQuery,
)

PACKS = {"start": ("Start", 75, 10), "pro": ("Pro", 250, 40)}
THIRTY_DAYS = 2592000


class Shop:
    """Credits in memory, keyed so that a payment told twice counts once."""

    def __init__(self):
        self.credits = {}
        self.charges = {}
        self.refunded = set()
        self.refusal = None
        self.checkouts = []
        self.updates = []

    def credit(self, user, charge, amount):
        if charge in self.charges:
            return False
        self.charges[charge] = (user, amount)
        self.credits[user] = self.credits.get(user, 0) + amount
        return True


def make_bot(token, base):
    return Bot(token, session=AiohttpSession(api=TelegramAPIServer.from_base(base)))


async def set_menu(bot):
    await bot.set_my_commands(
        [
            BotCommand(command="buy", description="Buy credits"),
            BotCommand(command="use", description="Make a sticker"),
            BotCommand(command="paysupport", description="Payment support"),
        ]
    )


def make_dispatcher(shop):
    router = Router()

    @router.message(CommandStart())
    async def start(message: Message):
        await message.answer(f"Hello, {message.from_user.first_name}. Try /buy.")

    @router.message(Command("buy"))
    async def buy(message: Message):
        rows = [
            [InlineKeyboardButton(text=f"{title}: {stars} ★", callback_data=f"buy:{key}")]
            for key, (title, stars, _) in PACKS.items()
        ]
        await message.answer("Choose a pack", reply_markup=InlineKeyboardMarkup(inline_keyboard=rows))

    @router.callback_query(F.data.startswith("buy:"))
    async def choose(query: CallbackQuery, bot: Bot):
        key = query.data.split(":")[1]
        title, stars, credits = PACKS[key]
        await query.answer(f"{title} it is")
        await query.message.edit_text(f"You chose {title}.")
        await bot.send_invoice(
            chat_id=query.from_user.id,
            title=title,
            description=f"{credits} credits",
            payload=f"pack:{key}",
            currency="XTR",
            prices=[LabeledPrice(label=title, amount=stars)],
        )

    @router.message(Command("plan"))
    async def plan(message: Message, bot: Bot):
        link = await bot.create_invoice_link(
            title="Monthly",
            description="30 credits each month",
            payload="plan:monthly",
            currency="XTR",
            prices=[LabeledPrice(label="Monthly", amount=100)],
            subscription_period=THIRTY_DAYS,
        )
        button = InlineKeyboardButton(text="Subscribe for 100 ★", url=link)
        await message.answer(
            "A plan", reply_markup=InlineKeyboardMarkup(inline_keyboard=[[button]])
        )

    @router.pre_checkout_query()
    async def check(query: PreCheckoutQuery):
        shop.checkouts.append(query)
        if shop.refusal is not None:
            await query.answer(ok=False, error_message=shop.refusal)
        else:
            await query.answer(ok=True)

    @router.message(F.successful_payment)
    async def paid(message: Message):
        payment = message.successful_payment
        kind, key = payment.invoice_payload.split(":")
        amount = 30 if kind == "plan" else PACKS[key][2]
        if shop.credit(message.from_user.id, payment.telegram_payment_charge_id, amount):
            await message.answer(f"Paid. You have {shop.credits[message.from_user.id]} credits.")

    @router.message(F.refunded_payment)
    async def refunded(message: Message):
        charge = message.refunded_payment.telegram_payment_charge_id
        user, amount = shop.charges[charge]
        if charge not in shop.refunded:
            shop.refunded.add(charge)
            shop.credits[user] -= amount

    @router.message(Command("use"))
    async def use(message: Message):
        left = shop.credits.get(message.from_user.id, 0)
        if left < 1:
            await message.answer("No credits. Try /buy.")
            return
        shop.credits[message.from_user.id] = left - 1
        await message.answer(f"Here is a sticker. {left - 1} credits left.")

    @router.message(Command("paysupport"))
    async def support(message: Message, bot: Bot):
        charge = message.text.split()[1]
        await bot.refund_star_payment(
            user_id=message.from_user.id, telegram_payment_charge_id=charge
        )
        await message.answer("Refunded.")

    @router.subscription()
    async def subscription(event):
        shop.updates.append((event.state, event.invoice_payload))

    dispatcher = Dispatcher()
    dispatcher.include_router(router)
    return dispatcher
