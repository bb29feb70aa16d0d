# SPDX-License-Identifier: MIT
"""Runs programs, natively and under thrum, each in its own folder. Judges nothing."""

import contextlib
import json
import os
import signal
import subprocess
import tempfile
import time


def environment():
    env = {k: v for k, v in os.environ.items() if not k.startswith("THRUM_") and k != "LD_PRELOAD"}
    env.update(LC_ALL="C", TZ="UTC", NO_COLOR="1")
    return env


class Outcome:
    def __init__(self, status, out, err, max_rss_mb=0):
        self.status, self.out, self.err, self.max_rss_mb = status, out, err, max_rss_mb


def run(command, limit, cwd=None, env=None):
    """Runs `command` to its end or kills it after `limit` seconds (status None). Status as a shell shows it."""
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=err, cwd=cwd,
                                   env=env or environment(), start_new_session=True)
        status, rss_kb = _wait(process, limit)
        out.seek(0)
        err.seek(0)
        return Outcome(status, out.read(), err.read().decode(errors="replace"), rss_kb // 1024)


def _end_group(leader):
    """What a program left behind: children that hang."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(leader, signal.SIGKILL)


def _wait(process, limit):
    """(status or None, peak memory in KB of the process and what it waited for)."""
    deadline, pause = time.monotonic() + limit, 0.002
    timed_out = False
    while True:
        pid, code, usage = os.wait4(process.pid, os.WNOHANG)
        if pid:
            process.returncode = os.waitstatus_to_exitcode(code)
            break
        if time.monotonic() > deadline and not timed_out:
            os.killpg(process.pid, signal.SIGKILL)
            timed_out = True
        time.sleep(pause)
        pause = min(pause * 1.3, 0.05)
    _end_group(process.pid)
    if timed_out:
        return None, usage.ru_maxrss
    return process.returncode if process.returncode >= 0 else 128 - process.returncode, usage.ru_maxrss


def split_report(out, native_out):
    """Standard output of `thrum run --format json` is the program's own, then the report."""
    start = len(native_out) if native_out is not None else out.find(b'{\n')
    if start < 0:
        start = out.find(b"{")
    return out[:start], json.loads(out[start:].decode())


def _tasks(pid):
    """(state, context switches, ticks) of every thread, or None when the process is gone."""
    try:
        tids = sorted(os.listdir("/proc/%d/task" % pid))
    except OSError:
        return None
    states = []
    for tid in tids:
        try:
            with open("/proc/%d/task/%s/stat" % (pid, tid)) as f:
                fields = f.read().rpartition(")")[2].split()
            with open("/proc/%d/task/%s/status" % (pid, tid)) as f:
                switches = [line.split()[1] for line in f if "ctxt_switches" in line]
        except OSError:
            continue  # this thread has ended since it was listed
        states.append((tid, fields[0], fields[11], fields[12], tuple(switches)))
    return states


def wait_until_blocked(pid, limit):
    """True when all threads of `pid` have been asleep, without being scheduled, several times in a row."""
    deadline = time.monotonic() + limit
    last, same = None, 0
    while time.monotonic() < deadline:
        now = _tasks(pid)
        if now is None:
            return False
        asleep = all(state[1] in "SZ" for state in now)
        same = same + 1 if asleep and now == last else 0
        if same >= 6:
            return True
        last = now
        time.sleep(0.03)
    return False


def find_target(launcher_pid, binary, limit):
    """The process that runs `binary`: the launcher's child, or the launcher itself after an exec."""
    deadline = time.monotonic() + limit
    wanted = os.path.realpath(binary)
    while time.monotonic() < deadline:
        for pid in [launcher_pid] + _children(launcher_pid):
            if wanted in _images(pid):
                return pid
        time.sleep(0.02)
    return None


def _images(pid):
    """What the threads of `pid` execute: a main thread that has ended no longer tells."""
    images = set()
    try:
        tids = os.listdir("/proc/%d/task" % pid)
    except OSError:
        tids = []
    for tid in tids:
        try:
            images.add(os.path.realpath("/proc/%d/task/%s/exe" % (pid, tid)))
        except OSError:
            pass
    return images


def _children(pid):
    found = []
    for entry in os.listdir("/proc"):
        if not entry.isdigit():
            continue
        try:
            with open("/proc/%s/stat" % entry) as f:
                if int(f.read().rpartition(")")[2].split()[1]) == pid:
                    found.append(int(entry))
        except (OSError, IndexError, ValueError):
            pass
    return found


def record_and_kill(thrum, binary, args, trace, limit):
    """Records `binary`, SIGKILLs it once all of its threads are blocked. Returns a complaint or None."""
    process = subprocess.Popen([thrum, "record", "-o", trace, "--", binary] + args, stdin=subprocess.DEVNULL,
                               stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env=environment(),
                               start_new_session=True)
    try:
        pid = find_target(process.pid, binary, limit)
        if pid is None:
            return "the recorded process was not found"
        if not wait_until_blocked(pid, limit):
            return "the recorded process never came to rest"
        os.kill(pid, signal.SIGKILL)
        process.wait(timeout=limit)
        return None
    except subprocess.TimeoutExpired:
        return "thrum record did not end after its target was killed"
    finally:
        _end_group(process.pid)
        process.wait()
        process.stderr.close()
