"""The copy method snapshot: what travels is a claim as a snapshot has it, through the bucket, and neither snapshots nor copies stay behind."""
import volumes
from case import NS, unique
from cluster import conditions, phase, wait_for
from staged import MOVERS, Staged
from volumes import VolumeCase, big, fill, listing, serve_snapshots

DRIVER = "disks.example.com"  # nobody serves it


class SnapshotVolumes(Staged, volumes.EitherWay, VolumeCase):
    storage_class = "files"

    def setUp(self):
        super().setUp()
        serve_snapshots(self.world)

    def volume_plan(self, *namespaces, **changes):
        """All of its volumes by snapshot. The other volumes of such a plan would travel directly: one knows that it is not their way."""
        changes = {"indirectVolumeMigration": False, **changes}
        return self.by_snapshot(self.plan("host", "east", *namespaces, **changes))

    def by_snapshot(self, plan, ready=True, **selection):
        return volumes.by_snapshot(self, plan, ready, **selection)

    def nothing_left(self, *namespaces):
        super().nothing_left(*namespaces)
        for ns in namespaces:
            self.assertEqual(self.west.items("volumesnapshots", ns), [])
            wait_for(f"the volumes that were made of snapshots in {ns} to go", lambda ns=ns: not self.contents(ns) and not self.copies(ns))

    def contents(self, ns):
        return [c for c in self.west.items("volumesnapshotcontents", None) if c["spec"]["volumeSnapshotRef"]["namespace"] == ns]

    def copies(self, ns):
        return [v for v in self.west.items("persistentvolumes", None)
                if v["spec"].get("claimRef", {}).get("namespace") == ns and v["spec"]["claimRef"]["name"].startswith("stage-snapshot-")]

    # What travels

    def test_cutover_whichever_way_other_volumes_travel(self):
        for indirect in (False, True):
            with self.subTest(indirect=indirect):
                ns = self.with_claims("data", "logs")
                fill(self.source(ns))
                (self.source(ns, "logs") / "today").write_text("hello")
                name = self.begin(self.volume_plan(ns, indirectVolumeMigration=indirect))
                self.succeeded(self.ended(name))
                self.moved(ns, claims=("data", "logs"))
                self.available(self.east, ns)
                self.assertEqual(self.west.get("deployments", "web", ns)["spec"]["replicas"], 0)
                self.nothing_left(ns)
                found = self.objects(self.west, "podvolumebackups", name)
                self.assertEqual({o["metadata"]["annotations"]["velero.io/pvc-name"] for o in found}, {"data", "logs"})
                self.assertEqual([phase(o) for o in self.objects(self.east, "podvolumerestores", name)], ["Completed"] * 2)

    def test_beside_a_volume_that_travels_directly(self):
        ns = self.with_claims("data", "logs")
        fill(self.source(ns), files=3)
        fill(self.source(ns, "logs"), files=3)
        plan = self.plan("host", "east", ns, indirectVolumeMigration=False)
        entries = self.west.get("migplans", plan)["spec"]["persistentVolumes"]
        next(e for e in entries if e["pvc"]["name"] == "data")["selection"]["copyMethod"] = "snapshot"
        self.west.patch("migplans", plan, {"spec": {"persistentVolumes": entries}})
        wait_for("the plan", lambda: {"PvWarnCopyMethodSnapshot", "Ready"} <= set(conditions(self.west.get("migplans", plan))))
        name = self.begin(plan)
        self.succeeded(self.ended(name))
        self.moved(ns, claims=("data", "logs"))
        self.assertEqual(len(self.objects(self.west, "podvolumebackups", name)), 1)
        self.nothing_left(ns)

    def test_a_stage_is_of_one_moment_and_the_cutover_of_the_last(self):
        ns = self.with_claims("data")
        folder = self.source(ns)
        fill(folder)
        big(folder / "big", 64)
        plan = self.volume_plan(ns)
        before = listing(folder)
        watch = self.west.watch("volumesnapshots", ns)
        self.addCleanup(watch.stop)
        name = self.begin(plan, stage=True, quiesce=False)
        watch.until("a snapshot", lambda s: s.get("status", {}).get("readyToUse"))
        (folder / "big").write_text("small")
        (folder / "deep/file-5").unlink()
        (folder / "zz-late").write_text("late")
        self.succeeded(self.ended(name))
        self.assertEqual(listing(self.target(ns)), before)
        self.assertEqual(self.west.get("deployments", "web", ns)["spec"]["replicas"], 1)
        self.nothing_left(ns)
        self.succeeded(self.migrate(plan))
        self.moved(ns)
        self.available(self.east, ns)
        self.nothing_left(ns)

    def test_a_stage_says_what_it_had_to_leave_out(self):
        """Nothing: a snapshot does not change under anybody's hands."""
        ns = self.with_claims("data")
        big(self.source(ns) / "busy", 64)
        plan = self.volume_plan(ns)
        with volumes.Scribbling(self.source(ns) / "busy"):
            self.succeeded(self.migrate(plan, stage=True, quiesce=False))
        self.assertEqual((self.target(ns) / "busy").stat().st_size, 64 << 20)
        self.succeeded(self.migrate(plan))
        self.moved(ns)

    # What goes wrong

    def test_a_driver_without_a_class_is_told_before_anything_begins(self):
        ns = self.of_nobody(snapshot_class=False)
        plan = self.by_snapshot(self.plan("host", "east", ns), ready=False)
        self.says("migplans", plan, "VolumeSnapshotsUnavailable", "NotSupported", "Critical", DRIVER, f"[{ns}/data]", "create one", "select filesystem")

    def test_a_snapshot_that_nobody_takes_fails_the_migration_and_says_so(self):
        storage = unique("bucket")
        self.west.apply(*self.world.storage(storage))
        self.addCleanup(self.west.delete, "migstorages", storage)
        self.west.patch("migstorages", storage, {"spec": {"volumeSnapshotConfig": {"snapshotCreationTimeout": "4s"}}})
        ns = self.of_nobody()
        plan = self.by_snapshot(self.plan("host", "east", ns, migStorageRef={"name": storage, "namespace": NS}))
        self.failed(self.migrate(plan), f"PersistentVolumeClaim {ns}/data is not ready to be used after 4s", DRIVER, "kubectl get events")
        self.assertIsNone(self.east.get("persistentvolumeclaims", "data", ns))
        self.nothing_left(ns)

    def of_nobody(self, snapshot_class=True):
        """A namespace with a bound claim, whose volume somebody made for a driver that is not there."""
        ns = self.namespace(self.west)
        made = [{"apiVersion": "storage.k8s.io/v1", "kind": "StorageClass", "metadata": {"name": ns}, "provisioner": DRIVER},
                {"apiVersion": "v1", "kind": "PersistentVolume", "metadata": {"name": ns},
                 "spec": {"capacity": {"storage": "1Mi"}, "accessModes": ["ReadWriteOnce"], "storageClassName": ns, "csi": {"driver": DRIVER, "volumeHandle": ns}}}]
        if snapshot_class:
            made.append({"apiVersion": "snapshot.storage.k8s.io/v1", "kind": "VolumeSnapshotClass", "metadata": {"name": ns}, "driver": DRIVER, "deletionPolicy": "Delete"})
        for thing in made:
            self.addCleanup(self.west.delete, {"StorageClass": "storageclasses", "PersistentVolume": "persistentvolumes"}.get(thing["kind"], "volumesnapshotclasses"), ns)
            self.west.create(thing)
        self.west.create({"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": "data", "namespace": ns},
                          "spec": {"accessModes": ["ReadWriteOnce"], "storageClassName": ns, "volumeName": ns, "resources": {"requests": {"storage": "1Mi"}}}})
        wait_for("the claim to be bound", lambda: self.west.bound_volume(ns, "data"))
        return ns

    def test_cancel_in_the_middle(self):
        ns = self.with_claims("data")
        big(self.source(ns) / "big", 256)
        plan = self.volume_plan(ns)
        name = self.begin(plan)
        wait_for("a snapshot", lambda: self.west.items("volumesnapshots", ns, MOVERS))
        self.west.patch("migmigrations", name, {"spec": {"canceled": True}})
        self.assertIn("Canceled", conditions(self.ended(name)))
        self.nothing_left(ns)
        self.available(self.west, ns)
        self.succeeded(self.migrate(plan))
        self.moved(ns)

    def test_a_controller_that_is_killed_at_any_moment(self):
        self.killed_at_any_moment(seed=22, moments=(0, 4), until=lambda ns: wait_for("a snapshot", lambda: self.west.items("volumesnapshots", ns, MOVERS)))


__all__ = ["SnapshotVolumes"]
