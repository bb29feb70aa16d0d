# SPDX-License-Identifier: MIT
"""The expectation that a sample carries in its first lines. Parses and lints it; runs nothing.

    /* SCENARIO S01: what it shows */          or   /* SHOWS what it shows */
    /* EXPECT rule[|rule] key=value ... */     one finding (or count=N..M of them)
    /* ALLOW rule[|rule] [level=...] */        tolerated, by default only as a note
    /* NEVER rule rule */                      said aloud; everything unexpected fails anyway
    /* RUN key=value word ... */               how it is run
    /* BUILD key=value word ... */             read by samples/CMakeLists.txt
In a Python sample each of these is a line that begins with #.

Keys of EXPECT: confidence level count occurs threads threadnames stacks roles locks created edges tasks taskkinds says lines.
tasks=f,g: a task of the finding is called so; taskkinds=timer: is of that kind; says=a+few+words: in its title or message.
lines=f(),await+g(): a frame of the finding's stacks is at a source line with this text. In all three + is a blank.
Numbers may be ranges: 1..3. Levels may be ranges: note..error.
Keys of RUN: timeout=S (the sample hangs: --timeout S) kill=1 (also recorded, SIGKILLed while blocked, checked)
options=--a,--b (of thrum run) exit=N (the program's own status) status=any (the level decides) limit=S (harness) rss=MB (of thrum) repeat=N args=...
clean (nothing may gate) stripped (no symbols) once (not repeated) serial full (not for bounded mode).
"""

import os
import re
import shlex

LEVELS = ["note", "warning", "error"]
LINE = re.compile(r"(?:/\*|#)\s*(SCENARIO|SHOWS|EXPECT|NEVER|ALLOW|RUN|BUILD)\b\s*(.*?)\s*(?:\*/)?\s*$")
EXPECT_KEYS = {"confidence", "level", "count", "occurs", "threads", "threadnames", "stacks", "roles", "locks",
               "created", "edges", "tasks", "taskkinds", "says", "lines"}
RUN_KEYS = {"timeout", "kill", "exit", "status", "limit", "rss", "repeat", "args", "clean", "stripped", "once",
            "serial", "options", "full"}


# The ways in which each sample of samples/tsan is built, with ThreadSanitizer: samples/CMakeLists.txt.
TSAN_KINDS = ["gcc", "gcc_static", "clang"]


class HeaderError(Exception):
    pass


def number_range(text):
    low, _, high = text.partition("..")
    return int(low), int(high or low)


def level_range(text):
    if text == "any":
        return 0, 2
    low, _, high = text.partition("..")
    return LEVELS.index(low), LEVELS.index(high or low)


class Pattern:
    """One EXPECT or ALLOW line: which findings it is about and what must be true of them."""

    def __init__(self, text, rules, allow=False):
        words = text.split()
        self.text = text
        self.rules = words[0].split("|")
        self.keys = dict(w.split("=", 1) for w in words[1:])
        unknown = set(self.keys) - EXPECT_KEYS
        if unknown:
            raise HeaderError("unknown key %s in %r" % (sorted(unknown), text))
        for rule in self.rules:
            if rule not in rules:
                raise HeaderError("no rule %r in spec/rules.def" % rule)
        self.count = number_range(self.keys.get("count", "1"))
        self.confidence = self.keys.get("confidence")
        if "level" in self.keys:
            self.level = level_range(self.keys["level"])
        elif allow:
            self.level = (0, 0)
        elif self.confidence:
            levels = [default_level(r, self.confidence, rules[r]) for r in self.rules]
            self.level = (min(levels), max(levels))
        else:
            self.level = (0, 2)

    def names(self, key):
        return [n for n in self.keys.get(key, "").split(",") if n]

    def covers(self, finding):
        if finding["rule"] not in self.rules:
            return False
        if self.confidence and finding["confidence"] != self.confidence:
            return False
        return self.level[0] <= LEVELS.index(finding["level"]) <= self.level[1]


def default_level(rule, confidence, cap):
    """The level of the contract: the lower of the confidence's default and the rule's cap."""
    if confidence in ("observed", "proven"):
        level = 2
    elif confidence == "potential":
        level = 2 if rule == "lock-order-inversion" else 1
    else:
        level = 0
    return min(level, cap)


def read_rules(root):
    """Rule id -> cap, from spec/rules.def."""
    rules = {}
    with open(os.path.join(root, "spec", "rules.def"), encoding="utf-8") as f:
        for m in re.finditer(r'^RULE\(\w+,\s*"([^"]+)",\s*(\w+)', f.read(), re.M):
            rules[m.group(1)] = LEVELS.index(m.group(2).lower())
    return rules


class Sample:
    def __init__(self, path, rules):
        self.path = path
        self.name = os.path.splitext(os.path.basename(path))[0]
        self.ids, self.what = [], None
        self.tsan = False
        self.expect, self.allow, self.never, self.run, self.build = [], [], [], {}, {}
        with open(path, encoding="utf-8") as f:
            for line in [next(f, "") for _ in range(16)]:
                m = LINE.match(line)
                if m:
                    self.read_line(m.group(1), m.group(2), rules)
        self.lint()

    def read_line(self, word, text, rules):
        if word == "SCENARIO":
            ident, _, what = text.partition(":")
            self.ids += ident.split(",")
            self.what = what.strip()
        elif word == "SHOWS":
            self.what = text
        elif word == "EXPECT":
            self.expect.append(Pattern(text, rules))
        elif word == "ALLOW":
            self.allow.append(Pattern(text, rules, allow=True))
        elif word == "NEVER":
            self.never += text.split()
            for rule in text.split():
                if rule not in rules:
                    raise HeaderError("%s: no rule %r in spec/rules.def" % (self.name, rule))
        elif word in ("RUN", "BUILD"):
            into = self.run if word == "RUN" else self.build
            for w in shlex.split(text):
                key, _, value = w.partition("=")
                into[key] = value or "1"

    def lint(self):
        if not self.what:
            raise HeaderError("%s: neither SCENARIO nor SHOWS in its first lines" % self.name)
        if set(self.run) - RUN_KEYS:
            raise HeaderError("%s: unknown RUN keys %s" % (self.name, sorted(set(self.run) - RUN_KEYS)))
        gating = [e for e in self.expect if e.level[0] == 2]
        if gating and "clean" in self.run:
            raise HeaderError("%s: RUN clean, but %r gates" % (self.name, gating[0].text))
        if not self.expect and "clean" not in self.run and "timeout" not in self.run and \
                self.run.get("status") != "any":
            raise HeaderError("%s: expects nothing and is not RUN clean" % self.name)

    def is_hanging(self):
        return "timeout" in self.run

    def expectation(self):
        parts = [e.text for e in self.expect]
        if not parts:
            parts = ["silent"]
        if self.allow:
            parts.append("(allowed: %s)" % ", ".join("|".join(a.rules) for a in self.allow))
        return "; ".join(parts)


def load_samples(root):
    rules = read_rules(root)
    found = []
    for folder, extensions in (("c", ".c"), ("cpp", ".cpp"), ("loops", (".c", ".cpp")), ("python", ".py")):
        base = os.path.join(root, "samples", folder)
        for name in sorted(os.listdir(base)):
            if name.endswith(extensions):
                found.append(Sample(os.path.join(base, name), rules))
    base = os.path.join(root, "samples", "tsan")
    for name in sorted(os.listdir(base)):
        for kind in TSAN_KINDS if name.endswith((".c", ".cpp")) else []:
            sample = Sample(os.path.join(base, name), rules)
            sample.name += "_" + kind
            sample.tsan = True
            found.append(sample)
    names = [s.name for s in found]
    twice = {n for n in names if names.count(n) > 1}
    if twice:
        raise HeaderError("two samples of the same name: %s" % sorted(twice))
    return found
