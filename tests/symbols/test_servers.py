# SPDX-License-Identifier: MIT
"""debuginfod: asked only where DEBUGINFOD_URLS says so, for what is missing, and not for ever. The server is on the loopback."""
import http.server
import os
import socket
import threading
import time
import unittest

from inversion import Case, main

LIBRARY = "libdebuginfod.so.1"


def library_is_here():
    import ctypes
    try:
        ctypes.CDLL(LIBRARY)
    except OSError:
        return False
    return True


class Server(http.server.ThreadingHTTPServer):
    """Serves files of `self.files` by path and remembers what was asked."""

    daemon_threads = True

    def __init__(self):
        self.files, self.asked = {}, []
        super().__init__(("127.0.0.1", 0), Handler)
        self.thread = threading.Thread(target=self.serve_forever, daemon=True)
        self.thread.start()
        self.url = "http://127.0.0.1:%d" % self.server_address[1]

    def close(self):
        self.shutdown()
        self.server_close()


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.server.asked.append(self.path)
        name = self.server.files.get(self.path)
        if name is None:
            self.send_error(404)
            return
        with open(name, "rb") as file:
            data = file.read()
        self.send_response(200)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *args):
        pass


@unittest.skipUnless(library_is_here(), "not installed: " + LIBRARY)
class Servers(Case):
    def setUp(self):
        super().setUp()
        self.server = Server()
        self.addCleanup(self.server.close)
        self.build("-O2 -g")
        self.id = self.build_id()
        self.shell("cp program full && objcopy --only-keep-debug program debug && strip program")
        self.record()
        self.asks = {"DEBUGINFOD_URLS": self.server.url, "DEBUGINFOD_CACHE_PATH": self.path("cache")}

    def serve(self, kind, name):
        self.server.files[f"/buildid/{self.id}/{kind}"] = self.path(name)

    def test_nobody_is_asked_without_the_variable(self):
        self.serve("debuginfo", "debug")
        self.expect_offsets_only(self.check()[0], self.id)
        self.expect_offsets_only(self.check(env={"DEBUGINFOD_URLS": ""})[0], self.id)
        self.assertEqual(self.server.asked, [])

    def test_debug_file_comes_from_the_server(self):
        self.serve("debuginfo", "debug")
        finding, said = self.check(env=self.asks)
        self.expect_all(finding)
        self.assertEqual(said, "")
        self.server.files.clear()  # the second time the cache has it
        self.expect_all(self.check(env=self.asks)[0])

    def test_only_build_ids_of_findings_are_asked_for(self):
        self.serve("debuginfo", "debug")
        self.check(env=self.asks)
        self.assertIn(f"/buildid/{self.id}/debuginfo", self.server.asked)
        for path in self.server.asked:
            self.assertRegex(path, r"^/buildid/[0-9a-f]+/(debuginfo|executable)$")

    def test_nothing_is_asked_for_that_is_here(self):
        self.shell("cp full program")
        self.check(env=self.asks)
        self.assertEqual([path for path in self.server.asked if self.id in path], [])

    def test_program_itself_comes_from_the_server(self):
        os.unlink(self.path("program"))
        self.serve("executable", "full")
        finding, said = self.check(env=self.asks)
        self.expect_all(finding)
        self.assertEqual(said, "")

    def test_only_the_debug_file_is_there_of_a_program_that_is_gone(self):
        os.unlink(self.path("program"))
        self.serve("debuginfo", "debug")
        self.expect_all(self.check(env=self.asks)[0])

    def test_file_of_another_build_is_not_believed(self):
        self.build("-O1 -g -DOTHER", name="other")
        self.serve("debuginfo", "other")
        self.expect_offsets_only(self.check(env=self.asks)[0], self.id)

    def test_server_that_is_down_costs_nothing(self):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        self.asks["DEBUGINFOD_URLS"] = f"http://127.0.0.1:{port}"
        self.expect_offsets_only(self.check(env=self.asks)[0], self.id)

    def test_server_that_never_answers_is_given_up(self):
        with socket.socket() as silent:
            silent.bind(("127.0.0.1", 0))
            silent.listen(8)
            self.asks["DEBUGINFOD_URLS"] = "http://127.0.0.1:%d" % silent.getsockname()[1]
            start = time.monotonic()
            finding, said = self.check(env={**self.asks, "DEBUGINFOD_MAXTIME": "2"})
            self.assertLess(time.monotonic() - start, 60)
        self.expect_offsets_only(finding, self.id)
        self.assertIn("too slow", said)


if __name__ == "__main__":
    main()
