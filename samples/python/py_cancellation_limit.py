# SPDX-License-Identifier: MIT
# SHOWS work that catches the cancellation of its own time limit and goes on, so that the limit is none
# EXPECT swallowed-cancellation confidence=observed
# RUN clean
import asyncio


async def keep_trying(rounds):
    while rounds:
        try:
            await asyncio.sleep(0.03)
            rounds -= 1
        except asyncio.CancelledError:
            print("not now")


async def main():
    try:
        await asyncio.wait_for(keep_trying(4), 0.04)
    except asyncio.TimeoutError:
        print("late")


asyncio.run(main())
