# SPDX-License-Identifier: MIT
# SHOWS blocking work that does not stop the loop: in threads, by asyncio's own functions, or too short to matter
# NEVER blocking-call-in-loop loop-stall leaked-thread leaked-task
# RUN clean
import asyncio
import sys
import tempfile
import time


async def main():
    loop = asyncio.get_running_loop()
    await loop.run_in_executor(None, time.sleep, 0.3)
    await asyncio.sleep(0.2)
    process = await asyncio.create_subprocess_exec(sys.executable, "-S", "-c", "print(1)",
                                                   stdout=asyncio.subprocess.PIPE)
    print(await process.stdout.read(), await process.wait())
    with tempfile.TemporaryFile() as f:
        f.write(b"x" * 1000)
    time.sleep(0.001)


asyncio.run(main())
time.sleep(0.2)
