"""Telegram's books, payments and ledger agree in the end, whatever was lost on the way."""

import collections
import concurrent.futures
import contextlib
import os
import random
import threading
import time

import pytest

from books import Parts
from refunds import deaf
from running import temporary_product, wait_until
from test_paid_path import sql

BUYERS = range(7_400_001, 7_400_501)
SUBSCRIBER = 7_400_601
CREDITS = {"start": 10, "pop": 30}


@pytest.fixture(scope="module")
def parts():
    with temporary_product() as product:
        parts = Parts(product)
        try:
            parts.bot_api(
                "setWebhook", url=parts.bot["webhook_url"],
                secret_token=parts.bot["webhook_secret"],
                allowed_updates=["message", "pre_checkout_query", "subscription"])
            yield parts
        finally:
            parts.end()


class Market:
    """Buyers who buy at once, from a Telegram that repeats, delays and loses what it tells."""

    def __init__(self, parts, seed):
        self.parts, self.chance = parts, random.Random(seed)
        self.lock = threading.Lock()
        self.expected = collections.Counter()
        self.count = collections.Counter()
        self.links = {}

    def orders(self):
        orders = []
        for user in BUYERS:
            orders.append({
                "user": user, "sku": self.chance.choice(list(CREDITS)),
                "again": self.chance.random() < 0.2,
                "trouble": self.chance.choices(
                    ["", "lose", "duplicate", "delay"], [60, 14, 16, 10])[0],
                "refund": self.chance.choices(
                    ["", "told", "lost", "silent", "chargeback"], [88, 3, 3, 3, 3])[0],
                "seconds": self.chance.uniform(0.05, 1.5), "copies": self.chance.randint(2, 5)})
        self.chance.shuffle(orders)
        return orders

    def buy(self, order):
        parts, user = self.parts, order["user"]
        parts.person(user)
        link = parts.checkout(user, order["sku"])["invoice_link"]
        self.trouble(order)
        charge = parts.pay(user, link)
        self.add("paid", user, CREDITS[order["sku"]])
        if order["again"]:
            self.links[user] = link, CREDITS[order["sku"]]
        if order["refund"]:
            self.refund(charge, order["refund"])
            self.add("refund " + order["refund"], user, -CREDITS[order["sku"]])

    def buy_again(self):
        """Old links: refused where the first payment is known, paid where it was lost."""
        for user, (link, credits) in list(self.links.items()):
            if self.parts.pay_again(user, link):
                self.add("paid twice", user, credits)
                del self.links[user]
        return self.count["paid twice"]

    def trouble(self, order):
        match order["trouble"]:
            case "lose":
                self.parts.fault("lose_update", update="successful_payment")
            case "duplicate":
                self.parts.fault("duplicate", update="message", copies=order["copies"])
            case "delay":
                self.parts.fault("delay_delivery", seconds=order["seconds"])
        self.add(order["trouble"])

    def refund(self, charge, how):
        if how == "lost":
            self.parts.fault("lose_update", update="refunded_payment")
        origin = {"told": "telegram", "lost": "telegram"}.get(how, how)
        answer = self.parts.telegram(f"charges/{charge}/refund", {"origin": origin})
        assert answer.status == 204, answer.body

    def add(self, what, user=None, credits=0):
        with self.lock:
            self.count[what] += 1
            self.expected[user] += credits


def agree(parts, bot=None):
    """For every person: Stars in Telegram, in payments and in the ledger."""
    telegram, ours = parts.stars_at_telegram(bot), parts.our_books(bot)
    return [
        (user, stars, ours.get(user)) for user, stars in telegram.items()
        if ours.get(user, (0, 0))[:2] != (stars, stars)]


def test_500_buyers_agree_whatever_was_lost(parts):
    seed = int(os.environ.get("ESTARS_SEED", random.SystemRandom().randrange(1_000_000)))
    print(f"seed {seed}")
    market = Market(parts, seed)
    orders = market.orders()
    kills = sorted(market.chance.sample(range(60, len(orders) - 60), 3))
    with concurrent.futures.ThreadPoolExecutor(12) as pool:
        work = [pool.submit(market.buy, order) for order in orders]
        for number in kills:
            wait_until(lambda: market.count["paid"] >= number, 240)
            parts.kill()
            time.sleep(market.chance.uniform(0, 0.5))
            parts.start()
        for done in concurrent.futures.as_completed(work, timeout=300):
            done.result()
    # For a minute after it was let through, a payment counts as under way: the minute is over.
    sql(parts.product, "update checkouts set accepted_at = accepted_at - interval '1 minute' "
        "where state = 'validating'")
    wait_until(market.buy_again, 120)
    wait_until(lambda: parts.waiting() == 0, 180)
    before = len(agree(parts))
    assert before >= 40, "so much was lost that comparing has something to find"
    parts.compare()
    assert agree(parts) == [], parts.open()
    ours = parts.our_books()
    wrong = [
        (user, market.expected[user], ours[user]) for user in BUYERS
        if ours[user][2:] != (market.expected[user],) * 3]
    assert wrong == []
    # Once more, and nothing is credited again.
    parts.compare()
    assert parts.our_books() == ours
    assert sql(parts.product, "select count(*) from mismatches where state = 'open'") == "0"
    reconciled = int(sql(
        parts.product, "select count(*) from payments where source = 'reconciliation'"))
    assert reconciled >= 30, reconciled
    for what in ("paid twice", "lose", "duplicate", "delay", "refund told", "refund lost", "refund silent",
                 "refund chargeback"):
        assert market.count[what] > 0, what
    balance = parts.bot_api("getMyStarBalance")["amount"]
    assert sql(parts.product, f"""
        select balance_stars = {balance} and books_stars = {balance} from reconciliations
        where bot_id = {parts.bot['id']} order by reconciliation_id desc limit 1""") == "t"
    assert parts.verified() == "0 problems"


@contextlib.contextmanager
def careless_bot(parts, bot):
    """A bot with a process of its own: it says yes to every payment and forgets what it hears."""
    parts.bot_api("deleteWebhook", bot)
    is_running = threading.Event()
    is_running.set()

    def poll():
        offset = 0
        while is_running.is_set():
            for update in parts.bot_api("getUpdates", bot, offset=offset, timeout=1):
                offset = update["update_id"] + 1
                if query := update.get("pre_checkout_query"):
                    parts.bot_api(
                        "answerPreCheckoutQuery", bot, pre_checkout_query_id=query["id"], ok=True)

    polling = threading.Thread(target=poll)
    polling.start()
    try:
        yield
    finally:
        is_running.clear()
        polling.join()


def subscription(product):
    """Its state, its payments and its cycles."""
    return sql(product, f"""
        select s.state || ' ' || (select count(*) from payments p
            where p.subscription_id = s.subscription_id and p.state = 'credited')
          || ' ' || (select count(*) from subscription_cycles y
            where y.subscription_id = s.subscription_id)
        from subscriptions s join customers c using (workspace_id, customer_id)
        where c.telegram_id = {SUBSCRIBER}""")


def test_after_30_hours_without_a_server_every_payment_is_recovered(parts):
    """A day after they happened Telegram gives its updates up; its books keep what happened."""
    product, other = parts.product, parts.product.bot(1)
    users = list(range(7_400_611, 7_400_623))
    for user in [SUBSCRIBER, *users]:
        parts.person(user)
    parts.pay(SUBSCRIBER, parts.checkout(SUBSCRIBER, plan="pro")["invoice_link"])
    wait_until(lambda: subscription(product) == "active 1 1")
    # Its renewal falls into the outage.
    parts.move_clock((30 * 24 - 3) * 3600)
    early = parts.pay(users[0], parts.checkout(users[0])["invoice_link"])
    wait_until(lambda: product.balance(users[0]) == 10)
    links = {user: parts.checkout(user, bot=0 if index < 7 else 1)["invoice_link"]
             for index, user in enumerate(users)}
    with deaf(product):
        charges = [parts.pay(user, links[user]) for user in users[1:7]]
        parts.kill()
    with careless_bot(parts, other):
        # The server is away, and Telegram goes on selling.
        charges += [parts.pay(user, links[user]) for user in users[7:]]
    answer = parts.telegram(f"charges/{early}/refund", {"origin": "telegram"})
    assert answer.status == 204, answer.body
    assert parts.waiting() >= 6
    assert sql(product, "select count(*) from payments where charge_id in "
               f"({', '.join(repr(charge) for charge in charges)})") == "0"
    parts.move_clock(4 * 3600)
    parts.move_clock(26 * 3600)
    assert parts.waiting() == 0
    assert subscription(product) == "active 1 1"
    # By the clock on the wall it was no day, so the job would wait for its next minute.
    sql(product, "update jobs set run_at = now() where kind = 'reconciliation.daily'")
    since = parts.last_run()
    parts.start()
    wait_until(lambda: parts.compared(since), 120)
    sources = sql(product, "select source || ' ' || state from payments where charge_id in "
                  f"({', '.join(repr(charge) for charge in charges)})").split("\n")
    assert sources == ["reconciliation credited"] * len(charges)
    for index, user in enumerate(users):
        books = parts.our_books(parts.bot if index < 7 else other)[user]
        assert books[2:] == ((0,) if index == 0 else (10,)) * 3, (user, books)
    assert sql(product, f"select state from payments where charge_id = '{early}'") == "refunded"
    wait_until(lambda: subscription(product) == "active 2 2", 60)
    for bot in (parts.bot, other):
        assert agree(parts, bot) == [], parts.open()
    assert sql(product, "select count(*) from mismatches where state = 'open'") == "0"
    assert parts.verified() == "0 problems"
