"""bin/bench still runs from end to end. Its figures are nobody's business here."""

import os
import pathlib
import subprocess
import sys

from running import BINARY, ROOT


def test_a_quick_bench_finds_every_answer_right():
    bench = pathlib.Path(BINARY).with_name("Bench")
    done = subprocess.run(
        [sys.executable, ROOT / "Tests/Bench/bench.py", "--quick"],
        env={**os.environ, "ESTARS_BIN": BINARY, "BENCH_BIN": str(bench)},
        capture_output=True, text=True, timeout=180)
    assert done.returncode == 0, done.stdout + done.stderr
    for line in ("debits / pgbench", "256 connections", "checks / bare POST", "with a quota",
                 "payments / credits", "landing / bare page", "overview", "lookup", "kB sent",
                 "ms to the largest paint"):
        assert line in done.stdout, done.stdout
