# SPDX-License-Identifier: MIT
"""The programs of tests/cli/confirm: what their second line says of them, and how they are started."""
import os
import re
import sys

FOLDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "confirm")


def programs(targets):
    """Pairs of name and whether it can happen, of those that could be built here; `targets`: where the compiled ones are."""
    for name in sorted(os.listdir(FOLDER)):
        if not os.path.isfile(os.path.join(FOLDER, name)):
            continue
        with open(os.path.join(FOLDER, name), encoding="utf-8") as file:
            word = re.match(r"(?:/\*|#) (FEASIBLE|INFEASIBLE) ", file.read().splitlines()[1])
        name = os.path.splitext(name)[0]
        if word and os.path.exists(command(name, targets)[0]):
            yield name, word[1] == "FEASIBLE"


def command(name, targets):
    script = os.path.join(FOLDER, name + ".py")
    return [sys.executable, script] if os.path.exists(script) else [os.path.join(targets, "confirm", name)]
