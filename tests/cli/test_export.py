# SPDX-License-Identifier: MIT
"""`thrum export`: a trace for other programs."""
import json
import re
import shutil
import subprocess

from thrum_cli import SOURCE, Case, main, target

# Two threads that end one after the other and take two locks in both orders, with a common variable under them.
ORDERED = """
#include <pthread.h>
#include <sched.h>
static pthread_mutex_t a = PTHREAD_MUTEX_INITIALIZER, b = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t c = PTHREAD_COND_INITIALIZER;
static int shared, done;
static void take(pthread_mutex_t *x, pthread_mutex_t *y)
{
	pthread_mutex_lock(x);
	pthread_mutex_lock(y);
	shared++;
	pthread_mutex_unlock(y);
	pthread_mutex_unlock(x);
}
/* Nothing of this is recorded: in the field it is only the scheduler that has them come one after the other. */
static int step;
__attribute__((no_sanitize("thread"), noinline)) static void come_second(void)
{
	while (!__atomic_load_n(&step, __ATOMIC_SEQ_CST))
		sched_yield();
}
__attribute__((no_sanitize("thread"), noinline)) static void came_first(void) { __atomic_store_n(&step, 1, __ATOMIC_SEQ_CST); }
static void *first(void *arg) { take(&a, &b); came_first(); return arg; }
static void *second(void *arg) { come_second(); take(&b, &a); return arg; }
int main(void)
{
	pthread_t x, y;
	pthread_create(&x, 0, first, 0);
	pthread_create(&y, 0, second, 0);
	pthread_join(x, 0);
	pthread_join(y, 0);
	pthread_mutex_lock(&a);
	while (done)
		pthread_cond_wait(&c, &a);
	pthread_mutex_unlock(&a);
	return shared != 2;
}
"""
LINE = re.compile(r"T[\w.]+\|(r|w|acq|rel|req|wait|notify|fork|join)\([^()|\n]+\)\|[^|\n]+")


class Export(Case):
    def record(self, *args):
        result = self.thrum("record", "--timeout", "30", *args)
        self.assertNotIn(result.returncode, (64, 69, 70, 126, 127), result.stderr)

    def std(self, trace="thrum.data"):
        result = self.thrum("export", "--to=std", trace)
        self.assert_status(result, 0)
        for line in result.stdout.splitlines():
            self.assertRegex(line, LINE)
        return result.stdout

    def found(self, *args, stdin=""):
        result = self.thrum("check", "--format=json", "--rules=lock-order-inversion,deadlock,data-race", *args, stdin=stdin)
        self.assertIn(result.returncode, (0, 66), result.stderr)
        return sorted((f["rule"], f["confidence"], len(f["locks"]), len(f["threads"]))
                      for f in json.loads(result.stdout)["findings"])

    def test_a_potential_deadlock_is_found_again(self):
        self.record("--", target("abba"), "pass")
        text = self.std()
        self.assertRegex(text, r"(?m)^T\d+\|fork\(T\d+\)\|abba\.c:\d+$")
        self.assertEqual(self.found(), self.found("--from=std", "-", stdin=text))

    def test_a_deadlock_that_happened_ends_with_requests(self):
        self.record("--end-on-hang", "--hang-after=0.3", "--", target("abba"), "hang")
        text = self.std()
        self.assertEqual(text.count("|req("), 2)
        self.assertIn(("deadlock", "observed", 2, 2), self.found())
        self.assertEqual(self.found("--from=std", "-", stdin=text), [("deadlock", "observed", 2, 2)])

    def build(self, text=ORDERED):
        source, program = self.path("ordered.c"), self.path("ordered")
        with open(source, "w", encoding="utf-8") as file:
            file.write(text)
        build = subprocess.run([shutil.which("cc"), "-g", "-O1", "-fsanitize=thread", "-pthread", source, "-o", program],
                               capture_output=True, check=False)
        if build.returncode:
            self.skipTest("the compiler has no -fsanitize=thread")
        return program

    def inversion(self, *args):
        result = self.thrum("check", "--format=json", "--rules=lock-order-inversion", *args)
        finding, = json.loads(result.stdout)["findings"]
        return finding

    def test_a_proof_keeps_the_fingerprint_and_passes_through_merge(self):
        program = self.build()
        self.record("--races=record", "--", program)
        proven = self.inversion()
        self.assertEqual(proven["confidence"], "proven")
        self.assertEqual(sum(step["events"] for step in proven["witness"]["steps"]) + proven["witness"]["events_before"], 4)
        self.assertIn("main thread does", proven["message"])
        self.record("--races=off", "-o", "off", "--", program)
        potential = self.inversion("off")
        self.assertEqual(potential["confidence"], "potential")
        self.assertNotIn("witness", potential)
        self.assertEqual(potential["fingerprint"], proven["fingerprint"])
        self.assert_status(self.thrum("check", "--report", "json=one.json", "--fail-on=never"), 0)
        self.assert_status(self.thrum("merge", "--fail-on=never", "-o", "all.json", "one.json"), 0)
        with open(self.path("all.json"), encoding="utf-8") as file:
            merged = [f for f in json.load(file)["findings"] if f["rule"] == "lock-order-inversion"]
        self.assertEqual([f.get("witness") for f in merged], [proven["witness"]])

    def test_nothing_is_proven_where_accesses_were_left_out(self):
        program = self.build(ORDERED.replace("shared++;", "for (int i = 0; i < 3000; i++) { shared++; __asm__ volatile(\"\" ::: \"memory\"); }")
                             .replace("return shared != 2;", "return shared != 6000;"))
        self.record("--races=record", "--", program)
        finding = self.inversion()
        self.assertEqual(finding["confidence"], "potential")
        self.assertIn("Not proven: accesses were left out", finding["message"])
        self.record("--races=record-full", "--", program)
        self.assertEqual(self.inversion()["confidence"], "proven")

    def test_accesses_of_a_recorded_build(self):
        self.record("--races=record-full", "--", self.build())
        text = self.std()
        self.assertRegex(text, r"(?m)^T\d+\|w\(0x[0-9a-f]+\.\d+\)\|ordered\.c:11$")
        self.assertEqual(self.found("--from=std", "-", stdin=text), [("lock-order-inversion", "proven", 2, 2)])

    def test_a_file_and_what_is_refused(self):
        self.record("--", target("threads"))
        self.assert_status(self.thrum("export", "--to=std", "-o", "run.std"), 0)
        with open(self.path("run.std"), encoding="utf-8") as file:
            self.assertEqual(file.read(), self.std())
        self.assert_status(self.thrum("export"), 64)
        self.assert_status(self.thrum("export", "--to=csv"), 64)
        self.assert_status(self.thrum("export", "--to=std", "no-such-trace"), 65)
        self.assert_status(self.thrum("export", "--to=std", "-o", "no/such/folder"), 70)


if __name__ == "__main__":
    main()
