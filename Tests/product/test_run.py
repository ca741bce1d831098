"""Starting, stopping and starting again: what a person at a terminal meets."""

import os
import pathlib
import shutil
import signal
import socket
import subprocess
import tempfile
import uuid

import pytest

from cluster import PrivateCluster
from running import BINARY, ROOT, Product, call, cluster_url, prepare, wait_until


@pytest.fixture
def folder():
    path = pathlib.Path(tempfile.mkdtemp(prefix="estars-run-"))
    path.chmod(0o755)
    yield path
    shutil.rmtree(path, ignore_errors=True)


def run(*arguments, **environment):
    return subprocess.run(
        [BINARY, *arguments], cwd=ROOT, capture_output=True, text=True, timeout=60,
        env={**os.environ, **environment})


def complaint(result):
    """The one line that says what is wrong."""
    assert result.returncode != 0
    lines = [line for line in (result.stdout + result.stderr).splitlines() if "rror" in line]
    assert len(lines) == 1, result
    assert "Fatal" not in lines[0] and ".swift" not in lines[0]
    return lines[0]


def test_stop_start_kill_and_fresh(folder):
    prepare(folder)
    product = Product(folder).start()
    try:
        user, bot = product.bot()["customer"], product.bot()
        before = product.balance(user)
        body = {"user": user, "action": bot["action"]}
        assert product.api("POST", "/v1/debits", body, key=str(uuid.uuid4())).status == 201
        assert product.stop() == 0
        assert "Ctrl-C" in (folder / "demo.log").read_text()
        kept = product.demo

        # It keeps data, keys and logins.
        product.start()
        assert product.balance(user) == before - 1
        assert product.demo == kept

        # After kill -9 the database lives on and is adopted.
        product.stop(signal.SIGKILL)
        product.start()
        assert product.balance(user) == before - 1
        verified = run("ledger", "verify", "--data", str(folder))
        assert verified.stdout.strip().endswith("0 problems"), verified
        product.stop()

        product.start("--fresh")
        assert product.balance(product.bot()["customer"]) == before
        assert product.bot()["api_key"] != bot["api_key"]
        assert product.stop() == 0
    finally:
        if product.process.poll() is None:
            product.stop(signal.SIGKILL)
            Product(folder).start("--fresh").stop()


def test_a_running_demo_gets_its_killed_database_back(folder):
    prepare(folder)
    product, cluster = Product(folder).start(), PrivateCluster(folder)
    try:
        body = {"user": product.bot()["customer"], "action": product.bot()["action"]}
        key, answers = str(uuid.uuid4()), []
        first = cluster.postmaster()
        os.kill(first, signal.SIGKILL)

        def answered():
            answers.append(product.api("POST", "/v1/debits", body, key=key).status)
            return answers[-1] != 503

        # The first one's backends may answer until they notice that it is gone.
        wait_until(lambda: cluster.postmaster() not in (None, first), 60)
        wait_until(answered, 60)
        assert answers[-1] in (200, 201), answers

        # Ctrl-C while it comes back ends both.
        os.kill(cluster.postmaster(), signal.SIGKILL)
        assert product.stop() == 0, (folder / "demo.log").read_text()[-2000:]
        assert cluster.postmaster() is None
    finally:
        if product.process.poll() is None:
            product.stop(signal.SIGKILL)
        cluster.end()


def test_a_taken_port_is_named(folder):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        for option in ("--port", "--sandbox-port"):
            line = complaint(run("demo", "--data", str(folder), option, str(port)))
            assert str(port) in line and "is taken" in line and option in line
    assert not (folder / "postgres").exists()


def test_a_second_demo_leaves_the_first_ones_folder_alone(product):
    for extra in ([], ["--fresh"]):
        line = complaint(run(
            "demo", "--data", str(product.data), "--port", "18997", "--sandbox-port", "18998",
            *extra))
        assert "another demo uses the folder" in line
    assert call("GET", product.url + "/readyz").status == 200


def test_a_bot_is_added_by_its_token(product):
    token = "7000000077:AA" + "b" * 33
    call("POST", product.sandbox + "/sandbox/bots", {
        "token": token, "name": "Padeiro", "username": "padeiro_bot"})
    url = run("cluster-url", "--data", str(product.data)).stdout.strip()
    environment = {
        "DATABASE_URL": url, "ESTARS_SECRET_KEY_FILE": str(product.data / "secret.key"),
        "ESTARS_BOT_TOKEN": token}
    slug = product.demo["workspace"]
    arguments = ["bot", "add", "--workspace", slug, "--environment", product.sandbox]
    result = run(*arguments, **environment)
    assert "@padeiro_bot" in result.stdout, result
    key = next(line.split()[-1] for line in result.stdout.splitlines() if "API key" in line)
    answer = product.api("GET", "/v1/catalog?user=5", token=key)
    assert answer.status == 200
    live = ["bot", "add", "--workspace", slug, "--environment", "live"]
    assert "test side" in complaint(run(*live, **environment))
    assert "no token" in complaint(run(*arguments, **{**environment, "ESTARS_BOT_TOKEN": "x"}))


def test_a_folder_that_cannot_be_written_is_named():
    line = complaint(run("demo", "--data", "/proc/estars", "--port", "18999"))
    assert "/proc/estars" in line and "--data" in line


def test_production_names_everything_that_is_missing_or_weak():
    bare = {"DATABASE_URL": "", "ESTARS_SECRET_KEY": ""}
    result = run("serve", **bare)
    assert result.returncode != 0
    assert "DATABASE_URL is missing" in result.stderr
    assert "ESTARS_SECRET_KEY is missing" in result.stderr
    result = run(
        "serve", DATABASE_URL="postgresql:///x", ESTARS_SECRET_KEY="0" * 64,
        ESTARS_PUBLIC_URL="http://estars.example", ESTARS_PORT="99999")
    assert "ESTARS_SECRET_KEY is too weak" in result.stderr
    assert "ESTARS_PUBLIC_URL is plain HTTP" in result.stderr
    assert "ESTARS_PORT is not a number" in result.stderr
    result = run(
        "serve", DATABASE_URL="postgresql:///x", ESTARS_SECRET_KEY=os.urandom(32).hex(),
        ESTARS_PUBLIC_URL="https://estars.example")
    assert "ESTARS_TRUSTED_PROXIES is missing" in result.stderr


def test_an_operator_is_added_and_signs_in(product):
    environment = {
        "DATABASE_URL": cluster_url(product.data), "ESTARS_SECRET_KEY_FILE": str(product.data / "secret.key"),
        "ESTARS_OPERATOR_PASSWORD": "a long enough one"}
    arguments = [
        "operator", "add", "--email", "New@Example.com", "--name", "New", "--workspace", "padaria",
        "--locale", "en"]
    assert run(*arguments, **environment).returncode == 0
    # Again, or for another workspace: the account and its password stay.
    other = {**environment, "ESTARS_OPERATOR_PASSWORD": ""}
    assert run(*arguments, **other).returncode == 0
    another = ["operator", "add", "--email", "other@example.com", "--name", "O", "--workspace"]
    short = {**environment, "ESTARS_OPERATOR_PASSWORD": "short"}
    assert "password needs" in complaint(run(*another, "padaria", **short))
    for slug in ("Não", "padaria-test", "admin"):
        assert "the slug is" in complaint(run(*another, slug, **environment))
    from test_bad_input import form

    response = form(
        product, "/login", {"email": "new@example.com", "password": "a long enough one"})
    cookie = response.headers["Set-Cookie"].split(";")[0]
    for slug in ("padaria", "padaria-test"):
        page = call("GET", f"{product.url}/w/{slug}", headers={"Cookie": cookie})
        assert page.status == 200
    # And into nobody else's workspace.
    page = call("GET", f"{product.url}/w/estudio-aurora", headers={"Cookie": cookie})
    assert page.status == 404


def test_telegram_delivers_to_the_webhook_itself(product):
    """eStars owns the webhook: the sandbox asks, is answered in the response, and delivers."""
    bot = product.bot(1)
    method = f"{product.sandbox}/bot{bot['token']}"
    person = 6_980_001
    call("POST", product.sandbox + "/sandbox/people", {
        "id": person, "first_name": "Téo", "language_code": "pt-br", "stars": 200})
    answer = call("POST", method + "/setWebhook", {
        "url": bot["webhook_url"], "secret_token": bot["webhook_secret"],
        "allowed_updates": ["message", "pre_checkout_query"]})
    assert answer.json()["ok"] is True
    try:
        answer = product.api(
            "POST", "/v1/checkouts", {"user": person, "sku": "try"}, bot=1, key=str(uuid.uuid4()))
        assert answer.status == 201, answer.body
        sale = answer.json()["checkout"]
        slug = sale["invoice_link"].rsplit("/", 1)[1].lstrip("$")

        def pay():
            return call(
                "POST", f"{product.sandbox}/sandbox/people/{person}/payments", {"invoice": slug},
                timeout=40).json()

        paid = pay()
        assert paid["outcome"] == "paid", paid
        wait_until(lambda: product.balance(person, bot=1) == 9, 20)
        # The invoice was for one payment: the second is refused before anything is charged.
        again = pay()
        assert again["outcome"] != "paid", again
        assert product.balance(person, bot=1) == 9
        info = call("POST", method + "/getWebhookInfo").json()["result"]
        assert info["pending_update_count"] == 0 and "last_error_message" not in info
    finally:
        call("POST", method + "/deleteWebhook")


def test_the_workspace_goes_with_the_sandboxs_clock(folder):
    prepare(folder)
    product = Product(folder).start()
    try:
        user = 5_001_003  # bought Pro for 30 days a week ago

        def access():
            return sorted(
                grant["entitlement"]
                for grant in product.api("GET", f"/v1/customers/{user}").json()["access"])

        assert access() == ["hd_quality", "priority_queue", "pro"]
        moved = call("POST", product.sandbox + "/sandbox/clock", {"seconds": 25 * 86_400}, timeout=60)
        assert moved.status == 200, moved.body
        wait_until(lambda: access() == [], 20)
        # Business goes on at the new time.
        body = {"user": user, "action": "sticker"}
        assert product.api("POST", "/v1/debits", body, key=str(uuid.uuid4())).status == 201
    finally:
        product.stop()
