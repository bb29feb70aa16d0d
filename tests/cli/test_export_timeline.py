# SPDX-License-Identifier: MIT
"""`thrum export`: graphs, folded stacks and timelines for other people's viewers."""
import json
import os
import re
import shutil
import subprocess
import tarfile

from proto_reader import Perfetto
from thrum_cli import SOURCE, Case, main

FOLDED = re.compile(r"(?:[^;\n]+;)*\[[^;\n]+\] [1-9]\d*")
# A thread, a lock and a program that would command a terminal, end a string, or open markup.
HOSTILE = r"""
#define _GNU_SOURCE
#include <pthread.h>
#include <thrum.h>
#include <unistd.h>
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static void *work(void *arg)
{
	pthread_setname_np(pthread_self(), "\x1b[2J\"\\<;&\xff");
	pthread_mutex_lock(&lock);
	pthread_mutex_unlock(&lock);
	return arg;
}
int main(void)
{
	pthread_t thread;
	thrum_lock_name(&lock, "a\"b\\N<i>;\x1b]0;x\x07\xe2\x80\xae");
	pthread_mutex_lock(&lock);
	pthread_create(&thread, 0, work, 0);
	usleep(100000);
	pthread_mutex_unlock(&lock);
	pthread_join(thread, 0);
	return 0;
}
"""


class Timeline(Case):
    def golden(self, name):
        with tarfile.open(os.path.join(SOURCE, "tests", "traces", name + ".tar.xz")) as archive:
            archive.extractall(self.folder)
            return self.path(archive.getnames()[0].split("/")[0])

    def export(self, form, trace, *options, status=0):
        out = self.path("out." + form)
        result = self.thrum("export", "--to=" + form, *options, "-o", out, trace)
        self.assert_status(result, status)
        self.assertEqual(result.stderr, "")
        with open(out, "rb") as file:
            return file.read()

    def hostile(self):
        with open(self.path("hostile.c"), "w", encoding="utf-8") as file:
            file.write(HOSTILE)
        program = self.path("hostile")
        subprocess.run(["cc", "-g", "-pthread", "-I", os.path.join(SOURCE, "include"), "-o", program,
                        self.path("hostile.c")], check=True, timeout=60)
        self.assert_status(self.thrum("record", "-o", self.path("hostile.data"), "--", program), 0)
        return self.path("hostile.data")

    # ---- graphs ----

    def draw(self, text):
        """Graphviz's own opinion of it, where it is installed."""
        if not shutil.which("dot"):
            return None
        drawn = subprocess.run(["dot", "-Tsvg"], input=text, capture_output=True, timeout=60, check=False)
        self.assertEqual((drawn.returncode, drawn.stderr), (0, b""))
        return drawn.stdout.decode()

    def test_a_deadlock_is_two_rings(self):
        text = self.export("dot", self.golden("1.1-s02_abba_hangs")).decode()
        self.assertRegex(text, r'o0_\d+ -> o0_\d+ \[label="1" color="#b5361c"')
        self.assertEqual(text.count('label="ring 1"'), 2)  # of the order of locks, and of waits
        self.assertEqual(len(re.findall(r'\[label="waits for"', text)), 3)  # two threads, and main that joins
        self.assertEqual(len(re.findall(r'\[label="held by"', text)), 2)
        self.assertIn('label="thread 2', text)
        svg = self.draw(text.encode())
        if svg:
            self.assertIn("ring 1", svg)
            self.assertIn("sender", svg)

    def test_a_trace_without_waits_has_an_empty_graph(self):
        text = self.export("dot", self.golden("1.2-python_races")).decode()
        self.assertTrue(text.startswith("digraph thrum {") and text.endswith("}\n"))
        self.draw(text.encode())

    # ---- folded stacks ----

    def test_folded_stacks_say_what_and_how_long(self):
        trace = self.golden("1.1-s02_abba_hangs")
        for which, word in (("wait", "waits for mutex"), ("hold", "holds, others wait: mutex")):
            lines = self.export("folded", trace, "--time=" + which).decode().splitlines()
            for line in lines:
                self.assertRegex(line, "^" + FOLDED.pattern + "$")
            self.assertEqual(lines, sorted(lines))
            told = [line for line in lines if word in line]
            self.assertEqual(len(told), 2, lines)
            # Until the program was ended: far more than any measuring of ours takes.
            self.assertTrue(all(int(line.rsplit(" ", 1)[1]) > 100_000_000 for line in told), lines)

    def test_stalls_are_of_callbacks_that_took_longer(self):
        trace = self.golden("1.2-python_wakes")
        short = self.export("folded", trace, "--time=stall", "--stall-ms=0").decode()
        self.assertTrue(short and all(FOLDED.fullmatch(line) for line in short.splitlines()), short)
        self.assertEqual(self.export("folded", trace, "--time=stall", "--stall-ms=3600000"), b"")
        self.assert_status(self.thrum("export", "--to=folded", "--time=cpu", trace), 64)

    # ---- Perfetto ----

    def test_perfetto_tracks_slices_flows_and_counters(self):
        data = self.export("perfetto", self.golden("1.1-s02_abba_hangs"))
        trace = Perfetto(data)
        threads = [t for t in trace.tracks.values() if t["tid"]]
        self.assertEqual([t["name"] for t in threads], ["main", "sender", "receiver"])
        slices = trace.slices()
        for thread in ("sender", "receiver"):
            waits = [s for s in slices if s[0]["name"] == thread and s[1].startswith("waits for mutex")]
            self.assertEqual(len(waits), 1, slices)
            self.assertGreater(waits[0][3] - waits[0][2], 100_000_000)
        locks = [s for s in slices if s[0]["name"].startswith("mutex ")]
        self.assertEqual(sorted(s[1].split()[0] for s in locks), ["holds,", "holds,", "waits", "waits"])
        began = {flow for e in trace.events for flow in e["flows"]}
        self.assertEqual(began, {flow for e in trace.events for flow in e["ends"]})
        self.assertEqual(len(began), 2)  # two threads were made
        counters = [(e["track"]["name"], e["value"]) for e in trace.events if e["track"]["counter"]]
        self.assertEqual(sorted(value for _, value in counters), [0, 0, 1, 1])
        self.assertTrue(any(e["at"] and "<-" in e["at"] or e["at"] for e in trace.events if e["type"] == 1))

    def decode(self, data):
        """The schema's own compiler, where it is installed; with the public schema where a developer has it."""
        if not shutil.which("protoc"):
            return
        schema = os.environ.get("THRUM_PERFETTO_PROTO")
        how = (["--decode=perfetto.protos.Trace", "-I", os.path.dirname(schema), schema] if schema
               else ["--decode_raw"])
        result = subprocess.run(["protoc", *how], input=data, capture_output=True, timeout=60, check=False)
        self.assertEqual(result.returncode, 0, result.stderr)
        if schema:  # a field that the schema does not know is shown by its number
            self.assertNotRegex(result.stdout.decode(errors="replace"), r"(?m)^ *\d+: ")

    def test_perfetto_is_what_protoc_reads(self):
        for name in ("1.1-s02_abba_hangs", "1.2-loop_and_worker_hang", "1.2-python_wakes"):
            data = self.export("perfetto", self.golden(name))
            self.decode(data)
            Perfetto(data).slices()

    # ---- Chrome ----

    def chrome(self, trace):
        return json.loads(self.export("chrome", trace))["traceEvents"]

    def test_chrome_events_have_their_fields(self):
        events = self.chrome(self.golden("1.1-s02_abba_hangs"))
        needed = {"M": "name args", "X": "ts dur name cat tid", "b": "id name cat ts", "e": "id name cat ts",
                  "s": "id name cat ts tid", "f": "id name cat ts tid bp", "C": "ts name args"}
        for event in events:
            for field in needed[event["ph"]].split() + ["pid"]:
                self.assertIn(field, event)
        names = [e["args"]["name"] for e in events if e["name"] == "thread_name"]
        self.assertEqual(names, ["main", "sender", "receiver"])
        holds = [(e["ph"], e["id"]) for e in events if e["ph"] in "be"]
        self.assertEqual(len(holds), 4)
        self.assertEqual(len(set(holds)), 4)
        waits = [e for e in events if e["ph"] == "X" and e["cat"] == "wait"]
        self.assertEqual(len(waits), 2)
        self.assertTrue(all(e["dur"] > 100_000 for e in waits))  # microseconds

    def test_chrome_slices_of_a_thread_nest(self):
        for name in ("1.2-loop_and_worker_hang", "1.2-python_wakes"):
            ends = {}
            events = [e for e in self.chrome(self.golden(name)) if e["ph"] == "X"]
            self.assertTrue(events)
            for event in sorted(events, key=lambda e: (e["tid"], e["ts"], -e["dur"])):
                stack = ends.setdefault((event["pid"], event["tid"]), [])
                end = event["ts"] + event["dur"]
                while stack and stack[-1] <= event["ts"] + 0.0005:
                    stack.pop()
                self.assertTrue(not stack or end <= stack[-1] + 0.002, event)
                stack.append(end)

    # ---- all ----

    def test_hostile_names_are_harmless_in_every_form(self):
        trace = self.hostile()
        dot = self.export("dot", trace)
        folded = self.export("folded", trace)
        chrome = self.export("chrome", trace)
        perfetto = self.export("perfetto", trace)
        for data in (dot, folded, chrome):
            self.assertIsNone(re.search(rb"[\x00-\x08\x0b-\x1f\x7f]", data))
            data.decode()
        self.draw(dot)
        self.assertTrue(all(FOLDED.fullmatch(line) for line in folded.decode().splitlines()), folded)
        names = {e["args"]["name"] for e in json.loads(chrome)["traceEvents"] if e["name"] == "thread_name"}
        self.assertIn('\x1b[2J"\\<;&\ufffd', names)  # whole, as JSON
        self.assertTrue(any('a"b\\N<i>' in s[1] for s in Perfetto(perfetto).slices()))
        self.decode(perfetto)

    def test_the_same_trace_gives_the_same_bytes(self):
        trace = self.golden("1.2-loop_and_worker_hang")
        for form in ("dot", "folded", "perfetto", "chrome"):
            self.assertEqual(self.export(form, trace), self.export(form, trace), form)

    def test_errors(self):
        trace = self.golden("1.1-s02_abba_hangs")
        for form in ("dot", "folded", "perfetto", "chrome"):
            self.assert_status(self.thrum("export", "--to=" + form, self.path("none")), 65)
            result = self.thrum("export", "--to=" + form, "-o", "/dev/full", trace)
            self.assert_status(result, 70)
            self.assertIn("No space left on device", result.stderr)


main()
