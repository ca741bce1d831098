"""The program dies between Telegram's word and our own: nothing is lost, and the page says so."""

import signal
import threading
import time

import pytest

from bots import Owner, SandboxBot, handler
from running import temporary_product, wait_until
from test_bots import stored, updates
from test_paid_path import sql


@pytest.fixture(scope="module")
def own():
    with temporary_product() as running:
        yield running


def killed_while(own, bot, change, has_happened):
    """Runs a change whose call of Telegram is answered late, and kills the program meanwhile."""
    # Telegram takes one change of a webhook in a second, and the fault must not go to one that it
    # refuses.
    time.sleep(1.5)
    bot.fault("delay", "setwebhook", seconds=60)

    def attempt():
        try:
            change()
        except OSError:
            pass

    attempting = threading.Thread(target=attempt)
    attempting.start()
    wait_until(has_happened)
    own.stop(signal.SIGKILL)
    attempting.join()
    own.start()


def settled(act):
    """A change that a dead process began holds the bot for half a minute."""
    wait_until(lambda: act().status == 200, timeout=120)


def let_go(own):
    """The half minute is over."""
    sql(own, "update bots set changing_until = now() - interval '1 second' "
        "where changing_until is not null")


def test_killed_after_the_webhook_was_set(own):
    bot, owner = SandboxBot(own), Owner(own)
    with handler() as old:
        bot.method("setWebhook", url=old.url, allowed_updates=["message"])
        person = bot.person()
        owner.add(bot)
        killed_while(
            own, bot, lambda: owner.connect(bot, "webhook", seen=old.url),
            lambda: bot.webhook["url"] == bot.our_url)
        assert stored(own, bot, "mode") == "forwarding"
        # The new secret was noted before Telegram got it, so no update is turned away.
        bot.says(person, "in between")
        wait_until(lambda: updates(own, bot) == 1)
        owner = Owner(own)
        page = owner.bot_page(bot)
        assert "Conectar de novo" in page and "não se sabe como terminou" in page
        settled(lambda: owner.connect(bot, "webhook"))
        assert stored(own, bot, "mode || (next_webhook_secret_hash is null)") == "webhooktrue"
        assert "Conectar de novo" not in owner.bot_page(bot)
        bot.says(person, "after")
        wait_until(lambda: updates(own, bot) == 2)
        owner.disconnect(bot)
        assert bot.webhook["url"] == old.url, "noted before it was overwritten"
        assert bot.webhook["allowed_updates"] == ["message"]


def test_killed_after_the_webhook_was_given_back(own):
    bot, owner = SandboxBot(own), Owner(own)
    with handler() as old:
        bot.method("setWebhook", url=old.url)
        owner.add(bot)
        owner.connect(bot, "webhook")
        killed_while(
            own, bot, lambda: owner.disconnect(bot), lambda: bot.webhook["url"] == old.url)
        assert stored(own, bot, "mode || (disconnected_at is null)") == "webhooktrue"
        owner = Owner(own)
        assert "outro endereço" in owner.bot_page(bot)
        let_go(own)
        settled(lambda: owner.disconnect(bot))
        assert bot.webhook["url"] == old.url
        assert stored(own, bot, "disconnected_at is not null") == "t"


def test_killed_after_the_webhook_was_set_for_a_relay(own):
    """What arrives with the new secret belongs to the handler, though nobody said that it is done."""
    bot, owner = SandboxBot(own), Owner(own)
    with handler() as old:

        def heard():
            return [update["message"]["text"] for secret, update in list(old.calls)
                    if secret == "as-before"]

        bot.method("setWebhook", url=old.url)
        person = bot.person()
        owner.add(bot)
        relay = {"url": old.url, "secret": "as-before"}
        killed_while(
            own, bot, lambda: owner.connect(bot, "relay", seen=old.url, **relay),
            lambda: bot.webhook["url"] == bot.our_url)
        assert stored(own, bot, "mode || next_mode") == "forwardingrelay"
        bot.says(person, "in between")
        wait_until(lambda: heard() == ["in between"])
        owner = Owner(own)
        let_go(own)
        settled(lambda: owner.connect(bot, "relay", **relay))
        assert stored(own, bot, "mode || (next_mode is null)") == "relaytrue"
        bot.says(person, "after")
        wait_until(lambda: heard() == ["in between", "after"])
