# SPDX-License-Identifier: MIT
"""Lists of findings that gate and are right: a line `NAME RULE WORDS...` for each kind; `#` begins a comment, which says why.

NAME is a test, or a pattern of tests; all WORDS occur in the finding as `thrum check --report json` writes it."""
import fnmatch
import json
import shlex


def read(path):
    """The lines of a list, as words."""
    with open(path, encoding="utf-8") as f:
        return [words for line in f if len(words := shlex.split(line, comments=True)) > 1]


def line_of(name, finding, explained):
    """The line that explains a finding of the test `name`, or None."""
    text = json.dumps(finding)
    for words in explained:
        if fnmatch.fnmatchcase(name, words[0]) and words[1] == finding["rule"] and all(w in text for w in words[2:]):
            return words
    return None
