#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Checks findings pages: balanced, no way out, the policy allows the page's style, its one script if it has one, and nothing else.

Usage: check_html.py FILE...
"""
import base64
import hashlib
import re
import sys
from html.parser import HTMLParser

VOID = {"meta", "wbr"}
ELEMENTS = {
    "html", "head", "meta", "title", "style", "body", "header", "main", "footer", "nav", "article", "section", "figure",
    "figcaption", "div", "p", "h1", "h2", "h3", "h4", "ol", "ul", "li", "a", "span", "strong", "i", "b", "code", "pre", "wbr",
    "details", "summary", "svg", "defs", "marker", "pattern", "g", "path", "rect", "text",
    "table", "thead", "tbody", "tr", "th", "td", "script",
}
DATA = "application/octet-stream" # a script element that holds the timeline and is not run


class Page(HTMLParser):
    def __init__(self):
        super().__init__()
        self.open, self.errors, self.ids, self.links, self.policy, self.style, self.scripts = [], [], [], [], None, "", []

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        if tag not in ELEMENTS:
            self.errors.append(f"element <{tag}>")
        for name, value in attrs.items():
            if name == "style" or name.startswith("on") or name in ("src", "srcset", "action", "xlink:href"):
                self.errors.append(f"attribute {name} of <{tag}>")
            if name == "href":
                self.links.append(value)
            if name == "id":
                self.ids.append(value)
        if attrs.get("http-equiv") == "Content-Security-Policy":
            self.policy = attrs["content"]
        if tag == "script" and attrs.get("type") != DATA:
            self.scripts.append("")
        self.runs = tag == "script" and attrs.get("type") != DATA
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)
        self.handle_endtag(tag)

    def handle_endtag(self, tag):
        if not self.open or self.open.pop() != tag:
            self.errors.append(f"</{tag}> out of place at {self.getpos()}")

    def handle_data(self, data):
        if self.open and self.open[-1] == "style":
            self.style += data
        if self.open and self.open[-1] == "script" and self.runs:
            self.scripts[-1] += data


def digest(text):
    return "'sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() + "'"


def check(path):
    text = open(path, "rb").read().decode("utf-8")
    page = Page()
    page.feed(text)
    page.close()
    errors = page.errors
    if page.open:
        errors.append(f"not closed: {page.open}")
    if not text.startswith("<!doctype html>\n"):
        errors.append("no doctype")
    if len(page.scripts) > 1:
        errors.append(f"{len(page.scripts)} scripts")
    scripts = f"script-src {digest(page.scripts[0])}; " if page.scripts else ""
    if page.policy != f"default-src 'none'; style-src {digest(page.style)}; {scripts}base-uri 'none'; form-action 'none'":
        errors.append(f"policy {page.policy!r} is not for this style sheet and script")
    if re.search(r"url\((?!#)", page.style) or "@import" in page.style:
        errors.append("the style sheet loads something")
    errors.extend(f"id {i} comes twice" for i in set(page.ids) if page.ids.count(i) > 1)
    errors.extend(f"link {link} leads nowhere" for link in page.links if link[:1] != "#" or link[1:] not in page.ids)
    controls = re.findall("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", text)
    if controls:
        errors.append(f"raw control characters {sorted(set(controls))!r}")
    return errors


def main(*paths):
    broken = 0
    for path in paths:
        errors = check(path)
        for error in errors:
            print(f"{path}: {error}")
        broken += bool(errors)
    print(f"{len(paths)} pages, {broken} broken")
    return 1 if broken or not paths else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
