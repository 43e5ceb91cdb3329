"""What the tests of volumes share: a file tree that has everything, claims with an application on them, and the proof that a tree has arrived."""
import os
import pathlib
import stat
import subprocess
import sys

import yaml

from case import NS, Case, unique
from cluster import conditions, phase, wait_for
from world import MTC, ROOT

IMAGE = "ghcr.io/example/mtc:1"  # an embedded cluster runs what is called mtc as this very program


def listing(root):
    """Every path below `root` with what can be seen of it; names of hard links by their first."""
    found, inodes = {}, {}
    root = pathlib.Path(root)
    for path in sorted(root.rglob("*")):
        info = path.lstat()
        kind = stat.S_IFMT(info.st_mode)
        name = str(path.relative_to(root))
        content = os.readlink(path) if stat.S_ISLNK(kind) else path.read_bytes() if stat.S_ISREG(kind) else None
        same = inodes.setdefault(info.st_ino, name)
        time = None if stat.S_ISLNK(kind) else info.st_mtime_ns
        found[name] = (oct(info.st_mode), info.st_uid, info.st_gid, time, content, same)
    return found


def fill(root, files=40):
    """A tree of what file systems have: modes, times, links, empty and sparse files, odd names."""
    root = pathlib.Path(root)
    (root / "deep/er").mkdir(parents=True)
    for i in range(files):
        path = root / f"deep/file-{i}"
        path.write_bytes(os.urandom(i * 997))
        path.chmod(0o600 + i % 8)
        os.utime(path, ns=(10**18 + i, 10**18 + i * 1001))
    (root / "empty").touch()
    (root / "name with \n and ü").write_text("odd")
    os.symlink("../empty", root / "deep/link")
    os.symlink("/nowhere", root / "broken")
    os.link(root / "deep/file-1", root / "deep/er/hard")
    with open(root / "sparse", "wb") as file:
        file.seek(3 << 20)
        file.write(b"end")
    os.mkfifo(root / "fifo")
    (root / "deep/er").chmod(0o2750)


def big(path, mebibytes):
    """A file that takes a moment."""
    block = os.urandom(1 << 20)
    with open(path, "wb") as file:
        for _ in range(mebibytes):
            file.write(block)


class Scribbling:
    """A file that is written to while the block runs: by a process of its own, which goes on when this one has much to do."""
    CODE = """
import os, sys, time
with open(sys.argv[1], "r+b", buffering=0) as file:
    while True:
        os.pwrite(file.fileno(), os.urandom(16), 0)
        time.sleep(0.0005)
"""

    def __init__(self, path):
        self.path = path

    def __enter__(self):
        self.process = subprocess.Popen([sys.executable, "-c", self.CODE, self.path])

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()


def serve_snapshots(world):
    """On the source: a driver with snapshots and two classes of it, `files` and `files-at-once`, as the lab has them, by definitions of the lab's."""
    if world.is_lab:
        return
    for file in ("storage.yaml", "snapshot-class.yaml"):
        text = (ROOT / "tests/lab" / file).read_text().replace("files.lab.mtc", "directories.sandbox.mtc")
        for thing in yaml.safe_load_all(text):
            if thing["kind"] == "StorageClass":
                thing["metadata"].pop("annotations", None)  # the embedded cluster has a default class
            if thing["kind"] != "CSIDriver":
                world.west.ensure(thing)


def by_snapshot(case, plan, ready=True, **selection):
    """All of a plan's volumes by the copy method snapshot. Its other volumes would travel directly: one knows that it is not their way."""
    entries = case.west.get("migplans", plan)["spec"]["persistentVolumes"]
    for each in entries:
        each["selection"].update({"copyMethod": "snapshot", **selection})
    case.west.patch("migplans", plan, {"spec": {"persistentVolumes": entries}})
    wait_for(f"plan {plan} to see it", lambda: "PvWarnCopyMethodSnapshot" in conditions(case.west.get("migplans", plan)))
    if ready:
        wait_for(f"plan {plan}", lambda: "Ready" in conditions(case.west.get("migplans", plan)))
    return plan


class VolumeCase(Case):
    storage_class = None  # of the claims; the cluster's default

    def setUp(self):
        super().setUp()
        for cluster in (self.west, self.east):
            if cluster.get("configmaps", "migration-cluster-config") is None:
                cluster.ensure({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "migration-cluster-config", "namespace": NS},
                                "data": {"RSYNC_TRANSFER_IMAGE": IMAGE}})

    def with_claims(self, *claims, cluster=None, security=None):
        """A namespace with a Deployment that mounts these claims, once they are bound. `security` is its container's context."""
        cluster = cluster or self.west
        ns = self.namespace(cluster)
        for name in claims:
            chosen = {"storageClassName": self.storage_class} if self.storage_class and cluster is self.west else {}
            cluster.create({"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": name, "namespace": ns},
                            "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "64Mi"}}, **chosen}})
        self.mounting(cluster, ns, *claims, security=security)
        return ns

    def mounting(self, cluster, ns, *claims, security=None):
        """The Deployment, once it is available."""
        container = {"name": "web", "image": self.world.image, "imagePullPolicy": "IfNotPresent",
                     "volumeMounts": [{"name": name, "mountPath": f"/{name}"} for name in claims], "securityContext": security or {}}
        pod = {"metadata": {"labels": {"app": "web"}}, "spec": {"terminationGracePeriodSeconds": 1, "containers": [container],
               "volumes": [{"name": name, "persistentVolumeClaim": {"claimName": name}} for name in claims]}}
        cluster.create({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web", "namespace": ns},
                        "spec": {"replicas": 1, "strategy": {"type": "Recreate"}, "selector": {"matchLabels": {"app": "web"}}, "template": pod}})
        self.available(cluster, ns)

    def source(self, ns, claim="data"):
        return pathlib.Path(self.west.volume_path(ns, claim))

    def target(self, ns, claim="data"):
        return pathlib.Path(self.east.volume_path(ns, claim))

    def confirm(self, plan, capacity):
        """As a user does who wants more room on the destination, for all volumes of a plan."""
        entries = self.west.get("migplans", plan)["spec"]["persistentVolumes"]
        for each in entries:
            each.update({"proposedCapacity": capacity, "capacityConfirmed": True})
        self.west.patch("migplans", plan, {"spec": {"persistentVolumes": entries}})
        self.seen(plan)

    def let_grow(self, plan):
        """Its volumes get a class of the destination whose claims can grow."""
        if self.world.is_lab:
            self.skipTest("the lab's driver enlarges no volumes")
        growing = unique("growing")
        self.east.create({"apiVersion": "storage.k8s.io/v1", "kind": "StorageClass", "metadata": {"name": growing}, "provisioner": "sandbox.mtc/directory",
                          "allowVolumeExpansion": True})
        self.addCleanup(self.east.delete, "storageclasses", growing)
        entries = self.west.get("migplans", plan)["spec"]["persistentVolumes"]
        for each in entries:
            each["selection"]["storageClass"] = growing
        self.west.patch("migplans", plan, {"spec": {"persistentVolumes": entries}})
        self.seen(plan)

    def seen(self, plan):
        """Once the plan has looked at what is there now."""
        self.west.patch("migplans", plan, {"spec": {"refresh": True}})
        wait_for(f"refresh of {plan}", lambda: not self.west.get("migplans", plan)["spec"].get("refresh"))

    def asked_for(self, ns, claim="data"):
        """What a claim of the destination asks for."""
        return self.east.get("persistentvolumeclaims", claim, ns)["spec"]["resources"]["requests"]["storage"]

    def moved(self, ns, target_ns=None, claims=("data",)):
        for claim in claims:
            self.assertEqual(listing(self.target(target_ns or ns, claim)), listing(self.source(ns, claim)))

    def mtc(self, *arguments):
        return subprocess.run([MTC, "--kubeconfig", str(self.west.kubeconfig), *arguments], capture_output=True, text=True, timeout=60, check=False)

    def failed(self, migration, *words):
        self.assertIn("Failed", conditions(migration), migration["status"])
        errors = "\n".join(migration["status"]["errors"])
        for word in words:
            self.assertIn(word, errors)
        return migration


class Directly:
    """What is seen of a copy from cluster to cluster."""

    def volume_plan(self, *namespaces, **changes):
        return self.plan("host", "east", *namespaces, indirectVolumeMigration=False, **changes)

    def no_helpers(self, *namespaces):
        for cluster in (self.west, self.east):
            for ns in namespaces:
                for kind in ("pods", "secrets", "services"):
                    self.assertEqual([o["metadata"]["name"] for o in cluster.items(kind, ns, "owner=directvolumemigration")], [], f"{kind} of {ns} in {cluster.name}")

    def not_written_into(self, ns):
        self.assertEqual(self.west.items("pods", ns, "owner=directvolumemigration"), [])

    def copies_of(self, name):
        """The DirectVolumeMigration of a migration."""
        uid = self.west.get("migmigrations", name)["metadata"]["uid"]
        found = self.west.items("directvolumemigrations", NS, f"migration-direct-volume={uid}")
        return found[0] if found else None

    def sender(self, name, ns):
        """The pod that sends, once it is there."""
        def there():
            copies = self.copies_of(name)
            if copies is None:
                return None
            found = self.west.items("pods", ns, f"directvolumemigration={copies['metadata']['uid']}")
            return found[0] if found else None

        return wait_for("a sending pod", there)


class EitherWay:
    """What holds of volumes whichever way they travel. Whoever has these tests says how a plan is made, and what else must be true."""

    def undone(self, name):
        """After the rollback of a migration."""

    def differed(self, migration):
        """After a cutover that found a difference."""

    def test_into_another_namespace_under_another_name(self):
        ns = self.with_claims("data")
        self.addCleanup(self.east.delete, "namespaces", ns + "-b")
        fill(self.source(ns), files=3)
        plan = self.volume_plan(f"{ns}:{ns}-b")
        volumes = self.west.get("migplans", plan)["spec"]["persistentVolumes"]
        volumes[0]["pvc"]["name"] = "data:files"
        self.west.patch("migplans", plan, {"spec": {"persistentVolumes": volumes}})
        wait_for("the plan to look again", lambda: "Ready" in conditions(self.west.get("migplans", plan)))
        self.succeeded(self.migrate(plan))
        self.assertEqual(listing(self.target(ns + "-b", "files")), listing(self.source(ns)))
        self.assertIsNone(self.east.get("persistentvolumeclaims", "data", ns + "-b"))
        self.available(self.east, ns + "-b")

    def forecast(self, plan, stages):
        """What the plan says once it has seen so many stages."""
        def found():
            said = self.west.get("migplans", plan)["status"].get("forecast", {})
            return said if said.get("stages") == stages else None
        return wait_for(f"a forecast from {stages} stages", found)

    def test_the_plan_forecasts_the_downtime_of_its_cutover(self):
        ns = self.with_claims("data")
        fill(self.source(ns))
        big(self.source(ns) / "big", 24)
        plan = self.volume_plan(ns)
        self.assertNotIn("forecast", self.west.get("migplans", plan)["status"])
        self.succeeded(self.migrate(plan, stage=True, quiesce=False))
        first = self.forecast(plan, 1)
        self.assertIn("From one stage", first["message"])
        self.assertGreater(first["lastCopy"]["movedBytes"], 24 << 20)
        self.assertLessEqual(first["lastCopy"]["movedBytes"], first["lastCopy"]["bytes"])
        self.assertNotIn("changedBytesPerHour", first)
        (self.source(ns) / "changed").write_bytes(os.urandom(100_000))
        self.succeeded(self.migrate(plan, stage=True, quiesce=False))
        second = self.forecast(plan, 2)
        self.assertEqual(second["lastCopy"]["movedBytes"], 100_000)
        self.assertGreater(second["lastCopy"]["bytes"], 24 << 20)
        self.assertGreater(second["changedBytesPerHour"], 100_000, "it took less than an hour")
        self.assertIn("Not in it", second["message"])
        shown = self.mtc("plan", "describe", plan).stdout
        self.assertIn(second["message"], shown)
        self.assertIn("a cutover now: down for about ", shown)
        name = self.begin(plan)
        measured = self.succeeded(self.ended(name))["status"]["measured"]
        self.assertTrue(measured["verified"])
        self.assertLess(measured["movedBytes"], 100_000)
        self.assertGreaterEqual(measured["forecastSeconds"], second["downtimeSeconds"])
        last = wait_for("the plan to look again", lambda: self.west.get("migplans", plan)["status"]["forecast"].get("lastCutover"))
        self.assertEqual(last, {"migration": name, "downtimeSeconds": measured["downtimeSeconds"], "forecastSeconds": measured["forecastSeconds"]})
        report = self.mtc("migration", "report", name).stdout
        self.assertRegex(report, r"downtime +\d+m?\d*s, forecast \d+m?\d*s")

    def test_a_claim_of_the_destination_asks_for_what_was_confirmed(self):
        ns = self.with_claims("data")
        fill(self.source(ns), files=3)
        plan = self.volume_plan(ns)
        self.confirm(plan, "96Mi")
        entry = self.west.get("migplans", plan)["spec"]["persistentVolumes"][0]
        self.assertEqual((entry["capacity"], entry["proposedCapacity"], entry["capacityConfirmed"]), ("64Mi", "96Mi", True))
        self.succeeded(self.migrate(plan))
        self.moved(ns)
        self.assertEqual(self.asked_for(ns), "96Mi")

    def test_a_claim_of_a_stage_that_cannot_grow(self):
        ns = self.with_claims("data")
        plan = self.volume_plan(ns)
        self.succeeded(self.migrate(plan, stage=True, quiesce=False))
        self.confirm(plan, "96Mi")
        self.says("migplans", plan, "PvTargetTooSmall", "CannotGrow", "Error", f"{ns}/data: 64Mi of 96Mi")
        self.east.delete("persistentvolumeclaims", "data", ns)
        wait_for("the plan to see it", lambda: "Ready" in conditions(self.west.get("migplans", plan)))
        self.succeeded(self.migrate(plan))
        self.assertEqual(self.asked_for(ns), "96Mi")

    def test_a_claim_of_a_stage_grows_if_its_class_lets_it(self):
        ns = self.with_claims("data")
        plan = self.volume_plan(ns)
        self.let_grow(plan)
        self.succeeded(self.migrate(plan, stage=True, quiesce=False))
        self.assertEqual(self.asked_for(ns), "64Mi")
        self.confirm(plan, "96Mi")
        self.succeeded(self.migrate(plan))
        self.assertEqual(self.asked_for(ns), "96Mi")
        self.assertEqual(self.east.get("persistentvolumeclaims", "data", ns)["status"]["capacity"]["storage"], "96Mi")

    def test_a_stage_says_what_it_had_to_leave_out(self):
        ns = self.with_claims("data")
        big(self.source(ns) / "busy", 256)
        plan = self.volume_plan(ns)
        with Scribbling(self.source(ns) / "busy"):
            staged = self.warned(self.migrate(plan, stage=True, quiesce=False), "VolumeFilesSkipped")
        self.assertIn(f"{ns}/data: busy", conditions(staged)["VolumeFilesSkipped"]["message"])
        self.succeeded(self.migrate(plan))
        self.moved(ns)

    def test_rollback_takes_the_claims_that_it_made_and_no_other(self):
        ns = self.with_claims("data")
        fill(self.source(ns), files=3)
        before = listing(self.source(ns))
        plan = self.volume_plan(ns)
        name = self.begin(plan)
        self.succeeded(self.ended(name))
        self.east.create({"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": "theirs", "namespace": ns},
                          "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Mi"}}}})
        self.succeeded(self.migrate(plan, rollback=True))
        wait_for("the claim to go", lambda: self.east.get("persistentvolumeclaims", "data", ns) is None)
        self.assertIsNotNone(self.east.get("persistentvolumeclaims", "theirs", ns))
        self.available(self.west, ns)
        self.assertEqual(listing(self.source(ns)), before)
        self.undone(name)

    def test_a_byte_that_differs_on_the_destination_stops_the_cutover(self):
        ns = self.with_claims("data")
        fill(self.source(ns))
        plan = self.volume_plan(ns)
        self.succeeded(self.migrate(plan, stage=True, quiesce=False))
        file = self.target(ns) / "deep/file-7"
        info = file.stat()
        content = bytearray(file.read_bytes())
        content[100] ^= 1
        file.write_bytes(content)
        os.utime(file, ns=(info.st_atime_ns, info.st_mtime_ns))  # as a disk does it: nothing shows
        self.differed(self.failed(self.migrate(plan), f"{ns}/data", "deep/file-7"))
        self.assertIsNone(self.east.get("deployments", "web", ns))
        volumes = self.west.get("migplans", plan)["spec"]["persistentVolumes"]
        volumes[0]["selection"]["verify"] = True
        self.west.patch("migplans", plan, {"spec": {"persistentVolumes": volumes}})
        self.succeeded(self.migrate(plan))
        self.moved(ns)

    def test_a_claim_of_somebody_else_on_the_destination_is_left_alone(self):
        ns = self.with_claims("data")
        fill(self.source(ns), files=3)
        plan = self.volume_plan(ns)
        # It comes after the plan was found ready, which would have refused it.
        self.namespace(self.east, {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": "data"},
                                   "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Mi"}}}}, ns=ns)
        name = self.begin(plan)

        def over():
            migration = self.west.get("migmigrations", name)
            return migration if phase(migration) == "Completed" or "PlanNotReady" in conditions(migration) else None

        migration = wait_for("the migration to be refused or to fail", over)
        self.assertNotIn("Succeeded", conditions(migration))
        self.not_written_into(ns)


__all__ = ["Directly", "EitherWay", "Scribbling", "VolumeCase", "big", "fill", "listing", "serve_snapshots"]
