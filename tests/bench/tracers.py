# SPDX-License-Identifier: MIT
"""tracers - runs a case natively, under the null shim, under libmtrace and under heaptrack, and says what it cost."""
import os
import shutil
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

from tracing import wait_until

BUILT = Path(os.environ.get("BENCH_PROGRAMS", "."))
LIBRARY = os.environ.get("TEST_LIBRARY", "")
MTRACER = os.environ.get("TEST_MTRACER", "mtracer")
HEAPTRACK_HOMES = ("/usr/lib/heaptrack", "/usr/lib/x86_64-linux-gnu/heaptrack",
                   "/usr/lib64/heaptrack")
TRACERS = ("native", "null", "mtrace", "sampled", "stopped", "heaptrack")
SAMPLE = "512KiB"


@dataclass
class Cost:
    """What a run cost: CPU and wall seconds, resident KiB; and what its trace is like."""
    cpu: float
    rss: int
    wall: float
    allocations: int = 0
    trace: Path = None
    extra: dict = field(default_factory=dict)


def read_result(path):
    status, user, system, rss, wall = map(int, path.read_text().split())
    if status:
        raise RuntimeError(f"the program ended with wait status {status}")
    return Cost((user + system) / 1e6, rss, wall / 1e9)


def measured(command, result, variables=()):
    words = [f"{name}={value}" for name, value in dict(variables).items()]
    return [str(BUILT / "measure"), str(result), *words, "--", *map(str, command)]


def clean_environment():
    return {name: value for name, value in os.environ.items()
            if name != "LD_PRELOAD" and not name.startswith("MTRACE_")}


class Workplace:
    """A directory with the input of the cases, in which they are run."""

    def __init__(self, directory):
        self.directory = Path(directory)
        self.run_count = 0

    def prepare(self, case, scale):
        if case.prepare:
            case.prepare(self.directory, scale)
        self.requests = max(2000, int(40000 * scale))

    def start(self, command):
        return subprocess.Popen(command, cwd=self.directory, env=clean_environment(),
                                stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                stderr=subprocess.PIPE)

    def wait(self, process):
        message = process.communicate(timeout=900)[1].decode(errors="replace")
        if process.returncode:
            raise RuntimeError(f"{process.args} failed: {message}")

    def execute(self, case, variables):
        """Runs a case under `measure` with more variables in the program's environment."""
        result = self.directory / "result"
        result.unlink(missing_ok=True)
        command = measured(case.command, result, {**case.variables, **variables})
        if case.redis:
            self.serve(command)
        else:
            self.wait(self.start(command))
        return read_result(result)

    def serve(self, command):
        """The load for a server: redis-benchmark, whose own cost doesn't count."""
        socket = self.directory / "redis.socket"
        (self.directory / "redis.conf").write_text(
            f"port 0\nunixsocket {socket}\nsave ''\nappendonly no\ndaemonize no\n"
            "maxclients 100\n")
        server = self.start(command)
        client = ["redis-cli", "-s", str(socket)]
        wait_until(lambda: socket.exists() and self.quiet([*client, "ping"]), "redis-server answers")
        tests = "set,get,incr,lpush,rpop,sadd,hset,zadd,lrange_100,mset"
        self.quiet(["redis-benchmark", "-s", str(socket), "-q", "-c", "10", "-P", "8", "-r", "20000",
                    "-n", str(self.requests), "-t", tests])
        self.quiet([*client, "shutdown", "nosave"])
        self.wait(server)

    def quiet(self, command):
        done = subprocess.run(command, env=clean_environment(), stdout=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL, timeout=600, check=False)
        return done.returncode == 0

    def native(self, case):
        return self.execute(case, {})

    def null(self, case):
        count = self.directory / "count"
        cost = self.execute(case, {"LD_PRELOAD": BUILT / "libnull_shim.so",
                                   "NULL_SHIM_COUNT": count})
        cost.allocations = int(count.read_text())
        return cost

    def mtrace(self, case):
        trace = self.directory / f"{case.name}.mtrace"
        trace.unlink(missing_ok=True)
        cost = self.execute(case, {"LD_PRELOAD": LIBRARY, "MTRACE_OUT": trace})
        cost.trace = trace
        if case.processes:
            cost.extra["each_bytes"] = self.remove_traces_of_children(trace)
        return cost

    def remove_traces_of_children(self, trace):
        """What one of them takes on the disk, in the mean."""
        traces = list(self.directory.glob(f"{trace.name}.*"))
        taken = sum(path.stat().st_blocks * 512 for path in traces)
        for path in traces:
            path.unlink()
        return taken / len(traces)

    def sampled(self, case):
        trace = self.directory / f"{case.name}.sampled.mtrace"
        trace.unlink(missing_ok=True)
        cost = self.execute(case, {"LD_PRELOAD": LIBRARY, "MTRACE_OUT": trace, "MTRACE_SAMPLE": SAMPLE})
        cost.trace = trace
        return cost

    def stopped(self, case):
        return self.execute(case, {"LD_PRELOAD": LIBRARY, "MTRACE_OUT": self.directory / f"{case.name}.stopped.mtrace",
                                   "MTRACE_START": "0"})

    def heaptrack(self, case):
        """The whole pipeline as the heaptrack script sets it up, without the cost of the script itself."""
        home = heaptrack_home()
        pipe, trace = self.directory / "pipe", self.directory / f"{case.name}.zst"
        pipe.unlink(missing_ok=True)
        trace.unlink(missing_ok=True)
        os.mkfifo(pipe)
        parts = [self.directory / "interpret", self.directory / "compress"]
        interpret = " ".join(measured([home / "libexec/heaptrack_interpret"], parts[0]))
        compress = " ".join(measured(["zstd", "-q", "-c"], parts[1]))
        pipeline = self.start(["sh", "-c", f"{interpret} < {pipe} | {compress} > {trace}"])
        cost = self.execute(case, {"LD_PRELOAD": home / "libheaptrack_preload.so",
                                   "DUMP_HEAPTRACK_OUTPUT": pipe})
        self.wait(pipeline)
        cost.cpu += sum(read_result(part).cpu for part in parts)
        cost.trace = trace
        return cost

    def cost_of(self, command):
        """CPU seconds of a reading command."""
        result = self.directory / "reading"
        self.wait(self.start(measured(command, result)))
        return read_result(result).cpu

    def packed_size(self, path):
        """As people keep it: with the functions and lines of all stacks."""
        target = path.with_name(path.name + ".packed")
        subprocess.run([MTRACER, "pack", "--quiet", "--out", target, path], check=True,
                       stderr=subprocess.DEVNULL)
        return target.stat().st_size

    def reading_cost(self, mtrace, heaptrack):
        """(seconds of mtracer report, seconds of heaptrack_print)"""
        return (self.cost_of([MTRACER, "report", mtrace]) if mtrace else None,
                self.cost_of(["heaptrack_print", heaptrack]) if heaptrack else None)


def heaptrack_home():
    """Where heaptrack is, with what its pipeline needs; or None."""
    for home in map(Path, HEAPTRACK_HOMES):
        if (home / "libheaptrack_preload.so").exists() and shutil.which("zstd"):
            return home
    return None
