# SPDX-License-Identifier: MIT
"""`thrum view --tui` on a terminal of its own, and `--text` in a pipe."""
import os
import re
import signal
import subprocess
import tarfile
import termios

from terminal import Terminal
from thrum_cli import SOURCE, THRUM, Case, main, target

# Names that would move a cursor, set a title, or turn text round.
HOSTILE = r"""
#define _GNU_SOURCE
#include <pthread.h>
#include <thrum.h>
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER, other = PTHREAD_MUTEX_INITIALIZER;
static void *work(void *arg)
{
	pthread_setname_np(pthread_self(), "\x1b[2J\x0e\x1b]0;p\x07\xff");
	pthread_mutex_lock(&other);
	pthread_mutex_lock(&lock);
	pthread_mutex_unlock(&lock);
	pthread_mutex_unlock(&other);
	return arg;
}
int main(void)
{
	pthread_t thread;
	thrum_lock_name(&lock, "evil\x1b[31;7m\x1b[5;5Hname\x9b" "2J\xe2\x80\xae\x10");
	pthread_mutex_lock(&lock);
	pthread_mutex_lock(&other);
	pthread_mutex_unlock(&other);
	pthread_mutex_unlock(&lock);
	pthread_create(&thread, 0, work, 0);
	pthread_join(thread, 0);
	return 0;
}
"""
SCREENS = [("2", "Timeline"), ("3", "Locks"), ("4", "Threads"), ("5", "Tasks"), ("6", "Loops"), ("7", "Order of locks"),
           ("8", "Trace"), ("1", "Findings")]


class Tui(Case):
    def golden(self, name):
        with tarfile.open(os.path.join(SOURCE, "tests", "traces", name + ".tar.xz")) as archive:
            archive.extractall(self.folder)
            return self.path(archive.getnames()[0].split("/")[0])

    def deadlock(self):
        return self.golden("1.1-s02_abba_hangs")

    def view(self, trace, *args, rows=24, columns=80, **env):
        terminal = Terminal([THRUM, "view", "--tui", *args, trace],
                            {**self.env, "TERM": "xterm-256color", **env}, rows, columns, self.folder)
        self.addCleanup(terminal.close)
        return terminal

    def opened(self, trace, **more):
        terminal = self.view(trace, **more)
        terminal.wait_for(r"Findings  \d+/\d+")
        return terminal

    def leave(self, terminal, status=0):
        """q: the program is gone, the terminal as it was, and nothing was sent that a terminal would not know."""
        terminal.send("q")
        self.assertEqual(terminal.wait(), status)
        self.assert_left(terminal)

    def assert_left(self, terminal):
        self.assertEqual(terminal.modes(), terminal.before)
        self.assertTrue(terminal.modes()[3] & termios.ECHO)
        self.assertFalse(terminal.screen.alternate)
        self.assertEqual(terminal.screen.unknown, [])

    # ---- what is there ----

    def test_every_screen_opens_and_fits(self):
        for trace in (self.deadlock(), self.golden("1.2-loop_and_worker_hang"), self.golden("1.2-python_wakes")):
            for rows, columns in ((24, 80), (60, 200)):
                terminal = self.opened(trace, rows=rows, columns=columns)
                for key, title in SCREENS:
                    terminal.send(key)
                    terminal.wait_for(rf"(?m)^{title}  \d+/\d+")
                    self.assertIn(f"[{key} ", terminal.screen.lines()[0])
                terminal.send("?")
                terminal.wait_for(r"Help  1/\d+")
                self.leave(terminal)

    def test_a_finding_has_its_chain_and_both_stacks_with_source(self):
        trace = self.path("abba.data")
        self.assert_status(self.thrum("record", "--timeout", "2", "-o", trace, "--", target("abba"), "hang"), 124)
        terminal = self.opened(trace, rows=60)
        terminal.wait_for_marked("^error   Deadlock")
        terminal.send("\r")
        text = terminal.wait_for(r"(?s)again: the ring is closed.*(\d+ \| .*pthread_mutex_lock.*){4}Deadlock  1/")
        chain = re.search(r"(?s)who waits for whom\n(.*?again: the ring is closed)", text)[1].splitlines()
        self.assertEqual(len(chain), 5)
        indents = [len(line) - len(line.lstrip()) for line in chain]
        self.assertEqual(indents, sorted(set(indents)))  # each deeper than the one before
        self.assertEqual([word in line for line, word in zip(chain[1:], ("waits for", "held by") * 2)], [True] * 4)
        self.assertGreaterEqual(len(re.findall(r"\d+ \| .*pthread_mutex_lock", text)), 4, text)
        terminal.send("\x1b")
        terminal.wait_for("Findings  2/")
        self.leave(terminal)

    def test_two_threads_side_by_side_where_there_is_room(self):
        terminal = self.opened(self.deadlock(), rows=60, columns=200)
        terminal.wait_for_marked("^error   Deadlock")
        terminal.send("\r")
        terminal.wait_for(r"(?m)^- thread 2.* holds .* \| - thread 3.* holds ")
        terminal.wait_for(r"#0 .* \| +#0 .*\n(?s:.*)#0 .* \| +#0 ")  # where each took a lock, and where it waits
        both = [line for line in terminal.screen.lines() if " | " in line and re.search(r"#0 .* \| +#0 ", line)]
        self.assertEqual(len(both), 2)
        self.assertEqual({line.index(" | ") for line in both}, {98})
        terminal.send("c")  # folded, both headings are one row
        terminal.wait_for(r"(?m)^\+ thread 2.* \| \+ thread 3")
        self.leave(terminal)
        terminal = self.opened(self.deadlock(), rows=60, columns=159)
        terminal.wait_for_marked("^error   Deadlock")
        terminal.send("\r")
        terminal.wait_for(r"(?m)^- thread 3.* holds ")
        self.leave(terminal)

    def test_only_the_threads_of_a_finding_in_the_timeline(self):
        terminal = self.opened(self.deadlock())
        terminal.wait_for_marked("^error   Deadlock")
        terminal.send("\r")
        terminal.wait_for("Deadlock  1/")
        terminal.send("/only these threads\r")
        terminal.wait_for_marked("only these threads in the timeline")
        terminal.send("\r")
        text = terminal.wait_for(r"Timeline of the finding's threads  1/2")
        self.assertNotRegex(text, "(?m)^main ")
        self.assertRegex(text, r"o: all threads")
        terminal.send("o")
        self.assertRegex(terminal.wait_for(r"Timeline of the finding's threads  1/3"), "(?m)^main ")
        terminal.send("o")
        terminal.wait_for(r"threads  1/2")
        self.leave(terminal)

    def test_locks_without_a_row_are_told(self):
        with open(self.path("many.c"), "w", encoding="utf-8") as file:
            file.write("""#include <pthread.h>
                static pthread_mutex_t lock[100003];
                int main(void) { for (int i = 0; i < 100003; i++) { pthread_mutex_lock(&lock[i]); pthread_mutex_unlock(&lock[i]); } return 0; }""")
        subprocess.run(["cc", "-o", self.path("many"), self.path("many.c"), "-pthread"], check=True)
        self.assert_status(self.thrum("record", "-q", "-o", self.path("many.data"), "--", self.path("many")), 0)
        result = self.thrum("view", "--text", self.path("many.data"))
        self.assertIn("\nLocks (3 more are not listed: less time went into them)\n", result.stdout)
        self.assertIn("... and 99", result.stdout)

    def test_from_a_lock_to_its_holder(self):
        terminal = self.opened(self.deadlock())
        terminal.send("3")
        terminal.wait_for("(?m)^Locks  1/2")
        terminal.send("\r")
        terminal.wait_for("held at the end by thread")
        terminal.send("/held at the end\r")
        terminal.wait_for_marked("held at the end")
        terminal.send("\r")
        terminal.wait_for(r"(?s)at the end it waits.*which is held by thread \d")
        terminal.send("\x7f")
        terminal.wait_for("(?m)^mutex .*  7/")
        self.leave(terminal)

    # ---- keys ----

    def test_tables_sort_and_the_timeline_zooms(self):
        terminal = self.opened(self.deadlock())
        terminal.send("4")
        terminal.wait_for("threadv")
        terminal.send("r")
        terminal.wait_for(r"thread\^\n.*\n.*\n.*main thread")
        terminal.send(">")
        terminal.wait_for("locks[v^]")
        terminal.send("<<")
        terminal.wait_for("events[v^]")
        terminal.send("2")
        terminal.wait_for("0 to 1.0. s")
        terminal.send("w")
        terminal.wait_for(r"26\d ms to 78\d ms")
        terminal.send("\x1b[C")  # Right
        terminal.wait_for(r"39\d ms to 91\d ms")
        terminal.send("0")
        terminal.wait_for("0 to 1.0. s")
        self.leave(terminal)

    def test_folding_searching_and_moving(self):
        terminal = self.opened(self.deadlock())
        terminal.send("\r")
        terminal.wait_for("who waits for whom")
        terminal.send("c")
        terminal.wait_for(r"\+ who waits for whom\n\+ thread")
        terminal.send("e")
        terminal.wait_for("the ring is closed")
        terminal.send("/RING is\r")
        terminal.wait_for_marked("the ring is closed")
        terminal.send("/no such thing\r")
        terminal.wait_for("nothing like it here")
        terminal.send("G")
        terminal.wait_for(r"Deadlock  (\d+)/\1 ")
        terminal.send("\x1b[H")  # Home, as terminals send it
        terminal.wait_for("Deadlock  1/")
        self.leave(terminal)

    def test_the_editor_opens_at_the_line_and_comes_back(self):
        trace = self.path("abba.data")
        self.assert_status(self.thrum("record", "--timeout", "2", "-o", trace, "--", target("abba"), "hang"), 124)
        script = self.path("editor")
        with open(script, "w", encoding="ascii") as file:
            file.write('#!/bin/sh\necho "$@" >>' + self.path("edited") + "\n")
        os.chmod(script, 0o755)
        terminal = self.opened(trace, EDITOR=script)
        terminal.send("\r")
        terminal.wait_for("who waits for whom")
        terminal.send("O")
        terminal.wait_for("no line of source here")
        terminal.send("/#0 \r")
        terminal.wait_for_marked("#0 ")
        terminal.send("O")
        terminal.send("?")
        terminal.wait_for("Help  1/")
        with open(self.path("edited"), encoding="ascii") as file:
            self.assertRegex(file.read(), r"^\+\d+ -- \S+/abba\.c\n$")
        self.leave(terminal)

    # ---- terminals ----

    def test_resizing_down_to_nothing_and_back(self):
        terminal = self.opened(self.deadlock())
        terminal.send("\r")
        terminal.wait_for("who waits for whom")
        for rows, columns in ((50, 160), (8, 30), (3, 10), (1, 1), (2, 200), (24, 80)):
            terminal.resize(rows, columns)
            terminal.pump(0.3)
            for key in ("j", "2", "1", "\r"):
                terminal.send(key)
            terminal.pump(0.2)
            self.assertIsNone(terminal.process.poll())
        terminal.send("1\r")
        terminal.wait_for("who waits for whom")
        self.leave(terminal)

    def test_signals_leave_the_terminal_as_it_was(self):
        for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
            terminal = self.opened(self.deadlock())
            terminal.process.send_signal(number)
            self.assertEqual(terminal.wait(), -number)
            self.assert_left(terminal)
        terminal = self.opened(self.deadlock())
        terminal.send("\x03")  # Ctrl-C
        self.assertEqual(terminal.wait(), -signal.SIGINT)
        self.assert_left(terminal)

    def test_a_terminal_without_utf8_gets_ascii(self):
        terminal = self.opened(self.deadlock(), LC_ALL="C")
        for key, title in SCREENS:
            terminal.send(key)
            terminal.wait_for(rf"(?m)^{title}  \d+/\d+")
        self.leave(terminal)
        self.assertTrue(all(byte < 0x80 for byte in terminal.raw))
        terminal = self.opened(self.deadlock(), LC_ALL="C.UTF-8")
        terminal.send("7")
        terminal.wait_for("\u2192")
        self.leave(terminal)

    def test_colours_and_no_color(self):
        colour = rb"\x1b\[[\d;]*3[1-6][;m]"
        terminal = self.opened(self.deadlock())
        self.leave(terminal)
        self.assertRegex(terminal.raw, colour)
        terminal = self.opened(self.deadlock(), NO_COLOR="1")
        self.leave(terminal)
        self.assertNotRegex(terminal.raw, colour)

    def test_a_terminal_that_can_only_print_gets_the_report(self):
        for term in ("dumb", "", "no-such-terminal"):
            terminal = self.view(self.deadlock(), TERM=term)
            self.assertEqual(terminal.wait(), 0)
            self.assertIn(b"[deadlock]", terminal.raw)
            self.assertNotIn(b"\x1b", terminal.raw)

    # ---- text ----

    def test_text_is_the_report_and_the_tables(self):
        trace = self.deadlock()
        result = self.thrum("view", "--text", trace)
        self.assert_status(result, 0)
        for part in ("[deadlock]", "\nTimeline\n", "\nLocks\n", "\nThreads\n", "\nOrder of locks\n"):
            self.assertIn(part, result.stdout)
        self.assertIsNone(re.search(r"[\x00-\x08\x0b-\x1f]", result.stdout))
        self.assertRegex(result.stdout, r"thread 2.*waits for mutex.* <- thread 3")
        self.assertEqual(self.thrum("view", "--tui", trace).stdout, result.stdout)  # no terminal

    def test_a_report_has_findings_and_says_what_it_lacks(self):
        report = self.path("report.json")
        self.thrum("check", "--report", "json=" + report, self.deadlock())
        terminal = self.opened(report)
        terminal.send("3")
        terminal.wait_for("a report has no such screen")
        terminal.send("\r")
        terminal.wait_for("who waits for whom")
        self.leave(terminal)

    # ---- hostile ----

    def test_hostile_names_do_not_reach_the_terminal(self):
        with open(self.path("hostile.c"), "w", encoding="utf-8") as file:
            file.write(HOSTILE)
        program = self.path("hostile")
        subprocess.run(["cc", "-g", "-pthread", "-I", os.path.join(SOURCE, "include"), "-o", program,
                        self.path("hostile.c")], check=True, timeout=60)
        trace = self.path("hostile.data")
        self.assert_status(self.thrum("record", "-o", trace, "--", program), 0)
        terminal = self.opened(trace, columns=160)
        terminal.send("3")
        text = terminal.wait_for(r"evil\\x1b\[31;7m")
        self.assertIn("\\x10", text)
        terminal.send("\r")
        terminal.wait_for("(?m)^mutex evil")
        terminal.send("4")
        terminal.wait_for(r"\\x1b\[2J\\x0e")
        terminal.send("2")
        terminal.wait_for("(?m)^Timeline")
        terminal.send("7\r")
        terminal.wait_for("was taken 1 time")
        self.leave(terminal)
        self.assertNotIn(b"\x1b]", terminal.raw.replace(b"\x1b]104\x07", b""))
        self.assertNotIn(b"\x1b[5;5H\x1b", terminal.raw)
        result = self.thrum("view", "--text", trace)
        self.assertIsNone(re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202e]", result.stdout))

    def test_damaged_traces_open_or_say_why_not(self):
        trace = self.golden("1.2-loop_and_worker_hang")
        files = sorted(os.path.join(trace, name) for name in os.listdir(trace))
        contents = {}
        for name in files:
            with open(name, "rb") as file:
                contents[name] = file.read()
        for round_number in range(12):
            for name in files:
                data = bytearray(contents[name])
                for i in range(round_number * 7 + 1, len(data), 997 + 131 * round_number):
                    data[i] = (data[i] * 31 + round_number * 57) & 0xFF
                with open(name, "wb") as file:
                    file.write(data[: len(data) - round_number * len(data) // 16])
            terminal = self.view(trace)
            try:
                terminal.wait_for(r"Findings  \d+/\d+")
            except AssertionError:
                self.assertIn(terminal.wait(), (65, 70), terminal.raw[-300:])
                continue
            for key, title in SCREENS:
                terminal.send(key + "\rj\r\x1b\x1b")
                terminal.pump(0.1)
            self.assertIsNone(terminal.process.poll())
            terminal.send("1")
            terminal.wait_for("Findings")
            self.leave(terminal)

    def test_no_trace_is_an_error_and_no_screen(self):
        terminal = self.view(self.path("none"))
        self.assertEqual(terminal.wait(), 65)
        self.assertNotIn(b"\x1b", terminal.raw)


main()
