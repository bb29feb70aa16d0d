#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Checks JUnit reports against the shape that Jenkins, GitLab and CTest readers share.

Usage: check_junit.py FILE...

testsuites > testsuite > testcase > (error | failure)?, system-out?; counts agree with what is there.
"""
import sys
import xml.etree.ElementTree as ElementTree

CHILDREN = {"testsuites": {"testsuite"}, "testsuite": {"testcase"}, "testcase": {"error", "failure", "system-out"}}
NEEDED = {"testsuite": ("name", "tests", "failures", "errors", "skipped", "time"), "testcase": ("name", "classname", "time"),
          "failure": ("type", "message"), "error": ("type", "message")}


def check_element(element, path, errors):
    for key in NEEDED.get(element.tag, ()):
        if key not in element.attrib:
            errors.append(f"{path}: <{element.tag}> lacks {key}")
    for child in element:
        if child.tag not in CHILDREN.get(element.tag, set()):
            errors.append(f"{path}: <{child.tag}> in <{element.tag}>")
        check_element(child, path, errors)


def check_counts(suite, path, errors):
    cases = suite.findall("testcase")
    found = {"tests": len(cases), "failures": sum(c.find("failure") is not None for c in cases),
             "errors": sum(c.find("error") is not None for c in cases)}
    for key, count in found.items():
        if suite.get(key) != str(count):
            errors.append(f"{path}: {key} says {suite.get(key)}, there are {count}")
    if any(len(c.findall("failure")) + len(c.findall("error")) > 1 for c in cases):
        errors.append(f"{path}: a test case fails twice")
    names = [c.get("name") for c in cases]
    if len(names) != len(set(names)):
        errors.append(f"{path}: names of test cases repeat")


def main(paths):
    errors = [] if paths else ["check_junit.py: no files"]
    for path in paths:
        root = ElementTree.parse(path).getroot()
        if root.tag != "testsuites":
            errors.append(f"{path}: root is <{root.tag}>")
        check_element(root, path, errors)
        for suite in root:
            check_counts(suite, path, errors)
    print("\n".join(errors) if errors else f"{len(paths)} reports are sound")
    return 1 if errors else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
