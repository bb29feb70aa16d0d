# SPDX-License-Identifier: MIT
"""Bounded mode on real servers: is all of a long run in a small trace?

Each server is driven as fast as this machine allows, in turn under full mode (twice, for a shorter time) and under bounded mode
with a size limit. Then: does the trace stay within the limit, all the time and at the end? Is every lock-order edge that both full
traces hold in the bounded one? Are the findings the same, of every rule that bounded mode serves? What a full trace holds
and the other full trace does not is chance: it is counted, and says how much a difference means.

One hour's worth: what was driven here is what a service that gets N requests a second gets in an hour; N is printed.

Exit status 0 when all holds, 1 when something does not, 64 usage. Needs the packages of bench/run --list.
"""
import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time

import measure
import servers
import tools
from inputs import Inputs
from measure import Failed

# Counts and times over all events: bounded mode keeps no more than a total for each object.
NOT_SERVED = {"lock-contention", "hold-time"}


class Recorded(tools.Thrum):
    """thrum record with a mode and a limit."""

    def __init__(self, name, *extra):
        self.name, self.extra = name, list(extra)


class RedisBusy(servers.RedisThreads):
    """With all that makes redis use threads and children: io threads, lazy frees, a log that is synced, forks that save."""

    sizes = {"full": 20000}
    options = servers.RedisThreads.options + ("--appendfsync", "everysec", "--lazyfree-lazy-user-del", "yes")

    def command(self, tool, work):
        argv = super().command(tool, work)
        argv[argv.index("--appendonly") + 1] = "yes"
        return argv

    def load(self, size, work):
        done = super().load(size, work)
        lists = size // 10
        self.client(["redis-benchmark", "-h", "127.0.0.1", "-p", self.port, "-t", "lpush,lrange_100,mset", "-n", lists,
                     "-c", 16, "-q"], work)
        commands = ["DEL mylist", "FLUSHALL ASYNC", "BGREWRITEAOF", "BGSAVE"]
        for c in commands:
            servers.talk(self.port, c.encode() + b"\r\n", 1)
        return done + 3 * lists + len(commands)


class MariaDBBusy(servers.MariaDB):
    """With connections that come and go, tables too, beside the transactions."""

    sizes = {"full": 2000}

    def load(self, size, work):
        churn = threading.Thread(target=self._churn, args=(work, size // 100))
        churn.start()
        done = super().load(size, work)
        churn.join()
        return done + size // 100 * 4

    def _churn(self, work, times):
        for n in range(times):
            self._sql(f"create table t{n}(a int primary key, b text) engine={'innodb' if n % 2 else 'aria'};"
                      f"insert into t{n} select id, pad from sbtest1 where id < 20; analyze table t{n}; drop table t{n};",
                      work, "sbtest")


SERVERS = {s.name: s for s in (RedisBusy(), MariaDBBusy())}


class Watch(threading.Thread):
    """While the server runs: the largest size of its trace, and `thrum check` now and then."""

    def __init__(self, trace, every):
        super().__init__()
        self.trace, self.every, self.over = trace, every, threading.Event()
        self.allocated = self.apparent = self.checks = 0
        self.wrong = []

    def run(self):
        last = time.monotonic()
        while not self.over.wait(1):
            self.look()
            if self.every and time.monotonic() - last > self.every:
                self.check()
                last = time.monotonic()

    def look(self):
        allocated, apparent = sizes(self.trace)
        self.allocated, self.apparent = max(self.allocated, allocated), max(self.apparent, apparent)

    def check(self):
        found, status = check(self.trace)
        self.checks += 1
        if status not in (0, 66) or any(f["level"] == "error" for f in found):
            self.wrong.append(f"check of the live trace: status {status}, {sorted({f['rule'] for f in found})}")

    def end(self):
        self.over.set()
        self.join()
        self.look()


def sizes(trace):
    """(allocated, apparent) bytes of the files of the largest process: the limit is for each process."""
    images = {}
    for root, _, files in os.walk(trace):
        for f in files:
            try:
                s = os.stat(os.path.join(root, f))
            except OSError:
                continue
            pair = images.setdefault(os.path.splitext(f)[0], [0, 0])
            pair[0] += s.st_blocks * 512
            pair[1] += s.st_size
    return tuple(max((p[i] for p in images.values()), default=0) for i in (0, 1))


def check(trace):
    p = subprocess.run([tools.built("thrum"), "check", "--format", "json", trace], stdin=subprocess.DEVNULL, capture_output=True,
                       timeout=600, check=False)
    if p.returncode not in (0, 66):
        return [], p.returncode
    return json.loads(p.stdout)["findings"], p.returncode


def edges_of(trace):
    """(pairs of objects, pairs with stacks): sets of lines."""
    p = subprocess.run([tools.built("bounded_edges"), trace], stdin=subprocess.DEVNULL, capture_output=True, timeout=600,
                       text=True, check=False)
    if p.returncode:
        raise Failed(f"bounded_edges: {p.stderr.strip()}")
    lines = p.stdout.splitlines()
    return ({e for e in lines if e.startswith("edge ")}, {e for e in lines if e.startswith("context ")})


def served(findings):
    return {f["fingerprint"]: f for f in findings if f["rule"] not in NOT_SERVED}


def drive(server, tool, seconds, inputs, scratch, check_every=0):
    """One run: a dict of all that was measured."""
    work = tempfile.mkdtemp(dir=scratch)
    trace = os.path.join(work, "trace")
    server.port = measure.free_port()
    server.prepare(inputs, work)
    argv, env = tool.wrap([str(a) for a in server.command(tool, work)], work)
    running = measure.start(argv, work, dict(env, PATH=servers.PATH), server.nofile)
    watch = Watch(trace, check_every)
    try:
        measure.wait_until(server.ready, running, server.start_seconds, server.name)
        watch.start()
        began, cpu, units = time.monotonic(), measure.cpu_of_tree(running.process.pid), 0
        while time.monotonic() - began < seconds:
            units += server.load(server.sizes["full"], work)
        wall, cpu = time.monotonic() - began, measure.cpu_of_tree(running.process.pid) - cpu
        answers = server.check(work)
        watch.end()
        end = measure.finish(running, 60, server.stop_signal)
    except BaseException:
        watch.over.set()
        measure.kill_group(running.process.pid)
        running.process.poll()
        raise
    if end.timed_out or end.status != server.stop_status:
        raise Failed(f"{server.name} under {tool.name}: stopped with {end.status}: {measure.read_text(end.stderr)[-300:]}")
    result = {"wall": wall, "cpu": cpu, "requests": int(units), "answers": answers, "wrong": watch.wrong,
              "live_checks": watch.checks}
    if isinstance(tool, tools.Thrum):
        watch.look()
        result.update(trace_of(trace), peak_allocated=watch.allocated, peak_apparent=watch.apparent)
    shutil.rmtree(work, ignore_errors=True)
    return result


def trace_of(trace):
    info = tools.trace_info(trace)
    allocated, apparent = sizes(trace)
    findings, status = check(trace)
    edges, contexts = edges_of(trace)
    return {"allocated": allocated, "apparent": apparent, "processes": len(info["processes"]),
            "events": sum(p["events"] for p in info["processes"]),
            "lost": sum(tools.lost_events(p) for p in info["processes"]),
            "lost_facts": sum(p.get("lost_facts", 0) for p in info["processes"]),
            "expired_chunks": sum(p.get("expired_chunks", 0) for p in info["processes"]),
            "findings": served(findings), "check_status": status, "edges": edges, "contexts": contexts}


def mib(n):
    return f"{n / (1 << 20):.1f} MiB"


def compare(name, full, bounded, limit):
    """Prints; returns what does not hold."""
    wrong = list(bounded["wrong"])
    if max(bounded["peak_apparent"], bounded["peak_allocated"]) > limit:
        wrong.append(f"the trace took {mib(max(bounded['peak_apparent'], bounded['peak_allocated']))}, allowed {mib(limit)}")
    for what in ("edges", "contexts", "findings"):
        a, b = (set(f[what]) for f in full)
        both, chance, lacks = a & b, len(a ^ b), (a & b) - set(bounded[what])
        print(f"  {what + ':':10} {len(a)} and {len(b)} in full mode, {len(both)} in both; {len(set(bounded[what]))} in bounded mode,"
              f" {len(lacks)} of both missing ({chance} differ between the full runs)")
        for line in sorted(lacks)[:20]:
            print(f"    missing: {line}")
        if lacks and what != "contexts":
            wrong.append(f"{len(lacks)} {what} missing")
    more = set(bounded["findings"]) - set(full[0]["findings"]) - set(full[1]["findings"])
    for f in more:
        print(f"    more: {bounded['findings'][f]['rule']} {bounded['findings'][f]['title']}")
    if bounded["lost_facts"] or bounded["lost"]:
        wrong.append(f"{bounded['lost_facts']} facts and {bounded['lost']} events lost")
    if any(r["answers"] != full[0]["answers"] for r in (*full, bounded)):
        wrong.append("answers differ")
    return [f"{name}: {w}" for w in wrong]


def say_run(label, r):
    per = r["cpu"] / r["requests"] * 1e6
    print(f"  {label:8} {r['requests']:9} requests in {r['wall']:.0f} s = one hour at {r['requests'] / 3600:.0f}/s;"
          f" {per:.1f} us of processor each", end="")
    if "events" in r:
        print(f"; {r['events']} events kept, {r['expired_chunks']} chunks expired,"
              f" {r['lost_facts']} facts lost; on disk {mib(r['allocated'])}, at most {mib(r['peak_allocated'])}"
              f" ({mib(r['peak_apparent'])} apparent); {r['processes']} processes, {r['live_checks']} live checks", end="")
    print(flush=True)


def one_server(server, options, inputs, scratch):
    """(what does not hold, figures)"""
    limit = options.max_size << 20
    print(f"{server.name}: {server.title}", flush=True)
    native = drive(server, tools.TOOLS["native"], options.full_seconds / 2, inputs, scratch)
    say_run("native", native)
    full = []
    for _ in range(2):
        full.append(drive(server, Recorded("full", "--max-size", "0"), options.full_seconds, inputs, scratch))
        say_run("full", full[-1])
    bounded = drive(server, Recorded("bounded", "--mode", "bounded", "--max-size", f"{options.max_size}M"), options.seconds,
                    inputs, scratch, options.seconds / 6)
    say_run("bounded", bounded)
    each = sum(f["events"] for f in full) / sum(f["requests"] for f in full)
    print(f"  {each:.1f} events a request: about {each * bounded['requests'] / 1e6:.0f} million were met in bounded mode")
    return compare(server.name, full, bounded, limit), {"native": native, "full": full, "bounded": bounded}


def plain(value):
    """For JSON: sets as counts."""
    if isinstance(value, set):
        return len(value)
    if isinstance(value, dict):
        return {k: plain(v) for k, v in value.items()} if "fingerprint" not in value else value["title"]
    return [plain(v) for v in value] if isinstance(value, list) else value


def main(argv):
    p = argparse.ArgumentParser(prog="bench/bounded", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--only", default=",".join(SERVERS), metavar="A,B", help=f"servers (default {','.join(SERVERS)})")
    p.add_argument("--seconds", type=float, default=180, help="under load in bounded mode (default 180)")
    p.add_argument("--full-seconds", type=float, default=60, help="the same in full mode, twice (default 60)")
    p.add_argument("--max-size", type=int, default=64, metavar="MIB", help="limit for each process (default 64)")
    p.add_argument("--json", default="", metavar="OUT", help="write the figures to OUT")
    options = p.parse_args(argv)
    chosen = options.only.split(",")
    if unknown := [n for n in chosen if n not in SERVERS]:
        p.error(f"no server {unknown[0]!r}")
    scratch = tempfile.mkdtemp(prefix="thrum-bounded-")
    wrong, figures = [], {}
    try:
        os.mkdir(os.path.join(scratch, "inputs"))
        inputs = Inputs(os.path.join(scratch, "inputs"))
        for name in chosen:
            if SERVERS[name].missing():
                print(f"{name}: {SERVERS[name].missing()}")
                continue
            failed, figures[name] = one_server(SERVERS[name], options, inputs, scratch)
            wrong += failed
    except Failed as e:
        wrong.append(str(e))
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    for w in wrong:
        print(f"bounded: {w}")
    if options.json:
        with open(options.json, "w", encoding="utf-8") as f:
            json.dump(plain(figures), f, indent=1)
            f.write("\n")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
