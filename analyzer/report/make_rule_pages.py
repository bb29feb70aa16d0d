#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Makes rule_pages.c: the pages of docs/rules/ as C strings, one for each row of spec/rules.def.

    make_rule_pages.py RULES_DEF PAGES_DIR OUTPUT
"""

import os
import re
import sys


def c_string(text):
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return "\n".join(f'\t\t"{line}\\n"' for line in escaped.splitlines())


def main(rules_def, pages_dir, output):
    with open(rules_def, encoding="utf-8") as f:
        rules = re.findall(r'^RULE\((\w+), "([^"]+)"', f.read(), re.M)
    parts = []
    for name, rule_id in rules:
        with open(os.path.join(pages_dir, rule_id + ".md"), encoding="utf-8") as f:
            parts.append(f"\t[RULE_{name}] =\n{c_string(f.read())},\n")
    text = ('/* Made by make_rule_pages.py from docs/rules/. */\n#include "analyzer/report/rule_page.h"\n\n'
            "static const char *const pages[RULE_COUNT] = {\n" + "".join(parts) + "};\n\n"
            "const char *rule_page(enum rule rule)\n{\n\treturn pages[rule];\n}\n")
    with open(output, "w", encoding="utf-8") as f:
        f.write(text)


if __name__ == "__main__":
    main(*sys.argv[1:])
