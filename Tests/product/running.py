"""The real product as a process, and how to talk to it."""

import contextlib
import fcntl
import functools
import html
import json
import os
import pathlib
import random
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.parse
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[2]
BINARY = os.environ.get("ESTARS_BIN", str(ROOT / ".build/debug/estars"))


def ports():
    """Every port once, in an order of its own, and no two of the processes that run the tests
    side by side share any. Below the range that outgoing connections take theirs from: clients
    that keep calling a server which is down could otherwise be given its port."""
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    numbers = list(range(10_000 + worker, 32_000, 16))
    random.SystemRandom().shuffle(numbers)
    yield from numbers


untried = ports()


def free_port() -> int:
    for port in untried:
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
                return port
            except OSError:
                continue
    raise AssertionError("no port is left")


@functools.cache
def cluster_url(data, role="estars_app") -> str:
    """The libpq address of a product's own database: it follows from the folder alone."""
    return subprocess.run(
        [BINARY, "cluster-url", "--data", str(data), "--role", role], cwd=ROOT, check=True,
        capture_output=True, text=True).stdout.strip()


class Answer:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    def json(self):
        return json.loads(self.body)


def call(method, url, body=None, headers=None, timeout=30) -> Answer:
    """One HTTP request; an error status is an answer like any other."""
    data = json.dumps(body).encode() if isinstance(body, (dict, list)) else body
    request = urllib.request.Request(url, data=data, method=method, headers=dict(headers or {}))
    if data is not None and not request.has_header("Content-type"):
        request.add_header("Content-Type", "application/json")
    try:
        with urllib.request.urlopen(request, timeout=timeout) as response:
            return Answer(response.status, response.headers, response.read())
    except urllib.error.HTTPError as error:
        return Answer(error.code, error.headers, error.read())


def wait_until(what, timeout=30.0):
    """Calls `what` until it gives something true, and returns that."""
    deadline = time.monotonic() + timeout
    while True:
        value = what()
        if value or time.monotonic() > deadline:
            assert value, f"not within {timeout} s"
            return value
        time.sleep(0.05)


class Product:
    """A running `estars demo`."""

    def __init__(self, data: pathlib.Path, customers=20):
        """With a short history, as most tests need none; None: the one that the folder has."""
        self.data, self.customers = data, customers
        self.port, self.sandbox_port = free_port(), free_port()
        self.process = None

    def start(self, *arguments):
        self.launch(*arguments)
        wait_until(self.is_ready, 300)
        return self

    def launch(self, *arguments):
        """Starts the program and does not wait for it."""
        self.written = self.file_time()
        history = ["--customers", str(self.customers)] if self.customers else []
        self.log = open(self.data / "demo.log", "ab")
        self.process = subprocess.Popen(
            [BINARY, "demo", "--port", str(self.port), "--sandbox-port", str(self.sandbox_port),
             "--data", str(self.data), *history, *arguments],
            cwd=ROOT, stdout=self.log, stderr=self.log, start_new_session=True)

    def is_ready(self) -> bool:
        """Whether the launched program serves; it must not have ended."""
        assert self.process.poll() is None, (self.data / "demo.log").read_text()[-2000:]
        if self.file_time() in (None, self.written):
            return False
        self.demo = json.loads((self.data / "demo.json").read_text())
        self.url, self.sandbox = self.demo["base_url"], self.demo["sandbox_url"]
        return True

    def file_time(self):
        file = self.data / "demo.json"
        return file.stat().st_mtime_ns if file.exists() else None

    def stop(self, how=signal.SIGINT) -> int:
        self.process.send_signal(how)
        code = self.process.wait(30)
        self.log.close()
        return code

    def bot(self, index=0):
        return self.demo["bots"][index]

    def login(self, role="owner"):
        return next(login for login in self.demo["logins"] if login["role"] == role)

    def api(self, method, path, body=None, key=None, bot=0, token=None, **headers):
        token = token or self.bot(bot)["api_key"]
        headers = {"Authorization": f"Bearer {token}", **headers}
        if key is not None:
            headers["Idempotency-Key"] = key
        return call(method, self.url + path, body, headers)

    def webhook(self, update, bot=0, secret=None, **headers):
        bot = self.bot(bot)
        secret = bot["webhook_secret"] if secret is None else secret
        return call(
            "POST", bot["webhook_url"], update,
            {"X-Telegram-Bot-Api-Secret-Token": secret, **headers})

    def balance(self, user, bot=0) -> int:
        answer = self.api("GET", f"/v1/customers/{user}", bot=bot)
        assert answer.status == 200, answer.body
        return answer.json()["balance"]["available"]


def template() -> pathlib.Path:
    """A folder of a product that was started once and stopped. Its database and its history take far
    longer to make than to copy, so all processes that run these tests side by side share one."""
    shared = os.getppid() if "PYTEST_XDIST_WORKER" in os.environ else os.getpid()
    folder = pathlib.Path(tempfile.gettempdir()) / f"estars-template-{shared}"
    with open(f"{folder}.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "complete").exists():
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
            folder.chmod(0o755)
            assert Product(folder).start().stop() == 0
            (folder / "complete").touch()
    return folder


def remove_template():
    """At the end of all tests, by the process that waited for the others."""
    for path in pathlib.Path(tempfile.gettempdir()).glob(f"estars-template-{os.getpid()}*"):
        shutil.rmtree(path) if path.is_dir() else path.unlink()


def prepare(data: pathlib.Path):
    """Puts what a stopped product has into an empty folder."""
    # The database's user must be able to reach its data.
    data.chmod(0o755)
    subprocess.run(["cp", "-a", f"{template()}/.", data], check=True)


@contextlib.contextmanager
def temporary_product():
    """A product that runs in a folder of its own, and goes with it."""
    data = pathlib.Path(tempfile.mkdtemp(prefix="estars-product-"))
    running = Product(data)
    try:
        prepare(data)
        yield running.start()
    finally:
        if running.process and running.process.poll() is None:
            running.stop()
        shutil.rmtree(data, ignore_errors=True)


class Dashboard:
    """A signed-in operator without a browser: forms as a browser sends them."""

    def __init__(self, product, role):
        self.product = product
        self.base = f"{product.url}/w/{product.demo['workspace']}"
        login = product.login(role)
        self.opener = urllib.request.build_opener(
            urllib.request.HTTPCookieProcessor(), NoErrors())
        answer = self.send(
            product.url + "/login", {"email": login["email"], "password": login["password"]})
        assert answer.status == 200, answer.body

    def send(self, url, form=None) -> Answer:
        data = urllib.parse.urlencode(form).encode() if form is not None else None
        with self.opener.open(urllib.request.Request(url, data=data), timeout=30) as response:
            answer = Answer(response.status, response.headers, response.read())
            answer.url = response.url
            return answer

    def get(self, path="") -> str:
        return html.unescape(self.send(self.base + path).body.decode())

    def get_page(self, path) -> str:
        """A page that belongs to no workspace."""
        return html.unescape(self.send(self.product.url + path).body.decode())

    def post(self, path, on=None, **form) -> Answer:
        """Sends a form of the page at the same address, or of another one."""
        page = self.get_page(on or path)
        return self.send(self.product.url + path, {"csrf": self.field(page, "csrf"), **form})

    def field(self, page, name):
        return re.search(rf'name="{name}" value="([^"]*)"', page).group(1)

    def ask(self, charge, bot=0, reason="customer_asked", note="") -> int:
        """Opens the refund case of a charge; returns its number."""
        page = self.get(f"/payments/{self.product.bot(bot)['id']}/{charge}")
        answer = self.send(self.base + "/refunds", {
            "csrf": self.field(page, "csrf"), "bot": self.product.bot(bot)["id"],
            "charge": charge, "reason": reason, "note": note})
        return int(answer.url.rsplit("/", 1)[1])

    def page(self, refund) -> str:
        return self.get(f"/refunds/{refund}")

    def decide(self, refund, how, **form) -> Answer:
        page = self.page(refund)
        return self.send(f"{self.base}/refunds/{refund}/{how}", {
            "csrf": self.field(page, "csrf"), "note": "", "message": "", **form})

    def approve(self, refund, **form) -> Answer:
        previewed = self.field(self.page(refund), "previewed")
        return self.decide(refund, "approval", **{"previewed": previewed, **form})


class NoErrors(urllib.request.HTTPErrorProcessor):
    """An error status is an answer like any other; redirections are followed."""

    def http_response(self, request, response):
        if response.status in (301, 302, 303, 307, 308):
            return super().http_response(request, response)
        return response

    https_response = http_response
