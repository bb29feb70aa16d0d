# SPDX-License-Identifier: MIT
# SHOWS a synchronous HTTP client in a coroutine, with a server that takes its time
# EXPECT blocking-call-in-loop confidence=observed tasks=handle stacks=get_price,handle count=1..3
# EXPECT loop-stall confidence=observed tasks=handle
import asyncio
import http.server
import threading
import time
import urllib.request


class Slow(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        time.sleep(0.3)
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"42")

    def log_message(self, *args):
        pass


def get_price(port):
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    return opener.open("http://127.0.0.1:%d/" % port, timeout=20).read()


async def handle(port):
    return get_price(port)


async def main(port):
    print(await asyncio.create_task(handle(port)))


server = http.server.HTTPServer(("127.0.0.1", 0), Slow)
thread = threading.Thread(target=server.serve_forever)
thread.start()
asyncio.run(main(server.server_port))
server.shutdown()
thread.join()
server.server_close()
