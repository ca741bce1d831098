"""What the machine and its processes did, as /proc counts it."""

import os
import pathlib

TICKS = os.sysconf("SC_CLK_TCK")


def stat_fields(process):
    """The fields of /proc/PID/stat from the state on."""
    try:
        text = pathlib.Path(f"/proc/{process}/stat").read_text()
    except OSError:
        return None
    return text[text.rindex(")") + 2:].split()


def cpu_seconds(process):
    fields = stat_fields(process)
    return (int(fields[11]) + int(fields[12])) / TICKS if fields else 0.0


def children_cpu():
    times = os.times()
    return times.children_user + times.children_system


class Machine:
    """What the cores did, as /proc/stat counts it, over all of them."""

    def __init__(self):
        fields = pathlib.Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:]
        ticks = [int(field) / TICKS for field in fields]
        self.idle = ticks[3] + ticks[4]
        self.steal = ticks[7]
        self.total = sum(ticks[:8])

    def since(self, earlier):
        total = max(self.total - earlier.total, 1 / TICKS)
        busy = total - (self.idle - earlier.idle) - (self.steal - earlier.steal)
        return total, busy, (self.steal - earlier.steal) / total

    @staticmethod
    def cores():
        return sorted(os.sched_getaffinity(0))[:2]

    @staticmethod
    def name():
        for line in pathlib.Path("/proc/cpuinfo").read_text().split("\n"):
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
        return "unknown processor"
