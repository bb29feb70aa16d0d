# SPDX-License-Identifier: MIT
# SHOWS that --redact=args keeps what is in ContextVars out of the trace: their names alone are there
# EXPECT leaked-task confidence=observed tasks=wait_for_answer stacks=ask says=wait_for_answer+(request_id,+attempt,+user)+was
# RUN options=--redact=args
import asyncio
import contextvars
import gc

request_id = contextvars.ContextVar("request_id")
user = contextvars.ContextVar("user", default="nobody")
attempt = contextvars.ContextVar("attempt")
connection = contextvars.ContextVar("connection")


class Request:
    def __init__(self, loop):
        self.answer = loop.create_future()

    def __repr__(self):
        raise AssertionError("nobody asked for this")


async def wait_for_answer(request):
    request_id.set(42)
    print(await request.answer)


def ask():
    request_id.set(1)
    user.set("anna")
    attempt.set(3)
    connection.set(Request(asyncio.get_running_loop()))
    asyncio.get_running_loop().create_task(wait_for_answer(Request(asyncio.get_running_loop())))


async def main():
    ask()
    await asyncio.sleep(0.01)
    gc.collect()
    await asyncio.sleep(0)


asyncio.run(main())
