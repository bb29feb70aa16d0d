#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Makes the manual pages from spec/options.def and spec/rules.def: thrum(1) and one page a verb.

    make_man.py TREE VERSION OUTPUT_DIR
"""
import gzip
import os
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../spec"))
from tables import read_options, read_rules, read_verbs  # noqa: E402

# Of the pages: when they were made, or what a packager says (SOURCE_DATE_EPOCH).
DATE = time.strftime("%Y-%m-%d", time.gmtime(int(os.environ.get("SOURCE_DATE_EPOCH", time.time()))))

STATUSES = (
    ("0", "no gating finding (check); run ends with the program's own status, 128+N when signal N killed it"),
    ("64", "usage"),
    ("65", "the trace cannot be read"),
    ("66", "a finding gates; --error-exitcode gives another number"),
    ("69", "the program cannot be traced: static, setuid, another architecture"),
    ("70", "thrum itself failed"),
    ("124", "--timeout ended the program and no finding explains it"),
    ("126, 127", "the command cannot be executed, as a shell says it"),
)


def roff(text):
    text = text.replace("\\", "\\e").replace("-", "\\-").replace("'", "\\(aq")
    return "\n".join("\\&" + line if line.startswith(".") else line for line in text.split("\n"))


def head(name, version, line):
    yield f'.TH "{name.upper()}" "1" "{DATE}" "thrum {version}" "thrum"'
    yield ".SH NAME"
    yield f"{roff(name)} \\- {roff(line)}"


def option_text(options):
    for option in options:
        spelling = f"\\-{option.letter}, " if option.letter else ""
        spelling += "\\-\\-" + roff(option.name) + (f"=\\fI{roff(option.argument)}\\fR" if option.argument else "")
        yield ".TP"
        yield f"\\fB{spelling}\\fR"
        default = f" Default: {option.default}." if option.default and option.argument else ""
        yield roff(option.help[0].upper() + option.help[1:] + "." + default)


def statuses():
    yield ".SH EXIT STATUS"
    for status, text in STATUSES:
        yield ".TP"
        yield f"\\fB{status}\\fR"
        yield roff(text)


def verb_page(verb, options, version):
    yield from head(f"thrum-{verb.word}", version, verb.line)
    yield ".SH SYNOPSIS"
    yield f"\\fBthrum {roff(verb.word)}\\fR {roff(verb.usage)}"
    if verb.notes:
        yield ".SH DESCRIPTION"
        yield ".nf"
        yield roff(verb.notes.rstrip("\n"))
        yield ".fi"
    yield ".SH OPTIONS"
    yield from option_text([option for option in options if verb.name in option.verbs])
    yield from statuses()
    yield ".SH SEE ALSO"
    yield "\\fBthrum\\fR(1)"


def main_page(verbs, rules, version):
    yield from head("thrum", version, "finds deadlocks, lock misuse and leaked threads in programs as they are")
    yield ".SH SYNOPSIS"
    yield "\\fBthrum\\fR \\fIVERB\\fR [\\fIOPTIONS\\fR] [\\fB\\-\\-\\fR] \\fICMD\\fR [\\fIARGS\\fR]"
    yield ".SH DESCRIPTION"
    yield roff("thrum records an unmodified program through a preloaded library, analyses the record and reports which "
               "threads, processes or tasks are deadlocked, which lock orders will deadlock one day and what was leaked. "
               "Its exit status gates a build.")
    yield ".SH VERBS"
    for verb in verbs:
        yield ".TP"
        yield f"\\fB{roff(verb.word)}\\fR"
        yield roff(verb.line[0].upper() + verb.line[1:] + f". See thrum-{verb.word}(1).")
    yield ".SH RULES"
    for rule in rules:
        yield ".TP"
        yield f"\\fB{roff(rule.id)}\\fR ({rule.cap.lower()})"
        yield roff(rule.help[0].upper() + rule.help[1:] + ".")
    yield ".SH FILES"
    yield ".TP\n\\fB.thrum\\fR"
    yield roff("Options of a project, one a line, NAME = VALUE with the long names; found in the current folder or above it, up to "
               "the root of the project. The command line goes before it. --config names another file, /dev/null none.")
    yield ".TP\n\\fBthrum.data\\fR"
    yield roff("The trace that run and record write and the other verbs read.")
    yield ".SH ENVIRONMENT"
    yield ".TP\n\\fBTHRUM_OPTIONS\\fR"
    yield roff("key=value:key=value, read by the preloaded library, for programs started without thrum; help=1 lists the keys.")
    yield ".TP\n\\fBNO_COLOR\\fR"
    yield roff("Set: no colour unless --color=always.")
    yield from statuses()
    yield ".SH EXAMPLES"
    yield ".nf"
    yield roff("thrum run -- ./server --port 8080\nthrum run --timeout 60 --report html=report.html -- ./tests\n"
               "thrum record -o trace -- ./server; thrum check trace")
    yield ".fi"
    yield ".SH SEE ALSO"
    yield ", ".join(f"\\fBthrum\\-{roff(verb.word)}\\fR(1)" for verb in verbs)


def write(directory, name, lines):
    # Without a time and a name in it: the same pages make the same file.
    with open(os.path.join(directory, name + ".gz"), "wb") as file:
        file.write(gzip.compress(("\n".join(lines) + "\n").encode("utf-8"), 9, mtime=0))


def main(tree, version, directory):
    verbs, options, rules = read_verbs(tree), read_options(tree), read_rules(tree)
    os.makedirs(directory, exist_ok=True)
    write(directory, "thrum.1", main_page(verbs, rules, version))
    for verb in verbs:
        write(directory, f"thrum-{verb.word}.1", verb_page(verb, options, version))


if __name__ == "__main__":
    main(*sys.argv[1:])
