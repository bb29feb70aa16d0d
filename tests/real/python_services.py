# SPDX-License-Identifier: MIT
"""Services and programs in Python as they are run: web servers, workers with a broker, runtimes, a test suite. A row each.

They run on Debian's own python3, for which the packages of their modules are made.
"""
import os
import re
import signal
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "bench"))

import measure  # noqa: E402
import tools  # noqa: E402
from causality import Sees  # noqa: E402
from loop_servers import PYTHON  # noqa: E402
from measure import Failed  # noqa: E402
from programs import Program, Sample  # noqa: E402
from servers import PATH, Server, number, talk  # noqa: E402

SCRIPTS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "scripts")
REDIS = [("redis-server", "redis-server")]
WRK = ("wrk", "wrk")
importable = {}


def absent(modules):
    """None, or which of {module: package} to install."""
    for module, package in modules.items():
        if module not in importable:
            importable[module] = os.access(PYTHON, os.X_OK) and not subprocess.run(
                [PYTHON, "-c", f"import {module}"], stdin=subprocess.DEVNULL, capture_output=True, timeout=60, check=False).returncode
        if not importable[module]:
            return f"package {package} missing: apt-get install {package}"
    return None


class With(tools.Tool):
    """Another tool, for a program that needs `env` as well."""

    def __init__(self, tool, **env):
        self.tool, self.env, self.name, self.title, self.timeout = tool, env, tool.name, tool.title, tool.timeout

    def wrap(self, argv, work):
        argv, env = self.tool.wrap(argv, work)
        return argv, {**self.env, **env}


# ---- web servers ----

class WebServer(Server):
    """`paths`: asked by wrk, each in turn. An answer that differs from the known one fails the row."""

    sizes = {"full": 6, "small": 0.3}  # seconds, all paths together
    modules = {}
    keeps = True
    paths = ("/plain", "/timer", "/lock", "/pool", "/gather", "/background")

    def missing(self):
        return super().missing() or absent(self.modules)

    def warm_up(self, size, work):
        for path in self.paths:
            self.ask(path)

    def load(self, size, work):
        """wrk counts in whole seconds; a small load is asked for one by one, and that of a server that closes connections early."""
        if size < 1 or not self.keeps:
            for path in self.paths * int(50 * size):
                self.ask(path)
            return int(50 * size) * len(self.paths)
        done = 0
        for path in self.paths:
            out = self.client(["wrk", "-t1", "-c8", f"-d{max(1, round(size / len(self.paths)))}s", f"http://127.0.0.1:{self.port}{path}"],
                              work)
            if "Non-2xx" in out or re.search(r"Socket errors:.*(connect|read|write) [1-9]", out):
                raise Failed(f"{self.name} {path}: {out}")
            done += number(r"(\d+) requests in", out)
        return done

    def ask(self, path, body=b""):
        kind = b"POST" if body else b"GET"
        answer = talk(self.port, b"%s %s HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%s"
                      % (kind, path.encode(), len(body), body), 1 << 20)
        head, _, text = answer.partition(b"\r\n\r\n")
        if b" 200 " not in head.split(b"\r\n")[0]:
            raise Failed(f"{self.name} {path}: {answer[:200]}")
        return text.decode()

    def ready(self):
        try:
            return bool(self.ask("/plain"))
        except OSError:
            return False

    def check(self, work):
        answers = [(path, self.ask(path)) for path in self.paths]
        time.sleep(1.3)  # at rest, or with its timers: what its tasks wait for is looked at
        return answers


class Aiohttp(WebServer):
    name, title = "aiohttp", "aiohttp: timers, a lock, a queue, a thread pool"
    needs = [WRK]
    modules = {"aiohttp": "python3-aiohttp"}
    paths = ("/plain", "/timer", "/lock", "/queue", "/thread")

    def command(self, tool, work):
        return [PYTHON, "-B", os.path.join(SCRIPTS, "aiohttp_app.py"), self.port]

    def check(self, work):
        return [*super().check(work), self.ask("/post", b"[1, 2, 39]")]


class Asgi(WebServer):
    """asgi_app.py under a server: `words` start it."""

    needs = [WRK]

    def __init__(self, name, title, modules, words, keeps=True):
        super().__init__(name, title)
        self.words, self.keeps = words, keeps
        self.modules = {"fastapi": "python3-fastapi", **modules}

    def run(self, tool, scale, inputs, work):
        return super().run(With(tool, PYTHONPATH=SCRIPTS), scale, inputs, work)

    def command(self, tool, work):
        return [PYTHON, "-B", "-m", *(w.replace("PORT", str(self.port)) for w in self.words), "asgi_app:app"]


UVICORN, UVLOOP = {"uvicorn": "python3-uvicorn"}, {"uvloop": "python3-uvloop"}
UVICORN_WORDS = ["uvicorn", "--host", "127.0.0.1", "--port", "PORT", "--log-level", "warning"]
GUNICORN_WORDS = ["gunicorn", "-w", "2", "-b", "127.0.0.1:PORT", "--log-level", "warning"]


# ---- workers with a broker ----

class Broker:
    """A redis-server of its own, outside the tool, for a `with`."""

    def __init__(self, work):
        self.work, self.port = os.path.join(work, "redis"), measure.free_port()

    def __enter__(self):
        os.makedirs(self.work)
        self.running = measure.start(["redis-server", "--save", "", "--appendonly", "no", "--bind", "127.0.0.1", "--port",
                                      str(self.port), "--dir", self.work], self.work, {"PATH": PATH})
        try:
            measure.wait_until(lambda: measure.port_open(self.port), self.running, 30, "redis-server")
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        measure.kill_group(self.running.process.pid)
        self.running.process.wait()


class Celery(Server):
    """Tasks are sent, their results awaited; then a warm shutdown. `pool`: of the worker."""

    needs = REDIS
    sizes = {"full": 600, "small": 40}
    modules = {"celery": "python3-celery", "redis": "python3-redis"}
    start_seconds = 60

    def __init__(self, pool, title, modules=()):
        super().__init__("celery-" + pool, title)
        self.pool, self.modules = pool, {**Celery.modules, **dict(modules)}
        self.answers = {}

    def missing(self):
        return super().missing() or absent(self.modules)

    def run(self, tool, scale, inputs, work):
        with Broker(work) as self.broker:
            return super().run(With(tool, REDIS_PORT=str(self.broker.port)), scale, inputs, work)

    def command(self, tool, work):
        return [PYTHON, "-B", "-m", "celery", "-A", "celery_app", "--workdir", SCRIPTS, "worker", "--pool", self.pool, "-c", 3,
                "--without-gossip", "--without-mingle", "-l", "WARNING", "-n", "one@127.0.0.1"]

    def ready(self):
        """The worker waits for tasks: it has asked the broker for some."""
        clients = talk(self.broker.port, b"CLIENT LIST\r\nQUIT\r\n", 1 << 20)
        return b"cmd=brpop" in clients

    def load(self, size, work):
        self.answers = self.client(["env", f"REDIS_PORT={self.broker.port}", PYTHON, "-B", os.path.join(SCRIPTS, "celery_app.py"), size],
                                   work, 170)
        return size

    def warm_up(self, size, work):
        self.load(12, work)

    def check(self, work):
        return self.answers.splitlines()


class Rq(Program):
    """Jobs are put, a worker forks a child for each and ends when none is left; results are read."""

    def __init__(self):
        super().__init__("rq", "rq: a child for each job", REDIS, {"full": 60, "small": 6}, None)

    def missing(self):
        return super().missing() or absent({"rq": "python3-rq", "redis": "python3-redis"})

    def run(self, tool, scale, inputs, work):
        with Broker(work) as broker:
            here = {"REDIS_PORT": str(broker.port), "PYTHONPATH": SCRIPTS, "PYTHONDONTWRITEBYTECODE": "1"}
            self._jobs(here, work, "put", scale)
            argv, env = tool.wrap([PYTHON, "-m", "rq.cli", "worker", "--burst", "--quiet", "--url",
                                   f"redis://127.0.0.1:{broker.port}/0"], work)
            r = measure.run(argv, work, {**here, **env}, self.timeout * tool.timeout)
            if r.status or r.timed_out:
                raise Failed(f"rq under {tool.name}: status {r.status}: {measure.read_text(r.stderr)[-300:]}")
            return Sample(r.cpu_s, r.wall_s, 1, None, r.status, self._jobs(here, work, "get", scale).splitlines())

    def _jobs(self, env, work, verb, scale):
        p = subprocess.run([PYTHON, os.path.join(SCRIPTS, "rq_jobs.py"), verb, str(self.sizes[scale])], cwd=work, text=True,
                           stdin=subprocess.DEVNULL, capture_output=True, timeout=60, check=False, env={**os.environ, **env})
        if p.returncode:
            raise Failed(f"rq_jobs.py {verb}: {p.stderr[-300:]}")
        return p.stdout


# ---- programs that end ----

class Python(Program):
    """`words` of Debian's Python; N is the size, WORK the directory it runs in. What takes time is left out of the output."""

    timeout = 120

    def __init__(self, name, title, modules, sizes, words):
        super().__init__(name, title, [(PYTHON, "python3")], sizes, lambda i, n: [
            "sh", "-ec", " ".join(words).replace("SCRIPTS", SCRIPTS).replace("PYTHON", PYTHON + " -B").replace("$N", str(n))])
        self.modules = modules

    def missing(self):
        return super().missing() or absent(self.modules)

    def output(self, result, work):
        return [re.sub(r"in \d+\.\d+s", "in a while", result.text())]


VENV = """PYTHON -m venv --without-pip --system-site-packages v; mkdir package; cp SCRIPTS/suite.py SCRIPTS/executors.py package/
touch package/__init__.py; echo 'from package import executors; executors.main($N)' >package/__main__.py
. v/bin/activate; python -B -c 'import sys; print(sys.prefix != sys.base_prefix)'; exec python -B -m package"""

PYTHON_SERVICES = [
    Aiohttp(),
    Asgi("uvicorn", "uvicorn, FastAPI on asyncio's loop", UVICORN, [*UVICORN_WORDS, "--loop", "asyncio", "--http", "h11"]),
    Asgi("uvicorn-uvloop", "uvicorn, FastAPI on uvloop, httptools", {**UVICORN, **UVLOOP, "httptools": "python3-httptools"},
         [*UVICORN_WORDS, "--loop", "uvloop"]),
    Asgi("gunicorn-uvicorn", "gunicorn, 2 workers of uvicorn, FastAPI", {**UVICORN, **UVLOOP, "gunicorn": "gunicorn"},
         [*GUNICORN_WORDS, "-k", "uvicorn.workers.UvicornWorker"]),
    Asgi("hypercorn", "hypercorn, FastAPI", {"hypercorn": "python3-hypercorn"},
         ["hypercorn", "--bind", "127.0.0.1:PORT"], keeps=False),
    Celery("prefork", "celery, 3 processes"),
    Celery("threads", "celery, 3 threads"),
    Celery("gevent", "celery, greenlets", {"gevent": "python3-gevent"}),
    Rq(),
    Python("trio", "trio: nurseries, channels, threads, TCP", {"trio": "python3-trio"}, {"full": 3000, "small": 100},
           ["exec", "PYTHON", "SCRIPTS/trio_tree.py", "$N"]),
    Python("gevent-tree", "gevent: a pool, queues, locks, TCP; all patched", {"gevent": "python3-gevent"}, {"full": 3000, "small": 100},
           ["exec", "PYTHON", "SCRIPTS/gevent_tree.py", "$N"]),
    Python("pytest", "pytest with its anyio plugin", {"pytest": "python3-pytest", "anyio": "python3-anyio", "trio": "python3-trio"},
           {"full": 100, "small": 10},
           ["SUITE_N=$N", "exec", "PYTHON", "-m", "pytest", "-q", "-p", "no:cacheprovider", "--rootdir", "SCRIPTS", "SCRIPTS/suite.py"]),
    Python("pytest-xdist", "pytest -n 2: workers over pipes", {"xdist": "python3-pytest-xdist", "anyio": "python3-anyio", "trio": "python3-trio"},
           {"full": 100, "small": 10},  # who runs which test is chance: the last line counts
           ["SUITE_N=$N", "PYTHON", "-m", "pytest", "-q", "-n", "2", "-p", "no:cacheprovider", "-p", "no:warnings", "--rootdir", "SCRIPTS",
            "SCRIPTS/suite.py", ">log;", "tail", "-n", "1", "log"]),
    Python("python-executors", "ProcessPoolExecutor: fork, spawn, forkserver; children", {}, {"full": 200, "small": 12},
           ["exec", "PYTHON", "SCRIPTS/executors.py", "$N"]),
    Python("venv", "a virtualenv, -m of a package", {"venv": "python3-venv"}, {"full": 100, "small": 8}, [VENV]),
]

TASK, GREENLET, TRIO, WORK = "task (asyncio)", "greenlet (greenlet)", "task (trio)", "work item (concurrent.futures)"

# In these, a task is a coroutine that its loop steps.
PYTHON_SEES = {
    "aiohttp": Sees(1, {TASK: 60, WORK: 5}, names={"worker-? (work)": 2, "Task-* (RequestHandler.start)": 10}, awaits=[
        ("worker-? (work) waits for something in a queue at *", "Queue.get queues.py:* < work aiohttp_app.py:*"),
        ("Task-1 (_run_app) sleeps*", "sleep tasks.py:* < _run_app web.py:*")]),
    "uvicorn": Sees(1, {TASK: 60}, names={"ticker (tick)": 1, "*(gathered.<locals>.one)": 5, "*(LifespanOn.main)": 1}, awaits=[
        ("ticker (tick) *", "sleep tasks.py:* < tick asgi_app.py:*")]),
    "uvicorn-uvloop": Sees(1, {TASK: 60}, names={"ticker (tick)": 1, "*(gathered.<locals>.one)": 5}, awaits=[
        ("ticker (tick) *", "sleep tasks.py:* < tick asgi_app.py:*")]),
    "gunicorn-uvicorn": Sees(2, {TASK: 60}, names={"ticker (tick)": 2}, awaits=[
        ("ticker (tick) *", "sleep tasks.py:* < tick asgi_app.py:*")]),
    "hypercorn": Sees(1, {TASK: 60}, names={"ticker (tick)": 1}, awaits=[
        ("ticker (tick) *", "sleep tasks.py:* < tick asgi_app.py:*")]),
    "celery-threads": Sees(0, {WORK: 40}),
    "celery-gevent": Sees(1, {}, names={"*(apply_target)": 40}),
    "trio": Sees(1, {}, names={"producer-? (produce)": 3, "consumer-? (consume)": 2, "forever-? (*)": 5, "__main__.main (main)": 1}),
    "gevent-tree": Sees(1, {}, names={"*(pool.<locals>.<lambda>)": 100, "*(queues.<locals>.work)": 3, "*(echo.<locals>.client)": 4}),
    "pytest": Sees(1, {TASK: 10}, names={"one-? (*)": 2}),
    "python-executors": Sees(3, {TASK: 9}, names={"job-? (*)": 9}),
}
