#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""`thrum info` and `thrum doctor` say what the probe sees of an interpreter.

    test_info.py THRUM PYTHON
"""
import json
import os
import subprocess
import sys
import tempfile

ENTERED = ((3, 9), (3, 14))


CLASS_CALLED_OFTEN = """
import threading
class Holder:
    def __init__(self):
        self.lock = threading.Lock()
        with self.lock:
            pass
def make():
    return Holder()
for _ in range(100):
    make()
"""


def assert_no_frames_of_the_interpreter(thrum, python, scratch):
    """From 3.12 such a call has a frame of its own, of no file; its code cannot be asked for anything."""
    trace = os.path.join(scratch, "often")
    subprocess.run([thrum, "record", "-o", trace, "--", python, "-I", "-c", CLASS_CALLED_OFTEN], check=True)
    text = b""
    for name in os.listdir(trace):
        with open(os.path.join(trace, name), "rb") as f:
            text += f.read()
    assert b"__init__" in text and b"__init__\0__init__\0" not in text


# The one never gives the GIL up by itself: when it ran while the other slept, the other has to wait.
ONE_HAS_THE_GIL = """
import threading, time
turns = [0]
over = threading.Event()
def hog():
    while not over.is_set():
        turns[0] += 1
def worker():
    met = 0
    while met < 20:
        before = turns[0]
        time.sleep(0.001)
        met += turns[0] != before
    over.set()
threads = [threading.Thread(target=f, name=f.__name__) for f in (hog, worker)]
for t in threads:
    t.start()
for t in threads:
    t.join()
"""


def info_of(thrum, trace):
    found = json.loads(subprocess.run([thrum, "info", "--format", "json", trace], stdout=subprocess.PIPE, check=True).stdout)
    return found["processes"][0]["python"]


def assert_gil_is_counted(thrum, python, scratch):
    for mode in ("full", "bounded"):
        trace = os.path.join(scratch, mode)
        subprocess.run([thrum, "record", "--mode", mode, "-o", trace, "--", python, "-I", "-c", ONE_HAS_THE_GIL], check=True)
        gil = info_of(thrum, trace)["gil"]
        threads = {t.get("name"): t for t in gil["threads"]}
        worker, hog = threads["worker"], threads["hog"]
        assert worker["waits"] >= 20 and worker["wait_ns"] >= worker["longest_ns"] > 0, gil
        assert hog["kept_ns"] >= worker["wait_ns"] / 2, gil
        assert gil["waits"] == sum(t["waits"] for t in gil["threads"]), gil
        text = subprocess.run([thrum, "info", trace], stdout=subprocess.PIPE, check=True, universal_newlines=True).stdout
        assert '"worker" ' in text.split("  gil ")[1].split("\n")[0], text


def main(thrum, python):
    version = tuple(int(x) for x in subprocess.run([python, "-c", "import sys; print(*sys.version_info[:3])"], stdout=subprocess.PIPE,
                                                   check=True).stdout.split())
    if version < (3,):
        return 77
    known = ENTERED[0] <= version[:2] <= ENTERED[1]
    doctor = subprocess.run([thrum, "doctor", "--", python], stdout=subprocess.PIPE, check=True, universal_newlines=True).stdout
    assert f"CPython {version[0]}.{version[1]}" in doctor or not known, doctor
    with tempfile.TemporaryDirectory() as d:
        for code, wanted in (("pass", {"stacks", "locks"}), ("import asyncio", {"stacks", "locks", "tasks", "awaits", "coroutines"})):
            trace = os.path.join(d, "trace")
            subprocess.run([thrum, "record", "-o", trace, "--", python, "-I", "-c", code], check=True)
            said = info_of(thrum, trace)
            assert said["version"] == "%d.%d.%d" % version, said
            assert wanted <= set(said["features"]) if known else said["why"], said
            text = subprocess.run([thrum, "info", trace], stdout=subprocess.PIPE, check=True, universal_newlines=True).stdout
            assert "python      %d.%d.%d: " % version in text, text
        assert_no_frames_of_the_interpreter(thrum, python, d)
        if known:
            assert_gil_is_counted(thrum, python, d)
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
