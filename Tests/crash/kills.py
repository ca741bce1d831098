"""Kills processes of the running product at random moments, and starts it again as an operator's
process supervisor would."""

import asyncio
import collections
import os
import signal
import time

# Seconds.
PERIOD = 0.01
START = 120


class Kills:
    def __init__(self, product, cluster, load):
        self.product, self.cluster, self.load = product, cluster, load
        self.count = collections.Counter()
        self.starts = 0
        self.problems = []
        self.is_up = self.is_ending = self.was_killed = False

    async def keep_up(self):
        """Starts the server whenever it is dead. It may only be dead because it was killed, or
        because its database was killed while it started."""
        while not self.is_ending:
            await self.start()
            while self.product.process.poll() is None:
                await asyncio.sleep(PERIOD)
            if not self.was_killed and not self.is_ending:
                self.problems.append(
                    f"the server ended by itself: {self.product.process.returncode}")
            self.was_killed = False

    async def start(self):
        deadline = time.monotonic() + START
        self.is_up = False
        while not self.is_ending:
            before = self.count["postmaster"] + self.count["backend"]
            self.product.launch()
            self.starts += 1
            try:
                while not self.product.is_ready():
                    assert time.monotonic() < deadline, f"the server does not start in {START} s"
                    await asyncio.sleep(PERIOD)
                self.is_up = True
                return
            except AssertionError:
                after = self.count["postmaster"] + self.count["backend"]
                if time.monotonic() > deadline or before == after and not self.was_killed:
                    raise
                self.was_killed = False

    async def round(self, chance, writes):
        """One server, one postmaster and two backends in any order, some of them while the system
        is still getting up after the one before; and `writes` acknowledged in all."""
        kinds = ["server", "postmaster", "backend", "backend"]
        chance.shuffle(kinds)
        share = writes // (len(kinds) + 1)
        start = self.load.tally["acknowledged"]
        for kind in kinds:
            if chance.random() < 0.25:
                await asyncio.sleep(chance.random() * 0.5)
            else:
                await self.progress(chance.randint(share // 2, share))
                await asyncio.sleep(chance.random() * 0.05)
            await self.kill(kind, chance)
        await self.progress(start + writes - self.load.tally["acknowledged"])

    async def progress(self, writes):
        """Waits for so many acknowledgements, and for the server to be there."""
        target = self.load.tally["acknowledged"] + max(writes, 1)
        deadline = time.monotonic() + START
        while self.load.tally["acknowledged"] < target or not self.is_up:
            assert time.monotonic() < deadline, (
                f"{target - self.load.tally['acknowledged']} acknowledgements are missing after "
                f"{START} s")
            await asyncio.sleep(PERIOD)

    async def kill(self, kind, chance):
        deadline = time.monotonic() + START
        while not (processes := self.processes(kind)):
            assert time.monotonic() < deadline, f"no {kind} to kill after {START} s"
            await asyncio.sleep(PERIOD)
        if kind == "server":
            self.was_killed, self.is_up = True, False
        try:
            os.kill(chance.choice(processes), signal.SIGKILL)
        except ProcessLookupError:
            return await self.kill(kind, chance)
        self.count[kind] += 1

    def processes(self, kind):
        if kind == "server":
            # One that still starts is killed as well.
            return [self.product.process.pid] if self.product.process.poll() is None else []
        if kind == "postmaster":
            postmaster = self.cluster.postmaster()
            return [postmaster] if postmaster else []
        return self.cluster.backends()
