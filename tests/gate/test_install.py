# SPDX-License-Identifier: MIT
"""What `cmake --install` puts where: the program runs from there, other projects find it, the manual and the completions
work."""
import glob
import os
import re
import shutil
import subprocess
import unittest

from bank import BankCase
from thrum_cli import LIMIT, SOURCE, main, target

BUILD = os.environ["THRUM_BUILD"]

CONSUMER = """cmake_minimum_required(VERSION 3.18)
project(consumer C)
find_package(thrum REQUIRED)
find_package(Threads REQUIRED)
enable_testing()
add_executable(bank %s)
target_link_libraries(bank PRIVATE Threads::Threads thrum::annotations)
add_executable(fixed %s)
target_compile_definitions(fixed PRIVATE FIXED)
target_link_libraries(fixed PRIVATE Threads::Threads)
add_executable(annotated annotated.c)
target_link_libraries(annotated PRIVATE thrum::annotations)
thrum_add_test(NAME bank COMMAND bank)
thrum_add_test(NAME unit/fixed COMMAND fixed)
thrum_add_test(NAME never COMMAND bank OPTIONS --fail-on=never)
"""
ANNOTATED = "#include <thrum.h>\nint main(void)\n{\n\treturn 0;\n}\n"


class Installed(BankCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        if not shutil.which("cmake"):
            raise unittest.SkipTest("no cmake")

    def setUp(self):
        super().setUp()
        self.stage = self.path("stage")
        subprocess.run(["cmake", "--install", BUILD, "--prefix", self.stage], check=True, capture_output=True, timeout=LIMIT)
        self.env.pop("THRUM_LIB")

    def staged(self, *parts):
        return os.path.join(self.stage, *parts)

    def run_it(self, *args, check=True, env=None):
        result = subprocess.run(args, cwd=self.folder, env={**self.env, **(env or {})}, capture_output=True, text=True,
                                timeout=LIMIT, check=False)
        if check:
            self.assert_status(result, 0)
        return result

    def test_the_program_runs_from_there(self):
        thrum = self.staged("bin/thrum")
        result = self.run_it(thrum, "run", "--report", "sarif=s.json", "--", target("abba"), "pass", check=False)
        self.assert_status(result, 66)
        rules = self.load("s.json")["runs"][0]["tool"]["driver"]["rules"]
        pages = glob.glob(self.staged("share/doc/thrum/rules/*.md"))
        self.assertGreater(len(pages), 20)
        self.assertTrue(all(rule["helpUri"].startswith("file://") for rule in rules))

    def test_rule_links_lead_to_the_installed_pages(self):
        os.rename(self.stage, self.path("moved"))
        self.run_it(self.path("moved/bin/thrum"), "run", "--report", "json=r.json", "--", target("abba"), "pass", check=False)
        for finding in self.load("r.json")["findings"]:
            self.assertTrue(os.path.exists(finding["help_uri"][len("file://"):]), finding["help_uri"])

    def test_links_between_installed_pages_lead_somewhere(self):
        folder = self.staged("share/doc/thrum")
        pages = glob.glob(os.path.join(folder, "**", "*.md"), recursive=True)
        self.assertLessEqual({"README.md", "ci.md", "suppressions.md"}, {os.path.basename(page) for page in pages})
        # What the README and the glossary say of the source is not installed.
        source = re.compile(r"(CONTRIBUTING|architecture|walks)\.md|(\.\./)*(spec|trace|preload|analyzer|viewer|cli|samples|tests|bench|decisions)/")
        for page in pages:
            with open(page, encoding="utf-8") as file:
                links = re.findall(r"\]\(([^)#]+)", file.read())
            for link in links:
                if "://" not in link and not source.match(link):
                    self.assertTrue(os.path.exists(os.path.join(os.path.dirname(page), link)), f"{page}: {link}")

    def test_find_package_and_thrum_add_test(self):
        program = os.path.join(SOURCE, "tests/gate/programs/bank.c")
        self.write("consumer/CMakeLists.txt", CONSUMER % (program, program))
        self.write("consumer/annotated.c", ANNOTATED)
        self.run_it("cmake", "-S", "consumer", "-B", "out", f"-DCMAKE_PREFIX_PATH={self.stage}", "-DCMAKE_BUILD_TYPE=Debug")
        self.run_it("cmake", "--build", "out")
        result = self.run_it("ctest", "--test-dir", "out", check=False)
        self.assertRegex(result.stdout, r"bank \.+\*+Failed")
        self.assertRegex(result.stdout, r"unit/fixed \.+ +Passed")
        self.assertRegex(result.stdout, r"never \.+ +Passed")
        self.run_it("cmake", "-S", "consumer", "-B", "out", "-DTHRUM_TESTS_UNDER_THRUM=OFF")
        self.run_it("ctest", "--test-dir", "out")
        self.run_it("cmake", "-S", "consumer", "-B", "out", "-DTHRUM_TESTS_UNDER_THRUM=ON",
                    "-DTHRUM_OPTIONS_FOR_TESTS=--exclude;bank")
        self.run_it("ctest", "--test-dir", "out")

    @unittest.skipUnless(shutil.which("pkg-config"), "no pkg-config")
    def test_pkg_config(self):
        env = {"PKG_CONFIG_PATH": self.staged("share/pkgconfig")}
        flags = self.run_it("pkg-config", "--cflags", "thrum", env=env).stdout
        self.write("annotated.c", ANNOTATED)
        self.run_it("sh", "-c", f"{os.environ['CC']} -o annotated annotated.c {flags}")
        program = self.run_it("pkg-config", "--variable=program", "thrum", env=env).stdout.strip()
        self.run_it("sh", "-c", f'"{program}" --version')
        library = self.run_it("pkg-config", "--variable=library", "thrum", env=env).stdout.strip()
        self.assertTrue(os.path.exists(library.replace("\\", "")))

    @unittest.skipUnless(shutil.which("man"), "no man")
    def test_manual_pages(self):
        pages = glob.glob(self.staged("share/man/man1/*.1.gz"))
        verbs = re.findall(r"^  (\w+) ", self.run_it(self.staged("bin/thrum"), "help").stdout, re.M)
        self.assertEqual(len(pages), len(verbs) + 1)
        for page in pages:
            result = self.run_it("man", "--warnings=w", "-l", page, env={"MANWIDTH": "80"})
            self.assertEqual(result.stderr, "")
            self.assertIn("NAME", result.stdout)
            self.assertIn("EXIT STATUS", result.stdout)
            if shutil.which("mandoc"):
                self.assertEqual(self.run_it("mandoc", "-T", "lint", "-W", "warning", page, check=False).stdout, "")
        self.assertIn("thrum", self.run_it("man", "-M", self.staged("share/man"), "thrum").stdout)

    def complete(self, line):
        """What bash offers at the end of `line`."""
        words = line.split(" ")
        script = f"""
            . /usr/share/bash-completion/bash_completion 2>/dev/null
            . '{self.staged("share/bash-completion/completions/thrum")}'
            COMP_LINE='{line}' COMP_POINT={len(line)}
            COMP_WORDS=({" ".join(f"'{word}'" for word in words)}) COMP_CWORD={len(words) - 1}
            compopt() {{ :; }}
            _thrum thrum '{words[-1]}' '{words[-2]}'
            printf '%s\\n' "${{COMPREPLY[@]}}" """
        return set(self.run_it("bash", "--norc", "-c", script).stdout.split())

    @unittest.skipUnless(shutil.which("bash"), "no bash")
    def test_bash_completion(self):
        thrum = self.staged("bin/thrum")
        verbs = set(re.findall(r"^  (\w+) ", self.run_it(thrum, "help").stdout, re.M))
        self.assertLessEqual(verbs, self.complete("thrum "))
        self.assertEqual(self.complete("thrum me"), {"merge"})
        for verb in verbs:
            listed = set(re.findall(r"--([a-z-]+)", "\n".join(
                line[:30] for line in self.run_it(thrum, verb, "--help").stdout.splitlines() if line.startswith("  "))))
            offered = {word.strip("-=") for word in self.complete(f"thrum {verb} --")}
            self.assertEqual(offered, listed, verb)
        self.assertEqual(self.complete("thrum check --fail-on "), {"error", "warning", "note", "never"})
        formats = set(re.findall(r"(?m)^  (\w+) ", self.run_it(thrum, "check", "--help").stdout.split("Formats:")[1]))
        self.assertEqual(self.complete("thrum check --format "), formats)
        self.assertEqual(self.complete("thrum run --report "), {name + "=" for name in formats})
        self.assertIn("deadlock", self.complete("thrum check --rules dead"))
        self.assertEqual(self.complete("thrum run --mode "), {"full", "bounded"})
        self.write("known.supp", "")
        self.assertEqual(self.complete("thrum check --suppressions kno"), {"known.supp"})
        self.assertIn("true", self.complete("thrum run -- tru"))
        self.assertEqual(self.complete("thrum help leaked-th"), {"leaked-thread"})
        self.assertLessEqual(verbs | {"rules"}, self.complete("thrum help "))

    @unittest.skipUnless(shutil.which("zsh"), "no zsh")
    def test_zsh_completion_loads(self):
        folder = self.staged("share/zsh/vendor-completions")
        script = f"fpath=('{folder}' $fpath); autoload -Uz compinit; compinit -u -D; print -r -- $_comps[thrum]; autoload +X _thrum"
        self.assertEqual(self.run_it("zsh", "-f", "-c", script).stdout.strip(), "_thrum")
        self.run_it("zsh", "-n", os.path.join(folder, "_thrum"))

    @unittest.skipUnless(shutil.which("fish"), "no fish")
    def test_fish_completion(self):
        script = f"source '{self.staged('share/fish/vendor_completions.d/thrum.fish')}'; complete -C'thrum mer'"
        self.assertIn("merge", self.run_it("fish", "--no-config", "-c", script).stdout)
        script = script.replace("thrum mer", "thrum check --fail-on ")
        self.assertIn("warning", self.run_it("fish", "--no-config", "-c", script).stdout)


if __name__ == "__main__":
    main()
