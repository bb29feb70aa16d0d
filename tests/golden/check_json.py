#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Checks JSON reports against docs/schema/thrum-findings-1.schema.json, and what a schema cannot say.

Usage: check_json.py SCHEMA FILE...

The standard library has no JSON schema: check() knows the keywords that this schema uses and fails on any other, so a
keyword cannot be forgotten. Where Debian's python3-jsonschema is installed, it has to agree.
"""
import json
import re
import sys

ANNOTATIONS = {"$schema", "$id", "title", "description", "definitions"}
TYPES = {
    "object": dict, "array": list, "string": str, "boolean": bool,
    "integer": int,
}


def is_type(value, name):
    return isinstance(value, TYPES[name]) and not (name == "integer" and isinstance(value, bool))


def check(schema, root, value, where, errors):
    """Appends a line to `errors` for each place where `value` breaks `schema`."""
    if "$ref" in schema:
        target = root
        for part in schema["$ref"].removeprefix("#/").split("/"):
            target = target[part]
        check(target, root, value, where, errors)
    for key, want in schema.items():
        if key in ANNOTATIONS or key in ("$ref", "properties"):
            continue
        elif key == "type":
            if not is_type(value, want):
                errors.append(f"{where}: not of type {want}")
                return
        elif key == "const":
            if value != want or type(value) is not type(want):
                errors.append(f"{where}: not {want!r}")
        elif key == "enum":
            if value not in want:
                errors.append(f"{where}: {value!r} is none of {want}")
        elif key == "minimum":
            if value < want:
                errors.append(f"{where}: below {want}")
        elif key == "pattern":
            if not re.search(want, value):
                errors.append(f"{where}: {value!r} does not match {want}")
        elif key == "required":
            errors.extend(f"{where}: no {name}" for name in want if name not in value)
        elif key == "items":
            for i, item in enumerate(value):
                check(want, root, item, f"{where}[{i}]", errors)
        elif key == "additionalProperties":
            known = schema.get("properties", {})
            errors.extend(f"{where}: unknown key {name}" for name in value if name not in known)
        else:
            raise SystemExit(f"check_json.py does not know the keyword {key}")
    for name, sub in schema.get("properties", {}).items():
        if isinstance(value, dict) and name in value:
            check(sub, root, value[name], f"{where}.{name}", errors)


def keys_in_order(value, order, where, errors):
    """Keys come in the order of the schema's `properties`."""
    known = [key for key in order if key in value]
    if list(value) != known:
        errors.append(f"{where}: keys in the order {list(value)}, not {known}")


def check_sense(report, schema, errors):
    findings = report["findings"]
    keys_in_order(report, schema["properties"], "report", errors)
    for level in ("error", "warning", "note"):
        if report["summary"][level + "s"] != sum(f["level"] == level for f in findings):
            errors.append(f"summary.{level}s is not the number of findings of that level")
    if report["summary"]["gated"] != sum(f["gated"] for f in findings):
        errors.append("summary.gated is not the number of gated findings")
    if (report["verdict"] == "findings") != bool(findings):
        errors.append(f"verdict {report['verdict']} with {len(findings)} findings")
    ranks = [(not f["gated"], ["error", "warning", "note"].index(f["level"])) for f in findings]
    if ranks != sorted(ranks):
        errors.append("findings are not sorted")
    pairs = [(f["rule"], f["fingerprint"]) for f in findings]
    if len(set(pairs)) != len(pairs):
        errors.append("a fingerprint comes twice")
    for i, f in enumerate(findings):
        keys_in_order(f, schema["definitions"]["finding"]["properties"], f"findings[{i}]", errors)
        for stack in f["stacks"]:
            keys_in_order(stack, schema["definitions"]["finding_stack"]["properties"], f"findings[{i}].stacks", errors)


def main(schema_path, *paths):
    schema = json.load(open(schema_path, encoding="utf-8"))
    broken = 0
    for path in paths:
        with open(path, "rb") as file:
            report = json.loads(file.read().decode("utf-8"))  # strict: not UTF-8 is an error
        errors = []
        check(schema, schema, report, "report", errors)
        try:
            import jsonschema
            if bool(list(jsonschema.Draft7Validator(schema).iter_errors(report))) != bool(errors):
                errors.append("python3-jsonschema disagrees")
        except ImportError:
            pass
        if not errors:
            check_sense(report, schema, errors)
        for error in errors:
            print(f"{path}: {error}")
        broken += bool(errors)
    print(f"{len(paths)} reports, {broken} broken")
    return 1 if broken or not paths else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
