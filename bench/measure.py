# SPDX-License-Identifier: MIT
"""Runs programs and says what they cost. Bounded in time, by pid, without a word of output.

Processor time (user + system) is the measure: on a shared machine wall time is noise. A program that ends is measured
by wait4 (itself and every descendant it waited for). A server is measured by the processor clocks of its process tree
from before to after a load.
"""
import hashlib
import os
import resource
import signal
import socket
import statistics
import subprocess
import threading
import time
from dataclasses import dataclass, field


class Failed(Exception):
    """A program did not do what the row needs; the message says which and how."""


class Skipped(Exception):
    """Something is not installed; the message names the package."""


@dataclass
class Result:
    status: int  # exit status, 128+N when killed by signal N
    cpu_s: float
    wall_s: float
    stdout: str  # path
    stderr: str  # path
    timed_out: bool = False

    def digest(self):
        return file_digest(self.stdout)

    def text(self):
        return read_text(self.stdout)


@dataclass
class Running:
    process: subprocess.Popen
    stdout: str
    stderr: str
    started: float = field(default_factory=time.monotonic)


def read_text(path, limit=1 << 20):
    with open(path, "rb") as f:
        return f.read(limit).decode("utf-8", "replace")


def file_digest(path):
    h = hashlib.sha256()
    with open(path, "rb") as f:
        while block := f.read(1 << 20):
            h.update(block)
    return h.hexdigest()[:16]


def _child_setup(nofile):
    def setup():
        if nofile:
            resource.setrlimit(resource.RLIMIT_NOFILE, (nofile, nofile))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))

    return setup


def start(argv, work, env=None, nofile=0):
    """Starts argv in a process group of its own, standard input empty, outputs in files of `work`."""
    out, err = os.path.join(work, "stdout"), os.path.join(work, "stderr")
    with open(out, "wb") as o, open(err, "wb") as e:
        process = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=o, stderr=e, cwd=work,
                                   env=dict(os.environ, LC_ALL="C.UTF-8", TZ="UTC", **(env or {})),
                                   start_new_session=True, preexec_fn=_child_setup(nofile))
    return Running(process, out, err)


def finish(running, timeout, stop_signal=None):
    """Waits; after `timeout` seconds ends the group that `start` made. Sends stop_signal first when given."""
    pid = running.process.pid
    timed_out = threading.Event()

    def end():
        timed_out.set()
        kill_group(pid)

    if stop_signal:
        os.kill(pid, stop_signal)
    timer = threading.Timer(timeout, end)
    timer.start()
    try:
        _, status, usage = os.wait4(pid, 0)
    finally:
        timer.cancel()
    running.process.returncode = status  # so that Popen does not wait for it again
    code = os.waitstatus_to_exitcode(status)
    return Result(128 - code if code < 0 else code, usage.ru_utime + usage.ru_stime,
                  time.monotonic() - running.started, running.stdout, running.stderr,
                  timed_out.is_set())


def kill_group(pid):
    """Ends a process of ours and whatever it started and did not move elsewhere."""
    for victim in [*reversed(tree(pid)), pid]:
        try:
            os.kill(victim, signal.SIGKILL)
        except ProcessLookupError:
            pass
    try:
        os.killpg(pid, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        pass


def run(argv, work, env=None, timeout=120, nofile=0):
    running = start(argv, work, env, nofile)
    try:
        return finish(running, timeout)
    except BaseException:
        kill_group(running.process.pid)
        raise


def tree(pid):
    """pid and its descendants, parents first."""
    found = [pid]
    for p in found:
        try:
            for task in os.listdir(f"/proc/{p}/task"):
                with open(f"/proc/{p}/task/{task}/children") as f:
                    found += [int(c) for c in f.read().split()]
        except (FileNotFoundError, ProcessLookupError):
            continue
    return found


def cpu_of(pid):
    """Processor seconds of one living process, all its threads: its CPU clock, what /proc/PID/stat shows in ticks."""
    return time.clock_gettime(~pid << 3 | 2)


def cpu_of_tree(pid):
    total = 0.0
    for p in tree(pid):
        try:
            total += cpu_of(p)
        except OSError:
            continue
    return total


def rss_of_tree(pid, without=""):
    """Peak resident KiB, summed over the processes that do not run the program `without`."""
    total = 0
    for p in tree(pid):
        try:
            if os.readlink(f"/proc/{p}/exe") == without:
                continue
            with open(f"/proc/{p}/status") as f:
                total += sum(int(line.split()[1]) for line in f if line.startswith("VmHWM"))
        except (FileNotFoundError, ProcessLookupError):
            continue
    return total


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def wait_until(check, running, timeout, what):
    """Polls `check` until true; fails when the program ends or time is over."""
    limit = time.monotonic() + timeout
    while not check():
        if running.process.poll() is not None:
            raise Failed(f"{what}: ended with {running.process.returncode} before it was ready: "
                         f"{read_text(running.stderr)[-300:]}")
        if time.monotonic() > limit:
            raise Failed(f"{what}: not ready after {timeout} s")
        time.sleep(0.02)


def port_open(port):
    with socket.socket() as s:
        s.settimeout(1)
        return s.connect_ex(("127.0.0.1", port)) == 0


def median(values):
    values = [v for v in values if v is not None]
    return statistics.median(values) if values else None


def spread(values):
    """Half the distance between the quartiles, relative to the median: how far to trust a median."""
    values = sorted(v for v in values if v is not None)
    if len(values) < 3:
        return None
    q = statistics.quantiles(values, n=4, method="inclusive")
    return (q[2] - q[0]) / 2 / statistics.median(values)
