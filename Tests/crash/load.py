"""Clients that write as fast as they are answered, each write under a permanent key."""

import asyncio
import collections
import json
import random
import time

import aiohttp

from journal import Answer, Journal, Write

USERS = range(6_900_001, 6_900_121)
# The product's own limit: nobody buys more often within an hour.
PURCHASES = 10
PRICES = {"sticker": 1, "company_lookup": 2}
PACKS = {"try": (5, 4), "start": (10, 0), "pop": (30, 0), "pro": (100, 0), "max": (250, 0)}
# A client whose request was turned away or who finds nobody there waits this long, in seconds.
PATIENCE = 0.3


class Load:
    def __init__(self, product, journal: Journal, prefix: str, clients: int):
        self.product, self.journal, self.prefix, self.clients = product, journal, prefix, clients
        self.numbers = collections.Counter()
        # What every user has at least, whatever becomes of the requests without an answer.
        self.credits = collections.Counter()
        self.bought = collections.Counter()
        self.tally = collections.Counter()
        self.running = False

    async def __aenter__(self):
        self.session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0), timeout=aiohttp.ClientTimeout(total=30))
        return self

    async def __aexit__(self, *_):
        self.running = False
        await self.session.close()

    async def run(self, seed, until):
        """Writes until `until` returns; requests that are then under way are waited for."""
        self.running = True
        tasks = [
            asyncio.create_task(self.client(random.Random(f"{seed} client {number}")))
            for number in range(self.clients)]
        try:
            await until()
        finally:
            self.running = False
            await asyncio.gather(*tasks)
            self.journal.forget_unsent()

    async def client(self, chance):
        sold = None
        while self.running:
            user, dice = chance.choice(USERS), chance.random()
            if sold:
                # The buyer pays what was ordered. Telegram often delivers an update twice.
                write, sold = self.payment(sold), None
                await self.deliver(write, 2 if dice < 0.3 else 1)
            elif self.bought[user] < PURCHASES and (dice < 0.06 or self.credits[user] < 100):
                # Nobody runs dry: a refusal would be a problem.
                sku = chance.choice(("start", "pop", "pro"))
                write = self.journal.enter(self.order(user, sku))
                await self.deliver(write, 2 if dice < 0.01 else 1)
                sold = write if write.is_acknowledged else None
            elif dice < 0.12 or self.credits[user] < 100:
                # Clients repeat what they know the answer to as well.
                if recent := self.journal.recent():
                    await self.deliver(chance.choice(recent), 1)
            else:
                await self.deliver(self.debit(user, chance), 2 if dice < 0.20 else 1)

    async def deliver(self, write: Write, copies: int):
        """Sends the same request, more than one at a time if so wanted."""
        await asyncio.gather(*(self.send(write) for _ in range(copies)))

    async def fund(self):
        """Every user begins with a first purchase, bonus included, and two large packs."""
        async def buy(user):
            for sku in ("try", "max", "max"):
                sale = self.journal.enter(self.order(user, sku))
                await self.deliver(sale, 1)
                await self.deliver(self.payment(sale), 1)

        self.running = True
        await asyncio.gather(*(buy(user) for user in USERS))

    async def settle(self, deadline):
        """Retries what has no answer, with as many clients as wrote, until everything has one."""
        writes = self.journal.open()
        queue = list(writes)

        async def retry():
            while queue:
                write = queue.pop()
                while write.is_open and time.monotonic() < deadline:
                    await self.send(write)

        self.running = True
        await asyncio.gather(*(retry() for _ in range(self.clients)))
        self.running = False
        return writes

    async def balance(self, user) -> int:
        async with self.session.get(
            f"{self.product.url}/v1/customers/{user}", headers=self.headers(user)
        ) as response:
            assert response.status == 200, await response.text()
            return (await response.json())["balance"]["available"]

    # One request.

    async def send(self, write: Write):
        path = {"debit": "/v1/debits", "checkout": "/v1/checkouts", "payment": "/v1/updates"}
        headers = self.headers(write.user)
        if write.kind != "payment":
            headers["Idempotency-Key"] = write.key
        while True:
            try:
                async with self.session.post(
                    self.product.url + path[write.kind], json=write.body, headers=headers
                ) as response:
                    return await self.note(write, response, await response.read())
            except aiohttp.ClientConnectorError:
                # Nobody listens, so nothing was sent.
                await asyncio.sleep(PATIENCE)
                if not self.running:
                    return
            except (aiohttp.ClientError, OSError, asyncio.TimeoutError) as error:
                write.unanswered.append(type(error).__name__)
                self.tally["unanswered"] += 1
                return

    async def note(self, write: Write, response, body):
        if response.status == 503:
            write.unanswered.append("503")
            self.tally["unanswered"] += 1
            self.tally["503"] += 1
            await asyncio.sleep(PATIENCE)
            return
        is_replay = response.headers.get("Idempotency-Replayed") == "true"
        if write.kind == "payment" and response.status == 200:
            is_replay = json.loads(body)["duplicate"]
        if 200 <= response.status < 300:
            if not write.is_acknowledged:
                self.tally["acknowledged"] += 1
                self.credits[write.user] += write.credits + write.bonus
            self.tally["replayed" if is_replay else "applied"] += 1
        write.answers.append(Answer(response.status, is_replay, body))

    def headers(self, user):
        return {"Authorization": f"Bearer {self.product.bot(user % 2)['api_key']}"}

    # What is asked for.

    def number(self, kind) -> int:
        self.numbers[kind] += 1
        return self.numbers[kind]

    def debit(self, user, chance) -> Write:
        action, units = chance.choice(list(PRICES)), chance.choice((1, 1, 2))
        key, cost = f"{self.prefix}-debit-{self.number('debit')}", PRICES[action] * units
        self.credits[user] -= cost
        return self.journal.enter(Write(
            "debit", key, user, self.bot(user),
            {"user": user, "action": action, "units": units, "ref": key}, cost=cost))

    def order(self, user, sku) -> Write:
        key = f"{self.prefix}-checkout-{self.number('checkout')}"
        self.bought[user] += 1
        return Write("checkout", key, user, self.bot(user), {"user": user, "sku": sku})

    def payment(self, sale: Write) -> Write:
        """The update with which Telegram reports that a checkout was paid."""
        sold, number = sale.result()["checkout"], self.number("payment")
        person = {"id": sale.user, "is_bot": False, "first_name": f"Pessoa {sale.user}"}
        charge = f"{self.prefix}-charge-{number}"
        credits, bonus = PACKS[sale.body["sku"]]
        return self.journal.enter(Write(
            "payment", charge, sale.user, sale.bot, {
                "update_id": 1_000_000 + number,
                "message": {
                    "message_id": number, "date": int(time.time()), "from": person,
                    "chat": {"id": sale.user, "type": "private", "first_name": "x"},
                    "successful_payment": {
                        "currency": "XTR", "total_amount": sold["stars"],
                        "invoice_payload": sold["payload"],
                        "telegram_payment_charge_id": charge,
                        "provider_payment_charge_id": "x"}}},
            credits=credits, bonus=bonus))

    def bot(self, user) -> int:
        return self.product.bot(user % 2)["id"]
