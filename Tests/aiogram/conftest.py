import asyncio
import contextlib

import pytest_asyncio
from aiogram.webhook.aiohttp_server import SimpleRequestHandler, setup_application
from aiohttp import web

from sandbox import ANN, SECRET, TOKEN, Sandbox, free_port
from shop_bot import Shop, make_bot, make_dispatcher, set_menu

@pytest_asyncio.fixture
async def sandbox(tmp_path):
    sandbox = Sandbox(tmp_path / "sandbox")
    await sandbox.start()
    try:
        await sandbox.post("/bots", {"token": TOKEN, "name": "Shop", "username": "shop_bot"})
        await sandbox.post("/people", {"id": ANN, "first_name": "Ann", "stars": 1000})
        yield sandbox
    finally:
        await sandbox.stop()


@pytest_asyncio.fixture
async def bot(sandbox):
    bot = make_bot(TOKEN, sandbox.url)
    yield bot
    await bot.session.close()


@pytest_asyncio.fixture
async def shop(bot):
    """The shop, polling."""
    shop = Shop()
    await set_menu(bot)
    dispatcher = make_dispatcher(shop)
    task = asyncio.create_task(
        dispatcher.start_polling(bot, handle_signals=False, polling_timeout=5, close_bot_session=False)
    )
    yield shop
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task


@pytest_asyncio.fixture
async def webhook_shop(bot):
    """The shop behind aiogram's webhook server."""
    shop = Shop()
    dispatcher = make_dispatcher(shop)
    application = web.Application()
    SimpleRequestHandler(dispatcher, bot, secret_token=SECRET).register(application, path="/hook")
    setup_application(application, dispatcher, bot=bot)
    runner = web.AppRunner(application)
    await runner.setup()
    port = free_port()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    shop.url = f"http://127.0.0.1:{port}/hook"
    yield shop
    await runner.cleanup()
