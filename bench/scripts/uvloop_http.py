# SPDX-License-Identifier: MIT
"""uvloop_http.py PORT - an HTTP server on uvloop, the asyncio loop over libuv: protocols, timers, a thread pool, a child."""
import asyncio
import hashlib
import signal
import sys

import uvloop


async def body_of(path):
    if path == b"/timer":
        await asyncio.sleep(0.005)
        return b"later"
    if path == b"/pool":
        digest = await asyncio.get_running_loop().run_in_executor(None, hashlib.sha256, b"x" * 10000)
        return digest.hexdigest().encode()
    if path == b"/child":
        child = await asyncio.create_subprocess_exec("echo", "child", stdout=asyncio.subprocess.PIPE)
        return (await child.communicate())[0]
    return b"hello"


async def serve(reader, writer):
    try:
        while line := await reader.readline():
            keep = False
            while (header := await reader.readline()).strip():
                keep = keep or header.lower().startswith(b"connection: keep-alive")
            body = await body_of(line.split()[1])
            writer.write(b"HTTP/1.0 200 OK\r\nContent-Length: %d\r\nConnection: %s\r\n\r\n%s"
                         % (len(body), b"keep-alive" if keep else b"close", body))
            await writer.drain()
            if not keep:
                break
    except ConnectionError:
        pass
    writer.close()


async def main(port):
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    server = await asyncio.start_server(serve, "127.0.0.1", port)
    await stop.wait()
    server.close()
    await server.wait_closed()


uvloop.install()
asyncio.run(main(int(sys.argv[1])))
