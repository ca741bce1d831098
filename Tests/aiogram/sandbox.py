"""Starts the sandbox as a process of its own and speaks to its console.

SANDBOX_COMMAND is how to start it, such as `.build/debug/estars sandbox`; `--port` and `--data`
are added.
"""

import asyncio
import os
import random
import shlex
import signal
import socket
import subprocess
from pathlib import Path

import aiohttp

BOT = 7001
TOKEN = f"{BOT}:test-Secret_1"
ANN = 5001
SECRET = "hook-Secret_2"

ROOT = Path(__file__).resolve().parents[2]
COMMAND = os.environ.get("SANDBOX_COMMAND", ".build/debug/estars sandbox")


class Refused(Exception):
    def __init__(self, status, body):
        super().__init__(f"{status}: {body}")
        self.status = status
        self.body = body


def free_port():
    """Below the range that outgoing connections take theirs from: a client that calls a server
    which is down could otherwise be given its port."""
    while True:
        port = random.randint(10_000, 32_000)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
                return port
            except OSError:
                continue


class Sandbox:
    def __init__(self, data):
        self.data = Path(data)
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.process = None
        self.session = None

    async def start(self):
        self.process = subprocess.Popen(
            [*shlex.split(COMMAND), "--port", str(self.port), "--data", str(self.data)],
            cwd=ROOT,
        )
        self.session = self.session or aiohttp.ClientSession()
        for _ in range(200):
            try:
                async with self.session.get(f"{self.url}/healthz") as reply:
                    if reply.status == 200:
                        return
            except aiohttp.ClientError:
                pass
            if self.process.poll() is not None:
                raise RuntimeError(f"the sandbox ended with {self.process.returncode}")
            await asyncio.sleep(0.1)
        raise RuntimeError("the sandbox does not answer")

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    async def stop(self):
        self.process.terminate()
        try:
            self.process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            self.kill()
            raise
        finally:
            await self.session.close()

    async def call(self, verb, path, body=None):
        async with self.session.request(verb, f"{self.url}/sandbox{path}", json=body) as reply:
            if reply.status >= 400:
                raise Refused(reply.status, await reply.text())
            return None if reply.status == 204 else await reply.json()

    async def get(self, path):
        return await self.call("GET", path)

    async def post(self, path, body=None):
        return await self.call("POST", path, body if body is not None else {})

    async def say(self, person, bot, text):
        return await self.post(f"/people/{person}/chats/{bot}/messages", {"text": text})

    async def transcript(self, person, bot):
        return await self.get(f"/people/{person}/chats/{bot}/messages")

    async def message(self, person, bot, wanted, seconds=10):
        """Waits for a message of the bot that `wanted` accepts, and gives it."""
        for _ in range(int(seconds * 20)):
            for line in reversed(await self.transcript(person, bot)):
                if wanted(line["message"]):
                    return line["message"]
            await asyncio.sleep(0.05)
        raise AssertionError("the bot did not say it")

    async def text(self, person, bot, part):
        return await self.message(person, bot, lambda m: part in m.get("text", ""))

    async def press(self, person, bot, message, text):
        return await self.post(
            f"/people/{person}/chats/{bot}/presses",
            {"message_id": message["message_id"], "text": text, "wait_seconds": 5},
        )

    async def stars(self, person):
        people = await self.get("/people")
        return next(card["stars"] for card in people if card["id"] == person)
