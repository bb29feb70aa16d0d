# SPDX-License-Identifier: MIT
# SHOWS a future that is given an exception which was never raised, and is thrown away: the finding is where it was given it, and where it was thrown away
# EXPECT unretrieved-exception confidence=observed stacks=give_up,main roles=signals,destroys
import asyncio


def give_up(loop):
    answer = loop.create_future()
    answer.set_exception(OSError("no answer"))


async def main():
    give_up(asyncio.get_running_loop())
    await asyncio.sleep(0)


asyncio.run(main())
print("nobody knows")
