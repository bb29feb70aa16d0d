# SPDX-License-Identifier: MIT
"""What --races=record costs, beside the compiler's own ThreadSanitizer: processor time of the same binary, in turns.

usage: recorded.py BUILD [ROUNDS]
Each round runs a workload natively, with libtsan.so, and recorded, one after the other; ratios are taken within a round and the median
of them is printed, so that other load on the machine hits both sides.
"""
import os
import shutil
import statistics
import subprocess
import sys
import tempfile

BARS = {"hash": 0.5, "matrix": 0.8, "pipeline": 0.5}


def cpu(command, **environment):
    env = dict(os.environ, TSAN_OPTIONS="report_bugs=0", **environment)
    return float(subprocess.run(command, env=env, capture_output=True, text=True, check=True, timeout=600).stdout)


def recorded(build, workload):
    trace = tempfile.mkdtemp(prefix="thrum-bench-")
    try:
        seconds = cpu(
            [f"{build}/bin/recorded.tsan", workload],
            LD_PRELOAD=f"{build}/lib/libthrum.so",
            LD_LIBRARY_PATH=f"{build}/lib/tsan",
            THRUM_OPTIONS=f"dir={trace}/t:races=record",
        )
        size = sum(os.path.getsize(f"{trace}/t/{name}") for name in os.listdir(f"{trace}/t"))
    finally:
        shutil.rmtree(trace)
    return seconds, size


def main():
    build = os.path.abspath(sys.argv[1])
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 7
    print("workload   native s  libtsan s  recorded s   recorded/libtsan   bar    trace MB")
    for workload, bar in BARS.items():
        rows = []
        for _ in range(rounds):
            native = cpu([f"{build}/bin/recorded.native", workload])
            theirs = cpu([f"{build}/bin/recorded.tsan", workload])
            ours, size = recorded(build, workload)
            rows.append((native, theirs, ours, ours / theirs, size))
        native, theirs, ours, ratio, size = (statistics.median(column) for column in zip(*rows))
        print(f"{workload:9} {native:9.3f} {theirs:10.3f} {ours:11.3f} {ratio:14.2f} {bar:12.2f} {size / 1e6:10.1f}")


if __name__ == "__main__":
    main()
