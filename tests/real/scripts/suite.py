# SPDX-License-Identifier: MIT
"""A suite for pytest with its anyio plugin: fixtures, parameters, threads, tasks, subprocesses, one that is expected to fail. SUITE_N: how many."""
import asyncio
import concurrent.futures
import os
import queue
import subprocess
import sys
import threading

import pytest

N = int(os.environ.get("SUITE_N", "20"))


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request):
    return request.param


@pytest.fixture
def pool():
    with concurrent.futures.ThreadPoolExecutor(3) as p:
        yield p


@pytest.mark.parametrize("n", range(N))
def test_of_a_pool(pool, n):
    assert sum(pool.map(lambda x: x * n, range(10))) == 45 * n


@pytest.mark.parametrize("n", range(N))
def test_of_a_queue(n, tmp_path):
    q, got = queue.Queue(3), []
    t = threading.Thread(target=lambda: got.extend(iter(q.get, None)), name=f"reader-{n}")
    t.start()
    for i in range(10):
        q.put(i)
    q.put(None)
    t.join()
    (tmp_path / "got").write_text(str(got))
    assert got == list(range(10))


@pytest.mark.anyio
@pytest.mark.parametrize("n", range(N // 4))
async def test_of_a_task_group(n):
    import anyio

    done = []

    async def one(i):
        await anyio.sleep(0)
        done.append(i)

    async with anyio.create_task_group() as group:
        for i in range(n):
            group.start_soon(one, i, name=f"one-{i}")
    assert sorted(done) == list(range(n))


def test_of_asyncio():
    async def main():
        lock = asyncio.Lock()

        async def one(n):
            async with lock:
                await asyncio.sleep(0)
                return n

        return await asyncio.wait_for(asyncio.gather(*(one(n) for n in range(N))), 20)

    assert asyncio.run(main()) == list(range(N))


def test_of_a_child(capfd):
    subprocess.run([sys.executable, "-c", "import threading; t = threading.Thread(target=print, args=('child',)); t.start(); t.join()"],
                   check=True)
    assert capfd.readouterr().out == "child\n"


@pytest.mark.xfail(strict=True)
def test_that_fails():
    assert False


@pytest.mark.skip(reason="on purpose")
def test_left_out():
    assert False
