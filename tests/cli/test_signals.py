# SPDX-License-Identifier: MIT
"""Signals and job control: thrum between a shell and the program is as if it were not there."""
import fcntl
import os
import pty
import signal
import termios

from thrum_cli import Case, main, target, task_state


class Forwarding(Case):
    def launch(self, verb="run", args=(), **more):
        process = self.start(verb, "--", target("signals"), *args, **more)
        pid = int(self.expect_line(process, r"ready (\d+)").group(1))
        return process, pid

    def finish(self, process):
        """SIGUSR2 has a larger number than those tested: what was doubled would come out before it."""
        process.send_signal(signal.SIGUSR2)
        self.expect_line(process, f"got {int(signal.SIGUSR2)}")
        process.wait()
        self.assertEqual(process.returncode, 5)

    def test_signal_to_thrum_reaches_the_program_once(self):
        for verb in ("run", "record"):
            process, _ = self.launch(verb)
            for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT, signal.SIGUSR1):
                process.send_signal(number)
                self.expect_line(process, f"got {int(number)}")
            self.finish(process)

    def test_signal_to_the_group_reaches_the_program_once(self):
        process, _ = self.launch(start_new_session=True)
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            os.killpg(process.pid, number)
            self.expect_line(process, f"got {int(number)}")
            # This one travels through thrum: when it is here, thrum has dealt with what the group got.
            process.send_signal(signal.SIGUSR1)
            self.expect_line(process, f"got {int(signal.SIGUSR1)}")
        self.finish(process)

    def test_program_that_left_the_group_gets_what_the_group_gets(self):
        process, _ = self.launch(args=["own-group"], start_new_session=True)
        for number in (signal.SIGINT, signal.SIGTERM):
            os.killpg(process.pid, number)
            self.expect_line(process, f"got {int(number)}")
        self.finish(process)

    def test_group_then_alone(self):
        process, _ = self.launch(start_new_session=True)
        os.killpg(process.pid, signal.SIGINT)
        self.expect_line(process, f"got {int(signal.SIGINT)}")
        process.send_signal(signal.SIGUSR1)
        self.expect_line(process, f"got {int(signal.SIGUSR1)}")
        process.send_signal(signal.SIGINT)
        self.expect_line(process, f"got {int(signal.SIGINT)}")
        self.finish(process)

    def test_program_that_signals_its_group_gets_it_once(self):
        script = 'trap "echo got" TERM; trap "exit 5" USR2; kill -TERM 0; echo ready; while :; do read x || exit 6; done'
        process = self.start("run", "--", "sh", "-c", script, start_new_session=True)
        self.expect_line(process, "got")
        self.expect_line(process, "ready")
        process.stdin.write("go\n")
        process.stdin.close()
        self.assertEqual(process.stdout.read(), "")
        process.stdout.close()
        process.wait()
        self.assertEqual(process.returncode, 6)

    def test_signal_that_ends_the_program(self):
        process = self.start("run", "--", "sh", "-c", "echo ready; read x")
        self.expect_line(process, "ready")
        process.terminate()
        process.wait()
        self.assertEqual(process.returncode, 128 + signal.SIGTERM)

    def test_ignored_signals_stay_ignored(self):
        def ignore():
            signal.signal(signal.SIGHUP, signal.SIG_IGN)
            signal.signal(signal.SIGCHLD, signal.SIG_IGN)

        process = self.start("run", "--", "sh", "-c", "echo ready; read x; exit 3", preexec_fn=ignore)
        self.expect_line(process, "ready")
        process.send_signal(signal.SIGHUP)
        process.stdin.write("go\n")
        process.stdin.flush()
        process.wait()
        self.assertEqual(process.returncode, 3)

    def test_child_that_outlives_the_program_lives_on(self):
        process = self.start("run", "--", target("leaves_child"))
        pid = int(self.expect_line(process, r"child (\d+)").group(1))
        process.wait()
        self.assertEqual(process.returncode, 0)
        self.assertNotIn(task_state(pid), "XZ")
        process.stdin.close()
        self.expect_line(process, "child done")


class JobControl(Case):
    def launch(self):
        """As a shell with job control does: a group of its own in our session."""
        process = self.start("run", "--", target("signals"), preexec_fn=lambda: os.setpgid(0, 0))
        return process, int(self.expect_line(process, r"ready (\d+)").group(1))

    def wait_stopped(self, process):
        _, status = os.waitpid(process.pid, os.WUNTRACED)
        self.assertTrue(os.WIFSTOPPED(status), status)

    def resume(self, process):
        os.killpg(process.pid, signal.SIGCONT)
        self.expect_line(process, f"got {int(signal.SIGCONT)}")

    def finish(self, process, pid):
        os.kill(pid, signal.SIGUSR2)
        process.wait()
        self.assertEqual(process.returncode, 5)

    def test_stop_of_thrum_stops_the_program(self):
        process, pid = self.launch()
        process.send_signal(signal.SIGTSTP)
        self.wait_stopped(process)
        self.assertEqual(task_state(pid), "T")
        self.resume(process)
        self.finish(process, pid)

    def test_stop_of_the_program_stops_thrum(self):
        process, pid = self.launch()
        os.kill(pid, signal.SIGSTOP)
        self.wait_stopped(process)
        self.resume(process)
        self.finish(process, pid)

    def test_continue_of_thrum_alone_continues_the_program(self):
        process, pid = self.launch()
        os.killpg(process.pid, signal.SIGTSTP)
        self.wait_stopped(process)
        self.assertEqual(task_state(pid), "T")
        process.send_signal(signal.SIGCONT)
        self.expect_line(process, f"got {int(signal.SIGCONT)}")
        self.finish(process, pid)


class Terminal(Case):
    def test_ctrl_c_on_the_terminal_reaches_the_program_once(self):
        try:
            keyboard, screen = pty.openpty()
        except OSError as error:
            self.skipTest(f"no pseudo-terminal here: {error}")
        self.addCleanup(os.close, keyboard)
        settings = termios.tcgetattr(screen)
        settings[1] &= ~termios.OPOST
        settings[3] &= ~termios.ECHO
        termios.tcsetattr(screen, termios.TCSANOW, settings)

        def take_terminal():
            os.setsid()
            fcntl.ioctl(screen, termios.TIOCSCTTY, 0)

        process = self.start("run", "--", target("signals"), preexec_fn=take_terminal, pass_fds=(screen,))
        os.close(screen)
        self.expect_line(process, r"ready \d+")
        os.write(keyboard, b"\x03")
        self.expect_line(process, f"got {int(signal.SIGINT)}")
        os.write(keyboard, b"\x1c")
        self.expect_line(process, f"got {int(signal.SIGQUIT)}")
        process.send_signal(signal.SIGUSR2)
        self.expect_line(process, f"got {int(signal.SIGUSR2)}")
        process.wait()
        self.assertEqual(process.returncode, 5)


main()
