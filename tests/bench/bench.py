#!/usr/bin/env python3
"""Times what users wait for, on real API servers and a real bucket. Peer figures are those of the Migration Toolkit for Containers 1.8.8 with Velero
1.14.1, recorded on the same kind of machine (two cores); they are not run here, because they need their own operators and images."""
import datetime
import json
import os
import pathlib
import statistics
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "system"))
import manifests  # noqa: E402
from lab_suite import IMAGE, Lab, conditions, unique, wait_for  # noqa: E402
from world import NS, ROOT  # noqa: E402

RESULTS = []


def result(name, unit, value, goal, peer=None, peer_value=None):
    RESULTS.append({"name": name, "unit": unit, "value": round(value, 3), "peer": peer, "peer_value": peer_value,
                    "ratio": round(value / peer_value, 3) if peer_value else None, "goal": goal, "met": value <= goal})


def stamp(text):
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()


def fast(test, seconds=60):
    deadline = time.time() + seconds
    while time.time() < deadline:
        value = test()
        if value:
            return time.time(), value
        time.sleep(0.01)
    raise AssertionError("not in time")


def cpu_seconds(pid):
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def migration_times(lab, rounds=3):
    ready, whole, down = [], [], []
    for _ in range(rounds):
        ns = lab.application(lab.west)
        plan, name = unique("plan"), unique("m")
        began = time.time()
        lab.plan("host", "east", ns, name=plan, ready=False)
        ready.append(fast(lambda: "Ready" in conditions(lab.west.get("migplan", plan)))[0] - began)
        began = time.time()
        lab.west.apply(manifests.migration(name, plan))
        stopped, _ = fast(lambda: lab.west.get("deployment", "web", ns)["spec"]["replicas"] == 0)
        available, _ = fast(lambda: (lab.east.get("deployment", "web", ns) or {}).get("status", {}).get("availableReplicas", 0) > 0)
        ended, done = fast(lambda: (lambda m: m if m.get("status", {}).get("phase") == "Completed" else None)(lab.west.get("migmigration", name)))
        assert "Succeeded" in conditions(done), done["status"]
        whole.append(ended - began)
        down.append(available - stopped)
    result("migration-plan-ready", "s", statistics.median(ready), 1.0, "MTC 1.8.8", 6.8)
    result("migration-50-objects", "s", statistics.median(whole), 3.0, "MTC 1.8.8", 42.9)
    result("migration-downtime", "s", statistics.median(down), 3.0, "MTC 1.8.8", 29.0)


def first_conditions(lab):
    name = unique("late")
    began = time.time()
    lab.register(name, lab.east)
    result("controller-first-cluster-condition", "s", fast(lambda: conditions(lab.west.get("migcluster", name)))[0] - began, 1.0, "MTC 1.8.8", 0.4)


def idle(lab):
    time.sleep(5)
    pid, before = lab.controller.process.pid, cpu_seconds(lab.controller.process.pid)
    time.sleep(30)
    result("controller-idle-cpu", "% of a core", (cpu_seconds(pid) - before) / 30 * 100, 0.2, "MTC 1.8.8", 0.17)
    result("controller-idle-memory", "MiB", lab.controller.memory_mib(), 30, "MTC 1.8.8 + 2 Velero", 240)


def many_objects(lab, count=10_000):
    ns = unique("many")
    lab.cleanup += [(lab.west, ns), (lab.east, ns)]
    lab.west.run("create", "namespace", ns)
    for start in range(0, count, 1000):
        objects = [{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": f"c{i}", "namespace": ns}, "data": {"k": "v" * 400}} for i in range(start, start + 1000)]
        lab.west.run("create", "-f", "-", stdin=json.dumps({"apiVersion": "v1", "kind": "List", "items": objects}))
    plan, name = lab.plan("host", "east", ns), unique("m")
    began, most = time.time(), 0.0
    lab.west.apply(manifests.migration(name, plan))
    while (lab.west.get("migmigration", name).get("status", {}).get("phase")) != "Completed":
        most = max(most, lab.controller.memory_mib())
        time.sleep(0.1)
    assert "Succeeded" in conditions(lab.west.get("migmigration", name))
    result("objects-10000-memory", "MiB", most, 64, "MTC 1.8.8 + 2 Velero", 500)
    result("objects-10000-time", "s", time.time() - began, 120, "Velero 1.14.1 (1000 in 123 s)", 1230)


def main():
    only = sys.argv[1] if len(sys.argv) > 1 else ""
    Lab.setUpClass()
    lab = Lab()
    lab.setUp()
    try:
        for prefix, measure in [("migration-", migration_times), ("controller-first", first_conditions), ("controller-idle", idle), ("objects-", many_objects)]:
            if not only or prefix.startswith(only) or only.startswith(prefix):
                measure(lab)
    finally:
        lab.tearDown()
        Lab.tearDownClass()
    (ROOT / "build").mkdir(exist_ok=True)
    (ROOT / "build/bench.json").write_text(json.dumps(RESULTS, indent=1) + "\n")
    print(f"{'NAME':<38}{'VALUE':>10} {'UNIT':<12}{'GOAL':>8}  {'MET':<5}PEER (recorded)")
    for r in RESULTS:
        peer = f"{r['peer']}: {r['peer_value']}, ratio {r['ratio']}" if r["peer"] else ""
        print(f"{r['name']:<38}{r['value']:>10} {r['unit']:<12}{r['goal']:>8}  {'yes' if r['met'] else 'NO':<5}{peer}")


if __name__ == "__main__":
    main()
