# SPDX-License-Identifier: MIT
"""Real servers of several processes under load, on 127.0.0.1 with free ports: a class each, a row in SERVICES each.

What is in bench/servers.py is measured too; these are only compared: same answers, same end.
"""
import http.client
import os
import pwd
import signal
import shutil
import socket
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "bench"))

import measure  # noqa: E402
import tools  # noqa: E402
from measure import Failed  # noqa: E402
from servers import NginxWorkers, Server, number, talk  # noqa: E402

POSTGRES = next((d for v in range(18, 11, -1) if os.access((d := f"/usr/lib/postgresql/{v}/bin") + "/postgres", os.X_OK)), "")
MODULES = "/usr/lib/apache2/modules"


class Unprivileged(tools.Tool):
    """Another tool, run by nobody: for programs that refuse root."""

    def __init__(self, tool):
        self.tool, self.name, self.title, self.timeout = tool, tool.name, tool.title, tool.timeout

    def wrap(self, argv, work):
        argv, env = self.tool.wrap(argv, work)
        for root, _, files in os.walk(work):
            for path in [root, *(os.path.join(root, f) for f in files)]:
                shutil.chown(path, "nobody", "nogroup")
        return ["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups", *argv], dict(env, HOME=work)


def as_nobody(tool):
    return Unprivileged(tool) if os.geteuid() == 0 else tool


class Postgres(Server):
    """A postmaster, its helpers, and a process for each client; initdb runs under the tool as well, in the row before."""

    name, title = "postgresql", "PostgreSQL, pgbench with 6 clients"
    needs = [(POSTGRES + "/postgres", "postgresql"), (POSTGRES + "/pgbench", "postgresql"), ("setpriv", "util-linux")]
    sizes = {"full": 400, "small": 20}
    stop_signal = signal.SIGINT

    def run(self, tool, scale, inputs, work):
        return super().run(as_nobody(tool), scale, inputs, work)

    def prepare(self, inputs, work):
        argv, env = as_nobody(tools.TOOLS["native"]).wrap(
            [POSTGRES + "/initdb", "-D", work + "/data", "-A", "trust", "-U", "pg", "--no-sync", "--no-locale", "-E", "UTF8"], work)
        log = measure.run(argv, work, env)
        if log.status:
            raise Failed(f"initdb: {measure.read_text(log.stderr)[-300:]}")

    def command(self, tool, work):
        return [POSTGRES + "/postgres", "-D", work + "/data", "-p", self.port, "-h", "127.0.0.1", "-k", work, "-c", "fsync=off",
                "-c", "max_parallel_workers_per_gather=2", "-c", "min_parallel_table_scan_size=0", "-c", "parallel_setup_cost=0",
                "-c", "parallel_tuple_cost=0"]

    def _client(self, program, work, *args):
        return self.client([os.path.join(POSTGRES, program), "-h", "127.0.0.1", "-p", self.port, "-U", "pg", *args], work)

    def ready(self):
        return measure.subprocess.run([POSTGRES + "/pg_isready", "-q", "-h", "127.0.0.1", "-p", str(self.port)], timeout=20,
                                      check=False).returncode == 0

    def warm_up(self, size, work):
        self._client("pgbench", work, "-i", "-q", "-s", "1", "postgres")

    def load(self, size, work):
        out = self._client("pgbench", work, "-c", 6, "-j", 2, "-t", size, "-n", "postgres")
        self._client("pgbench", work, "-S", "-C", "-c", 3, "-t", max(5, size // 20), "-n", "postgres")
        return number(r"transactions actually processed: (\d+)", out)

    def check(self, work):
        commands = ["select count(*), sum(hashint4(aid)) from pgbench_accounts",
                    "create table t as select g, md5(g::text) m from generate_series(1,2000) g", "create index on t(m)",
                    "vacuum (analyze, parallel 2) t", "select count(*), max(m) from t", "select pg_advisory_lock(1)"]
        return self._client("psql", work, "-qAtX", *(a for c in commands for a in ("-c", c)), "postgres").split()


class Initdb(Postgres):
    """initdb: a program that starts `postgres` in single-user mode several times, through popen and pipes."""

    name, title = "postgresql-initdb", "PostgreSQL, initdb"

    def run(self, tool, scale, inputs, work):
        argv, env = as_nobody(tool).wrap([POSTGRES + "/initdb", "-D", work + "/data", "-A", "trust", "-U", "pg", "--no-sync",
                                          "--no-locale", "-E", "UTF8"], work)
        r = measure.run(argv, work, env, 120)
        if r.status or r.timed_out:
            raise Failed(f"initdb under {tool.name}: status {r.status}: {measure.read_text(r.stderr)[-300:]}")
        text = measure.read_text(r.stdout).replace(work, "WORK")
        return measure_sample(r, [text, sorted(os.listdir(work + "/data"))])


def measure_sample(result, output):
    from programs import Sample

    return Sample(result.cpu_s, result.wall_s, 1, None, result.status, output)


class Apache(Server):
    """Several child processes; `mpm` says how they share the work."""

    needs = [("apache2", "apache2-bin"), ("ab", "apache2-utils")]
    sizes = {"full": 4000, "small": 200}
    stop_signal = signal.SIGTERM
    mpm = ""
    tuning = ""

    def prepare(self, inputs, work):
        os.chmod(work, 0o755)
        os.makedirs(os.path.join(work, "www"), exist_ok=True)
        with open(inputs.mixed(2), "rb") as f, open(os.path.join(work, "www", "f"), "wb") as out:
            out.write(f.read(16384))
        with open(os.path.join(work, "apache.conf"), "w", encoding="ascii") as conf:
            conf.write(f"""ServerRoot {work}
ServerName localhost
PidFile {work}/apache.pid
DefaultRuntimeDir {work}
ErrorLog {work}/error.log
Mutex pthread
LoadModule mpm_{self.mpm}_module {MODULES}/mod_mpm_{self.mpm}.so
LoadModule authz_core_module {MODULES}/mod_authz_core.so
LoadModule status_module {MODULES}/mod_status.so
{self.tuning}
ExtendedStatus On
KeepAlive On
Listen 127.0.0.1:{self.port}
DocumentRoot {work}/www
<Location /status>
SetHandler server-status
</Location>
""")

    def command(self, tool, work):
        return ["apache2", "-D", "FOREGROUND", "-f", os.path.join(work, "apache.conf")]

    def load(self, size, work):
        # Kept connections may be closed at any answer, which ab counts as a failure.
        self.client(["ab", "-q", "-k", "-c", 16, "-n", max(50, size), f"http://127.0.0.1:{self.port}/f"], work)
        out = self.client(["ab", "-q", "-c", 8, "-n", max(20, size // 10), f"http://127.0.0.1:{self.port}/f"], work)
        if number(r"Failed requests: +(\d+)", out):
            raise Failed(f"apache: {out}")
        return number(r"Complete requests: +(\d+)", out)

    def check(self, work):
        answers = []
        for path in ["/f"] * 10 + ["/none"]:
            c = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
            c.request("GET", path)
            r = c.getresponse()
            answers.append((path, r.status, measure.hashlib.sha256(r.read()).hexdigest()[:8]))
            c.close()
        return answers


class ApachePrefork(Apache):
    name, title, mpm = "apache-prefork", "Apache, prefork, children come and go", "prefork"
    tuning = "StartServers 3\nMinSpareServers 2\nMaxSpareServers 4\nMaxRequestWorkers 16\nMaxConnectionsPerChild 50\n"


class ApacheEvent(Apache):
    name, title, mpm = "apache-event", "Apache, event, 2 children of 8 threads", "event"
    tuning = ("StartServers 2\nThreadsPerChild 8\nMinSpareThreads 8\nMaxSpareThreads 24\nMaxRequestWorkers 32\n"
              "MaxConnectionsPerChild 400\n")


class ApacheWorker(ApacheEvent):
    name, title, mpm = "apache-worker", "Apache, worker, 2 children of 8 threads", "worker"


class NginxMany(NginxWorkers):
    name, title = "nginx-many", "nginx, master and 4 workers, accept_mutex, reload under load"
    processes = "master_process on; worker_processes 4;"

    def load(self, size, work):
        done = super().load(size, work)
        with open(os.path.join(work, "nginx.pid"), encoding="ascii") as f:
            os.kill(int(f.read()), signal.SIGHUP)
        time.sleep(0.5)  # a connection that an old worker has accepted would be closed
        return done + super().load(size, work)


class Gunicorn(Server):
    name, title = "gunicorn", "gunicorn, 2 workers of 4 threads"
    needs = [("gunicorn", "gunicorn"), ("ab", "apache2-utils")]
    sizes = {"full": 1500, "small": 100}

    def prepare(self, inputs, work):
        with open(os.path.join(work, "app.py"), "w", encoding="ascii") as f:
            f.write("import hashlib\n\n\ndef app(environ, start):\n"
                    "    body = hashlib.sha256(environ['PATH_INFO'].encode()).hexdigest().encode()\n"
                    "    start('200 OK', [('Content-Length', str(len(body)))])\n    return [body]\n")

    def command(self, tool, work):
        return ["gunicorn", "--chdir", work, "-w", 2, "--threads", 4, "--max-requests", 300, "-b", f"127.0.0.1:{self.port}",
                "app:app"]

    def load(self, size, work):
        out = self.client(["ab", "-q", "-c", 8, "-n", max(50, size), f"http://127.0.0.1:{self.port}/f"], work)
        return number(r"Complete requests: +(\d+)", out)

    def check(self, work):
        answer = talk(self.port, b"GET /x HTTP/1.0\r\n\r\n", 1 << 20)
        return [answer.split(b"\r\n\r\n")[-1].decode()]


class Rsyslog(Server):
    """Messages by UDP and TCP into a file, through a queue with worker threads."""

    name, title = "rsyslogd", "rsyslogd, TCP input, a queue with 3 workers"
    needs = [("rsyslogd", "rsyslog")]
    sizes = {"full": 20000, "small": 500}

    def prepare(self, inputs, work):
        with open(os.path.join(work, "rsyslog.conf"), "w", encoding="ascii") as conf:
            conf.write(f"""global(workDirectory="{work}")
module(load="imtcp")
main_queue(queue.type="linkedList" queue.workerThreads="3" queue.workerThreadMinimumMessages="50")
template(name="t" type="string" string="%msg%\\n")
input(type="imtcp" port="{self.port}" address="127.0.0.1")
action(type="omfile" file="{work}/log" template="t" asyncWriting="on" flushInterval="1")
""")

    def command(self, tool, work):
        return ["rsyslogd", "-n", "-f", os.path.join(work, "rsyslog.conf"), "-i", os.path.join(work, "pid")]

    def load(self, size, work):
        with socket.create_connection(("127.0.0.1", self.port), timeout=20) as s:
            for n in range(int(size)):
                s.sendall(b"<13>Jan  1 00:00:00 h t: message %d\n" % n)
        return size

    def warm_up(self, size, work):
        pass

    def check(self, work):
        lines = 0
        for _ in range(200):
            time.sleep(0.05)
            with open(os.path.join(work, "log"), "rb") as f:
                data = f.read().split(b"\n")
            if len(data) == lines and lines > 1:
                break
            lines = len(data)
        return [lines, measure.hashlib.sha256(b"\n".join(sorted(data))).hexdigest()[:16]]


class Resolved(Server):
    """Drops its privileges, then answers on 127.0.0.53; asks nobody outside for these names."""

    name, title = "systemd-resolved", "systemd-resolved, local names"
    needs = [("/lib/systemd/systemd-resolved", "systemd-resolved")]
    sizes = {"full": 3000, "small": 100}

    def missing(self):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            try:
                s.bind(("127.0.0.53", 53))
            except OSError as e:
                return super().missing() or f"127.0.0.53 port 53: {e.strerror}"
        return super().missing()

    def command(self, tool, work):
        return ["/lib/systemd/systemd-resolved"]

    @staticmethod
    def _ask(name):
        labels = b"".join(bytes([len(x)]) + x for x in name.encode().split(b"."))
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            s.settimeout(5)
            s.sendto(b"\x12\x34\1\0\0\1\0\0\0\0\0\0" + labels + b"\0\0\1\0\1", ("127.0.0.53", 53))
            return s.recv(4096)

    def ready(self):
        try:
            return bool(self._ask("localhost"))
        except OSError:
            return False

    def load(self, size, work):
        for n in range(int(size)):
            self._ask(f"h{n}.localhost")
        return size

    def check(self, work):
        return [self._ask(n).hex() for n in ("localhost", "a.localhost", "host.invalid")]


class Chrony(Server):
    """A time server that serves its own clock and does not touch that of the machine; threads for the name service."""

    name, title = "chronyd", "chronyd, local clock"
    needs = [("chronyd", "chrony")]
    sizes = {"full": 3000, "small": 100}

    def prepare(self, inputs, work):
        with open(os.path.join(work, "chrony.conf"), "w", encoding="ascii") as conf:
            conf.write(f"local stratum 10\nallow 127.0.0.1\nport {self.port}\nbindaddress 127.0.0.1\ncmdport 0\n"
                       f"bindcmdaddress /\npidfile {work}/pid\ndriftfile {work}/drift\n")

    def command(self, tool, work):
        return ["chronyd", "-x", "-d", "-u", "root" if os.geteuid() == 0 else pwd.getpwuid(os.geteuid()).pw_name,
                "-f", os.path.join(work, "chrony.conf")]

    def _ask(self):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            s.settimeout(5)
            s.sendto(b"\x23" + bytes(47), ("127.0.0.1", self.port))
            return s.recv(100)

    def ready(self):
        try:
            return bool(self._ask())
        except OSError:
            return False

    def load(self, size, work):
        for _ in range(int(size)):
            self._ask()
        return size

    def check(self, work):
        return [len(self._ask()), self._ask()[0]]


SERVICES = [Initdb(), Postgres(), ApachePrefork(), ApacheEvent(), ApacheWorker(), NginxMany(), Gunicorn(), Rsyslog(),
            Resolved(), Chrony()]
