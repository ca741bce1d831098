"""The history that `bin/run` loads: whole, in the sandbox's books too, and the same again."""

import datetime
import pathlib
import re
import shutil
import signal
import subprocess
import tempfile

import pytest

from running import BINARY, ROOT, Dashboard, Product, call
from test_paid_path import sql
from test_run import complaint, run

# A day that is over, and recent enough for nothing of the history to fall due by now.
UNTIL = (datetime.date.today() - datetime.timedelta(days=2)).isoformat()


def folder():
    path = pathlib.Path(tempfile.mkdtemp(prefix="estars-history-"))
    path.chmod(0o755)
    return path


@pytest.fixture(scope="module")
def studio():
    product = Product(folder(), customers=300)
    try:
        yield product.start("--until", UNTIL)
    finally:
        if product.process and product.process.poll() is None:
            product.stop()
        shutil.rmtree(product.data, ignore_errors=True)


def printed_checksum(product):
    found = re.findall(r"(\d+) ledger entries, checksum ([0-9a-f]{32})", log(product))
    return found[-1] if found else None


def log(product):
    return (product.data / "demo.log").read_text()


def method(product, name, body=None, bot=0):
    token = product.bot(bot)["token"]
    return call("POST", f"{product.sandbox}/bot{token}/{name}", body or {}).json()


def transactions(product, bot):
    rows, offset = [], 0
    while page := method(
            product, "getStarTransactions", {"offset": offset, "limit": 100}, bot
            )["result"]["transactions"]:
        rows, offset = rows + page, offset + 100
    return rows


def test_it_is_large_told_of_and_right(studio):
    entries, checksum = printed_checksum(studio)
    assert int(entries) >= 20_000
    assert [line.split()[-2] for line in log(studio).splitlines() if line.endswith(" %")] == [
        str(tenth * 10) for tenth in range(1, 11)]
    verified = run("ledger", "verify", "--data", str(studio.data))
    assert verified.stdout.strip() == "0 problems", verified
    again = run("demo-checksum", "--data", str(studio.data))
    assert again.stdout.split()[0] == checksum
    assert sql(studio, "select count(*) from customers") == "300"


def test_every_payment_is_in_the_sandboxs_books(studio):
    for bot in (0, 1):
        rows = transactions(studio, bot)
        bot_id = studio.bot(bot)["id"]
        paid = sql(
            studio, "select count(*) || ' ' || sum(stars) from payments p join bots using (bot_id) "
            f"where bot_id = {bot_id}").split()
        back = sql(
            studio, "select count(*) || ' ' || coalesce(sum(stars), 0) from payments "
            f"where bot_id = {bot_id} and state = 'refunded'").split()
        incoming = [row for row in rows if "source" in row]
        outgoing = [row for row in rows if "receiver" in row]
        assert [str(len(incoming)), str(sum(row["amount"] for row in incoming))] == paid
        assert [str(len(outgoing)), str(sum(row["amount"] for row in outgoing))] == back
        assert [row["date"] for row in rows] == sorted(row["date"] for row in rows)
        balance = method(studio, "getMyStarBalance", bot=bot)["result"]["amount"]
        assert balance == int(paid[1]) - int(back[1])


def test_its_subscriptions_are_in_every_state(studio):
    def rows(statement):
        return [line.split("|") for line in sql(studio, statement).splitlines()]

    states = {state: int(count) for state, count in rows(
        "select state || '|' || count(*) from subscriptions group by state")}
    assert set(states) == {"trial", "active", "grace", "expired", "replaced"}, states
    # One in eight of three hundred subscribes at some time; most go on.
    assert 25 <= sum(states.values()) <= 80 and states["active"] >= 12, states
    renewals = {renewal: int(count) for renewal, count in rows(
        "select renewal || '|' || count(*) from subscriptions where state = 'active' "
        "group by renewal")}
    assert renewals["on"] >= 10 and renewals["off"] >= 1, renewals
    kinds = {kind for kind, in rows("select distinct kind from subscription_changes")}
    assert kinds >= {
        "trial", "subscribe", "renew", "cancel", "fail", "grace", "expire", "upgrade",
        "replace"}, kinds
    assert int(sql(studio, "select count(*) from subscriptions where next_plan = 'pro'")) >= 1
    # What comes every month is what those pay that Telegram renews.
    prices = {(plan, int(stars)) for plan, stars in rows(
        "select distinct plan || '|' || stars from subscriptions "
        "where state = 'active' and renewal = 'on'")}
    assert prices == {("pro", 2000), ("premium", 6000)}
    monthly = int(sql(
        studio, "select sum(stars) from subscriptions where state = 'active' and renewal = 'on'"))
    assert monthly >= 2000 * renewals["on"]
    page = Dashboard(studio, "owner").get("/subscriptions")
    shown = re.search(r'class="figure tone-stars">.*?class="figure-value">([^<]*)<', page, re.S)[1]
    assert re.sub("[^0-9]", "", shown) == str(monthly)


def test_a_second_start_adds_nothing_and_another_history_is_refused(studio):
    checksum = printed_checksum(studio)
    assert studio.stop() == 0
    written = len(log(studio))
    for wish in (["--seed", "2"], ["--customers", "20"], ["--until", "2026-01-01"]):
        line = complaint(run(
            "demo", "--data", str(studio.data), "--port", str(studio.port), "--sandbox-port",
            str(studio.sandbox_port), *wish))
        assert "--fresh" in line and "300 customers" in line
    studio.customers = None
    studio.start()
    assert "ledger entries" not in log(studio)[written:]
    assert run("demo-checksum", "--data", str(studio.data)).stdout.split()[0] == checksum[1]


def test_every_payment_can_be_refunded_in_the_sandbox(studio):
    """As the last test of this folder: the books are spent afterwards."""
    for bot in (0, 1):
        rows = transactions(studio, bot)
        gone = {row["id"] for row in rows if "receiver" in row}
        open_rows = [row for row in rows if "source" in row and row["id"] not in gone]
        assert len(open_rows) > 100
        for row in open_rows[::7]:
            answer = method(studio, "refundStarPayment", {
                "user_id": row["source"]["user"]["id"], "telegram_payment_charge_id": row["id"]},
                bot)
            assert answer.get("result") is True, (row, answer)
        again = method(studio, "refundStarPayment", {
            "user_id": rows[0]["source"]["user"]["id"],
            "telegram_payment_charge_id": next(iter(gone or {rows[0]["id"]}))}, bot)
        assert again["ok"] is False


def test_a_load_that_was_killed_is_completed():
    product = Product(folder(), customers=30)
    arguments = [
        BINARY, "demo", "--port", str(product.port), "--sandbox-port", str(product.sandbox_port),
        "--data", str(product.data), "--customers", "30", "--until", UNTIL]
    try:
        process = subprocess.Popen(
            arguments, cwd=ROOT, stdout=subprocess.PIPE, text=True, start_new_session=True)
        for line in process.stdout:
            if line.endswith("30 %\n"):
                process.send_signal(signal.SIGKILL)
        process.wait(30)
        assert process.returncode == -signal.SIGKILL
        product.customers = None
        product.start()
        assert sql(product, "select count(*) from customers") == "30"
        assert "100 %" in log(product) and "10 %\n" not in log(product).replace("100 %", "")
        verified = run("ledger", "verify", "--data", str(product.data))
        assert verified.stdout.strip() == "0 problems", verified
        paid = int(sql(product, "select count(*) from payments"))
        rows = [row for bot in (0, 1) for row in transactions(product, bot)]
        assert len([row for row in rows if "source" in row]) == paid > 50
    finally:
        if product.process and product.process.poll() is None:
            product.stop()
        shutil.rmtree(product.data, ignore_errors=True)


@pytest.mark.parametrize("wish", [
    ["--customers", "4"], ["--customers", "3001"], ["--until", "yesterday"], ["--seed", "-1"],
    ["--until", "2999-01-01"]])
def test_a_wish_that_cannot_be_fulfilled_is_named(wish):
    path = folder()
    try:
        result = run("demo", "--data", str(path), "--port", "18995", "--sandbox-port", "18996", *wish)
        assert result.returncode != 0 and wish[0] in result.stderr, result
    finally:
        shutil.rmtree(path, ignore_errors=True)
