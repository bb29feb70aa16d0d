#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Tasks that run their first step while they are made (3.12), as TaskGroup, timeout and Runner make them: a lock is its task's.

    test_eager.py THRUM PYTHON…
"""
import json
import subprocess
import sys
import tempfile

PROGRAM = """
import asyncio

async def take(first, second):
    async with first:
        await asyncio.sleep(0)
        async with second:
            pass

async def quick():
    return 1

async def main():
    asyncio.get_running_loop().set_task_factory(asyncio.eager_task_factory)
    await asyncio.create_task(quick())
    try:
        asyncio.Task(3, eager_start=True)
    except TypeError:
        pass
    left, right, barrier = asyncio.Lock(), asyncio.Lock(), asyncio.Barrier(2)
    async with asyncio.timeout(60), asyncio.TaskGroup() as group:
        group.create_task(barrier.wait())
        group.create_task(barrier.wait())
    async with asyncio.TaskGroup() as group:
        group.create_task(take(left, right), name="one")
        group.create_task(take(right, %s), name="other")

with asyncio.Runner() as runner:
    runner.run(main())
"""


def findings(thrum, python, last, directory):
    run = subprocess.run([thrum, "run", "--timeout", "3", "--format", "json", "-o", directory + "/trace", "--", python, "-c", PROGRAM % last],
                         stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False)
    return json.loads(run.stdout)["findings"]


def main(thrum, *pythons):
    tried = 0
    for python in pythons:
        if subprocess.run([python, "-c", "import sys; sys.exit(sys.version_info < (3, 12))"], check=False).returncode:
            continue
        tried += 1
        with tempfile.TemporaryDirectory() as d:
            found = findings(thrum, python, "left", d)
            assert [f["rule"] for f in found] == ["deadlock"], (python, found)
            assert sorted(t["name"] for t in found[0]["tasks"]) == ["one (take)", "other (take)"], found[0]["tasks"]
            assert findings(thrum, python, "asyncio.Lock()", d) == [], python
    return 0 if tried else 77


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
