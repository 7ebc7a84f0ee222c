# SPDX-License-Identifier: MIT
"""Other people's software under the library: the same results as without, and every trace can be read.

usage: test_foreign.py CASE

A case is skipped where its program isn't installed (scripts/deps long installs them all), and most of CPython's tests are
for the long run.
"""
import glob
import hashlib
import os
import re
import shutil
import socket
import subprocess
import sys
import unittest
import xml.etree.ElementTree as xml
from pathlib import Path

import workloads
from packages import missing
from tracing import LONG, environment, run, scratch, skip, traces, wait_until

PYTHON = "/usr/bin/python3"
TIMEOUT = 1500
TRACES_READ = 40 if LONG else 8  # of each case

NODE = """
const { Worker, isMainThread, parentPort } = require('worker_threads');
if (!isMainThread) {
  let list = [];
  for (let i = 0; i < 200000; i++) list.push({ i, s: 'x' + i });
  parentPort.postMessage(list.reduce((a, o) => a + o.s.length, 0));
} else {
  function hot(n) { let s = 0; for (let i = 0; i < n; i++) s = (s * 31 + i) | 0; return s; }
  let r = 0;
  for (let i = 0; i < 2000; i++) r ^= hot(i);
  const zlib = require('zlib'), cp = require('child_process');
  const buffers = [];
  for (let i = 0; i < 200; i++) buffers.push(zlib.gunzipSync(zlib.gzipSync(Buffer.alloc(10000 + i, i))));
  const wasm = new Uint8Array([0,97,115,109,1,0,0,0,1,7,1,96,2,127,127,1,127,3,2,1,0,7,7,1,3,97,100,100,0,0,10,9,1,7,0,32,0,
    32,1,106,11]);
  console.log(r, buffers.length, new WebAssembly.Instance(new WebAssembly.Module(wasm)).exports.add(2, 3));
  console.log(cp.execFileSync('echo', ['child']).toString());
  let left = 3;
  for (let i = 0; i < 3; i++)
    new Worker(__filename).on('message', m => { if (--left == 0) console.log('workers', m); });
}
"""

JAVA = """
import java.util.*;
import java.util.concurrent.*;
import java.util.stream.*;
import java.util.zip.*;
public class Work {
    static int hot(int n) { int s = 0; for (int i = 0; i < n; i++) s = s * 31 + i; return s; }
    public static void main(String[] args) throws Exception {
        int r = 0;
        for (int i = 0; i < 20000; i++) r ^= hot(i % 1000);
        ExecutorService pool = Executors.newFixedThreadPool(4);
        List<Future<Long>> results = new ArrayList<>();
        for (int t = 0; t < 40; t++) {
            final int seed = t;
            results.add(pool.submit(() -> {
                CRC32 crc = new CRC32();
                Deflater deflater = new Deflater();
                byte[] data = new byte[20000], out = new byte[30000];
                for (int i = 0; i < data.length; i++) data[i] = (byte) (i * seed);
                deflater.setInput(data);
                deflater.finish();
                crc.update(out, 0, deflater.deflate(out));
                deflater.end();
                return crc.getValue();
            }));
        }
        long sum = 0;
        for (Future<Long> f : results) sum += f.get();
        pool.shutdown();
        System.out.println(r + " " + sum + " " + IntStream.range(0, 50000).mapToObj(i -> "s" + i)
            .collect(Collectors.groupingBy(String::length)).size());
        try { int[] a = null; a[0] = 1; } catch (NullPointerException e) { System.out.println("caught"); }
        System.gc();
        System.exit(3);
    }
}
"""

RUST = """
use std::collections::HashMap;
use std::thread;
fn main() {
    let threads: Vec<_> = (0..4).map(|t| thread::spawn(move || {
        let mut map = HashMap::new();
        for i in 0..20000u64 { *map.entry(i % 97).or_insert(0u64) += i * t; }
        map.values().sum::<u64>()
    })).collect();
    let sum: u64 = threads.into_iter().map(|t| t.join().unwrap()).sum();
    let caught = std::panic::catch_unwind(|| { if sum > 0 { panic!("expected") } }).is_err();
    println!("{} {}", sum, caught);
}
"""

PIPELINES = r"""
set -e
seq 1 60000 | sort -R --random-source=/bin/ls | tee shuffled | sort -n | uniq -c | awk '{ s += $2 } END { print s }'
seq 1 60000 | split -l 5000 - part. && cat part.* | md5sum && ls part.* | wc -l
tar cf - part.* | gzip -n | gunzip | tar tf - | sort | sha256sum
find . -name 'part.*' -print0 | xargs -0 -n 3 -P 2 wc -l | sort | tail -3
for i in 1 2 3 4 5 6 7 8 9; do (echo $i; exec expr $i \* $i) & done | sort -n | paste -s; wait
comm -12 <(sort shuffled | head -100) <(sort shuffled | tail -n +50) | wc -l
join -j 1 <(seq 1 1000 | sort) <(seq 500 1500 | sort) | tr '\n' ' ' | fold -w 77 | cut -c 1-20 | od -c | tail -1
bash -c 'coproc cat; echo through >&${COPROC[1]}; read -r line <&${COPROC[0]}; echo $line; kill $!'
( trap 'echo trapped; exit 5' TERM; kill -TERM $BASHPID; sleep 1 ) || echo status $?
sed --version | head -1; date -d @0 -u; stat -c %a part.aa; dd if=/dev/zero bs=1k count=100 status=none | cksum
"""

CPYTHON = {
    "cpython": ["test_json", "test_dict", "test_weakref"],
    "cpython_threads": ["test_threading", "test_thread", "test_queue", "test_fork1", "test_threadsignals", "test_concurrent_futures"],
    "cpython_processes": ["test_subprocess", "test_popen", "test_multiprocessing_fork", "test_wait4", "test_posix"],
    "cpython_system": ["test_os", "test_signal", "test_faulthandler", "test_mmap", "test_socket",
                       "test_asyncio", "test_selectors"],
    "cpython_memory": ["test_gc", "test_ctypes", "test_sqlite3", "test_zlib", "test_io", "test_exceptions"],
}


def plain_user():
    """What makes a command run as somebody who isn't root."""
    return ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"] if os.getuid() == 0 else []


def answers(port):
    """Whether somebody listens there."""
    with socket.socket() as s:
        return s.connect_ex(("127.0.0.1", port)) == 0


def children(pid):
    return set(Path(f"/proc/{pid}/task/{pid}/children").read_text().split())


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def digests(directory, pattern):
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest()
            for path in sorted(directory.glob(pattern))}


class Foreign(unittest.TestCase):
    name = None

    def setUp(self):
        context = scratch()
        self.top = context.__enter__()
        self.addCleanup(context.__exit__, None, None, None)
        os.chmod(self.top, 0o755)
        self.traced = False
        self.directory = None
        self.started = []
        self.addCleanup(self.end_all)

    def end_all(self):
        for process in self.started:
            process.kill()
            process.wait()

    def variables(self):
        return {"MTRACE_OUT": str(self.directory / "traces" / "%n.%p.mtrace"),
                "HOME": str(self.directory), "TMPDIR": str(self.directory),
                "PYTHONHASHSEED": "0"}

    def start(self, *command, prefix=(), **variables):
        """Runs a command in the directory to its end, under a limit of descriptors as systems have it."""
        limited = [*prefix, "sh", "-c", 'ulimit -S -n 1024; exec "$@"', "sh", *command]
        return run(limited, traced=self.traced, cwd=self.directory, timeout=TIMEOUT,
                   **{**self.variables(), **variables})

    def serve(self, *command, prefix=()):
        process = subprocess.Popen([*prefix, *map(str, command)], cwd=self.directory,
                                   env=environment(self.traced, **self.variables()),
                                   stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                   stderr=subprocess.DEVNULL)
        self.started.append(process)
        return process

    def ok(self, result):
        self.assertEqual(result.status, 0, f"traced {self.traced}: {result}")
        return result.stdout

    def both(self):
        """What the case's method returns, without the library and with it, must be the same."""
        observed = []
        for self.traced in (False, True):
            self.directory = self.top / ("traced" if self.traced else "native")
            self.directory.mkdir()
            (self.directory / "traces").mkdir()
            if os.getuid() == 0:
                os.chown(self.directory, 65534, 65534)
                os.chown(self.directory / "traces", 65534, 65534)
            os.chmod(self.directory / "traces", 0o777)
            observed.append(getattr(self, "do_" + self.name)())
        self.maxDiff = None
        self.assertEqual(*observed)
        found = traces(self.directory / "traces")
        self.assertGreater(len(found), 0)
        for trace in found[::max(1, len(found) // TRACES_READ)]:
            self.check(trace)
        print(f"{self.name}: {len(found)} traces")
        return found

    def check(self, trace):
        report = trace.report()
        for key in ("allocations", "allocated_bytes", "current_bytes", "current_blocks"):
            self.assertEqual(sum(row[key] for row in report["rows"]), report["totals"][key],
                             f"{trace.path.name} {key}")

    def test(self):
        self.both()

    # ---- the cases: each returns what must not differ

    def do_pipelines(self):
        result = self.start("bash", "-c", PIPELINES)
        return result.status, result.stdout, result.stderr

    def do_node(self):
        (self.directory / "work.js").write_text(NODE)
        result = self.start("node", "work.js")
        return result.status, result.stdout, result.stderr

    def do_java(self):
        version = self.start("java", "-version")
        (self.directory / "Work.java").write_text(JAVA)
        self.ok(self.start("javac", "Work.java"))
        result = self.start("java", "-Xmx256m", "Work")
        return version.status, version.stderr, result.status, result.stdout, result.stderr

    def do_rust(self):
        (self.directory / "work.rs").write_text(RUST)
        home = {"HOME": os.environ.get("HOME", "/"), "PATH": os.environ["PATH"]}
        self.ok(self.start("rustc", "-O", "-g", "--edition", "2018", "work.rs", **home))
        result = self.start("./work")
        return result.status, result.stdout, b"expected" in result.stderr

    def write_tree(self):
        for i in range(6 if LONG else 3):
            workloads.write_cxx(self.directory, 0.2)
            text = (self.directory / "work.cc").read_text().replace("function_", f"function_{i}_")
            (self.directory / f"f{i}.cc").write_text(re.sub(r"\bKey(\d)", rf"Key{i}_\1", text))
        (self.directory / "main.cc").write_text(
            "int function_0_0(int); int main() { return function_0_0(5) != 5; }\n")
        return sorted(path.stem for path in self.directory.glob("*.cc") if path.stem != "work")

    def make(self, compiler):
        names = self.write_tree()
        (self.directory / "Makefile").write_text(
            f"all: {' '.join(name + '.o' for name in names)}\n\t{compiler} -o all $^ && ./all && echo built\n"
            f"%.o: %.cc\n\t{compiler} -O1 -c -o $@ $<\n")
        output = self.ok(self.start("make", "-j2", "-s"))
        return output, digests(self.directory, "*.o")

    def do_make_gcc(self):
        return self.make("g++")

    def do_make_clang(self):
        return self.make("clang++")

    def do_ninja(self):
        names = self.write_tree()
        rules = ["rule cc", "  command = g++ -O0 -MMD -MF $out.d -c -o $out $in", "  depfile = $out.d",
                 "rule link", "  command = g++ -o $out $in"]
        rules += [f"build {name}.o: cc {name}.cc" for name in names]
        rules += ["build all: link " + " ".join(f"{name}.o" for name in names), ""]
        (self.directory / "build.ninja").write_text("\n".join(rules))
        self.ok(self.start("ninja", "-j2"))
        again = self.ok(self.start("ninja", "-j2"))
        return again, self.start("./all").status, digests(self.directory, "*.o")

    def do_nginx(self):
        port = free_port()
        pages = self.directory / "pages"
        pages.mkdir()
        (pages / "index.html").write_text("text " * 5000)
        (self.directory / "nginx.conf").write_text(f"""
daemon off; worker_processes 2; pid {self.directory}/pid; error_log {self.directory}/errors;
{'user nobody nogroup;' if os.getuid() == 0 else ''}
events {{ worker_connections 256; }}
http {{ access_log off; gzip on; gzip_types *;
  client_body_temp_path {self.directory}/t1; proxy_temp_path {self.directory}/t2;
  fastcgi_temp_path {self.directory}/t3; uwsgi_temp_path {self.directory}/t4; scgi_temp_path {self.directory}/t5;
  server {{ listen 127.0.0.1:{port}; root {pages};
    location /again {{ proxy_pass http://127.0.0.1:{port}/; }} }} }}
""")
        program = shutil.which("nginx") or "/usr/sbin/nginx"
        conf = ["-p", self.directory, "-c", self.directory / "nginx.conf", "-e", self.directory / "errors"]
        server = self.serve(program, *conf)
        wait_until(lambda: answers(port), "nginx listens")
        seen = []
        for options in ([], ["-k"], ["-H", "Accept-Encoding: gzip"]):
            for path in ("/", "/again", "/missing"):
                done = run(["ab", "-q", "-n", 2000 if LONG else 300, "-c", 10, *options,
                            f"http://127.0.0.1:{port}{path}"], traced=False, timeout=300)
                seen.append(re.findall(r"(?:Complete|Failed|Non-2xx) [a-z]+:\s+\d+|Document Length:\s+\d+",
                                       done.stdout.decode()))
        workers = children(server.pid)
        self.ok(self.start(program, *conf, "-s", "reload"))
        wait_until(lambda: len(children(server.pid)) == 2 and not children(server.pid) & workers, "nginx has reloaded")
        self.ok(self.start(program, *conf, "-s", "quit"))
        status = server.wait(timeout=60)
        errors = (self.directory / "errors").read_text()
        return seen, status, re.findall(r"\[(?:alert|crit|emerg)\].*", errors)

    def do_postgres(self):
        programs = sorted(glob.glob("/usr/lib/postgresql/*/bin"))[-1]
        user, data, port = plain_user(), self.directory / "data", free_port()
        os.chmod(self.directory, 0o777)
        self.ok(self.start(f"{programs}/initdb", "-D", data, "-U", "me", "--auth=trust", "--locale=C",
                           "--no-sync", prefix=user))
        server = self.serve(f"{programs}/postgres", "-D", data, "-p", port, "-k", self.directory,
                            "-c", "listen_addresses=127.0.0.1", "-c", "fsync=off",
                            "-c", "max_parallel_workers_per_gather=2", "-c", "min_parallel_table_scan_size=0",
                            prefix=user)
        at = ["-h", "127.0.0.1", "-p", port, "-U", "me"]
        ask = lambda sql: run(["psql", *at, "-d", "postgres", "-Atc", sql], traced=False, timeout=120)
        wait_until(lambda: ask("select 1").status == 0, "PostgreSQL answers", pause=0.1)
        self.ok(self.start("pgbench", *at, "-i", "-s", "1", "-q", "postgres"))
        done = self.ok(self.start("pgbench", *at, "-n", "-c", "4", "-j", "2", "-t", 500 if LONG else 100,
                                  "--random-seed=1", "postgres"))
        figures = re.findall(r"(?:transactions actually processed|failed transactions): \d+[^\n]*",
                             done.decode())
        answers = [ask(sql).stdout for sql in (
            "select count(*), sum(abalance) = (select sum(delta) from pgbench_history) from pgbench_accounts",
            "set jit_above_cost = 0; select sum(length(md5(aid::text))), count(distinct bid) from pgbench_accounts",
            "select a.aid % 7, count(*) from pgbench_accounts a join pgbench_accounts b using (aid) group by 1 order by 1",
            "vacuum full", "select 1 / 0")]
        server.terminate()
        return figures, answers, server.wait(timeout=120)

    def do_cpython(self):
        """{test: outcome}"""
        outcomes = {}
        for module in CPYTHON[self.name]:
            self.start(PYTHON, "-m", "test", "-q", "--junit-xml", "results.xml", module)
            results = self.directory / "results.xml"
            self.assertTrue(results.exists(), module)
            for case in xml.parse(results).iter("testcase"):
                outcome = case.get("result") or "completed"
                kinds = sorted({child.tag for child in case} - {"system-out", "system-err"})
                outcomes[case.get("name")] = (case.get("status"), outcome, *kinds)
            results.unlink()
        return outcomes


for each in CPYTHON:
    setattr(Foreign, "do_" + each, Foreign.do_cpython)
NEEDS = {"make_gcc": "make", "make_clang": "clang++", "java": "javac", "rust": "rustc", "postgres": "pgbench",
         "nginx": "ab", "pipelines": "bash"}
BRIEF = ("cpython", "pipelines", "make_gcc", "ninja", "node", "java", "nginx")


def program_of(name):
    return NEEDS.get(name, name)


def is_here(name):
    if name in CPYTHON:
        return subprocess.run([PYTHON, "-c", "import test.test_json"], check=False,
                              capture_output=True).returncode == 0
    return shutil.which(program_of(name)) is not None


if __name__ == "__main__":
    Foreign.name = sys.argv[1]
    if not is_here(Foreign.name):
        skip("CPython's tests are missing: package libpython3-testsuite" if Foreign.name in CPYTHON else
             missing(program_of(Foreign.name)))
    if not LONG and Foreign.name not in BRIEF:
        skip("for the long run: scripts/test --long")
    unittest.main(verbosity=2, argv=sys.argv[:1])
