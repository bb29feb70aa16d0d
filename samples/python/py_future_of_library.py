# SPDX-License-Identifier: MIT
# SHOWS a child that does not read what communicate() feeds it: up to 3.11 a future of asyncio's own fails with it, which nobody need look at
# RUN clean
# NEVER unretrieved-exception
import asyncio
import gc
import sys


async def feed():
    child = await asyncio.create_subprocess_exec(sys.executable, "-S", "-c", "import os; os.close(0); print('no, thanks')",
                                                 stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE)
    out, _ = await child.communicate(b"x" * 4000000)
    return out


async def write():
    """The same, by hand."""
    child = await asyncio.create_subprocess_exec(sys.executable, "-S", "-c", "", stdin=asyncio.subprocess.PIPE)
    await child.wait()
    try:
        for _ in range(3):
            child.stdin.write(b"x" * 200000)
            await child.stdin.drain()
    except ConnectionError:
        print("nobody listens")


async def main():
    print(await feed())
    await write()
    gc.collect()
    await asyncio.sleep(0)


asyncio.run(main())
gc.collect()
