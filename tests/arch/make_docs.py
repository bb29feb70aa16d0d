# SPDX-License-Identifier: MIT
"""Fills the generated parts of the documents from the tables under spec/.

usage: make_docs.py [--check] TREE

A generated part stands in any .md file of the tree between <!-- table: NAME --> and <!-- end table -->. With --check
nothing is written, and a part that is not what the tables say fails. Every NAME below must be used somewhere.
"""
import os
import re
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../spec"))
from tables import STRING, read_options, read_table, read_verbs  # noqa: E402

PART = re.compile(r"(<!-- table: ([\w-]+) -->\n).*?(<!-- end table -->)", re.S)


def text_of(string):
    """A string of a table as prose, whole for a cell."""
    return string.replace("\\n", " ").replace('\\"', '"').replace("\\\\", "\\").replace("\n", " ").replace("|", "\\|")


def table(head, rows):
    yield "| " + " | ".join(head) + " |"
    yield "|" + "---|" * len(head)
    for row in rows:
        yield "| " + " | ".join(row) + " |"


def make_primitives(tree):
    families = []
    with open(os.path.join(tree, "spec/primitives/all.def"), encoding="utf-8") as file:
        families = re.findall(r'^#include "(\w+)\.def"', file.read(), re.M)
    for family in families:
        columns = r"(\w+), (\w+), [^,]+, (\w+), .*, " + STRING + r"\)$"
        rows = read_table(tree, f"primitives/{family}.def", "PRIM", columns)
        yield f"### {family}"
        yield ""
        yield from table(("function", "shape", "what it does"),
                         ((f"`{name}`", shape.lower(), text_of(doc)) for shape, _, name, doc in rows))
        yield ""


def make_options(tree):
    verbs = read_verbs(tree)
    words = {verb.name: verb.word for verb in verbs}
    yield from table(("verb", "what it does"),
                     ((f"`thrum {verb.word} {text_of(verb.usage)}`", text_of(verb.line)) for verb in verbs))
    yield ""

    def rows():
        for option in read_options(tree):
            spelling = (f"`-{option.letter}`, " if option.letter else "")
            spelling += f"`--{option.name}{'=' + option.argument if option.argument else ''}`"
            takes = "all" if len(option.verbs) == len(verbs) else " ".join(words[name] for name in option.verbs)
            yield spelling, f"`{option.default}`" if option.default else "", takes, text_of(option.help)

    yield from table(("option", "default", "verbs", "what it does"), rows())


def make_shim_options(tree):
    rows = read_table(tree, "shim_options.def", "SHIM_OPTION", r"(\w+), (\w+), ([^,]+), " + STRING + r"\)")
    yield from table(("key", "type", "default", "what it does"),
                     ((f"`{key}`", kind.lower(), f"`{default.strip(chr(34))}`", text_of(doc)) for key, kind, default, doc in rows))


def make_events(tree):
    rows = read_table(tree, "events.def", "EVENT", r"(\d+), \w+, " + STRING + r", ([A-Z ]*), " + STRING + r"\)")
    yield from table(("number", "event", "fields", "meaning"),
                     ((number, f"`{word}`", fields, text_of(doc)) for number, word, fields, doc in rows))


def make_objects(tree):
    rows = read_table(tree, "objects.def", "OBJECT", r"(\d+), \w+, " + STRING + r", ([01]), " + STRING + r"\)")
    yield from table(("number", "kind", "is a lock", "what it stands for"),
                     ((number, word, "yes" if lock == "1" else "no", text_of(doc)) for number, word, lock, doc in rows))


MAKERS = {
    "primitives": make_primitives,
    "options": make_options,
    "shim-options": make_shim_options,
    "events": make_events,
    "objects": make_objects,
}


def list_documents(tree):
    for folder, folders, names in os.walk(tree):
        folders[:] = sorted(name for name in folders if not name.startswith((".", "build", "thrum")))
        yield from (os.path.join(folder, name) for name in sorted(names) if name.endswith(".md"))


def fill(tree, text, used):
    def make(match):
        name = match.group(2)
        if name not in MAKERS:
            raise SystemExit(f"no table is named {name}")
        used.add(name)
        return match.group(1) + "\n".join(MAKERS[name](tree)).rstrip("\n") + "\n" + match.group(3)

    return PART.sub(make, text)


def run(tree, check):
    """Yields what is wrong; writes unless `check`."""
    used = set()
    for path in list_documents(tree):
        with open(path, encoding="utf-8") as file:
            old = file.read()
        new = fill(tree, old, used)
        if new == old:
            continue
        if check:
            yield f"{os.path.relpath(path, tree)} is not what spec/ says; run ./dev fmt"
        else:
            with open(path, "w", encoding="utf-8") as file:
                file.write(new)
    for name in sorted(set(MAKERS) - used):
        yield f"no document has the table {name}"


def main():
    check = sys.argv[1] == "--check"
    problems = list(run(sys.argv[-1], check))
    print("\n".join(problems) if problems else "docs: ok")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
