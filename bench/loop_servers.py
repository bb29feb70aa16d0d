# SPDX-License-Identifier: MIT
"""Servers and clients that live on an event loop of a library: libuv, libevent, libev, systemd's. Rows as in servers.py.

What must show of each loop in a trace is in tests/real/loops.py.
"""
import http.client
import os
import shlex
import shutil
import signal
import subprocess
import tempfile
import time
import urllib.error
import urllib.request

import measure
import tools
from measure import Failed
from programs import SCRIPTS, Program, Sample
from servers import PATH, Named, Server, number

# Debian's python3, for which the packages of its modules are made.
PYTHON = "/usr/bin/python3"


class HttpServer(Server):
    """`paths`: what is asked for, by ab, in turn."""

    paths = ("/plain",)
    keep = True

    def load(self, size, work):
        for path in self.paths:
            out = self.client(["ab", "-q", *(["-k"] if self.keep else []), "-c", 8, "-n", max(16, size // len(self.paths)),
                               f"http://127.0.0.1:{self.port}{path}"], work)
            if number(r"Failed requests: +(\d+)", out) or "Non-2xx" in out:
                raise Failed(f"{self.name} {path}: {out}")
        return size

    def check(self, work):
        answers = []
        for path in self.paths:
            c = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
            c.request("GET", path)
            r = c.getresponse()
            answers.append((path, r.status, measure.hashlib.sha256(r.read()).hexdigest()[:8]))
            c.close()
        return answers


class Node(HttpServer):
    """THRUM_NODE: the words that start a node, where the one on the PATH has libuv inside."""

    name, title = "node-http", "node, HTTP with timers, files, the pool, a worker"
    needs = [("ab", "apache2-utils")]
    sizes = {"full": 15000, "small": 500}
    paths = ("/plain", "/timer", "/file", "/hash", "/worker")

    node = shlex.split(os.environ.get("THRUM_NODE", "node"))

    def missing(self):
        if absent := super().missing():
            return absent
        try:
            p = subprocess.run([*self.node, "-p", "process.config.variables.node_shared_libuv"], capture_output=True, text=True,
                               stdin=subprocess.DEVNULL, timeout=60, check=False)
        except OSError:
            return "package nodejs missing: apt-get install nodejs"
        return None if p.stdout.strip() == "true" else "this node has libuv inside: THRUM_NODE='COMMAND' for Debian's nodejs"

    def command(self, tool, work):
        return [*self.node, os.path.join(SCRIPTS, "http.js"), self.port]


class PythonServer(HttpServer):
    """A script for Debian's own Python that needs a module."""

    module = script = ""

    def missing(self):
        if absent := super().missing():
            return absent
        p = subprocess.run([PYTHON, "-c", f"import {self.module}"], capture_output=True, stdin=subprocess.DEVNULL, timeout=60,
                           check=False)
        return f"package python3-{self.module} missing: apt-get install python3-{self.module}" if p.returncode else None

    def command(self, tool, work):
        return [PYTHON, "-B", os.path.join(SCRIPTS, self.script), self.port]


class Uvloop(PythonServer):
    name, title = "uvloop", "python3 with uvloop, HTTP with timers and a pool"
    needs = [("ab", "apache2-utils"), (PYTHON, "python3")]
    sizes = {"full": 12000, "small": 400}
    module, script = "uvloop", "uvloop_http.py"
    paths = ("/plain", "/timer", "/pool")

    def check(self, work):
        self.paths = (*Uvloop.paths, "/child")
        try:
            return super().check(work)
        finally:
            self.paths = Uvloop.paths


class Gevent(PythonServer):
    name, title = "gevent", "python3 with gevent (libev), WSGI with timers and a pool"
    needs = [("ab", "apache2-utils"), (PYTHON, "python3")]
    sizes = {"full": 8000, "small": 400}
    module, script = "gevent", "gevent_http.py"
    keep = False  # it answers in two pieces: a kept connection waits for the client's late acknowledgement
    paths = ("/plain", "/timer", "/pool")


class Nghttpd(Server):
    """Threads with a loop each; h2load asks."""

    name, title = "nghttpd", "nghttpd, 2 workers, h2load"
    needs = [("nghttpd", "nghttp2-server"), ("h2load", "nghttp2-client")]
    sizes = {"full": 60000, "small": 1000}
    stop_status = 128 + signal.SIGTERM  # it has no handler

    def prepare(self, inputs, work):
        os.makedirs(os.path.join(work, "www"), exist_ok=True)
        with open(inputs.mixed(2), "rb") as f, open(os.path.join(work, "www", "f"), "wb") as out:
            out.write(f.read(4096))

    def command(self, tool, work):
        return ["nghttpd", "--no-tls", "-n", 2, "-a", "127.0.0.1", "-d", os.path.join(work, "www"), self.port]

    def load(self, size, work):
        return succeeded(self.client(h2load(self.port, size), work))

    def check(self, work):
        return [number(r"(\d+) 2xx", self.client(h2load(self.port, 64), work))]


def h2load(port, requests):
    return ["h2load", "-n", max(64, requests), "-c", 8, "-t", 2, "-m", 8, f"http://127.0.0.1:{port}/f"]


def succeeded(output):
    done, ok = number(r"requests: (\d+) total", output), number(r"(\d+) succeeded", output)
    if done != ok:
        raise Failed(f"h2load: {output}")
    return done


class H2load(Program):
    """The client under the tool, its server outside."""

    def __init__(self):
        super().__init__("h2load", "h2load, 2 threads, 8 connections", Nghttpd.needs, {"full": 60000, "small": 1000}, None)

    def run(self, tool, scale, inputs, work):
        beside = tempfile.mkdtemp(dir=work)
        server = Nghttpd()
        server.port = measure.free_port()
        server.prepare(inputs, beside)
        running = measure.start([str(a) for a in server.command(tool, beside)], beside, {"PATH": PATH})
        try:
            measure.wait_until(server.ready, running, 30, "nghttpd")
            argv, env = tool.wrap([str(a) for a in h2load(server.port, self.sizes[scale])], work)
            r = measure.run(argv, work, env, self.timeout * tool.timeout)
        finally:
            measure.kill_group(running.process.pid)
            running.process.wait()
            shutil.rmtree(beside)
        if r.status:
            raise Failed(f"h2load under {tool.name}: status {r.status}: {measure.read_text(r.stderr)[-300:]}")
        return Sample(r.cpu_s, r.wall_s, 1, None, r.status, [succeeded(r.text())])


class Unbound(Named):
    name, title = "unbound", "unbound, 2 threads, dnsperf"
    needs = [("unbound", "unbound"), ("dnsperf", "dnsperf")]

    def prepare(self, inputs, work):
        super().prepare(inputs, work)
        hosts = "".join(f' local-data: "h{n}.example.test. A 10.0.{n // 250}.{n % 250 + 1}"\n' for n in range(self.names))
        with open(os.path.join(work, "unbound.conf"), "w", encoding="ascii") as f:
            f.write(f'server:\n username: ""\n chroot: ""\n pidfile: ""\n directory: "{work}"\n use-syslog: no\n num-threads: 2\n'
                    f' interface: 127.0.0.1\n port: {self.port}\n do-ip6: no\n so-reuseport: yes\n'
                    f' local-zone: "example.test." static\n{hosts}remote-control:\n control-enable: no\n')

    def command(self, tool, work):
        return ["unbound", "-d", "-c", os.path.join(work, "unbound.conf")]


class Knot(Named):
    name, title = "knot", "knotd, 2 threads a protocol, dnsperf"
    needs = [("knotd", "knot"), ("dnsperf", "dnsperf")]

    def prepare(self, inputs, work):
        super().prepare(inputs, work)
        with open(os.path.join(work, "knot.conf"), "w", encoding="ascii") as f:
            f.write(f"""server:
    rundir: {work}
    listen: 127.0.0.1@{self.port}
    udp-workers: 2
    tcp-workers: 2
    background-workers: 2
database:
    storage: {work}
zone:
  - domain: example.test
    storage: {work}
    file: zone
    zonefile-sync: -1
""")

    def command(self, tool, work):
        return ["knotd", "-c", os.path.join(work, "knot.conf")]


class Transmission(Server):
    """Remote control over libevent's HTTP server, and a torrent that it verifies."""

    name, title = "transmission", "transmission-daemon, remote control"
    needs = [("transmission-daemon", "transmission-daemon"), ("transmission-create", "transmission-cli")]
    sizes = {"full": 3000, "small": 60}

    def prepare(self, inputs, work):
        with open(inputs.mixed(2), "rb") as f, open(os.path.join(work, "data"), "wb") as out:
            out.write(f.read())
        self.client(["transmission-create", "-o", os.path.join(work, "data.torrent"), os.path.join(work, "data")], work)
        self.peers = measure.free_port()

    def command(self, tool, work):
        return ["transmission-daemon", "-f", "-g", os.path.join(work, "config"), "-w", work, "-p", self.port, "-P", self.peers,
                "--no-auth", "--no-portmap", "--no-dht", "--no-lpd", "--no-utp", "-i", "127.0.0.1", "-r", "127.0.0.1"]

    def _ask(self, text):
        headers = {}
        for _ in range(2):
            try:
                with urllib.request.urlopen(urllib.request.Request(f"http://127.0.0.1:{self.port}/transmission/rpc", text.encode(),
                                                                   headers), timeout=20) as r:
                    return r.read().decode()
            except urllib.error.HTTPError as e:
                headers = {"X-Transmission-Session-Id": e.headers["X-Transmission-Session-Id"]}
        raise Failed("transmission: no session")

    def load(self, size, work):
        for _ in range(size):
            self._ask('{"method": "session-stats"}')
        return size

    def check(self, work):
        self._ask('{"method": "torrent-add", "arguments": {"filename": "%s/data.torrent"}}' % work)
        for _ in range(200):
            state = self._ask('{"method": "torrent-get", "arguments": {"fields": ["percentDone", "hashString"]}}')
            if '"percentDone":1' in state:
                break
            time.sleep(0.05)
        return [state]


LOOP_SERVERS = [Node(), Uvloop(), Gevent(), Nghttpd(), H2load(), Unbound(), Knot(), Transmission()]
