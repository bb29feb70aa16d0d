#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Makes page_front.c: the script and the style of viewer/front as C strings.

    make_front.py OUTPUT FILE...

The scripts become one function, in the order of their names, without comments on lines of their own and without
indentation: no other tool is needed to build.
"""

import re
import sys



def squeeze(text):
    text = re.sub(r"^[ \t]*/\*.*?\*/[ \t]*\n?", "", text, flags=re.S | re.M)
    lines = (line.strip() for line in text.splitlines())
    return "\n".join(line for line in lines if line and not line.startswith("//"))


def c_string(text):
    out, part = [], ""
    for line in text.split("\n"):
        part += line.replace("\\", "\\\\").replace('"', '\\"').replace("?", "\\?") + "\\n"
        out.append(f'\t"{part}"')
        part = ""
    return "\n".join(out)


def main(output, *names):
    scripts, styles = [], []
    for name in sorted(names):
        with open(name, encoding="utf-8") as file:
            (styles if name.endswith(".css") else scripts).append(squeeze(file.read()))
    script = "(function () {\n'use strict';\n" + "\n".join(scripts) + "\n})();"
    if "</script" in script.lower() or "</style" in "".join(styles).lower():
        sys.exit("make_front: a text that ends its own element")
    with open(output, "w", encoding="utf-8") as file:
        file.write("/* Made by make_front.py from viewer/front/. */\n#include \"viewer/page_private.h\"\n\n")
        file.write(f"const char page_script[] =\n{c_string(script)};\n\n")
        file.write("const char page_style[] =\n" + c_string("\n".join(styles)) + ";\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
