# SPDX-License-Identifier: MIT
"""Reads the tables of spec/ for what is made from them at build time: documents, manual pages, completions."""
import os
import re
from typing import NamedTuple

STRING = r'"((?:[^"\\]|\\.)*)"'
STRINGS = r'((?:"(?:[^"\\]|\\.)*"\s*)+)'


class Verb(NamedTuple):
    name: str
    word: str
    operands: str
    usage: str
    line: str
    notes: str


class Option(NamedTuple):
    name: str
    letter: str  # "" = none
    type: str
    argument: str  # "" = a flag
    default: str
    verbs: tuple  # names of verbs
    help: str


class Rule(NamedTuple):
    name: str
    id: str
    cap: str
    title: str
    help: str


def plain(string):
    """A C string literal's content."""
    return string.replace("\\n", "\n").replace('\\"', '"').replace("\\\\", "\\")


def joined(strings):
    """Adjacent C string literals as one."""
    return "".join(plain(part) for part in re.findall(STRING, strings))


def read_table(tree, name, macro, columns):
    """Rows of spec/NAME; every line that starts with MACRO( must match `columns`."""
    with open(os.path.join(tree, "spec", name), encoding="utf-8") as file:
        text = re.sub(r"/\*.*?\*/", "", file.read(), flags=re.S)
    rows = re.findall(rf"^{macro}\({columns}", text, re.M)
    starts = len(re.findall(rf"^{macro}\(", text, re.M))
    if not rows or len(rows) != starts:
        raise SystemExit(f"spec/{name}: {len(rows)} of {starts} rows of {macro} can be read")
    return rows


def read_verbs(tree):
    columns = r"(\w+), " + STRING + r", (\w+), " + STRING + ", " + STRING + r",\s*" + STRINGS + r"\)"
    return [Verb(name, word, operands, plain(usage), plain(line), joined(notes))
            for name, word, operands, usage, line, notes in read_table(tree, "options.def", "VERB", columns)]


def read_options(tree):
    verbs = tuple(verb.name for verb in read_verbs(tree))
    columns = (r"\w+, " + STRING + r", (0|'.'), (\w+), " + STRING + ", " + STRING + r", ([\w |]+),\s*" + STRINGS + r"\)")
    options = []
    for name, letter, kind, argument, default, bits, text in read_table(tree, "options.def", "OPTION", columns):
        names = tuple(bit.strip()[len("VERB_"):] for bit in bits.split("|"))
        options.append(Option(name, "" if letter == "0" else letter[1], kind, argument, default,
                              verbs if names == ("ALL",) else names, joined(text)))
    return options


def read_rules(tree):
    columns = r"(\w+), " + STRING + r", (\w+), [01], " + STRING + ", " + STRING + r"\)"
    return [Rule(*row) for row in read_table(tree, "rules.def", "RULE", columns)]
