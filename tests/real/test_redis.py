# SPDX-License-Identifier: MIT
"""redis-server under load: the same replies with the library as without, and heaptrack's counts."""
import random
import shutil
import subprocess
import unittest

from compare import against_heaptrack
from heaptrack import Counts, command
from packages import missing
from tracing import LONG, environment, only_trace, scratch, skip, traces, wait_until

COMMANDS = 60000 if LONG else 15000


def script():
    """Commands whose replies don't depend on time."""
    dice = random.Random(4)
    lines = ["flushall"]
    for i in range(COMMANDS):
        key = f"key:{dice.randrange(700)}"
        lines.append(dice.choice([
            f"set s:{key} {'v' * dice.randrange(300)}", f"get s:{key}", f"append s:{key} tail",
            f"lpush l:{key} {i} {i + 1}", f"rpop l:{key}", f"hset h:{key} f{i % 20} {i}",
            f"hdel h:{key} f{i % 7}", f"zadd z:{key} {i} m{i % 90}", f"zrange z:{key} 0 9",
            f"sadd t:{key} {i % 333}", f"strlen s:{key}", f"del l:{key} h:{key}",
            f"setbit b:{key} {dice.randrange(9000)} 1", f"bitcount b:{key}",
            f"pfadd p:{key} {i}", f"xadd x:{key} {i + 1}-1 a {i}",
            f"eval \"return redis.call('llen', 'l:{key}')\" 0"]))
    return "\n".join([*lines, "dbsize", "bgsave"]) + "\n"


class Server:
    """A redis-server in a directory, reached by a socket there; `prefix` runs it under something.

    What it does is followed in its log: to ask it would make it allocate.
    """

    def __init__(self, directory, prefix=(), traced=False):
        self.socket, self.log = directory / "socket", directory / "log"
        (directory / "conf").write_text(
            f"port 0\nunixsocket {self.socket}\nsave ''\nappendonly no\nhz 1\n"
            f"activerehashing no\nlogfile {self.log}\n")
        self.process = subprocess.Popen([*prefix, "redis-server", "conf"], cwd=directory,
                                        env=environment(traced), stdin=subprocess.DEVNULL,
                                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.wait_for(b"accept connections")

    def wait_for(self, text):
        try:
            wait_until(lambda: self.log.exists() and text in self.log.read_bytes(), f"the server says {text!r}")
        except AssertionError:
            self.process.kill()
            raise

    def send(self, text):
        done = subprocess.run(["redis-cli", "-s", self.socket], input=text.encode(), check=False,
                              env=environment(False), capture_output=True, timeout=240)
        return done.stdout

    def shut_down(self):
        """Ends the server and returns its exit status."""
        self.send("shutdown nosave\n")
        return self.process.wait(timeout=120)


class Redis(unittest.TestCase):
    def serve(self, directory, **options):
        directory.mkdir()
        server = Server(directory, **options)
        try:
            replies = server.send(script())
            server.wait_for(b"Background saving terminated with success")
            status = server.shut_down()
        finally:
            server.process.kill()
        return replies, status

    def test_replies_and_counts(self):
        with scratch() as top:
            native = self.serve(top / "native")
            traced = self.serve(top / "traced", traced=True)
            self.assertEqual(len(native[0].splitlines()), len(traced[0].splitlines()))
            self.assertEqual(native, traced)
            found = traces(top / "traced")
            # The second is bgsave's child.
            self.assertEqual(len(found), 2)
            for trace in found:
                self.assertIs(trace.report()["trace"]["complete"], True)
            server = min(found, key=lambda trace: int(trace.path.name.split(".")[1]))
            under = command(top / "heaptrack", [])
            self.serve(top / "counted", prefix=under)
            counts = Counts(top / "heaptrack.zst", shutil.which("redis-server"))
            against_heaptrack(self, server, counts)

    def test_load(self):
        """Many clients at once; what they get must be right, not the same."""
        with scratch() as top:
            directory = top / "load"
            directory.mkdir()
            server = Server(directory, traced=True)
            done = subprocess.run(
                ["redis-benchmark", "-s", server.socket, "-q", "-n", str(COMMANDS), "-c", "20",
                 "-P", "4", "-r", "5000", "-t", "set,get,lpush,rpop,sadd,hset,zadd,lrange_100,mset"],
                env=environment(False), capture_output=True, timeout=240, check=False)
            self.assertEqual(done.returncode, 0)
            self.assertNotIn(b"Error", done.stdout + done.stderr)
            self.assertEqual(server.shut_down(), 0)
            self.assertGreater(only_trace(directory).totals()["allocations"], COMMANDS)


if __name__ == "__main__":
    if not shutil.which("redis-server"):
        skip(missing("redis-server"))
    unittest.main(verbosity=2)
