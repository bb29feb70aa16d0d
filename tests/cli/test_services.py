# SPDX-License-Identifier: MIT
"""What docs/services.md says: the recorder without the launcher, other users, full disks, and what is kept out of traces."""
import json
import os
import re
import shutil
import signal
import stat
import subprocess
import unittest

from thrum_cli import LIMIT, Case, main, target

NOBODY = 65534
IS_ROOT = os.geteuid() == 0


def can_mount():
    """A private mount namespace with a file system of our own in it."""
    script = "mount -t tmpfs -o size=64k none /mnt"
    try:
        return not subprocess.run(["unshare", "-m", "sh", "-c", script], capture_output=True, check=False).returncode
    except FileNotFoundError:
        return False


class Services(Case):
    def for_everybody(self, name):
        """The program and the recorder where another user can read them: a home directory may be closed."""
        os.chmod(self.folder, 0o755)
        for path in (target(name), self.env["THRUM_LIB"]):
            copy = self.path(os.path.basename(path))
            shutil.copy(path, copy)
            os.chmod(copy, 0o755)
        self.env["THRUM_LIB"] = self.path(os.path.basename(self.env["THRUM_LIB"]))
        return self.path(name)

    def service(self, *args, options="", env=None, **more):
        """The program as a service manager starts it: nothing in the environment but the two variables."""
        return subprocess.run(
            args,
            cwd=self.folder,
            env={"LD_PRELOAD": self.env["THRUM_LIB"], "THRUM_OPTIONS": options, **(env or {})},
            input="",
            capture_output=True,
            text=True,
            timeout=LIMIT,
            check=False,
            **more,
        )

    def test_two_variables_are_enough(self):
        result = self.service(target("abba"), "pass", options="dir=trace")
        self.assertEqual((result.returncode, result.stdout, result.stderr), (0, "ready\n", ""))
        self.assertEqual(os.stat(self.path("trace")).st_mode & 0o777, 0o700)
        for name in os.listdir(self.path("trace")):
            self.assertEqual(os.stat(self.path("trace", name)).st_mode & 0o077, 0)
        self.assert_status(self.thrum("check", "trace"), 66)

    def test_service_that_is_killed(self):
        result = self.service(target("abba"), "kill", options="dir=trace")
        self.assertEqual(result.returncode, -signal.SIGKILL)
        self.assert_status(self.thrum("check", "trace"), 66)

    def test_restarts_share_a_directory(self):
        for _ in range(3):
            self.service(target("threads"), "0", options="dir=trace")
        self.service(target("abba"), "pass", options="dir=trace")
        self.assert_status(self.thrum("check", "trace"), 66)
        self.assertIn("4 processes", self.thrum("info", "trace").stdout)

    @unittest.skipUnless(IS_ROOT, "needs root")
    def test_service_of_another_user(self):
        program = self.for_everybody("abba")
        os.mkdir(self.path("state"))
        os.chown(self.path("state"), NOBODY, NOBODY)
        result = self.service(program, "pass", options=f"dir={self.path('state', 'trace')}", user=NOBODY, group=NOBODY)
        self.assertEqual((result.returncode, result.stderr), (0, ""))
        self.assertEqual(os.stat(self.path("state", "trace")).st_uid, NOBODY)
        self.assert_status(self.thrum("check", "state/trace"), 66)

    @unittest.skipUnless(IS_ROOT, "needs root")
    def test_directory_of_somebody_else_is_no_harm(self):
        program = self.for_everybody("threads")
        os.mkdir(self.path("root"), 0o700)
        for place in (self.path("root", "trace"), self.path("root"), "/proc/trace", "/absent/trace"):
            result = self.service(program, "3", options=f"dir={place}", user=NOBODY, group=NOBODY)
            self.assertEqual((result.returncode, result.stdout, result.stderr), (3, "out\n", "err\n"))
        self.assertEqual(os.listdir(self.path("root")), [])

    def test_unknown_keys_are_no_harm(self):
        result = self.service(target("threads"), "3", options="dir=trace:colour=red:::=:mode=odd:max_size=")
        self.assertEqual((result.returncode, result.stdout, result.stderr), (3, "out\n", "err\n"))
        self.assert_status(self.thrum("check", "trace"), 0)

    def test_help_of_the_recorder_names_every_key(self):
        result = self.service("true", options="help=1:dir=trace", env={"PATH": os.environ["PATH"]})
        for key in ("dir", "max_size", "mode", "follow_children", "redact"):
            self.assertRegex(result.stderr, rf"(?m)^  {key}  ")


class Space(Case):
    def in_small_disk(self, kilobytes, script, read_only=False):
        os.mkdir(self.path("disk"))
        lines = [f"mount -t tmpfs -o size={kilobytes}k none disk"] + ["mount -o remount,ro disk"] * read_only
        return subprocess.run(
            ["unshare", "-m", "sh", "-c", "\n".join(lines + [script])],
            cwd=self.folder,
            env={**self.env, "T": os.environ["THRUM"], "P": target("threads"), "S": target("stuck")},
            input="",
            capture_output=True,
            text=True,
            timeout=LIMIT,
            check=False,
        )

    @unittest.skipUnless(can_mount(), "may not mount here")
    def test_disk_too_small_to_begin(self):
        result = self.in_small_disk(64, '"$T" run -o disk/trace -- "$P" 3')
        self.assertEqual(result.stdout, "out\n")
        self.assertEqual(result.returncode, 69)
        self.assertIn("no room for its trace", result.stderr)

    @unittest.skipUnless(can_mount(), "may not mount here")
    def test_disk_too_small_and_nobody_minds(self):
        result = self.in_small_disk(64, '"$T" run --fail-on=never -o disk/trace -- "$P" 3')
        self.assertEqual((result.stdout, result.returncode), ("out\n", 3))

    @unittest.skipUnless(can_mount(), "may not mount here")
    def test_disk_that_gets_full(self):
        script = '(sleep 1) | "$T" run -o disk/trace -- "$S" busy; echo $?; "$T" info disk/trace'
        result = self.in_small_disk(2048, script)
        self.assertRegex(result.stdout, r"\Aready\nover\n3\n")
        self.assertRegex(result.stdout, r"lost +.*[1-9]\d* chunks")
        self.assertRegex(result.stdout, r"complete +no: .*the disk was full")
        self.assertRegex(result.stderr, r"incomplete +.*the disk was full")

    @unittest.skipUnless(can_mount(), "may not mount here")
    def test_read_only_disk(self):
        result = self.in_small_disk(
            2048,
            '"$T" run -o disk/trace -- "$P" 3; echo $?; LD_PRELOAD=$THRUM_LIB THRUM_OPTIONS=dir=disk/trace "$P" 3; echo $?',
            read_only=True,
        )
        self.assertEqual(result.stdout, "70\nout\n3\n")
        self.assertRegex(result.stderr, r"\Athrum: cannot make the trace directory disk/trace: .*; give another -o DIR\nerr\n\Z")


class Jail(Case):
    @unittest.skipUnless(can_mount(), "may not mount here")
    def test_no_proc(self):
        script = 'mount -t tmpfs none /proc && cd / && LD_PRELOAD=$L THRUM_OPTIONS=dir=$D/trace exec "$P" pass'
        subprocess.run(
            ["unshare", "-m", "sh", "-c", script],
            env={"PATH": os.environ["PATH"], "L": self.env["THRUM_LIB"], "D": self.folder, "P": target("abba")},
            capture_output=True,
            timeout=LIMIT,
            check=True,
        )
        report = json.loads(self.thrum("check", "--format=json", "trace").stdout)
        self.assertEqual([f["rule"] for f in report["findings"]], ["lock-order-inversion"])
        for stack in report["findings"][0]["stacks"]:
            self.assertIn("function", stack["frames"][0])
            self.assertEqual(stack["frames"][0]["module"], target("abba"))


class Privacy(Case):
    def everything(self, folder):
        data = b""
        for name in os.listdir(self.path(folder)):
            with open(self.path(folder, name), "rb") as file:
                data += file.read()
        return data

    def test_environment_has_names_only(self):
        self.thrum("record", "--", target("threads"), "0", env={"PASSWORD": "hush-hush"})
        data = self.everything("thrum.data")
        self.assertIn(b"PASSWORD", data)
        self.assertNotIn(b"hush-hush", data)

    def test_redacted_arguments(self):
        script = 'env --chdir=. "$0" 0 password=hush-hush'
        self.thrum("record", "--", "sh", "-c", script, target("threads"), "password=hush-hush")
        self.assertIn(b"hush-hush", self.everything("thrum.data"))
        self.thrum("record", "--redact=args", "--", "sh", "-c", script, target("threads"), "password=hush-hush")
        data = self.everything("thrum.data")
        self.assertNotIn(b"hush-hush", data)
        self.assertNotIn(b"hush-hush", self.thrum("info").stdout.encode())
        self.assertEqual(self.load("thrum.data", "run.json")["argv"], ["sh"])
        self.assert_status(self.thrum("check"), 0)


class Children(Case):
    def images(self, *options):
        self.assert_status(self.thrum("record", *options, "--", "sh", "-c", f"{target('threads')} 0 >/dev/null; true"), 0)
        return len([name for name in os.listdir(self.path("thrum.data")) if name.endswith(".map")])

    def test_follow_children(self):
        self.assertGreaterEqual(self.images(), 2)
        self.assertEqual(self.images("--follow-children=none"), 1)

    def test_modes(self):
        for mode in ("full", "bounded"):
            result = self.thrum("run", f"--mode={mode}", "--", target("abba"), "pass")
            self.assert_status(result, 66)
            self.assertEqual("bounded" in self.thrum("info").stdout, mode == "bounded")

    def test_tree_of_processes(self):
        self.thrum("record", "--", "sh", "-c", f"sh -c '{target('threads')} 0; true' >/dev/null; true")
        text = self.thrum("info").stdout
        indents = [len(m.group(1)) for m in re.finditer(r"^( +)\d+\.\d+ ", text, re.M)]
        self.assertEqual(indents, [2, 4, 6])
        processes = {p["name"]: p for p in json.loads(self.thrum("info", "--format=json").stdout)["processes"]}
        self.assertEqual(sum("from" not in p for p in processes.values()), 1)
        self.assertTrue(all(p["from"] in processes for p in processes.values() if "from" in p))

    @unittest.skipUnless(os.path.exists(target("static")), "no static program")
    def test_child_that_cannot_be_recorded_is_said(self):
        self.thrum("record", "--", "sh", "-c", f"{target('static')} 0; true")
        text = self.thrum("info").stdout
        self.assertRegex(text, rf"not seen +{re.escape(target('static'))} as process \d+: it did not record itself")

    @unittest.skipUnless(IS_ROOT, "needs root to make a set-user-id program of somebody else")
    def test_child_that_is_setuid_is_said(self):
        program = self.path("setuid")
        shutil.copy(target("threads"), program)
        os.chmod(self.folder, 0o755)
        os.chown(program, NOBODY, NOBODY)
        os.chmod(program, 0o755 | stat.S_ISUID)
        result = self.thrum("run", "--", "sh", "-c", f"{program} 3; exit $?")
        self.assertEqual((result.returncode, result.stdout), (3, "out\n"))
        self.assertRegex(result.stderr, rf"(?m)^  not seen +process \d+: {re.escape(program)} is set-user-id: ")
        self.assertRegex(self.thrum("info").stdout, rf"not seen +{re.escape(program)} as process \d+: ")
        unrecorded = json.loads(self.thrum("check", "--format=json").stdout)["trace"]["unrecorded"]
        self.assertEqual([u["path"] for u in unrecorded], [program])

    def test_program_that_is_not_there_is_no_program(self):
        result = self.thrum("run", "--", "sh", "-c", "./absent; exec ./absent")
        self.assert_status(result, 127)
        self.assertNotIn("not seen", result.stderr + self.thrum("info").stdout)


main()
