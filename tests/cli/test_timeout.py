# SPDX-License-Identifier: MIT
"""--timeout: a program that does not end is sampled, ended, and explained."""
import json
import os
import signal
import sys
import time

from thrum_cli import LIMIT, Case, main, target, task_state


class Timeout(Case):
    def test_deadlock_is_explained(self):
        result = self.thrum("run", "--timeout=1", "--format=json", "--", target("abba"), "hang")
        self.assert_status(result, 66)
        report = json.loads(result.stdout.removeprefix("ready\n"))
        self.assertEqual(report["verdict"], "findings")
        self.assertEqual(report["program_status"], 128 + signal.SIGKILL)
        gated = [f for f in report["findings"] if f["gated"]]
        self.assertEqual([(f["rule"], f["confidence"]) for f in gated], [("deadlock", "observed")])
        self.assertIs(self.load("thrum.data", "run.json")["timeout"], True)
        self.assert_status(self.thrum("check"), 66)

    def test_threads_are_sampled(self):
        self.thrum("run", "--timeout=0.5", "--", target("abba"), "hang")
        run = self.load("thrum.data", "run.json")
        sample = self.load("thrum.data", f"{run['pid']}.sample.json")
        self.assertEqual(sample["schema"], "thrum-sample/1")
        self.assertEqual(len(sample["threads"]), 3)
        for thread in sample["threads"]:
            self.assertEqual(thread["comm"], "abba")
            self.assertIn("State:\tS", thread["status"])

    def test_nothing_explains(self):
        for verb in ("run", "record"):
            result = self.thrum(verb, "--timeout=0.5", "--", "sleep", "1000")
            self.assert_status(result, 124)
            self.assertIn("0.5", result.stderr)

    def test_verdict_of_a_timeout(self):
        result = self.thrum("run", "--timeout=0.5", "--format=json", "--", "sleep", "1000")
        self.assertEqual(json.loads(result.stdout)["verdict"], "timeout")

    def test_where_it_stood_is_told_for_each_thread(self):
        program = ("import threading, time\n"
                   "def poll_for_ever():\n    while True:\n        time.sleep(30)\n"
                   "threads = [threading.Thread(target=poll_for_ever, name=f'poller-{n}') for n in range(3)]\n"
                   "[t.start() for t in threads]\ntime.sleep(30)\n")
        with open(self.path("program.py"), "w", encoding="ascii") as file:
            file.write(program)
        result = self.thrum("run", "--timeout=1.5", "--", sys.executable, "program.py")
        self.assert_status(result, 124)
        stood = result.stdout.partition("Where it stood then\n")[2] + result.stderr.partition("Where it stood then\n")[2]
        self.assertRegex(stood, r'    thread 2 "poller-0" is in .*: poll_for_ever program.py:4; and 2 more there\n')
        self.assertRegex(stood, r"    main thread is in .*: <module> program.py:7\n")

    def test_where_it_stood_is_told_for_tasks_and_a_crowd_once(self):
        program = ("import asyncio\n"
                   "async def rest(n):\n    await asyncio.sleep(60 + n)\n"
                   "async def main():\n    await asyncio.gather(*(rest(n) for n in range(7)), asyncio.create_task(rest(0), name='keeper'))\n"
                   "asyncio.run(main())\n")
        with open(self.path("program.py"), "w", encoding="ascii") as file:
            file.write(program)
        result = self.thrum("run", "--timeout=2", "--", sys.executable, "program.py")
        self.assert_status(result, 124)
        stood = (result.stdout + result.stderr).partition("Where it stood then\n")[2]
        self.assertRegex(stood, r"    task \S+ \(rest\), as 7 more there, sleeps: rest program.py:3\n")
        self.assertRegex(stood, r"    task \S+ \(main\) waits for task \S+ \(rest\) and others: main program.py:5\n")

    def test_where_it_stood_is_not_told_of_what_is_explained(self):
        result = self.thrum("run", "--timeout=1", "--", target("abba"), "hang")
        self.assertNotIn("Where it stood", result.stdout + result.stderr)

    def test_program_that_ends_in_time(self):
        result = self.thrum("run", "--timeout=100", "--", target("threads"), "3")
        self.assert_status(result, 3)
        self.assertNotIn("was ended", result.stderr)

    def test_stopped_program_is_ended(self):
        self.assert_status(self.thrum("run", "--timeout=0.5", "--", "sh", "-c", "kill -STOP $$"), 124)

    def end_of(self, script, count, recorded):
        """Runs the script, which prints the numbers of `count` processes it leaves alive; they must be ended."""
        process = self.start("run", "--timeout=1", "--", "sh", "-c", script, start_new_session=True)
        pids = [int(self.expect_line(process, r"(\d+)").group(1)) for _ in range(count)]
        try:
            process.wait()
            self.assertEqual(process.returncode, 124)
            for pid in pids:
                self.wait_gone(pid)
                if recorded:
                    self.assertTrue(os.path.exists(self.path("thrum.data", f"{pid}.sample.json")))
        finally:
            for pid in pids:
                if task_state(pid) not in "XZ":
                    os.kill(pid, signal.SIGKILL)

    def wait_gone(self, pid):
        end = time.monotonic() + LIMIT
        while task_state(pid) not in "XZ":
            self.assertLess(time.monotonic(), end, f"{pid} was not ended")
            time.sleep(0.01)

    def test_children_are_ended_too_also_in_other_sessions(self):
        self.end_of("sleep 1000 & echo $!; setsid sleep 1000 & echo $!; wait", 2, True)

    def test_daemons_are_ended_too(self):
        self.end_of("(setsid sh -c 'echo $$; exec sleep 1000' &) ; exec sleep 1000", 1, True)

    def test_children_that_are_not_recorded_are_ended_too(self):
        static = target("static_sleeper")
        self.end_of(f"{static} & {static} & wait", 2, True)
        self.end_of(f"({static} &) ; env -i setsid {static} & sleep 1000", 2, True)

    def test_processes_of_an_earlier_run_are_left_alone(self):
        script = "setsid sh -c 'echo $$; exec sleep 1000' >pid 2>&1 </dev/null & while ! [ -s pid ]; do :; done"
        self.assert_status(self.thrum("run", "-o", "same", "--", "sh", "-c", script), 0)
        with open(self.path("pid"), encoding="ascii") as file:
            pid = int(file.read())
        try:
            time.sleep(0.1)  # a start is known to a hundredth of a second
            self.assert_status(self.thrum("run", "-o", "same", "--timeout=0.3", "--", "sleep", "1000"), 124)
            self.assertNotIn(task_state(pid), "XZ")
        finally:
            os.kill(pid, signal.SIGKILL)

    def test_pipes_and_sockets_are_in_the_sample(self):
        self.thrum("run", "--timeout=0.5", "--", "sh", "-c", "sleep 1000 | cat")
        run = self.load("thrum.data", "run.json")
        samples = [name for name in os.listdir(self.path("thrum.data")) if name.endswith(".sample.json")]
        self.assertEqual(len(samples), 3)
        links = [{d["link"] for d in self.load("thrum.data", name)["descriptors"]} for name in samples]
        self.assertTrue(set.intersection(links[0] | links[1], links[2]))
        self.assertIn(f"{run['pid']}.sample.json", samples)


main()
