# SPDX-License-Identifier: MIT
"""Real servers under load, on 127.0.0.1 with free ports: a class each, a row in SERVERS each.

The server runs under the tool, the client does not. Processor time is taken from the server's process tree between two
points of a running server, so its start and its end do not enter. `check` asks questions whose answers are known and
returns them for comparison with a run without the tool.
"""
import http.client
import os
import re
import signal
import socket
import subprocess
import time

import measure
import tools
from measure import Failed
from programs import Program, Sample

PATH = os.environ["PATH"] + ":/usr/sbin:/usr/local/sbin"


class Server(Program):
    """A subclass gives argv, prepare, load and check; `self.port` is free when they are called."""

    name = title = ""
    needs = ()
    sizes = {"full": 1, "small": 1}
    stop_signal = signal.SIGTERM
    nofile = 0
    stop_status = 0
    start_seconds = 30

    def __init__(self, name=None, title=None):  # the columns of Program are class attributes here
        self.name = name or self.name
        self.title = title or self.title
        self.bar = self.bar if hasattr(type(self), "bar") else self.name
        self.same_output = True
        self.port = 0

    def prepare(self, inputs, work):
        """Files the server needs, before it starts; outside the tool."""

    def command(self, tool, work):
        raise NotImplementedError

    def ready(self):
        return measure.port_open(self.port)

    def load(self, size, work):
        """Runs the client; returns the units of work done."""
        raise NotImplementedError

    def warm_up(self, size, work):
        self.load(max(1, size // 20), work)

    def check(self, work):
        """Deterministic answers, to compare."""
        return []

    def run(self, tool, scale, inputs, work):
        self.port = measure.free_port()
        self.prepare(inputs, work)
        argv, env = tool.wrap([str(a) for a in self.command(tool, work)], work)
        running = measure.start(argv, work, dict(env, PATH=PATH), self.nofile)
        try:
            return self._measured(running, tool, scale, work)
        except BaseException:
            measure.kill_group(running.process.pid)
            running.process.poll()
            raise

    def _measured(self, running, tool, scale, work):
        size, pid = self.sizes[scale], running.process.pid
        measure.wait_until(self.ready, running, self.start_seconds * tool.timeout, self.name)
        self.warm_up(size, work)
        cpu, wall = measure.cpu_of_tree(pid), time.monotonic()
        units = self.load(size, work)
        cpu, wall = measure.cpu_of_tree(pid) - cpu, time.monotonic() - wall
        answers = self.check(work)
        rss = measure.rss_of_tree(pid, without=os.path.realpath(tools.built("thrum")))
        end = measure.finish(running, 60, self.stop_signal)
        if end.timed_out or end.status != self.stop_status:
            raise Failed(f"{self.name} under {tool.name}: stopped with {end.status}"
                         f"{' (by force)' if end.timed_out else ''}: {measure.read_text(end.stderr)[-300:]}")
        return Sample(cpu, wall, units, rss, end.status, answers)

    def client(self, argv, work, timeout=90):
        """Output of a load client."""
        p = subprocess.run([str(a) for a in argv], cwd=work, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                           timeout=timeout, check=False, env=dict(os.environ, PATH=PATH, LC_ALL="C.UTF-8"))
        if p.returncode:
            raise Failed(f"{self.name}: client {argv[0]} ended with {p.returncode}: {(p.stderr + p.stdout)[-300:]}")
        return p.stdout


def number(pattern, text):
    found = re.search(pattern, text)
    if not found:
        raise Failed(f"no {pattern!r} in the client's output: {text[-300:]}")
    return float(found.group(1))


def talk(port, request, want):
    """Sends bytes, reads `want` bytes (or to the end)."""
    with socket.create_connection(("127.0.0.1", port), timeout=20) as s:
        s.sendall(request)
        got = b""
        while len(got) < want and (part := s.recv(65536)):
            got += part
    return got


class Memcached(Server):
    name, title = "memcached", "memcached -t 4, 1/10 set"
    needs = [("memcached", "memcached"), (tools.built("mcload"), "libc6-dev")]
    sizes = {"full": 150000, "small": 4000}
    nofile = 1024  # it sets both limits to -c, and valgrind refuses any hard limit but its own, which is 12 less

    def command(self, tool, work):
        return ["memcached", "-t", 4, "-m", 64, "-c", 1012, "-l", "127.0.0.1", "-p", self.port, "-U", 0, "-u", "root"]

    def load(self, size, work):
        return number(r"requests=(\d+)", self.client([tools.built("mcload"), self.port, 32, size], work))

    def check(self, work):
        requests = b"".join(b"set check%d 0 0 4\r\n%04d\r\nget check%d\r\n" % (n, n * 7, n) for n in range(200))
        answers = b"".join(b"STORED\r\nVALUE check%d 0 4\r\n%04d\r\nEND\r\n" % (n, n * 7) for n in range(200))
        if talk(self.port, requests, len(answers)) != answers:
            raise Failed("memcached: wrong answers")
        return ["200 values right"]


class Redis(Server):
    name, title = "redis", "redis-server, default"
    needs = [("redis-server", "redis-server"), ("redis-benchmark", "redis-tools")]
    sizes = {"full": 150000, "small": 5000}
    options = ()

    def command(self, tool, work):
        return ["redis-server", "--save", "", "--appendonly", "no", "--bind", "127.0.0.1", "--port", self.port,
                "--dir", work, *self.options]

    def load(self, size, work):
        out = self.client(["redis-benchmark", "-h", "127.0.0.1", "-p", self.port, "-t", "set,get", "-n", size, "-c", 32,
                           "-P", 4, "-q"], work)
        number(r"GET: ([\d.]+) requests per second", out)
        return 2 * size

    def check(self, work):
        requests = b"".join(b"SET check%d %d\r\nGET check%d\r\n" % (n, n * 7, n) for n in range(200))
        answers = b"".join(b"+OK\r\n$%d\r\n%d\r\n" % (len(str(n * 7)), n * 7) for n in range(200))
        if talk(self.port, requests, len(answers)) != answers:
            raise Failed("redis: wrong answers")
        return ["200 values right"]


class RedisThreads(Redis):
    name, title = "redis-io-threads", "redis-server --io-threads 2"
    sizes = {"full": 20000, "small": 1000}  # its io threads spin: slow where processors are shared
    options = ("--io-threads", "2", "--io-threads-do-reads", "yes")
    bar = "redis"


class Nginx(Server):
    name, title = "nginx", "nginx, aio threads=2, 16 KiB file"
    needs = [("nginx", "nginx-light"), ("wrk", "wrk")]
    sizes = {"full": 2, "small": 1}  # seconds
    stop_signal = signal.SIGQUIT
    processes = "master_process off;"

    def prepare(self, inputs, work):
        os.makedirs(os.path.join(work, "www"), exist_ok=True)
        with open(inputs.mixed(2), "rb") as f, open(os.path.join(work, "www", "f"), "wb") as out:
            out.write(f.read(16384))
        with open(os.path.join(work, "nginx.conf"), "w", encoding="ascii") as conf:
            conf.write(f"""daemon off; {self.processes}
pid {work}/nginx.pid; error_log stderr error; thread_pool tp threads=2;
events {{ worker_connections 256; }}
http {{ access_log off; aio threads=tp; sendfile off; keepalive_requests 1000000;
 client_body_temp_path {work}/b; proxy_temp_path {work}/p; fastcgi_temp_path {work}/f; uwsgi_temp_path {work}/u; scgi_temp_path {work}/s;
 server {{ listen 127.0.0.1:{self.port}; root {work}/www; }} }}
""")

    def command(self, tool, work):
        return ["nginx", "-p", work, "-e", "stderr", "-c", os.path.join(work, "nginx.conf"),
                *(["-g", "user root;"] if os.geteuid() == 0 else [])]

    def load(self, size, work):
        out = self.client(["wrk", "-t1", "-c16", f"-d{size}s", f"http://127.0.0.1:{self.port}/f"], work)
        if "Non-2xx" in out or "Socket errors" in out:
            raise Failed(f"nginx: {out}")
        return number(r"(\d+) requests in", out)

    def warm_up(self, size, work):
        self.check(work)

    def check(self, work):
        answers = []
        for _ in range(20):
            c = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
            c.request("GET", "/f")
            r = c.getresponse()
            body = r.read()
            c.close()
            with open(os.path.join(work, "www", "f"), "rb") as f:
                if r.status != 200 or body != f.read():
                    raise Failed(f"nginx: status {r.status}, {len(body)} bytes that differ from the file")
            answers.append(len(body))
        return answers


class NginxWorkers(Nginx):
    name, title = "nginx-workers", "nginx, master and 2 workers, aio threads=2"
    processes = "master_process on; worker_processes 2;"
    bar = "nginx"


class MariaDB(Server):
    name, title = "mariadb", "mariadbd, sysbench OLTP read-write, 4 threads"
    needs = [("mariadbd", "mariadb-server"), ("mariadb-install-db", "mariadb-server"), ("mariadb", "mariadb-client"),
             ("sysbench", "sysbench")]
    sizes = {"full": 1500, "small": 10}  # transactions of 20 queries
    unfit = ("helgrind", "drd")  # not ready after four minutes
    start_seconds = 60

    def prepare(self, inputs, work):
        """The data directory is made once, natively, and copied for each run."""
        template = os.path.join(inputs.directory, "mariadb")
        self.socket = os.path.join(work, "s")
        if not os.path.isdir(template):
            self._make_template(template + ".part", work)
            os.rename(template + ".part", template)
        subprocess.run(["cp", "-a", template, os.path.join(work, "data")], check=True)

    def _make_template(self, data, work):
        self.client(["mariadb-install-db", "--no-defaults", f"--datadir={data}", "--auth-root-authentication-method=normal",
                     "--skip-test-db", "--innodb-log-file-size=16M", *self._user()], work)
        running = measure.start(self._command(data), work, {"PATH": PATH})
        try:
            measure.wait_until(self.ready, running, 60, "mariadbd")
            self._sql("create database sbtest", work)
            self._sysbench("prepare", work)
            measure.finish(running, 60, signal.SIGTERM)
        except BaseException:
            measure.kill_group(running.process.pid)
            raise

    @staticmethod
    def _user():
        return ["--user=root"] if os.geteuid() == 0 else []

    def _command(self, data, extra=()):
        return ["mariadbd", "--no-defaults", f"--datadir={data}", f"--socket={self.socket}", "--skip-networking",
                "--innodb-buffer-pool-size=64M", "--innodb-log-file-size=16M", "--innodb-flush-log-at-trx-commit=2",
                "--skip-log-bin", "--performance-schema=OFF", "--skip-grant-tables", *extra, *self._user()]

    def command(self, tool, work):
        under_valgrind = isinstance(tool, tools.Valgrind)  # its default reserves 8 TiB of addresses
        return self._command(os.path.join(work, "data"),
                             ["--innodb-buffer-pool-size-max=64M"] if under_valgrind else [])

    def ready(self):
        return os.path.exists(self.socket) and subprocess.run(
            ["mariadb", "--no-defaults", "-S", self.socket, "-u", "root", "-e", "select 1"], capture_output=True,
            check=False, timeout=60).returncode == 0

    def _sql(self, text, work, *database):
        return self.client(["mariadb", "--no-defaults", "-S", self.socket, "-u", "root", "-N", "-e", text, *database], work)

    def _sysbench(self, verb, work, *options):
        return self.client(["sysbench", "oltp_read_write", "--db-driver=mysql", f"--mysql-socket={self.socket}",
                            "--mysql-user=root", "--mysql-db=sbtest", "--tables=2", "--table-size=5000", *options, verb],
                           work, timeout=200)

    def load(self, size, work):
        out = self._sysbench("run", work, "--threads=4", f"--events={size}", "--time=0")
        return number(r"queries: +(\d+)", out)

    def check(self, work):
        return self._sql("create table c(k int primary key, v varchar(40)) engine=innodb;"
                         "insert into c select id, md5(id) from sbtest1 where id <= 100;"
                         "select count(*), sum(crc32(v)) from c; drop table c", work, "sbtest").split()


class Named(Server):
    name, title = "bind9", "bind9 named -n 2, dnsperf"
    needs = [("named", "bind9"), ("dnsperf", "dnsperf")]
    sizes = {"full": 100000, "small": 500}
    names = 500

    def prepare(self, inputs, work):
        hosts = "".join(f"h{n} A 10.0.{n // 250}.{n % 250 + 1}\n" for n in range(self.names))
        files = {
            "zone": f"$TTL 60\n@ SOA ns root 1 60 60 60 60\n@ NS ns\nns A 127.0.0.1\n{hosts}",
            "queries": "".join(f"h{n}.example.test A\n" for n in range(self.names)),
            "named.conf": f"""options {{ directory "{work}"; listen-on port {self.port} {{ 127.0.0.1; }};
 listen-on-v6 {{ none; }}; pid-file none; session-keyfile none; recursion no; notify no; dnssec-validation no;
 allow-query {{ any; }}; empty-zones-enable no; }};
controls {{ }};
zone "example.test" {{ type primary; file "zone"; }};
""",
        }
        for name, text in files.items():
            with open(os.path.join(work, name), "w", encoding="ascii") as f:
                f.write(text)

    def command(self, tool, work):
        return ["named", "-f", "-4", "-n", 2, "-c", os.path.join(work, "named.conf")]

    def ready(self):
        """The port opens before the zone is loaded."""
        try:
            return bool(self._ask(0.5))  # some bind it and answer later, and drop what came meanwhile
        except (OSError, Failed):
            return False

    def load(self, size, work):
        out = self.client(["dnsperf", "-s", "127.0.0.1", "-p", self.port, "-d", "queries", "-n",
                           max(1, size // self.names), "-c", 4, "-q", 50], work)
        done, ok = number(r"Queries completed: +(\d+)", out), number(r"NOERROR (\d+)", out)
        if done != ok:
            raise Failed(f"bind9: {done - ok} wrong answers")
        return done

    def check(self, work):
        return self._ask(20)

    def _ask(self, seconds):
        """One question by hand: the address of h7."""
        question = b"\x12\x34\0\0\0\1\0\0\0\0\0\0\2h7\7example\4test\0\0\1\0\1"
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            s.settimeout(seconds)
            s.sendto(question, ("127.0.0.1", self.port))
            answer = s.recv(4096)
        if bytes([10, 0, 0, 8]) not in answer:
            raise Failed("bind9: wrong address")
        return [measure.hashlib.sha256(answer).hexdigest()[:16]]


SERVERS = [Memcached(), Redis(), RedisThreads(), Nginx(), NginxWorkers(), MariaDB(), Named()]
