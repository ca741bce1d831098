"""The product's private Postgres as processes: which there are, and how they end."""

import contextlib
import os
import pathlib
import re
import shutil
import signal
import time

from running import cluster_url


class PrivateCluster:
    """The cluster that a demo keeps in its data folder."""

    def __init__(self, data: pathlib.Path):
        self.data = data

    def url(self, role="postgres") -> str:
        return cluster_url(self.data, role)

    def home(self) -> pathlib.Path:
        """Where its files are: not in the data folder when the server's user cannot get there."""
        pointer = self.data / "postgres/cluster-path"
        return pathlib.Path(pointer.read_text().strip()) if pointer.exists() else pointer.parent

    def postmaster(self):
        """The number of the server's first process, None when it is not running."""
        try:
            process = int((self.home() / "data/postmaster.pid").read_text().split("\n")[0])
        except (FileNotFoundError, ValueError):
            return None
        return process if self.runs(process) else None

    def backends(self, role="estars_app") -> list[int]:
        """The processes that serve connections of a role."""
        postmaster = self.postmaster()
        return [
            process for process in processes()
            if postmaster and parent(process) == postmaster
            and title(process).startswith(f"postgres: {role} ")]

    def runs(self, process) -> bool:
        try:
            return os.readlink(f"/proc/{process}/cwd") == str(self.home() / "data")
        except OSError:
            return False

    def remove(self):
        """Ends what runs, as fast as it goes, and deletes what is on disk."""
        socket = re.search(r"host=(\S+)", self.url())
        self.end()
        for directory in {self.home(), self.data, pathlib.Path(socket[1])}:
            shutil.rmtree(directory, ignore_errors=True)

    def end(self):
        postmaster = self.postmaster()
        if postmaster:
            os.kill(postmaster, signal.SIGQUIT)
        deadline = time.monotonic() + 20
        while left := [process for process in processes() if self.runs(process)]:
            if time.monotonic() > deadline:
                for process in left:
                    os.kill(process, signal.SIGKILL)
            time.sleep(0.05)


@contextlib.contextmanager
def frozen_database(product):
    """The postmaster and every backend: the kernel still takes connections, and nobody answers."""
    postmaster = PrivateCluster(product.data).postmaster()
    frozen = [postmaster]
    try:
        # From then on no backend is added; one that ends just now is none.
        os.kill(postmaster, signal.SIGSTOP)
        for process in processes():
            if parent(process) == postmaster:
                frozen.append(process)
                with contextlib.suppress(ProcessLookupError):
                    os.kill(process, signal.SIGSTOP)
        yield
    finally:
        for process in reversed(frozen):
            with contextlib.suppress(ProcessLookupError):
                os.kill(process, signal.SIGCONT)


def processes() -> list[int]:
    return [int(name) for name in os.listdir("/proc") if name.isdigit()]


def parent(process) -> int:
    try:
        # The name in parentheses may hold anything, spaces included.
        text = pathlib.Path(f"/proc/{process}/stat").read_text()
        return int(text.rsplit(")", 1)[1].split()[1])
    except (OSError, IndexError, ValueError):
        return 0


def title(process) -> str:
    try:
        return pathlib.Path(f"/proc/{process}/cmdline").read_text().strip("\0")
    except OSError:
        return ""
