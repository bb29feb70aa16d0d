# SPDX-License-Identifier: MIT
# SHOWS a coroutine that starts a process and reads its output itself, which holds up the loop
# EXPECT blocking-call-in-loop confidence=observed stacks=version
# EXPECT loop-stall confidence=observed
import asyncio
import subprocess


async def version():
    child = subprocess.Popen(["/bin/sh", "-c", "sleep 0.2; echo 7"], stdout=subprocess.PIPE)
    assert child.stdout.read() == b"7\n"
    child.wait()


async def main():
    await version()


asyncio.run(main())
