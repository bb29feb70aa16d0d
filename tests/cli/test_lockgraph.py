# SPDX-License-Identifier: MIT
"""Lock graphs: export, merge and check of many runs; what no single run shows; what is wrong with a file."""
import json
import random
import sys

from thrum_cli import Case, main, target

# One run has one order: the word says which.
SCRIPT = """
import sys, threading
class Account:
    def __init__(self):
        self.lock = threading.Lock()
first, second = Account(), Account()
left, right = threading.Lock(), threading.RLock()
def take(one, other):
    with one, other:
        pass
def work(way, start):
    start.wait()
    for one, other in ((left, right), (first.lock, second.lock)):
        take(*((one, other) if way == "forth" else (other, one)))
start = threading.Barrier(2)
threads = [threading.Thread(target=work, args=(sys.argv[1], start)), threading.Thread(target=start.wait)]
for t in threads: t.start()
for t in threads: t.join()
"""


class LockGraph(Case):
    def setUp(self):
        super().setUp()
        self.count = 0

    def graph(self, *words, program="fleet"):
        """One run; returns the name of its lock graph."""
        return self.graph_of(target(program), *words)

    def graph_of(self, *command):
        self.count += 1
        name = f"run{self.count}"
        result = self.thrum("record", "-q", "-o", name, "--", *command)
        self.assertEqual(result.returncode, 0, result.stderr)
        result = self.thrum("export", "--to=lockgraph", "-o", name + ".lockgraph", name)
        self.assertEqual(result.returncode, 0, result.stderr)
        return name + ".lockgraph"

    def findings(self, *files, stdin=""):
        result = self.thrum("check", "--format=json", *files, stdin=stdin)
        self.assertIn(result.returncode, (0, 66), result.stderr)
        return json.loads(result.stdout)["findings"]

    def write(self, name, text):
        with open(self.path(name), "w", encoding="utf-8") as file:
            file.write(text)

    def read(self, name):
        with open(self.path(name), encoding="utf-8") as file:
            return file.read()

    def test_what_no_single_run_shows(self):
        forth, back = self.graph("forth"), self.graph("back")
        self.assertEqual(self.findings(forth) + self.findings(back), [])
        finding, = self.findings(forth, back)
        self.assertEqual((finding["confidence"], finding["level"]), ("potential", "error"))
        self.assertEqual({lock["name"] for lock in finding["locks"]}, {"left_lock", "right_lock"})
        self.assertEqual([stack["role"] for stack in finding["stacks"]], ["holds", "acquires"] * 2)
        for stack in finding["stacks"]:
            self.assertEqual(stack["frames"][0]["function"], "take_both")
        self.assertIn("No single run shows all of it", finding["message"])
        self.assertIn("in 1 of 2 runs", finding["message"])
        self.assertEqual(self.thrum("check", forth, back).returncode, 66)

    def test_a_gate_keeps_the_runs_apart(self):
        gated = self.graph("forth", "gated"), self.graph("back", "gated")
        result = self.thrum("check", "--verbose", *gated)
        self.assertEqual(result.returncode, 0, result.stdout)
        self.assertIn("keep the runs' parts apart", result.stdout)
        self.assertEqual(len(self.findings(gated[0], self.graph("back"))), 1)

    def test_before_there_are_threads_is_no_part(self):
        self.assertEqual(self.findings(self.graph("forth", "early"), self.graph("back")), [])

    def test_locks_known_by_their_site_are_a_hint(self):
        finding, = self.findings(self.graph("forth", "heap"), self.graph("back", "heap"))
        self.assertEqual((finding["confidence"], finding["level"], finding["gated"]), ("hint", "note", False))

    def test_other_programs_have_other_locks(self):
        self.assertEqual(self.findings(self.graph("forth"), self.graph(program="threads")), [])

    def test_a_single_run_tells_the_same_as_its_trace(self):
        both = self.graph("forth", "back")
        finding, = self.findings(both)
        whole, = self.findings("run1")
        self.assertEqual(finding["fingerprint"], whole["fingerprint"])
        self.assertNotIn("No single run", finding["message"])
        joined, = self.findings(both, "run1")
        self.assertEqual(joined["count"], 2)

    def test_merging_is_independent_of_order_grouping_and_repetition(self):
        files = [self.graph(*random.sample(("forth", "back", "gated", "heap"), 2)) for _ in range(6)]

        def merge(out, *parts):
            result = self.thrum("merge", "-o", out, *parts)
            self.assertEqual(result.returncode, 0, result.stderr)
            return out

        straight = self.read(merge("all", *files))
        for turn in range(4):
            random.shuffle(files)
            cut = 1 + turn
            parts = [merge(f"left{turn}", *files[:cut]), merge(f"right{turn}", *files[cut:], files[0])]
            self.assertEqual(self.read(merge(f"both{turn}", *parts)), straight)
        lines = "".join(self.read(name) for name in files).splitlines(keepends=True)
        random.shuffle(lines)
        result = self.thrum("merge", "-o", "-", "-", stdin="".join(lines))
        self.assertEqual((result.returncode, result.stdout), (0, straight), result.stderr)

    def test_python_locks_are_known_by_their_names(self):
        self.write("job.py", SCRIPT)
        forth, back = (self.graph_of(sys.executable, "job.py", way) for way in ("forth", "back"))
        finding, = self.findings(forth, back)
        self.assertEqual(finding["confidence"], "potential")  # and nothing of the accounts: two have one name
        self.assertEqual({lock["name"] for lock in finding["locks"]}, {"left", "right"})
        self.assertEqual(finding["stacks"][0]["frames"][0]["language"], "python")
        with_option = self.graph_of(sys.executable, "-uX", "dev", "job.py", "back")
        self.assertEqual(len(self.findings(forth, with_option)), 1)

    def test_other_scripts_have_other_locks(self):
        self.write("job.py", SCRIPT)
        self.write("other.py", SCRIPT)
        for forth, back in ((("-X", "dev", "job.py"), ("-X", "dev", "other.py")),
                            (("-c", SCRIPT), ("-c", "# other code" + SCRIPT)), (("-m", "job"), ("-mother",))):
            graphs = self.graph_of(sys.executable, *forth, "forth"), self.graph_of(sys.executable, *back, "back")
            self.assertEqual(len(self.findings(*graphs)), 0, (forth, back))

    def test_bad_input_is_named(self):
        good = self.graph("forth")
        text = self.read(good)
        for name, bad, why in (
            ("cut", text[: len(text) * 2 // 3].rstrip("\n"), "line "),
            ("word", text.replace('"identity":"static"', '"identity":"odd"'), "identity"),
            ("id", text.replace('"from":"', '"from":"x'), "from"),
            ("key", text.replace('{"edge"', '{"egde"'), "no key says what it is"),
            ("later", text.replace("lockgraph/1", "lockgraph/2"), "this version reads thrum-lockgraph/1"),
        ):
            self.write(name, bad)
            for verb in (("check",), ("merge", "-o", "out")):
                result = self.thrum(*verb, name)
                self.assertEqual(result.returncode, 65, result.stderr)
                self.assertIn(why, result.stderr)
                self.assertIn(name, result.stderr)
        result = self.thrum("merge", "-o", "out", good, "run1")
        self.assertEqual(result.returncode, 64)
        self.assertIn("run1 is no lock graph", result.stderr)


if __name__ == "__main__":
    main()
