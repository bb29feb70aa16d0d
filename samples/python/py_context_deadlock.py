# SPDX-License-Identifier: MIT
# SHOWS which requests are in a deadlock: a UUID, a text and a number in ContextVars of the tasks, beside an object that is not looked at
# EXPECT deadlock confidence=observed tasks=debit,credit says=(request_id=00000000-0000-0000-0000-00000000002a,+tenant=Grüße)
# RUN timeout=3
import asyncio
import contextvars
import uuid

request_id = contextvars.ContextVar("request_id")
tenant = contextvars.ContextVar("tenant")
secret = contextvars.ContextVar("secret")


class Secret:
    def __hash__(self):
        raise AssertionError("nobody asked for this")

    __eq__ = __repr__ = __str__ = __hash__


async def debit(accounts, audit):
    request_id.set(uuid.UUID(int=42))
    async with accounts:
        await asyncio.sleep(0)
        async with audit:
            pass


async def credit(accounts, audit):
    request_id.set(-(2**80))
    async with audit:
        await asyncio.sleep(0)
        async with accounts:
            pass


async def main():
    tenant.set("Grüße")
    secret.set(Secret())
    accounts, audit = asyncio.Lock(), asyncio.Lock()
    await asyncio.gather(debit(accounts, audit), credit(accounts, audit))


asyncio.run(main())
