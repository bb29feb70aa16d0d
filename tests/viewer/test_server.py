#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""`thrum view` as a server: who gets an answer, what hostile requests get, how it ends, and the page in a browser."""

import http.client
import json
import os
import re
import signal
import socket
import threading
import time
import urllib.parse

import chromium
from thrum_cli import Case
from viewer_case import READY, axe_script, axe_violations, main, sample

THRUM = os.environ["THRUM"]


class Server(Case):
    def setUp(self):
        super().setUp()
        self.assertEqual(self.thrum("record", "-q", "-o", self.path("t"), "--", *sample("app_pipeline")).returncode, 0)
        self.before = sorted(os.listdir(self.path("t")))
        self.process = self.start("view", "-q", self.path("t"))
        self.addCleanup(self.end)
        self.url = self.process.stdout.readline().strip()
        parts = urllib.parse.urlsplit(self.url)
        self.address, self.host, self.base = (parts.hostname, parts.port), parts.netloc, parts.path
        self.told = self.until_read()

    def until_read(self):
        """What the server said of its progress until the trace was read."""
        told, until = [], time.monotonic() + 60
        while not told or told[-1]["state"] != "ready":
            self.assertLess(time.monotonic(), until)
            status, body, _ = self.ask(self.base + "progress")
            self.assertEqual(status, 200)
            told.append(json.loads(body))
            time.sleep(0.02)
        return told

    def end(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        self.process.communicate(timeout=20)

    def ask(self, path, method="GET", host=None, body=None):
        connection = http.client.HTTPConnection(*self.address, timeout=20)
        self.addCleanup(connection.close)
        connection.putrequest(method, path, skip_host=True)
        connection.putheader("Host", host or self.host)
        if body is not None:
            connection.putheader("Content-Length", str(len(body)))
        connection.endheaders(body)
        response = connection.getresponse()
        return response.status, response.read(), response

    def raw(self, data, seconds=20):
        with socket.create_connection(self.address, timeout=seconds) as connection:
            connection.sendall(data)
            answer = b""
            while part := connection.recv(65536):
                answer += part
                if b"\r\n\r\n" in answer:
                    break
            return answer

    # ---- what is there ----

    def test_the_address_is_loopback_and_secret(self):
        self.assertRegex(self.url, r"^http://127\.0\.0\.1:\d+/[0-9a-f]{32}/$")

    def test_page_model_blocks(self):
        status, page, response = self.ask(self.base)
        self.assertEqual(status, 200)
        self.assertIn(b"connect-src 'self'", page)
        self.assertEqual(response.headers["X-Content-Type-Options"], "nosniff")
        self.assertEqual(self.ask(self.base + "model")[0], 200)
        status, block, _ = self.ask(self.base + "blocks?row=0&first=0&count=1")
        self.assertEqual(status, 200)
        self.assertGreater(len(block), 8)
        self.assertEqual(self.ask(self.base, method="HEAD")[:2], (200, b""))

    # ---- before it is read ----

    def test_progress_never_goes_back(self):
        self.assertEqual([told["percent"] for told in self.told], sorted(told["percent"] for told in self.told))
        for told in self.told:
            self.assertEqual(told["percent"] == 100, told["state"] == "ready")

    def test_the_outline_is_there_without_reading(self):
        status, page, _ = self.ask(self.base + "outline/")
        self.assertEqual(status, 200)
        self.assertIn(b"The trace is being read", page)
        model = json.loads(self.ask(self.base + "outline/model")[1])
        self.assertIn("main", [lane[2] for lane in model["lanes"]])
        self.assertEqual({row[1] for row in model["rows"]}, {3})
        for row in range(len(model["rows"])):
            status, far, _ = self.ask(f"{self.base}outline/far?row={row}")
            self.assertEqual((status, len(far)), (200, 65536))
            self.assertTrue(any(far))
        self.assertEqual(self.ask(self.base + "outline/progress")[0], 200)
        self.assertEqual(self.ask(self.base + "outline/alive")[0], 204)
        for path in ("outline", "outline/blocks?row=0&first=0&count=1", "outline/../model", "outline/outline/", "outline/x"):
            self.assertEqual(self.ask(self.base + path)[0], 404, path)
        for query in ("", "row=-1", f"row={len(model['rows'])}", "row=99999999999999999999"):
            self.assertEqual(self.ask(self.base + "outline/far?" + query)[0], 400, query)

    def test_a_browser_shows_the_outline_then_all(self):
        # The page asks how far the reading is: here the test answers, so that it does not depend on how long that takes.
        lie = """window.told = { state: 'reading', percent: 42, doing: 'test' };
            const real = fetch;
            window.fetch = (path) => (path === 'progress' ? Promise.resolve(new Response(JSON.stringify(window.told))) : real(path));"""
        axe = axe_script(self)
        with chromium.Browser() as browser:
            page = browser.open("about:blank")
            page.call("Page.addScriptToEvaluateOnNewDocument", source=lie)
            page.call("Page.navigate", url=self.url + "outline/")
            page.wait_there(READY + " === 'outline'")
            page.wait("document.querySelector('.reading').textContent.includes('42 %')")
            page.settle()
            self.assertEqual(page.get("document.querySelector('.reading progress').value"), 42)
            self.assertFalse(page.get("document.getElementById('timeline').hidden"))
            self.assertIn("most", page.get("document.getElementById('timeline').textContent"))
            page.key("w")
            page.settle()
            self.assertEqual(axe_violations(page, axe), [])
            page.get("void (window.told = { state: 'ready', percent: 100, doing: '' })")
            page.wait_there(READY + " === 'yes'")
            self.assertEqual(page.get("location.pathname"), self.base)
            self.assertRegex(page.get("location.hash"), r"^#timeline\?from=\d+&to=\d+")  # what was looked at stays
            self.assertEqual(page.errors, [])

    def test_a_browser_draws_it(self):
        with chromium.Browser() as browser:
            page = browser.open(self.url + "#timeline")
            page.wait(READY + " === 'yes'")
            page.settle()
            drawn = "/main/.test((document.querySelector('.tl-drawer h3') || {}).textContent || '')"
            for _ in range(60):  # the spans come after the page
                page.key(".")
                page.settle()
                if page.get(drawn):
                    break
                time.sleep(0.5)
            self.assertTrue(page.get(drawn))
            self.assertEqual(page.errors, [])
            for url in page.requests:
                self.assertTrue(url.startswith(self.url), url)

    def test_two_clients_at_once(self):
        answers = []
        threads = [threading.Thread(target=lambda: answers.append(self.ask(self.base + "model")[0])) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)
        self.assertEqual(answers, [200] * 8)

    # ---- what is not ----

    def test_other_hosts_are_refused(self):
        for host in ("evil.example", "evil.example:80", "127.0.0.1", "localhost", f"127.0.0.1.evil.example:{self.address[1]}", "[::1]:80", ""):
            self.assertIn(self.ask(self.base, host=host or " ")[0], (400, 403), host)
        self.assertEqual(self.ask(self.base, host=f"localhost:{self.address[1]}")[0], 200)
        self.assertIn(b" 40", self.raw(f"GET {self.base} HTTP/1.0\r\n\r\n".encode())[:16])

    def test_wrong_tokens_are_refused(self):
        token = self.base.strip("/")
        other = ("0" if token[0] != "0" else "1") + token[1:]
        for path in ("/", "/model", f"/{other}/", f"/{token}", f"/{token[:-1]}/", f"/{token}x/", f"//{token}/", f"/{token.upper()}/model"):
            if path.lower() == f"/{token}/model" and token.isdigit():
                continue
            self.assertEqual(self.ask(path)[0], 404, path)

    def test_no_path_is_a_file(self):
        for path in ("../../../../etc/passwd", "..%2f..%2fetc%2fpasswd", "/etc/passwd", "%2e%2e/run.json", "run.json", "model/../../x", "model%00.json"):
            status, body, _ = self.ask(self.base + path)
            self.assertIn(status, (400, 404), path)
            self.assertNotIn(b"root:", body)

    def test_only_reading(self):
        for method in ("POST", "PUT", "DELETE", "OPTIONS", "TRACE", "PATCH"):
            self.assertEqual(self.ask(self.base, method=method)[0], 405, method)
        self.assertEqual(self.ask(self.base, method="POST", body=b"x" * 1000)[0], 405)
        self.assertEqual(self.ask(self.base)[0], 200)

    def test_ranges_out_of_all_bounds(self):
        for query in ("", "row=0", "row=-1&first=0&count=1", "row=999999&first=0&count=1", "row=0&first=99999999999999999999&count=1",
                      "row=0&first=0&count=0", "row=0&first=0&count=18446744073709551615", "row=0&first=0&count=65", "row=0x0&first=0&count=1",
                      "row=0&first=1e3&count=1", "row=%00&first=0&count=1", "row=0&first=0&count=" + "9" * 5000):
            self.assertIn(self.ask(self.base + "blocks?" + query)[0], (400, 414, 431), query)
        self.assertEqual(self.ask(self.base + "far?row=77777")[0], 400)
        self.assertEqual(self.ask(self.base)[0], 200)

    def test_a_slow_client_stops_nobody_and_is_let_go(self):
        slow = socket.create_connection(self.address, timeout=30)
        self.addCleanup(slow.close)
        slow.sendall(f"GET {self.base} HTTP/1.1\r\nHost: {self.host}\r\nX-Slow: ".encode())
        began = time.monotonic()
        self.assertEqual(self.ask(self.base + "model")[0], 200)
        self.assertLess(time.monotonic() - began, 5)
        slow.settimeout(30)
        slow.recv(4096)  # closed, or told that the time is over
        self.assertLess(time.monotonic() - began, 25)

    def test_noise(self):
        for noise in (b"\0" * 200 + b"\r\n\r\n", b"GET " + b"/" * 70000 + b" HTTP/1.1\r\n\r\n", b"\x16\x03\x01\x02\x00\x01\r\n\r\n"):
            try:
                self.raw(noise)
            except OSError:
                pass
        self.assertEqual(self.ask(self.base)[0], 200)

    # ---- its end ----

    def test_it_ends_when_told_and_wrote_nothing(self):
        self.ask(self.base + "model")
        for number in (signal.SIGINT,):
            self.process.send_signal(number)
        self.assertEqual(self.process.wait(20), 0)
        self.assertEqual(sorted(os.listdir(self.path("t"))), self.before)
        self.assertEqual(sorted(os.listdir(self.folder)), ["t"])

    def test_it_ends_while_it_reads(self):
        for number in (signal.SIGINT, signal.SIGTERM):
            process = self.start("view", "-q", self.path("t"))
            self.assertIn("http://", process.stdout.readline())
            process.send_signal(number)  # whatever it is at
            self.assertEqual(process.wait(20), 0)
            process.communicate()

    def test_what_cannot_be_shown(self):
        with open(self.path("broken"), "wb") as file:
            file.write(os.urandom(5000))
        os.mkdir(self.path("empty"))
        for trace in ("broken", "empty", "missing"):
            result = self.thrum("view", self.path(trace))
            self.assertEqual(result.returncode, 65, result.stderr)
            self.assertEqual(result.stdout, "")
        self.assertEqual(self.thrum("view", "--port=70000", self.path("t")).returncode, 64)
        taken = self.thrum("view", f"--port={self.address[1]}", self.path("t"))
        self.assertEqual(taken.returncode, 70)
        self.assertTrue(re.search("cannot listen", taken.stderr))


if __name__ == "__main__":
    main()
