# SPDX-License-Identifier: MIT
"""A node server that each of its requests holds up for 300 ms in another way: what `thrum run` says of it.

    stalls.py [--repeat N] [--show]

Fails when a cause is not named with the script's function and, for the lock, who held it. Exit status 77 where no node with a shared
libuv is installed: one that has it inside shows no callbacks. Environment: THRUM_BUILD is the build directory; THRUM_NODE a node to
take instead of the first of PATH; LD_LIBRARY_PATH where its libraries are.
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
import urllib.request

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "..", "bench"))

import tools  # noqa: E402

# path: the script's function, words of the title (any of several), functions that a stack shows
CAUSES = {
    "/report": ("computeReport", "on the processor", []),
    "/retry": ("waitForRetry", "in a wait for condition variable", ["waitForRetry"]),
    "/list": ("readList", ("in read of pipe", "in file operation"), ["readList"]),
    "/picture": ("makePicture", "in waitpid", ["makePicture"]),
    "/session": ("lockSession", "in a wait for mutex sessions, held by thread", ["lockSession", "session_sweeper"]),
    "/thumbnail": ("joinThumbnail", "in pthread_join of thread", ["joinThumbnail"]),
    "/proxy": ("askBackend", "in recv", ["askBackend"]),
    "/lookup": ("lookUpName", "in getaddrinfo", ["lookUpName"]),
}
UNNAMED = {"/report"}  # on the processor: nothing may be recorded inside, only the callback that took the time


def find_node():
    for name in [os.environ.get("THRUM_NODE"), "nodejs", "node"]:
        path = name and shutil.which(name)
        if path and "libuv.so" in subprocess.run(["ldd", path], capture_output=True, text=True, check=False).stdout:
            return path
    return None


def feed(fifo):
    """Once the server has opened it, 300 ms later."""
    with open(fifo, "wb") as f:
        time.sleep(0.3)
        f.write(b"a line\n")


def serve(node, work):
    """Asks for each path once; returns the findings."""
    fifo, report = os.path.join(work, "list"), os.path.join(work, "findings.json")
    os.mkfifo(fifo)
    argv = [tools.built("thrum"), "run", "-q", "--report", "json=" + report, "-o", os.path.join(work, "trace"), "--", node,
            "--perf-basic-prof", "--interpreted-frames-native-stack", os.path.join(HERE, "scripts", "stalls.js"),
            tools.built_library("stall_addon.node"), fifo]
    with open(os.path.join(work, "stderr"), "wb") as err, \
            subprocess.Popen(argv, cwd=work, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=err, text=True) as p:
        try:
            port = int(p.stdout.readline())
            for path in [*CAUSES, "/end"]:
                feeder = threading.Thread(target=feed, args=(fifo,))
                if path == "/list":
                    feeder.start()
                with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=60) as answer:
                    assert answer.read() == b"done\n"
                if path == "/list":
                    feeder.join()
            status = p.wait(timeout=120)
        except BaseException:
            p.terminate()
            raise
    with open(os.path.join(work, "stderr"), encoding="utf-8") as f:
        text = f.read()
    if status:
        raise AssertionError(f"status {status}: {text[-1000:]}")
    with open(report, encoding="utf-8") as f:
        return json.load(f)["findings"], text


def functions(finding):
    return [f.get("function", "") for s in finding["stacks"] for f in s["frames"]]


def complaints(findings):
    stalls = [f for f in findings if f["rule"] == "loop-stall"]
    for path, (function, words, stacks) in CAUSES.items():
        any_of = words if isinstance(words, tuple) else (words,)
        about = [f for f in stalls if any(w in f["title"] for w in any_of)]
        named = [f for f in about if path in UNNAMED or function in [t.get("name") for t in f["tasks"]]]
        if not about:
            yield f"{path}: no stall {words!r}"
        elif not named:
            yield f"{path}: not named {function}: {about[0]['title']}"
        elif not any(all(s in functions(f) for s in stacks) for f in named):
            yield f"{path}: no stacks with {stacks}"
        elif not all("posted here" in (s.get("note") or "") or s["role"] != "signals" for s in named[0]["stacks"]):
            yield f"{path}: nobody armed it"
    for f in findings:
        if f["level"] == "error":
            yield "error: " + f["title"]


def main(argv):
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--repeat", type=int, default=1, metavar="N")
    p.add_argument("--show", action="store_true", help="print the titles")
    options = p.parse_args(argv)
    node = find_node()
    if not node:
        print("no node with a shared libuv: skipped")
        return 77
    failed = 0
    for _ in range(options.repeat):
        with tempfile.TemporaryDirectory(prefix="thrum-stalls-") as work:
            findings, _ = serve(node, work)
        wrong = list(complaints(findings))
        failed += bool(wrong)
        for line in wrong + [f["title"] for f in findings if options.show]:
            print(line)
    print(f"{options.repeat - failed} of {options.repeat} runs name all {len(CAUSES)} causes")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
