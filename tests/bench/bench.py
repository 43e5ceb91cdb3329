#!/usr/bin/python3
"""Times what users wait for, on real API servers and a real bucket, by watches: a change is known within milliseconds. Velero runs beside mtc, on the
same clusters. The figures of the Migration Toolkit for Containers 1.8.8, which needs an operator and images of its own, were recorded on the same kind
of machine (two cores)."""
import pathlib
import signal
import statistics
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "system"))
sys.dont_write_bytecode = True
import yaml  # noqa: E402

import manifests  # noqa: E402
import results  # noqa: E402
import world as worlds  # noqa: E402
from case import Case, unique  # noqa: E402
from cluster import NS, b64, conditions, phase, wait_for  # noqa: E402
from velero import VERSION, Velero  # noqa: E402

RESULTS = []
ROUNDS = 5
IDLE_SECONDS = 60


RECORDED = "MTC 1.8.8 (recorded)"


def result(name, unit, value, goal, peer=None, peer_value=None):
    RESULTS.append({"name": name, "unit": unit, "value": round(value, 3), "peer": peer, "peer_value": peer_value and round(peer_value, 3),
                    "ratio": round(value / peer_value, 3) if peer_value else None, "goal": goal, "met": value <= goal})


def has(name, wanted):
    return lambda thing: thing["metadata"]["name"] == name and wanted(thing)


def objects(ns, count):
    """So many, a quarter each of ConfigMaps, Secrets, Services and Deployments that run nothing: what a cluster does of its own is not measured."""
    pod = {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [{"name": "web", "image": "lab.mtc/pause:1"}]}}
    makers = [
        lambda: {"apiVersion": "v1", "kind": "ConfigMap", "data": {"key": "value" * 100}},
        lambda: {"apiVersion": "v1", "kind": "Secret", "data": {"key": b64("value" * 20)}},
        lambda: {"apiVersion": "v1", "kind": "Service", "spec": {"selector": {"app": "web"}, "ports": [{"port": 80}]}},
        lambda: {"apiVersion": "apps/v1", "kind": "Deployment", "spec": {"replicas": 0, "selector": {"matchLabels": {"app": "web"}}, "template": pod}},
    ]
    return [{**makers[i % 4](), "metadata": {"name": f"thing-{i}", "namespace": ns}} for i in range(count)]


class Bench(Case):
    """Not tests: it borrows their application, plans and migrations, and their cleaning up."""

    def runTest(self):
        raise NotImplementedError

    def watching(self, cluster, kind, ns=NS):
        watch = cluster.watch(kind, ns)
        self.addCleanup(watch.stop)
        return watch

    def migrations(self):
        ready, whole, down = [], [], []
        for _ in range(ROUNDS):
            ns = self.application(self.west, copies=21)
            plan, name = unique("plan"), unique("m")
            plans, migrations = self.watching(self.west, "migplans"), self.watching(self.west, "migmigrations")
            began = time.time()
            self.plan("host", "east", ns, name=plan, ready=False)
            ready.append(plans.until("the plan", has(plan, lambda p: "Ready" in conditions(p)))[0] - began)
            source = self.watching(self.west, "deployments", ns)
            destination = self.watching(self.east, "deployments", ns)
            manifest = yaml.safe_load(manifests.migration(name, plan))
            began = time.time()
            self.west.create(manifest)
            ended, done = migrations.until("the end", has(name, lambda m: phase(m) == "Completed"))
            self.succeeded(done)
            stopped, _ = source.until("stop", has("web", lambda d: d["spec"]["replicas"] == 0))
            available, _ = destination.until("start", has("web", lambda d: d.get("status", {}).get("availableReplicas", 0) > 0))
            whole.append(ended - began)
            down.append(available - stopped)
            self.doCleanups()
        result("migration-plan-ready", "s", statistics.median(ready), 1.0, RECORDED, 6.8)
        result("migration-50-objects", "s", statistics.median(whole), 3.0, RECORDED, 42.9)
        result("migration-downtime", "s", statistics.median(down), 3.0, RECORDED, 29.0)

    def first_conditions(self):
        for what, kind, texts in [("cluster", "migclusters", lambda name: self.world.remote(name, self.east)), ("storage", "migstorages", self.world.storage)]:
            took = []
            for _ in range(ROUNDS):
                name = unique("late")
                secret, thing = texts(name)
                self.create(secret)
                watch = self.watching(self.west, kind)
                began = time.time()
                self.create(thing)
                took.append(watch.until("conditions", has(name, conditions))[0] - began)
                self.doCleanups()
            result(f"controller-first-{what}-condition", "s", statistics.median(took), 0.5, RECORDED, 0.4)

    def idle(self):
        controller = self.world.controller
        controller.kill()
        controller.start("controller (leads)")
        time.sleep(10)  # it looks at everything once
        before, cpu = self.versions(), controller.cpu_seconds()
        time.sleep(IDLE_SECONDS)
        result("controller-idle-cpu", "% of a core", (controller.cpu_seconds() - cpu) / IDLE_SECONDS * 100, 0.2, RECORDED, 0.17)
        result("controller-idle-memory", "MiB", controller.memory_mib(), 30, "MTC 1.8.8 + 2 Velero (recorded)", 240)
        after = self.versions()
        changed = [key for key in {**before, **after} if before.get(key) != after.get(key)]
        result("controller-idle-writes", f"in {IDLE_SECONDS} s", len(changed), 0, RECORDED, None)
        if changed:
            print("changed while idle:", ", ".join(sorted(changed)))

    def versions(self):
        """The resourceVersion of every object that the controller could write while nothing happens; Events count."""
        found = {}
        for cluster in (self.west, self.east):
            for kind in ("migclusters", "migstorages", "migplans", "migmigrations", "backups", "restores", "secrets", "configmaps", "events"):
                for thing in cluster.items(kind, NS):
                    found[f"{cluster.name} {kind} {thing['metadata']['name']}"] = thing["metadata"]["resourceVersion"]
            for kind in ("customresourcedefinitions", "namespaces"):
                for thing in cluster.items(kind, None):
                    found[f"{cluster.name} {kind} {thing['metadata']['name']}"] = thing["metadata"]["resourceVersion"]
        return found

    def beside_velero(self):
        velero = Velero(self.world)
        for count, goal in ((50, 3.0), (1000, 12.0)):
            ours, theirs = self.filled(count), self.filled(count)
            plan, name = self.plan("host", "east", ours), unique("m")
            watch = self.watching(self.west, "migmigrations")
            manifest = yaml.safe_load(manifests.migration(name, plan, quiesce=False))
            began = time.time()
            self.west.create(manifest)
            ended, done = watch.until("the end", has(name, lambda m: phase(m) == "Completed"))
            self.succeeded(done)
            backup, hand_over, restore = velero.moves(theirs, unique("peer"))
            self.assertEqual(self.names(self.east, theirs), self.names(self.east, ours))
            peer = f"Velero {VERSION} (run now)"
            result(f"velero-{count}-objects", "s", ended - began, goal, peer, backup + hand_over + restore)
            result(f"velero-{count}-without-hand-over", "s", ended - began, goal, peer, backup + restore)
            print(f"Velero with {count} objects: backup {backup:.2f} s, hand-over {hand_over:.2f} s, restore {restore:.2f} s")
            self.doCleanups()

    def filled(self, count):
        ns = self.namespace(self.west)
        self.west.create(*objects(ns, count))
        observed = lambda: all(d.get("status", {}).get("observedGeneration") for d in self.west.items("deployments", ns))  # noqa: E731
        wait_for(f"the Deployments of {ns}", observed, 120)
        return ns

    @staticmethod
    def names(cluster, ns):
        return {(kind, thing["metadata"]["name"]) for kind in ("configmaps", "secrets", "services", "deployments") for thing in cluster.items(kind, ns)}

    def many_objects(self, count=10_000):
        ns = self.namespace(self.west)
        for start in range(0, count, 1000):
            objects = [{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": f"c{i}", "namespace": ns}, "data": {"k": "v" * 400}} for i in range(start, start + 1000)]
            self.west.create(*objects)
        plan = self.plan("host", "east", ns)
        began, most = time.time(), 0.0
        name = self.begin(plan)
        while phase(self.west.get("migmigrations", name)) != "Completed":
            most = max(most, self.world.controller.memory_mib())
            time.sleep(0.05)
        self.succeeded(self.west.get("migmigrations", name))
        result("objects-10000-memory", "MiB", most, 64, "MTC 1.8.8 + 2 Velero (recorded)", 500)
        result("objects-10000-time", "s", time.time() - began, 120, "Velero 1.14.1 (recorded: 1000 in 123 s)", 1230)

    def demo(self):
        began = time.time()
        subprocess.run([worlds.MTC, "demo"], check=True, stdout=subprocess.DEVNULL, timeout=120)
        result("demo-time", "s", time.time() - began, 30)


def interrupted(number, _):
    sys.exit(128 + number)


def main():
    only = sys.argv[1] if len(sys.argv) > 1 else ""
    signal.signal(signal.SIGTERM, interrupted)
    bench = Bench()
    areas = [("migration-", bench.migrations), ("controller-first-", bench.first_conditions), ("controller-idle-", bench.idle), ("objects-", bench.many_objects),
             ("demo-", bench.demo), ("velero-", bench.beside_velero)]
    chosen = [measure for prefix, measure in areas if not only or prefix.startswith(only) or only.startswith(prefix)]
    if not chosen:
        print(f"no measurement is called {only}: one of {', '.join(prefix + '…' for prefix, _ in areas)}", file=sys.stderr)
        return 2
    try:
        worlds.start(True)
        for measure in chosen:
            measure()
            bench.doCleanups()
    finally:
        if worlds.THE_WORLD:
            bench.doCleanups()
            worlds.THE_WORLD.stop()
    results.store(RESULTS)
    results.show(RESULTS)
    return 0


if __name__ == "__main__":
    sys.exit(main())
