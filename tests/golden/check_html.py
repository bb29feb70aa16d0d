#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Checks findings pages: balanced, no script, no way out, the policy allows the page's style and nothing else.

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
    "details", "summary", "svg", "defs", "marker", "g", "path", "rect", "text",
}


class Page(HTMLParser):
    def __init__(self):
        super().__init__()
        self.open, self.errors, self.ids, self.links, self.policy, self.style = [], [], [], [], None, ""

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
    digest = base64.b64encode(hashlib.sha256(page.style.encode()).digest()).decode()
    if page.policy != f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'":
        errors.append(f"policy {page.policy!r} is not for this style sheet")
    if "url(" in page.style or "@import" in page.style:
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
