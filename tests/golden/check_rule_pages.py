#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Checks that docs/rules has one complete page for each row of spec/rules.def, and no other.

Usage: check_rule_pages.py RULES_DEF DOCS_RULES_DIR
"""
import pathlib
import re
import sys

SECTIONS = ["What it means", "Why it matters", "Example", "Fix", "Suppress"]
ROW = re.compile(r'^RULE\((\w+), "([a-z-]+)", (ERROR|WARNING|NOTE), ([01]), "([^"]+)", "([^"]+)"\)', re.M)


def check_page(path, row):
    _, rule, cap, _, title, _ = row
    lines = path.read_text(encoding="utf-8").splitlines()
    errors = []
    if lines[0] != f"# {title} (`{rule}`)":
        errors.append(f"first line is not '# {title} (`{rule}`)'")
    if [line[3:] for line in lines if line.startswith("## ")] != SECTIONS:
        errors.append(f"sections are not {SECTIONS}")
    if f"Highest level: {cap.lower()}." not in lines:
        errors.append(f"no line 'Highest level: {cap.lower()}.'")
    if not any(line.startswith(f"    {rule}:") and "expires=" in line for line in lines):
        errors.append("no suppression line")
    if sum(line.startswith("```") for line in lines) < 2:
        errors.append("no code")
    return [f"{path.name}: {error}" for error in errors]


def main(rules_def, directory):
    text = pathlib.Path(rules_def).read_text(encoding="utf-8")
    rows = ROW.findall(text)
    errors = []
    if len(rows) != len(re.findall(r"^RULE\(", text, re.M)):
        errors.append("a row of rules.def cannot be read")
    pages = {path.stem: path for path in pathlib.Path(directory).glob("*.md") if path.stem != "README"}
    ids = [row[1] for row in rows]
    errors += [f"no page for {rule}" for rule in ids if rule not in pages]
    errors += [f"{page}.md: no such rule" for page in sorted(pages) if page not in ids]
    for row in rows:
        if row[1] in pages:
            errors += check_page(pages[row[1]], row)
    index = pathlib.Path(directory, "README.md").read_text(encoding="utf-8")
    errors += [f"README.md does not link {rule}" for rule in ids if f"({rule}.md)" not in index]
    for error in errors:
        print(error)
    print(f"{len(rows)} rules, {len(pages)} pages, {len(errors)} errors")
    return 1 if errors else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
