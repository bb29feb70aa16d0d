# SPDX-License-Identifier: MIT
"""samples/ci as a newcomer meets it: clean passes, the seeded bug fails, a baseline lets it pass, mending it says "gone";
by CTest, Meson, Make and pytest, and what of the CI files can be tried here."""
import json
import os
import re
import shutil
import subprocess
import unittest

from thrum_cli import LIMIT, SOURCE, Case, main

BUILD = os.environ["THRUM_BUILD"]


def has_module(name):
    return not subprocess.run(["python3", "-c", f"import {name}"], capture_output=True, check=False).returncode


class Project(Case):
    def setUp(self):
        super().setUp()
        self.stage = self.path("usr")
        subprocess.run(["cmake", "--install", BUILD, "--prefix", self.stage], check=True, capture_output=True, timeout=LIMIT)
        self.env.pop("THRUM_LIB")
        self.env["PATH"] = f"{self.stage}/bin:/usr/bin:/bin"
        self.project = self.path("project")
        shutil.copytree(os.path.join(SOURCE, "samples/ci"), self.project)
        os.makedirs(os.path.join(self.project, ".git"))

    def sh(self, line, status=0):
        result = subprocess.run(["sh", "-c", line], cwd=self.project, env=self.env, capture_output=True, text=True,
                                timeout=LIMIT, check=False)
        if status is not None:
            self.assert_status(result, status)
        return result

    def cmake(self, *flags):
        self.sh(f"cmake -S . -B build -DCMAKE_PREFIX_PATH={self.stage} {' '.join(flags)} && cmake --build build")

    def test_ctest_from_red_to_green(self):
        self.cmake()
        self.sh("ctest --test-dir build --output-on-failure")
        self.cmake("-DLEDGER_SEEDED=ON")
        result = self.sh("ctest --test-dir build --output-on-failure", status=8)
        self.assertRegex(result.stdout, r"ledger \.+\*+Failed")
        self.assertRegex(result.stdout, r"plain \.+ +Passed")
        self.assertIn("lock-order-inversion", result.stdout)
        self.sh("thrum run -q -o again -- build/test_ledger", status=66)
        # Accepted by a baseline.
        self.sh("thrum baseline build/thrum/ledger > known.json")
        self.sh("thrum check --baseline known.json build/thrum/ledger")
        self.cmake("-DTHRUM_OPTIONS_FOR_TESTS='--baseline;../known.json'")
        self.sh("ctest --test-dir build --output-on-failure")
        # Mended.
        self.cmake("-DLEDGER_SEEDED=OFF")
        self.sh("ctest --test-dir build --output-on-failure")
        result = self.sh("thrum check --baseline known.json build/thrum/ledger")
        self.assertIn("gone since the baseline", result.stderr)
        self.assertIn("gone", self.sh("thrum diff known.json build/thrum/ledger").stdout)

    def test_the_line_of_the_report_in_the_projects_file(self):
        self.cmake("-DLEDGER_SEEDED=ON")
        self.sh("ctest --test-dir build", status=8)
        with open(os.path.join(self.project, "build/ledger.json"), encoding="utf-8") as file:
            line = json.load(file)["findings"][0]["suppression"]
        with open(os.path.join(self.project, "thrum.supp"), "a", encoding="utf-8") as file:
            file.write(line.replace("reason", "ticket 12").replace("YYYY-MM-DD", "2999-12-31") + "\n")
        self.sh("ctest --test-dir build --output-on-failure")
        self.sh("thrum check --strict-suppressions build/thrum/ledger")

    def test_existing_tests_by_a_launcher(self):
        self.cmake("-DLEDGER_SEEDED=ON", "'-DCMAKE_CROSSCOMPILING_EMULATOR=thrum;run;-o;thrum.%p;--'")
        result = self.sh("ctest --test-dir build -R plain --output-on-failure", status=8)
        self.assertIn("lock-order-inversion", result.stdout)

    @unittest.skipUnless(shutil.which("meson", path="/usr/bin"), "no meson")
    def test_meson(self):
        for seeded, status in (("false", 0), ("true", 1)):
            self.sh(f"meson setup build-{seeded} -Dseeded={seeded}")
            self.sh(f"meson test -C build-{seeded} --wrapper 'thrum run -o thrum.%p --'", status=status)
            self.sh(f"thrum check -q build-{seeded}/thrum.[0-9]*", status=66 if status else 0)

    @unittest.skipUnless(shutil.which("make", path="/usr/bin"), "no make")
    def test_make(self):
        self.sh("make check THRUM='thrum run --'")
        self.sh("make clean && make check")
        result = self.sh("make clean && make check CPPFLAGS=-DLEDGER_SEEDED THRUM='thrum run --'", status=2)
        self.assertIn("66", result.stderr)

    @unittest.skipUnless(has_module("pytest"), "no pytest")
    def test_pytest(self):
        for seeded, status in (("OFF", 0), ("ON", 66)):
            self.cmake(f"-DLEDGER_SEEDED={seeded}")
            result = self.sh("thrum run -- python3 -m pytest -q -p no:cacheprovider tests", status=status)
            self.assertIn("1 passed", result.stdout)

    def commands_of(self, name, key):
        """Shell commands of a CI file, without what fetches the package."""
        with open(os.path.join(self.project, name), encoding="utf-8") as file:
            text = file.read()
        text = re.sub(r"run: >\n((?: {10}.*\n)+)", lambda m: "run: " + " ".join(m[1].split()) + "\n", text)
        found = re.findall(key, text, re.M)
        return [line for line in found if "apt-get" not in line and "GITHUB_STEP_SUMMARY" not in line]

    def expect_ci(self, commands, files):
        self.assertGreaterEqual(len(commands), 2)
        self.env["CMAKE_PREFIX_PATH"] = self.stage
        self.sh(" && ".join(commands))
        self.sh("rm -rf build")
        self.sh(" && ".join(commands).replace("-B build", "-B build -DLEDGER_SEEDED=ON"), status=66)
        for name in files:
            self.assertTrue(os.path.getsize(os.path.join(self.project, name)))

    def test_commands_of_the_github_job(self):
        self.expect_ci(self.commands_of(".github/workflows/thrum.yml", r"run: (.+)$"), ("thrum.sarif", "thrum.md"))

    def test_commands_of_the_gitlab_job(self):
        self.expect_ci(self.commands_of(".gitlab-ci.yml", r"^    - (.+)$"), ("quality.json", "thrum.xml"))

    @unittest.skipUnless(shutil.which("make", path="/usr/bin"), "no make")
    def test_the_command_of_the_image(self):
        with open(os.path.join(self.project, "Dockerfile"), encoding="utf-8") as file:
            text = file.read()
        command = json.loads(re.search(r"^CMD (.+)$", text, re.M)[1])
        self.sh("make out/test_ledger")
        self.sh(" ".join(command).replace("/trace/", self.path("")))
        self.assertTrue(os.path.exists(self.path("ledger/run.json")))

    @unittest.skipUnless(shutil.which("make", path="/usr/bin"), "no make")
    def test_the_drop_in_records_a_service(self):
        with open(os.path.join(self.project, "systemd/ledger.service.d/thrum.conf"), encoding="utf-8") as file:
            text = file.read()
        variables = dict(re.findall(r"^Environment=(\w+)=(.+)$", text, re.M))
        trace = self.path("service")
        os.makedirs(trace)
        variables["LD_PRELOAD"] = variables["LD_PRELOAD"].replace("/usr", self.stage)
        variables["THRUM_OPTIONS"] = variables["THRUM_OPTIONS"].replace("/var/lib/ledger/thrum", trace)
        self.sh("make out/test_ledger CPPFLAGS=-DLEDGER_SEEDED")
        result = subprocess.run([os.path.join(self.project, "out/test_ledger")], env={**self.env, **variables},
                                capture_output=True, text=True, timeout=LIMIT, check=False)
        self.assert_status(result, 0)
        self.sh(f"thrum check {trace}", status=66)
        if shutil.which("systemd-analyze"):
            unit = self.path("ledger.service")
            with open(unit, "w", encoding="utf-8") as file:
                file.write("[Service]\nExecStart=/bin/true\n" + re.sub(r"(?s).*\[Service\]\n", "", text))
            result = subprocess.run(["systemd-analyze", "verify", unit], capture_output=True, text=True, check=False,
                                    timeout=LIMIT)
            self.assertNotIn("ledger.service", result.stderr)

    def test_every_file_of_the_readme_is_there(self):
        with open(os.path.join(self.project, "README.md"), encoding="utf-8") as file:
            for name in re.findall(r"^\| [^|]+ \| `([^`]+)`", file.read(), re.M):
                self.assertTrue(os.path.exists(os.path.join(self.project, name)), name)


if __name__ == "__main__":
    main()
