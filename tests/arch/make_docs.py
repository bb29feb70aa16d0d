# SPDX-License-Identifier: MIT
"""Fills the generated parts of the documents from the tables under spec/.

usage: make_docs.py [--check] TREE

A generated part stands in any .md file of the tree between <!-- table: NAME --> and <!-- end table -->. With --check
nothing is written, and a part that is not what the tables say fails. Every NAME below must be used somewhere.
"""
import os
import re
import sys

STRING = r'"((?:[^"\\]|\\.)*)"'
PART = re.compile(r"(<!-- table: ([\w-]+) -->\n).*?(<!-- end table -->)", re.S)


def read_table(tree, name, macro, columns):
    """Rows of spec/NAME; every line that starts with MACRO( must match `columns`."""
    with open(os.path.join(tree, "spec", name), encoding="utf-8") as file:
        text = re.sub(r"/\*.*?\*/", "", file.read(), flags=re.S)
    rows = re.findall(rf"^{macro}\({columns}", text, re.M)
    starts = len(re.findall(rf"^{macro}\(", text, re.M))
    if not rows or len(rows) != starts:
        raise SystemExit(f"spec/{name}: {len(rows)} of {starts} rows of {macro} can be read")
    return rows


def text_of(string):
    """A C string literal as prose, whole for a cell of a table."""
    return string.replace("\\n", " ").replace('\\"', '"').replace("\\\\", "\\").replace("|", "\\|")


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
    verbs = read_table(tree, "options.def", "VERB", r"(\w+), " + STRING + r", \w+, " + STRING + ", " + STRING)
    words = {name: word for name, word, _, _ in verbs}
    columns = r"\w+, " + STRING + r", (0|'.'), \w+, " + STRING + ", " + STRING + r", ([\w |]+),\s*" + STRING + r"\)"
    options = read_table(tree, "options.def", "OPTION", columns)
    yield from table(("verb", "what it does"),
                     ((f"`thrum {word} {text_of(usage)}`", text_of(line)) for _, word, usage, line in verbs))
    yield ""

    def rows():
        for name, letter, argument, default, bits, doc in options:
            spelling = (f"`-{letter[1]}`, " if letter != "0" else "") + f"`--{name}{'=' + argument if argument else ''}`"
            names = [bit.strip()[len("VERB_"):] for bit in bits.split("|")]
            takes = "all" if names == ["ALL"] else " ".join(words[verb] for verb in names)
            yield spelling, f"`{default}`" if default else "", takes, text_of(doc)

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
