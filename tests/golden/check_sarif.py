#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Checks SARIF reports: what the standard requires of the parts we write, and what GitHub asks for beyond it.

Usage: check_sarif.py [--schema FILE] FILE...

--schema: the OASIS schema of SARIF 2.1.0, which is not part of this repository; with Debian's python3-jsonschema every
report is checked against it too.
"""
import json
import re
import sys

LEVELS = {"error", "warning", "note"}
STATES = {"new", "unchanged", "updated", "absent"}
MAX_TEXT = 1024
MAX_LOCATIONS = 1000
MAX_TAGS = 20


class Checker:
    def __init__(self, path):
        self.path = path
        self.errors = []

    def need(self, good, where, what):
        if not good:
            self.errors.append(f"{self.path}: {where}: {what}")

    def location(self, value, where, needs_file=False):
        physical = value.get("physicalLocation")
        if physical is None:
            return
        self.need("artifactLocation" in physical or "address" in physical, where, "neither file nor address")
        if "artifactLocation" in physical:
            uri = physical["artifactLocation"].get("uri", "")
            self.need(re.fullmatch(r"[A-Za-z0-9\-._~/%:]+", uri), where, f"uri {uri!r} is not escaped")
            self.need("//" not in uri.removeprefix("file://"), where, f"uri {uri!r} has an empty part")
            region = physical.get("region", {})
            for key in ("startLine", "startColumn", "endLine", "endColumn"):
                self.need(isinstance(region.get(key), int) and region[key] >= 1, where, f"region lacks {key}")
        elif needs_file:
            self.need(physical["address"].get("relativeAddress") is not None, where, "address without a number")

    def rule(self, rule, where):
        self.need(re.fullmatch(r"[a-z]+(-[a-z]+)*", rule.get("id", "")), where, "id")
        self.need(len(rule.get("name", "")) <= 255, where, "name is longer than 255")
        for key in ("shortDescription", "fullDescription"):
            self.need(0 < len(rule.get(key, {}).get("text", "")) <= MAX_TEXT, where, key)
        self.need(rule.get("help", {}).get("text") and rule["help"].get("markdown"), where, "help")
        self.need(re.match(r"(https|file)://", rule.get("helpUri", "")), where, "helpUri is not absolute")
        self.need(rule.get("defaultConfiguration", {}).get("level") in LEVELS, where, "level")
        properties = rule.get("properties", {})
        self.need(properties.get("precision") in {"very-high", "high", "medium", "low"}, where, "precision")
        self.need(properties.get("problem", {}).get("severity") in {"error", "warning", "recommendation"},
                  where, "problem.severity")
        self.need(len(properties.get("tags", [])) <= MAX_TAGS, where, "too many tags")

    def flows(self, result, where):
        steps = 0
        orders = []
        for flow in result.get("codeFlows", []):
            self.need(flow.get("threadFlows"), where, "code flow without thread flows")
            ids = [thread.get("id") for thread in flow["threadFlows"]]
            self.need(len(ids) == len(set(ids)) and all(ids), where, "thread flow ids repeat")
            for thread in flow["threadFlows"]:
                self.need(thread.get("locations"), where, "thread flow without locations")
                for step in thread.get("locations", []):
                    steps += 1
                    orders.append(step.get("executionOrder"))
                    self.location(step.get("location", {}), where)
                    for frame in step.get("stack", {}).get("frames", []):
                        self.location(frame.get("location", {}), where)
        self.need(steps <= MAX_LOCATIONS, where, f"{steps} flow locations")
        self.need(len(orders) == len(set(orders)) and all(isinstance(o, int) and o >= 1 for o in orders),
                  where, "executionOrder is no order")

    def graphs(self, result, where):
        for graph in result.get("graphs", []):
            nodes = {node["id"] for node in graph["nodes"]}
            edges = [edge["id"] for edge in graph["edges"]]
            self.need(len(nodes) == len(graph["nodes"]) and len(edges) == len(set(edges)), where, "graph ids repeat")
            for edge in graph["edges"]:
                self.need(edge["sourceNodeId"] in nodes and edge["targetNodeId"] in nodes, where, "edge to nowhere")

    def result(self, result, rules, where):
        index = result.get("ruleIndex", -1)
        self.need(0 <= index < len(rules) and rules[index]["id"] == result.get("ruleId"), where, "ruleIndex")
        self.need(result.get("message", {}).get("text"), where, "message")
        self.need(result.get("level") in LEVELS, where, "level")
        self.need(len(result.get("locations", [])) == 1, where, "exactly one location is shown")
        for location in result.get("locations", []):
            self.location(location, where, needs_file=True)
        prints = result.get("partialFingerprints", {})
        self.need(re.fullmatch("[0-9a-f]{32}", prints.get("primaryLocationLineHash", "")), where, "fingerprint")
        self.need(result.get("baselineState", "new") in STATES, where, "baselineState")
        related = result.get("relatedLocations", [])
        self.need(len(related) <= MAX_LOCATIONS, where, "too many related locations")
        self.need([r.get("id") for r in related] == list(range(1, len(related) + 1)), where, "related ids")
        self.flows(result, where)
        self.graphs(result, where)

    def log(self, log):
        self.need(log.get("version") == "2.1.0" and "$schema" in log, "log", "version or $schema")
        self.need(len(log.get("runs", [])) == 1, "log", "one run")
        run = log["runs"][0]
        driver = run["tool"]["driver"]
        self.need(driver.get("name") == "thrum" and driver.get("version"), "driver", "name or version")
        for rule in driver.get("rules", []):
            self.rule(rule, f"rule {rule.get('id')}")
        self.need(isinstance(run["invocations"][0].get("executionSuccessful"), bool), "invocation", "success")
        self.need(re.fullmatch(r".+/.*", run.get("automationDetails", {}).get("id", "")), "run", "category")
        for i, result in enumerate(run.get("results", [])):
            self.result(result, driver["rules"], f"result {i}")


def check_schema(schema, log, path):
    import jsonschema
    validator = jsonschema.validators.validator_for(schema)(schema)
    return [f"{path}: {'/'.join(map(str, e.path))}: {e.message[:200]}" for e in validator.iter_errors(log)]


def main(arguments):
    schema = None
    if arguments and arguments[0] == "--schema":
        with open(arguments[1], encoding="utf-8") as f:
            schema = json.load(f)
        arguments = arguments[2:]
    errors = [] if arguments else ["check_sarif.py: no files"]
    for path in arguments:
        with open(path, encoding="utf-8") as f:
            log = json.load(f)
        checker = Checker(path)
        checker.log(log)
        errors += checker.errors
        if schema:
            errors += check_schema(schema, log, path)
    print("\n".join(errors) if errors else f"{len(arguments)} reports are sound")
    return 1 if errors else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
