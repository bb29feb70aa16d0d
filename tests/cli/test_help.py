# SPDX-License-Identifier: MIT
"""`--help` of every verb and the parser agree with the rows of spec/options.def."""
import os
import re

from thrum_cli import SOURCE, Case, main

STRING = r'"((?:[^"\\]|\\.)*)"'


def read_table():
    with open(os.path.join(SOURCE, "spec/options.def"), encoding="utf-8") as file:
        text = re.sub(r"/\*.*?\*/", "", file.read(), flags=re.S)
    verbs = {name: word for name, word in re.findall(r"\bVERB\((\w+), " + STRING + r", \w+,", text)}
    row = r"\bOPTION\(\w+, " + STRING + r", (0|'.'), (\w+), " + STRING + ", " + STRING + r", ([\w |]+),\s*" + STRING
    options = []
    for name, letter, kind, argument, default, bits, doc in re.findall(row, text):
        names = [bit.strip()[len("VERB_"):] for bit in bits.split("|")]
        words = set(verbs.values()) if names == ["ALL"] else {verbs[name] for name in names}
        options.append((name, letter.strip("'"), kind, argument, default, words, doc))
    return verbs, options


def who_takes(options, name):
    """Verbs that take an option of that name: one that means two things has two rows."""
    return set().union(*(words for other, *_, words, _ in options if other == name))


# A value that each type accepts, and one that it refuses.
VALUES = {
    "TEXTS": ("libfoo.so*", None),
    "PATH": ("/dev/null", None),
    "PATHS": ("/dev/null", None),
    "SIZE": ("64M", "64Q"),
    "SECONDS": ("0.5", "soon"),
    "NUMBER": ("10", "-1"),
    "STATUS": ("9", "256"),
    "LEVEL": ("note", "fatal"),
    "COLOR": ("never", "blue"),
    "MODE": ("bounded", "half"),
    "FOLLOW": ("none", "some"),
    "RACES": ("record", "some"),
    "REDACT": ("args", "names"),
    "FROM": ("std", "csv"),
    "TO": ("std", "csv"),
    "TIME": ("hold", "cpu"),
    "FORMAT": ("json", "pdf"),
    "REPORT": ("json=x.json", "json"),
    "RULES": ("deadlock,-hold-time", "no-such-rule"),
    "FILTER": ("thread=1", "colour=1"),
}


class Help(Case):
    def setUp(self):
        super().setUp()
        self.verbs, self.options = read_table()
        self.assertGreaterEqual(len(self.verbs), 6)
        self.assertGreaterEqual(len(self.options), 12)

    def test_program_help_names_every_verb(self):
        for args in (["help"], ["--help"], ["-h"]):
            result = self.thrum(*args)
            self.assert_status(result, 0)
            listed = re.findall(r"^  (\w+) ", result.stdout, re.M)
            self.assertEqual(sorted(listed), sorted(self.verbs.values()))
            self.assertEqual(result.stderr, "")

    def test_verb_help_lists_exactly_its_options(self):
        for verb in self.verbs.values():
            result = self.thrum(verb, "--help")
            self.assert_status(result, 0)
            self.assertEqual(result.stderr, "")
            self.assertEqual(result.stdout, self.thrum("help", verb).stdout)
            listed = set(re.findall(r"^  (?:-\w, |    )--([a-z-]+)", result.stdout, re.M))
            expected = {name for name, _, _, _, _, words, _ in self.options if verb in words}
            self.assertEqual(listed, expected, verb)

    def test_verb_help_shows_letter_argument_default_and_doc(self):
        for verb in self.verbs.values():
            text = re.sub(r"\s+", " ", self.thrum(verb, "--help").stdout)
            for name, letter, _, argument, default, words, doc in self.options:
                if verb not in words:
                    continue
                row = f"--{name}" + (f"={argument}" if argument else "") + f" {doc}"
                if letter != "0":
                    row = f"-{letter}, {row}"
                if default:
                    row += f" (default {default})"
                self.assertIn(row, text)

    def test_options_are_refused_by_verbs_that_do_not_list_them(self):
        for verb in self.verbs.values():
            for name, letter, kind, _, _, _, _ in self.options:
                if verb in who_takes(self.options, name):
                    continue
                words = [f"--{name}"] + ([f"-{letter}"] if letter != "0" else [])
                for word in words:
                    result = self.thrum(verb, word, *([] if kind == "FLAG" else [VALUES[kind][0]]))
                    self.assert_status(result, 64)
                    self.assertIn(word, result.stderr)
                    self.assertEqual(result.stdout, "")

    def test_bad_values_are_refused_with_the_option_and_the_value_named(self):
        for verb in self.verbs.values():
            for name, _, kind, _, _, words, _ in self.options:
                bad = VALUES[kind][1] if kind != "FLAG" else None
                if verb not in words or bad is None:
                    continue
                result = self.thrum(verb, f"--{name}={bad}")
                self.assert_status(result, 64)
                self.assertRegex(result.stderr, rf"^thrum: --{name}: ")
                self.assertIn(re.split("[=,]", bad)[0], result.stderr)

    def test_good_values_are_accepted_in_both_spellings(self):
        for name, letter, kind, _, _, words, _ in self.options:
            verb = sorted(words)[0]
            if kind == "FLAG":
                continue
            good = VALUES[kind][0]
            spellings = [[f"--{name}={good}"], [f"--{name}", good]]
            if letter != "0":
                spellings += [[f"-{letter}", good], [f"-{letter}{good}"]]
            for spelling in spellings:
                result = self.thrum(verb, *spelling, "--help")
                self.assert_status(result, 0)

    def test_missing_value(self):
        for name, _, kind, _, _, words, _ in self.options:
            if kind != "FLAG":
                result = self.thrum(sorted(words)[0], f"--{name}")
                self.assert_status(result, 64)
                self.assertIn(f"--{name} needs a value", result.stderr)

    def test_flag_takes_no_value(self):
        result = self.thrum("check", "--quiet=1")
        self.assert_status(result, 64)
        self.assertIn("takes no value", result.stderr)

    def test_typing_error_is_guessed(self):
        result = self.thrum("run", "--fial-on=error", "--", "true")
        self.assert_status(result, 64)
        self.assertIn("did you mean --fail-on?", result.stderr)

    def test_long_names_are_not_abbreviated(self):
        self.assert_status(self.thrum("run", "--time=1", "--", "true"), 64)

    def test_verbs_and_options_of_later_versions_are_unknown(self):
        for verb in ("core", "frobnicate"):
            result = self.thrum(verb, "x")
            self.assert_status(result, 64)
            self.assertIn(f"'{verb}'", result.stderr)
            self.assertIn("thrum help", result.stderr)
        for option in ("--hold=1", "--steer=x"):
            self.assert_status(self.thrum("run", option, "--", "true"), 64)

    def test_no_verb_is_usage(self):
        result = self.thrum()
        self.assert_status(result, 64)
        self.assertIn("Usage: thrum VERB", result.stderr)

    def test_help_of_a_rule_is_its_page(self):
        folder = os.path.join(SOURCE, "docs/rules")
        for name in sorted(os.listdir(folder)):
            if name != "README.md":
                with open(os.path.join(folder, name), encoding="utf-8") as file:
                    self.assertEqual(self.thrum("help", name[:-3]).stdout, file.read())
        self.assert_status(self.thrum("help", "no-such-rule"), 64)

    def test_version(self):
        result = self.thrum("--version")
        self.assert_status(result, 0)
        self.assertRegex(result.stdout, r"^thrum \d+\.\d+\.\d+\n$")

    def test_help_rules_lists_the_rules_of_the_table(self):
        with open(os.path.join(SOURCE, "spec/rules.def"), encoding="utf-8") as file:
            ids = re.findall(r'^RULE\(\w+, "([a-z-]+)"', file.read(), re.M)
        result = self.thrum("help", "rules")
        self.assert_status(result, 0)
        self.assertEqual([line.split()[0] for line in result.stdout.splitlines()], ids)


main()
