#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""In bounded mode short tasks leave nothing behind, and those that live long are still known.

    test_bounded_tasks.py THRUM PYTHON
"""
import json
import os
import re
import subprocess
import sys
import tempfile

PROGRAM = """
import asyncio, sys
async def short():
    await asyncio.sleep(0)
async def fails():
    raise ValueError(1)
async def main():
    never = asyncio.Event()
    keeper = asyncio.create_task(never.wait(), name="the keeper")
    asyncio.create_task(fails(), name="the failed one")
    for _ in range(int(sys.argv[1]) // 100):
        await asyncio.gather(*(asyncio.create_task(short()) for _ in range(100)))
    print("made", flush=True)
    if sys.argv[2] == "kill":
        import os
        os.kill(os.getpid(), 9)
    keeper.cancel()
asyncio.run(main())
"""


def record(thrum, python, scratch, tasks, end):
    trace = os.path.join(scratch, "%d.%s" % (tasks, end))
    run = subprocess.run([thrum, "record", "-q", "--mode", "bounded", "-o", trace, "--", python, "-I", "-c", PROGRAM, str(tasks), end],
                         stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False)
    assert b"made" in run.stdout, run
    found = json.loads(subprocess.run([thrum, "info", "--format", "json", trace], stdout=subprocess.PIPE, check=True).stdout)
    return trace, found["processes"][0]


def main(thrum, python):
    if subprocess.run([python, "-c", "import sys; sys.exit(sys.version_info < (3, 9))"], check=False).returncode:
        return 77
    with tempfile.TemporaryDirectory() as d:
        few = record(thrum, python, d, 20000, "end")[1]
        trace, many = record(thrum, python, d, 80000, "end")
        assert few["complete"] and many["complete"], (few, many)
        assert many["bytes"] - few["bytes"] < 20000, (few["bytes"], many["bytes"])
        assert many["tasks"]["asyncio task"] < 10000, many["tasks"]
        report = json.loads(subprocess.run([thrum, "check", "--format", "json", trace], stdout=subprocess.PIPE, check=False).stdout)
        told = {f["rule"]: f["title"] for f in report["findings"]}
        assert "the failed one" in told.pop("unretrieved-exception") and not told, report["findings"]
        trace = record(thrum, python, d, 20000, "kill")[0]
        dump = subprocess.run([thrum, "dump", trace], stdout=subprocess.PIPE, check=True, universal_newlines=True).stdout
        keeper = re.search(r" task=(\d+) the keeper \(", dump)
        assert keeper and " task-new " in dump and " task=%s kind=task (asyncio)" % keeper.group(1) in dump, dump[-2000:]
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
