#!/usr/bin/python3
"""check_metrics.py SERVER DASHBOARD RULES...: what the dashboard and the rules name is exposed, with these labels; where promtool is
installed, each query and rule is one that Prometheus understands, and the rules do what their tests say."""
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile

OTHERS = {"up"}
bad = []


def table(server):
    page = subprocess.run([server, "--help-metrics"], capture_output=True, text=True, check=True).stdout
    names = {}
    for line in page.splitlines():
        m = re.match(r"\| `(\w+)` \| (\w+) \| ([^|]*) \|", line)
        if not m:
            continue
        labels = set(filter(None, re.split(r",\s*", m[3].strip()))) | {"job", "instance"}
        if m[2] == "histogram":
            names[m[1] + "_bucket"] = labels | {"le"}
            names[m[1] + "_sum"] = names[m[1] + "_count"] = labels
        else:
            names[m[1]] = labels
    return names


def check_query(names, where, query):
    for name, braces in re.findall(r"\b((?:althing|edumeet|mediasoup)_\w+)(?:\{([^}]*)\})?", query):
        if name not in names:
            bad.append(f"{where}: {name} is not exposed")
            continue
        for label in re.findall(r"(\w+)\s*[=!]~?\s*\"", braces):
            if label not in names[name]:
                bad.append(f"{where}: {name} has no label {label}")
    used = [names[n] for n in re.findall(r"\b((?:althing|edumeet|mediasoup)_\w+)", query) if n in names]
    for by in re.findall(r"\bby \(([^)]*)\)", query):
        for label in re.split(r",\s*", by):
            if used and not any(label in labels for labels in used):
                bad.append(f"{where}: nothing has the label {label}")


def queries_of(dashboard):
    for panel in dashboard["panels"]:
        for target in panel.get("targets", []):
            yield panel["title"], target["expr"]
    for variable in dashboard["templating"]["list"]:
        if variable["type"] == "query":
            yield variable["name"], variable["definition"]


def promtool(*arguments):
    done = subprocess.run(["promtool", *arguments], capture_output=True, text=True)
    if done.returncode:
        bad.append(f"promtool {' '.join(arguments)}: {done.stdout}{done.stderr}")


def check_syntax(queries):
    rules = [{"record": f"q:{i}", "expr": q.replace("$__rate_interval", "5m")}
             for i, (_, q) in enumerate(queries) if not q.startswith("label_values")]
    with tempfile.NamedTemporaryFile("w", suffix=".json") as f:
        json.dump({"groups": [{"name": "dashboard", "rules": rules}]}, f)
        f.flush()
        promtool("check", "rules", f.name)


def main():
    server, dashboard, *rules = sys.argv[1:]
    names = table(server)
    with open(dashboard) as f:
        queries = list(queries_of(json.load(f)))
    if not queries or not names:
        bad.append("there is nothing to check")
    for where, query in queries:
        check_query(names, f"dashboard, {where}", query)
    for path in rules:
        with open(path) as f:
            check_query(names, os.path.basename(path), f.read())
    if shutil.which("promtool"):
        check_syntax(queries)
        for path in rules:
            promtool("test" if path.endswith(".test.yml") else "check", "rules", path)
        folder = os.path.dirname(rules[0])
        promtool("check", "config", "--syntax-only", os.path.join(folder, "prometheus.yml"))
    print("\n".join(bad))
    return 1 if bad else 0


sys.exit(main())
