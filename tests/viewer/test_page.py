#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The page of `thrum view --html`: every screen, every key that Help names, links, both colour schemes, scripts off."""

import json
import os
import re

from viewer_case import SCREENS, ViewerCase, axe_script, axe_violations, main, sample

SOURCE = os.environ["THRUM_SOURCE"]
MICRO = os.path.join(os.path.dirname(os.environ["THRUM"]), "micro")
SHOWN = "[...document.querySelectorAll('#content > .screen')].filter((s) => !s.hidden).map((s) => s.id).join()"


def python(name):
    return ["/usr/bin/python3", os.path.join(SOURCE, "samples", "python", name)]


class Pages(ViewerCase):
    traces = {
        "deadlock": (sample("s02_abba_hangs"), ["--timeout", "2"]),
        "order": (sample("s01_abba"), []),
        "clean": (sample("app_bank_gated"), []),
        "pipeline": (sample("app_pipeline"), []),
        "tasks": (python("py_await_cycle.py"), ["--timeout", "3"]),
        "stall": (python("py_blocking_sleep_in_handler.py"), []),
        "leak": (sample("leaked_per_request"), []),
        "pile": (python("py_tasks_pile_up.py"), []),
        "large": ([MICRO, "nested8", "400000"], ["--races=off"]),
    }
    compared = {"both": ("order", "deadlock"), "same": ("order", "order")}

    def view(self, page):
        """From and to of the timeline, as the address tells them."""
        page.get("new Promise((done) => setTimeout(done, 300))")
        values = dict(page.get("[...new URLSearchParams(location.hash.split('?')[1] || '')]"))
        return int(values["from"]), int(values["to"])

    def selected(self, page):
        return page.get("(document.querySelector('.tl-drawer h3') || {}).textContent || ''")

    # ---- screens ----

    def test_every_screen_opens_alone(self):
        for trace, names in (("deadlock", {"locks", "threads", "graph"}), ("tasks", {"tasks", "loops"})):
            page = self.page(trace)
            there = [name for name in SCREENS if page.get(f"!!document.querySelector('#content > #{name}')")]
            self.assertLessEqual(names | {"findings", "timeline", "trace"}, set(there))
            for name in there:
                page.get(f"location.hash = '#{name}'")
                page.settle()
                self.assertEqual(page.get(SHOWN), name)
                self.assertGreater(page.get(f"document.getElementById('{name}').textContent.length"), 30)
            self.assert_quiet(page)

    def test_the_first_screen_names_the_culprit_lines(self):
        page = self.page("deadlock")
        text = page.get("document.getElementById('findings').textContent")
        for wanted in ("account_a", "account_b", "transfer_out", "s02_abba_hangs.c:13", "s02_abba_hangs.c:24"):
            self.assertIn(wanted, text)

    def test_a_clean_run_says_what_was_looked_for(self):
        text = self.page("clean").get("document.getElementById('findings').textContent")
        self.assertIn("No findings", text)
        self.assertIn("Looked for", text)

    def test_python_tasks_show_whom_they_wait_for(self):
        text = self.page("tasks", "#tasks").get("document.getElementById('tasks').textContent")
        self.assertRegex(text, r"(?s)parse.*\u2192|load.*\u2192|check.*\u2192")

    # ---- pages of findings ----

    def finding_text(self, trace, rule):
        """The words of the first finding of a rule."""
        page = self.page(trace)
        page.get(f"window.wanted = [...document.querySelectorAll('article')].find((a) => a.querySelector('.meta code').textContent === '{rule}'); "
                 "location.hash = wanted.id; 1")
        page.settle()
        return re.sub(r"\s+", " ", page.get("wanted.innerText"))

    def test_a_stall_tells_what_the_callback_did_and_who_waited_behind_it(self):
        text = self.finding_text("stall", "loop-stall")
        told = text[text.index("What the callback did"):text.index("In time")]
        self.assertRegex(told, r"on main, from .* into the run\. It was armed or posted by main, .* before it began, in .*py_blocking_sleep_in_handler\.py:\d+")
        self.assertRegex(told, r"sleep [\d.]+ ms 9\d% \d+ [\d.]+ ms retry py_blocking_sleep_in_handler\.py:10|sleep [\d.]+ ms 100% ")
        self.assertRegex(told, r"ran, or waited for a processor")
        self.assertRegex(told, r"Late because of it: \d+ callbacks? w(as|ere) ready meanwhile")
        self.assertRegex(told, r"Of the \d+ callbacks of this loop half took no longer than")

    def test_a_leak_tells_how_it_grew(self):
        text = self.finding_text("leak", "leaked-thread")
        told = text[text.index("Threads made at this place"):]
        self.assertEqual(told.count("ended, never joined"), 10)
        page = self.page("leak")
        grown = [int(n) for n in re.findall(r" (\d+)", page.get("document.querySelector('svg.growth').getAttribute('aria-label')"))]
        self.assertEqual(grown, sorted(grown))
        self.assertEqual(grown[-1], 10)
        text = self.finding_text("pile", "leaked-task")
        self.assertRegex(text, r"200 tasks made here, the first after .*; 200 are over, finished or not, 0 alive at the end, at most 200 at once")
        self.assertIn("Made by task Task-1 (main)", text)

    def test_tasks_are_a_tree_by_creator_that_folds(self):
        page = self.page("pile", "#tasks")
        below = "[...document.querySelectorAll('.tree > li')].find((l) => /Task-1 \\(main\\)/.test(l.textContent)).querySelector('ul > li')"
        self.assertRegex(page.get(below + ".innerText"), r"task \u00d7 200 made in open_session py_tasks_pile_up\.py:14")
        page.get("document.querySelector('.tree summary').click()")
        page.settle()
        self.assertFalse(page.get(below + ".checkVisibility()"))
        page.get("document.querySelector('.tree a').click()")
        page.settle()
        self.assertTrue(page.get("/^#site-/.test(location.hash) && document.querySelector(location.hash + ' details').open"))

    def test_a_lock_order_has_an_edge_a_row_with_both_places(self):
        page = self.page("order")
        rows = page.get("[...document.querySelectorAll('.edges tbody tr')].map((r) => [...r.cells].map((c) => c.textContent))")
        self.assertEqual(len(rows), 2)
        for thread, first, at, second, then, also in rows:
            self.assertRegex(thread, "sender|receiver")
            self.assertNotEqual(first, second)
            self.assertRegex(at + " " + then, r"s01_abba\.c:\d+ .*s01_abba\.c:\d+")
            self.assertEqual(also, "nothing")
        self.assertIn("Gate locks, held at all of these places: none", page.get("document.querySelector('.edges').textContent"))

    def test_two_runs_are_compared(self):
        page = self.page("both", "#compare")
        table = "[...document.querySelectorAll('#compare table')[{}].tBodies[0].rows].map((r) => [...r.cells].map((c) => c.textContent))"
        findings = page.get(table.format(0))
        self.assertEqual([(row[0], row[3]) for row in findings], [("new", "deadlock"), ("gone", "lock-order-inversion")])
        self.assertIn("1 new, 1 gone, 0 in both", page.get("document.getElementById('compare').textContent"))
        locks = {row[0]: row for row in page.get(table.format(1))}
        self.assertEqual(set(locks), {"account_a", "account_b"})
        for row in locks.values():  # each was waited for up to the end, now
            self.assertRegex(row[7], r"^\+[\d.]+ m?s$")
            self.assertEqual(row[2:4], ["both", "2"])
        self.assertIn("new", page.get("document.querySelector('article .meta').textContent"))
        page.key("g")
        page.key("f")
        page.key("g")
        page.key("m")
        page.settle()
        self.assertEqual(page.get(SHOWN), "compare")
        self.assert_quiet(page)
        page = self.page("same", "#compare")
        self.assertEqual([row[0] for row in page.get(table.format(0))], ["in both"])
        self.assertEqual({(row[7], row[12]) for row in page.get(table.format(1))}, {("", "")})
        page.get("document.querySelector('#compare tbody a').click()")
        page.settle()
        self.assertIn("known from before", page.get("document.querySelector('article .meta').textContent"))

    # ---- links ----

    def test_a_finding_is_linked_by_its_fingerprint_and_back_goes_back(self):
        page = self.page("order")
        fingerprint = page.get("document.querySelector('article').id")
        self.assertRegex(fingerprint, r"^finding-[0-9a-f]{32}$")
        page.get("location.hash = '#locks'")
        page.settle()
        page.get(f"location.hash = '#{fingerprint}'")
        page.settle()
        self.assertEqual(page.get(SHOWN), "findings")  # the only finding is on the first screen
        page.get("history.back()")
        page.wait(f"{SHOWN} === 'locks'")

    def test_a_link_opens_the_lock_it_names(self):
        page = self.page("clean")
        page.get("location.hash = document.querySelector('#locks tr[id]').id")
        page.settle()
        self.assertEqual(page.get(SHOWN), "locks")
        self.assertTrue(page.get("document.querySelector('#locks tr[id] details').open"))

    def test_a_link_shows_the_same_view_again(self):
        page = self.page("clean", "#timeline")
        for key in ("w", "w", ".", "."):
            page.key(key)
        view, said = self.view(page), self.selected(page)
        link = page.get("location.hash")
        again = self.page("clean", link)
        self.assertEqual(self.view(again), view)
        self.assertEqual(self.selected(again), said)

    # ---- large traces ----

    def test_spans_of_a_large_page_come_when_they_are_looked_at(self):
        with open(os.path.join(self.shared, "large.html"), encoding="utf-8") as file:
            self.assertGreater(file.read().count('class="thrum-part" data-blocks'), 1)
        page = self.page("large", "#timeline")
        page.wait("performance.getEntriesByName('thrum-drawn').length")
        packed = "[...document.querySelectorAll('.thrum-part[data-blocks]')].filter((part) => part.textContent).length"
        self.assertGreater(page.get(packed), 0)  # seen from afar it needs none of them
        for _ in range(25):
            page.key("w")
        for key in ("ArrowDown", "ArrowDown", ".", ".", ",", "]"):
            page.key(key)
            page.settle()
        page.wait("/thread \\d+ (holds|waits)/.test((document.querySelector('.tl-drawer h3') || {}).textContent || '')")
        page.get("document.querySelector('.search input').value = 'mutex'")
        page.get("document.activeElement.blur()")
        before = self.selected(page)
        page.key("n")
        page.wait(f"(document.querySelector('.tl-drawer h3') || {{}}).textContent !== {json.dumps(before)} || "
                  "document.querySelector('.tl-drawer .facts').textContent")
        self.assertTrue(page.get("document.querySelector('.missing').hidden"))
        self.assert_quiet(page)

    def test_a_page_without_some_of_its_spans_says_so(self):
        """As thrum leaves them out where a page would be too large for browsers: their picture from afar stays."""
        path = os.path.join(self.shared, "large.html")
        with open(path, encoding="utf-8") as file:
            text = re.sub(r'<script type="application/octet-stream" class="thrum-part" data-blocks.*?</script>\n', "", file.read())
        with open(os.path.join(self.shared, "without.html"), "w", encoding="utf-8") as file:
            file.write(text)
        page = self.page("without", "#timeline")
        page.wait("performance.getEntriesByName('thrum-drawn').length")
        self.assertTrue(page.get("document.querySelector('.missing').hidden"))  # nothing is missing in this view
        for _ in range(25):
            page.key("w")
        page.wait("!document.querySelector('.missing').hidden")
        self.assertIn("thrum view TRACE", page.get("document.querySelector('.missing').textContent"))
        for key in (".", "ArrowDown", "]", "["):
            page.key(key)
            page.settle()
        self.assert_quiet(page)

    # ---- keys ----

    def test_go_keys(self):
        page = self.page("tasks")
        for key, screen in (("t", "timeline"), ("l", "locks"), ("h", "threads"), ("k", "tasks"), ("o", "loops"), ("c", "trace"), ("f", "findings")):
            if not page.get(f"!!document.getElementById('{screen}')"):
                continue
            page.key("g")
            page.key(key)
            page.settle()
            self.assertEqual(page.get(SHOWN), screen)

    def test_timeline_keys_move_and_zoom(self):
        page = self.page("clean", "#timeline")
        page.key("w")
        first, last = self.view(page)
        page.key("w")
        closer = self.view(page)
        self.assertLess(closer[1] - closer[0], last - first)
        page.key("d")
        later = self.view(page)
        self.assertGreater(later[0], closer[0])
        page.key("a")
        self.assertAlmostEqual(self.view(page)[0], closer[0], delta=2)
        page.key("ArrowRight")
        self.assertGreater(self.view(page)[0], closer[0])
        page.key("s")
        self.assertGreater(self.view(page)[1] - self.view(page)[0], closer[1] - closer[0])
        page.key("0")
        whole = self.view(page)
        self.assertEqual(whole[0], 0)
        self.assertGreaterEqual(whole[1], last)
        self.assert_quiet(page)

    def test_timeline_keys_go_through_spans(self):
        page = self.page("deadlock", "#timeline")
        page.key(".")
        self.assertIn("main", self.selected(page))
        page.key("ArrowDown")
        waits = self.selected(page)
        self.assertRegex(waits, "sender waits for mutex account_b")
        page.key("c")
        self.assertRegex(self.selected(page), "receiver holds mutex account_b")
        page.key("f")
        fitted = self.view(page)
        page.key("r")
        self.assertLess(self.view(page)[1] - self.view(page)[0], fitted[1] - fitted[0])
        page.key("Escape")
        self.assertEqual(self.selected(page), "")

    def test_following_an_arrow_and_back(self):
        page = self.page("pipeline", "#timeline")
        page.key("/")
        page.type("condition variable")
        page.key("Escape")
        for _ in range(60):
            page.key("n")
            if page.get("/woken by/.test(document.querySelector('.tl-drawer').textContent)"):
                break
        waiter = self.selected(page)
        self.assertIn("waits at condition variable", waiter)
        page.key("]")
        giver = self.selected(page)
        self.assertNotEqual(giver.split()[0:2], waiter.split()[0:2])
        page.key("[")
        self.assertNotEqual(self.selected(page), giver)

    def test_marks_go_into_the_link(self):
        page = self.page("clean", "#timeline")
        page.key("m")
        self.view(page)
        self.assertIn("marks=", page.get("location.hash"))
        page.key("Delete")
        self.view(page)
        self.assertNotIn("marks=", page.get("location.hash"))

    def test_the_panel_hides(self):
        page = self.page("clean", "#timeline")
        page.key("q")
        self.assertTrue(page.get("document.querySelector('.tl-drawer').hidden"))
        page.key("q")
        self.assertFalse(page.get("document.querySelector('.tl-drawer').hidden"))

    def test_rows_of_lists(self):
        page = self.page("clean", "#locks")
        page.key("j")
        page.key("j")
        self.assertEqual(page.get("[...document.querySelectorAll('#locks tbody > tr')].findIndex((r) => r.classList.contains('current'))"), 1)
        page.key("x")
        self.assertTrue(page.get("document.querySelector('#locks tr.current details').open"))
        page.key("k")
        self.assertEqual(page.get("[...document.querySelectorAll('#locks tbody > tr')].findIndex((r) => r.classList.contains('current'))"), 0)

    def test_help_and_search(self):
        page = self.page("clean")
        page.key("?")
        self.assertTrue(page.get("document.querySelector('dialog').open"))
        page.key("Escape")
        page.wait("!document.querySelector('dialog').open")
        page.key("/")
        page.type("account[3]")
        page.wait("document.querySelectorAll('#hits a').length > 0")
        page.key("Enter")
        page.settle()
        self.assertEqual(page.get(SHOWN), "locks")

    ROWS = "[...document.querySelectorAll('{} tbody > tr, {} > nav li')].filter((r) => !r.hidden).map((r) => r.textContent)"

    def rows(self, page, screen):
        return page.get(self.ROWS.format(screen, screen))

    def test_the_search_box_filters_every_table(self):
        page = self.page("clean", "#locks")
        before = len(self.rows(page, "#locks"))
        page.key("/")
        page.type("account[3]")
        page.settle()
        rows = self.rows(page, "#locks")
        self.assertEqual((len(rows), "account[3]" in rows[0]), (1, True))
        self.assertIn(f"1 of {before} rows", page.get("document.querySelector('#locks .filtered').textContent"))
        page.key("Escape")  # leaves the box
        page.get("location.hash = '#threads'")
        page.settle()
        self.assertEqual(self.rows(page, "#threads"), [])
        self.assertIn("0 of", page.get("document.querySelector('#threads .filtered').textContent"))
        page.key("Escape")  # ends the filter
        self.assertGreater(len(self.rows(page, "#threads")), 1)
        self.assertEqual(page.get("document.querySelector('.search input').value + document.querySelectorAll('.filtered').length"), "0")
        page = self.page("pile", "#tasks")
        page.key("/")
        page.type("open_session task")
        page.settle()
        self.assertEqual(len(self.rows(page, "#tasks")), 1)

    def test_findings_by_rule_and_level_and_words(self):
        page = self.page("stall")
        press = "[...document.querySelectorAll('.facets button')].find((b) => b.textContent.startsWith('{}')).click()"
        every = len(self.rows(page, "#findings"))
        page.get(press.format("loop-stall"))
        self.assertTrue(all("Event loop stalled" in row for row in self.rows(page, "#findings")))
        self.assertLess(len(self.rows(page, "#findings")), every)
        page.get(press.format("blocking-call-in-loop"))
        self.assertEqual(len(self.rows(page, "#findings")), every)
        page.key("Escape")
        page.key("/")
        page.type("blocking-call")
        page.settle()
        self.assertEqual([row[:40].count("Blocking call") for row in self.rows(page, "#findings")], [1])

    def test_only_the_time_of_a_selection(self):
        page = self.page("deadlock", "#timeline")
        page.key("ArrowDown")
        page.key("ArrowDown")
        self.assertRegex(self.selected(page), "sender")
        page.key("r")
        page.get("location.hash = '#threads'")
        page.settle()
        self.assertIn("of 3 rows", page.get("document.querySelector('#threads .filtered').textContent"))
        self.assertTrue(any("sender" in row for row in self.rows(page, "#threads")))
        page.key("Escape")
        self.assertEqual(len(self.rows(page, "#threads")), 3)

    def test_copies(self):
        page = self.page("order")
        page.get("window.copied = []; navigator.clipboard.writeText = async (text) => { window.copied.push(text); }; 1")
        page.key("y")
        page.key("s")
        page.settle()
        link, suppression = page.get("window.copied")
        self.assertTrue(link.startswith("file://"))
        self.assertTrue(suppression.startswith("lock-order-inversion:"))

    def test_columns_sort(self):
        page = self.page("clean", "#locks")
        page.get("[...document.querySelectorAll('#locks th button')].find((b) => b.textContent === 'Taken').click()")
        taken = page.get("[...document.querySelectorAll('#locks tbody > tr')].map((r) => Number(r.children[2].dataset.v))")
        self.assertEqual(taken, sorted(taken, reverse=True))
        self.assertEqual(page.get("document.querySelectorAll('#locks th[aria-sort=descending]').length"), 1)

    def test_mouse(self):
        page = self.page("deadlock", "#timeline")
        box = page.get("(() => { const b = document.querySelector('.tl-canvas').getBoundingClientRect(); return [b.left, b.top, b.width]; })()")
        page.click(box[0] + box[2] * 0.7, box[1] + 26 + 8 + 7)
        self.assertIn("main joins", self.selected(page))
        page.mouse("mouseWheel", box[0] + box[2] * 0.7, box[1] + 60, deltaX=0, deltaY=-100, modifiers=2)
        page.settle()
        first, last = self.view(page)
        self.assertGreater(first, 0)
        page.mouse("mousePressed", box[0] + box[2] * 0.7, box[1] + 60, button="left", buttons=1, clickCount=1)
        page.mouse("mouseMoved", box[0] + box[2] * 0.6, box[1] + 60, button="left", buttons=1)
        page.mouse("mouseReleased", box[0] + box[2] * 0.6, box[1] + 60, button="left", clickCount=1)
        self.assertGreater(self.view(page)[0], first)

    # ---- for everybody ----

    def test_without_scripts(self):
        page = self.page("deadlock", scripts=False)
        self.assertEqual(page.errors, [])
        with open(f"{self.shared}/deadlock.html", encoding="utf-8") as file:
            text = re.sub(r"(?s)<script.*?</script>|<style>.*?</style>", "", file.read())
        for wanted in ("Deadlock", "account_a", "s02_abba_hangs.c", "<svg class=\"lanes\"", "<table class=\"list\"", "<details>"):
            self.assertIn(wanted, text)
        self.assertNotIn(" style=", text)

    def test_policy_allows_one_script_and_nothing_else(self):
        with open(f"{self.shared}/clean.html", encoding="utf-8") as file:
            text = file.read()
        policy = re.search(r'Content-Security-Policy" content="([^"]+)"', text)[1]
        self.assertTrue(policy.startswith("default-src 'none'; style-src 'sha256-"))
        self.assertRegex(policy, r"script-src 'sha256-[^']+'; base-uri 'none'")
        page = self.page("clean")
        page.get("document.body.append(Object.assign(document.createElement('script'), { textContent: 'window.slipped = 1' })); 1")
        page.get("document.body.append(Object.assign(document.createElement('img'), { src: 'http://127.0.0.1:9/x.png' })); 1")
        page.settle()
        self.assertFalse(page.get("!!window.slipped"))
        self.assertTrue(page.errors)  # the browser says that it refused both

    def test_small_script_and_style(self):
        with open(f"{self.shared}/clean.html", encoding="utf-8") as file:
            text = file.read()
        own = len(re.search(r"(?s)<style>(.*?)</style>", text)[1]) + len(re.search(r"(?s)<script>(.*?)</script>", text)[1])
        self.assertLess(own, 120 * 1024)

    def test_narrow_windows_cut_nothing(self):
        for width in (400, 800):
            for trace in ("deadlock", "order", "stall", "pile", "both"):
                page = self.page(trace, width=width, height=800)
                articles = page.get("[...document.querySelectorAll('article')].map((a) => a.id)")
                for screen in [name for name in SCREENS if page.get(f"!!document.getElementById('{name}')")] + articles[:3]:
                    page.get(f"location.hash = '#{screen}'")
                    page.settle()
                    wider = page.get("document.documentElement.scrollWidth - document.documentElement.clientWidth")
                    self.assertLessEqual(wider, 0, (width, trace, screen))
                    top = page.get(f"document.getElementById('{screen}').querySelector('h1, h2').getBoundingClientRect().top")
                    self.assertTrue(40 < top < 700, (width, trace, screen, top))

    def test_axe(self):
        axe = axe_script(self)
        bad = []
        for dark in (False, True):
            for trace in ("deadlock", "tasks", "both", "stall", "pile"):
                page = self.page(trace, dark=dark)
                articles = page.get("[...document.querySelectorAll('article')].slice(0, 2).map((a) => a.id)")
                for screen in [name for name in SCREENS if page.get(f"!!document.getElementById('{name}')")] + articles:
                    page.get(f"location.hash = '#{screen}'")
                    page.settle()
                    for found in axe_violations(page, axe):
                        bad.append(("dark" if dark else "light", trace, screen, *found))
        self.assertEqual(bad, [])


if __name__ == "__main__":
    main()
