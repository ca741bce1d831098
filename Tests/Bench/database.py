"""The private database of a bench, and small requests to what runs on it."""

import json
import pathlib
import socket
import subprocess
import urllib.error
import urllib.request

from machine import TICKS, stat_fields


class Wrong(Exception):
    """An answer or a count that is not what it must be: figures of it would mean nothing."""


class Database:
    def __init__(self, data):
        self.data = data
        self.programs = sorted(
            pathlib.Path("/usr/lib/postgresql").glob("*/bin/pgbench"))[-1].parent

    def ask(self, sql, role="estars_app"):
        address = self.data["database"].replace("estars_app@", role + "@")
        done = subprocess.run(
            [self.programs / "psql", "-XqAt", "-v", "ON_ERROR_STOP=1",
             "-c", f"set estars.workspace_id = '{self.data['workspace']}'", "-c", sql, address],
            capture_output=True, text=True)
        if done.returncode != 0:
            raise Wrong(f"the database refuses {sql}: {done.stderr}")
        return done.stdout.strip()

    def wal_position(self):
        return int(self.ask("select pg_current_wal_insert_lsn() - '0/0'"))

    def cpu_seconds(self):
        """Of every server process; those that have ended are in the postmaster's account."""
        postmaster = self.data["postmaster"]
        ended, total = 0.0, 0.0
        for entry in pathlib.Path("/proc").iterdir():
            if not entry.name.isdigit():
                continue
            fields = stat_fields(int(entry.name))
            if fields and (int(entry.name) == postmaster or int(fields[1]) == postmaster):
                total += (int(fields[11]) + int(fields[12])) / TICKS
                if int(entry.name) == postmaster:
                    ended = (int(fields[13]) + int(fields[14])) / TICKS
        return total + ended


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def fetch(port, path, body=None, headers=None):
    data = json.dumps(body).encode() if body is not None else None
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}{path}", data=data, headers=headers or {})
    if data:
        request.add_header("Content-Type", "application/json")
    try:
        with urllib.request.urlopen(request, timeout=10) as response:
            return response.status, response.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()
