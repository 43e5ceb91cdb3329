"""Volumes that are moved: the storage stays where it is and changes clusters, nothing of it is copied, and no way out of a migration loses a file."""
import pathlib
import tempfile

from case import NS, unique
from cluster import conditions, phase, wait_for
from volumes import VolumeCase, big, fill, listing

CLASS = "movable"  # the controller's PV_MOVE_STORAGECLASSES
NODE = {"required": {"nodeSelectorTerms": [{"matchExpressions": [{"key": "kubernetes.io/os", "operator": "Exists"}]}]}}
POLICY = "migration.openshift.io/orig-reclaim-policy"
MOVED_BY = "migration.openshift.io/moved-by-migplan"
MARK = "migration-included-stage-backup"


class MovedVolumes(VolumeCase):
    """Directories of this machine, which both clusters see. Embedded clusters make and delete them themselves, so there a policy that is wrong shows."""

    def setUp(self):
        super().setUp()
        if not self.world.is_lab:
            made = next(c for c in self.west.items("storageclasses", None) if "storageclass.kubernetes.io/is-default-class" in c["metadata"].get("annotations", {}))
            self.west.ensure({"apiVersion": "storage.k8s.io/v1", "kind": "StorageClass", "metadata": {"name": CLASS}, "provisioner": made["provisioner"], "reclaimPolicy": "Delete"})
            self.addCleanup(self.west.delete, "storageclasses", CLASS)
        self.folder = tempfile.TemporaryDirectory(prefix="mtc-moved-", ignore_cleanup_errors=True)
        self.addCleanup(self.folder.cleanup)
        pathlib.Path(self.folder.name).chmod(0o755)

    def claim(self, ns, name):
        """A claim whose volume both clusters can use. Returns the volume's name."""
        spec = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "64Mi"}}, "storageClassName": CLASS}
        if self.world.is_lab:
            spec["volumeName"] = unique("pv")
            path = pathlib.Path(self.folder.name) / spec["volumeName"]
            path.mkdir(mode=0o777)
            self.west.create({"apiVersion": "v1", "kind": "PersistentVolume", "metadata": {"name": spec["volumeName"]}, "spec": {
                "capacity": {"storage": "64Mi"}, "accessModes": ["ReadWriteOnce"], "persistentVolumeReclaimPolicy": "Delete", "storageClassName": CLASS,
                "claimRef": {"namespace": ns, "name": name}, "nodeAffinity": NODE, "hostPath": {"path": str(path)}}})
        self.west.create({"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": name, "namespace": ns}, "spec": spec})
        volume = wait_for(f"claim {name}", lambda: self.west.bound_volume(ns, name))
        for cluster in (self.west, self.east):
            self.addCleanup(cluster.delete, "persistentvolumes", volume)
        return volume

    def shop(self, copied=()):
        """A namespace whose application has the claim data, which is to be moved; returns it and the volume."""
        ns = self.namespace(self.west)
        volume = self.claim(ns, "data")
        for name in copied:
            self.west.create({"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": name, "namespace": ns},
                              "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "64Mi"}}}})
        self.mounting(self.west, ns, "data", *copied)
        return ns, volume

    def moving_plan(self, *namespaces, name="data", ready=True, **changes):
        plan = self.plan("host", "east", *namespaces, **changes)
        volumes = self.west.get("migplans", plan)["spec"]["persistentVolumes"]
        for volume in volumes:
            if volume["pvc"]["name"] == "data":
                self.assertEqual(volume["supported"]["actions"], ["skip", "copy", "move"])
                volume["selection"]["action"], volume["pvc"]["name"] = "move", name
        self.west.patch("migplans", plan, {"spec": {"persistentVolumes": volumes}})
        self.west.patch("migplans", plan, {"spec": {"refresh": True}})
        wait_for("the plan to look again", lambda: not self.west.get("migplans", plan)["spec"].get("refresh"))
        if ready:
            wait_for("the plan to be ready", lambda: "Ready" in conditions(self.west.get("migplans", plan)))
        return plan

    def policy(self, cluster, volume):
        """What becomes of the volume, what was to become of it, and whether it is marked as moved."""
        found = cluster.get("persistentvolumes", volume)
        metadata = found["metadata"]
        return found["spec"]["persistentVolumeReclaimPolicy"], metadata.get("annotations", {}).get(POLICY), MOVED_BY in metadata.get("labels", {})

    def is_moved(self, ns, volume, before, target=None):
        """It is in use on the destination and there alone, with every file that it had."""
        target_ns, name = target or (ns, "data")
        self.assertEqual(self.east.bound_volume(target_ns, name), volume)
        self.assertEqual(listing(self.target(target_ns, name)), before)
        self.assertEqual(self.policy(self.east, volume), ("Delete", None, False))
        self.assertEqual(self.policy(self.west, volume), ("Retain", "Delete", True))
        self.available(self.east, target_ns)
        self.assertEqual(self.west.get("deployments", "web", ns)["spec"]["replicas"], 0)
        self.assertEqual([v for v in self.west.items("persistentvolumes", None, MARK) if v["spec"]["claimRef"]["namespace"] == ns], [])

    def is_back(self, ns, volume, before):
        """As if it had never been moved."""
        self.assertIsNone(self.east.get("persistentvolumes", volume))
        self.assertIsNone(self.east.get("persistentvolumeclaims", "data", ns))
        self.assertEqual(self.policy(self.west, volume), ("Delete", None, False))
        self.assertEqual(listing(self.source(ns)), before)
        self.available(self.west, ns)

    # There

    def test_cutover_copies_nothing(self):
        for indirect in (True, False):
            with self.subTest(indirect=indirect):
                ns, volume = self.shop()
                fill(self.source(ns))
                before, inode = listing(self.source(ns)), (self.source(ns) / "deep/file-7").stat().st_ino
                name = self.begin(self.moving_plan(ns, indirectVolumeMigration=indirect))
                self.succeeded(self.ended(name))
                self.is_moved(ns, volume, before)
                self.assertEqual((self.target(ns) / "deep/file-7").stat().st_ino, inode)
                uid = self.west.get("migmigrations", name)["metadata"]["uid"]
                for cluster, kind in ((self.west, "podvolumebackups"), (self.east, "podvolumerestores"), (self.west, "directvolumemigrations")):
                    self.assertEqual(cluster.items(kind, NS, f"migmigration={uid}"), [])

    def test_the_end_of_the_source_is_not_that_of_the_files(self):
        ns, volume = self.shop()
        fill(self.source(ns), files=5)
        before = listing(self.source(ns))
        plan = self.moving_plan(ns)
        self.succeeded(self.migrate(plan))
        self.west.delete("namespaces", ns)
        wait_for("the source's claim to go", lambda: phase(self.west.get("persistentvolumes", volume)) == "Released")
        self.assertEqual(listing(self.target(ns)), before)
        # There is nobody on the source who could have them back.
        name = self.begin(plan, rollback=True)

        def refused():
            migration = self.west.get("migmigrations", name)
            return phase(migration) == "Completed" or "PlanNotReady" in conditions(migration)

        wait_for("the rollback to be refused", refused)
        self.assertNotIn("Succeeded", conditions(self.west.get("migmigrations", name)))
        self.assertEqual(self.east.bound_volume(ns, "data"), volume)
        self.available(self.east, ns)
        self.assertEqual(listing(self.target(ns)), before)

    def test_into_another_namespace_under_another_name(self):
        ns, volume = self.shop()
        self.addCleanup(self.east.delete, "namespaces", ns + "-b")
        fill(self.source(ns), files=3)
        before = listing(self.source(ns))
        self.succeeded(self.migrate(self.moving_plan(f"{ns}:{ns}-b", name="data:new-data")))
        self.is_moved(ns, volume, before, (ns + "-b", "new-data"))
        self.assertIsNone(self.east.get("persistentvolumeclaims", "data", ns + "-b"))

    def test_a_stage_moves_nothing(self):
        for indirect in (True, False):
            with self.subTest(indirect=indirect):
                ns, volume = self.shop(copied=("logs",))
                fill(self.source(ns), files=3)
                (self.source(ns, "logs") / "today").write_text("hello")
                before = listing(self.source(ns))
                plan = self.moving_plan(ns, indirectVolumeMigration=indirect)
                self.succeeded(self.migrate(plan, stage=True, quiesce=False))
                self.moved(ns, claims=("logs",))
                self.assertIsNone(self.east.get("persistentvolumes", volume))
                self.assertEqual(self.policy(self.west, volume), ("Delete", None, False))
                self.succeeded(self.migrate(plan))
                self.is_moved(ns, volume, before)
                self.moved(ns, claims=("logs",))

    def test_a_stage_of_nothing_else_says_so(self):
        ns, volume = self.shop()
        plan = self.moving_plan(ns)
        self.warned(self.migrate(plan, stage=True, quiesce=False), "StageNoOp")
        self.assertIsNone(self.east.get("persistentvolumes", volume))

    def test_state_alone(self):
        ns, volume = self.shop()
        fill(self.source(ns), files=3)
        before = listing(self.source(ns))
        self.succeeded(self.migrate(self.moving_plan(ns), state=True))
        self.assertEqual(self.east.bound_volume(ns, "data"), volume)
        self.assertEqual(listing(self.target(ns)), before)
        self.assertEqual((self.policy(self.east, volume)[0], self.policy(self.west, volume)[0]), ("Delete", "Retain"))
        self.assertIsNone(self.east.get("deployments", "web", ns))

    # And back

    def test_rollback(self):
        ns, volume = self.shop()
        fill(self.source(ns), files=5)
        plan = self.moving_plan(ns)
        self.succeeded(self.migrate(plan))
        (self.target(ns) / "written there").write_text("after the cutover")
        before = listing(self.source(ns))
        self.succeeded(self.migrate(plan, rollback=True))
        self.is_back(ns, volume, before)
        self.assertIn("written there", before)
        self.succeeded(self.migrate(plan))
        self.is_moved(ns, volume, before)

    def test_cancel_in_the_middle(self):
        ns, volume = self.shop(copied=("logs",))
        fill(self.source(ns), files=5)
        big(self.source(ns, "logs") / "big", 512)
        before = listing(self.source(ns))
        plan = self.moving_plan(ns, indirectVolumeMigration=False)
        name = self.begin(plan)
        wait_for("the claim on the destination", lambda: self.east.bound_volume(ns, "data"))
        self.assertEqual(self.policy(self.east, volume)[0], "Retain")
        self.west.patch("migmigrations", name, {"spec": {"canceled": True}})
        self.assertIn("Canceled", conditions(self.ended(name)))
        self.is_back(ns, volume, before)

    def test_cancel_when_the_application_runs_there(self):
        ns, volume = self.shop()
        fill(self.source(ns), files=5)
        before = listing(self.source(ns))
        plan = self.moving_plan(ns)

        def while_it_is_dead(name):
            self.available(self.east, ns)
            self.assertEqual(self.policy(self.east, volume)[0], "Retain")
            self.west.patch("migmigrations", name, {"spec": {"canceled": True}})

        self.assertIn("Canceled", conditions(self.killed_at("UnQuiesceDestApplications", plan, while_it_is_dead)))
        self.is_back(ns, volume, before)
        self.assertEqual(self.east.get("deployments", "web", ns)["spec"]["replicas"], 0)
        # What the canceled one left is told of, and used.
        self.warned(self.migrate(plan), "DestinationObjectsDiffer")
        self.is_moved(ns, volume, before)

    def test_a_cancel_does_not_undo_an_earlier_migration(self):
        ns, volume = self.shop()
        plan = self.moving_plan(ns)
        self.succeeded(self.migrate(plan, state=True))
        canceled = self.killed_at("WaitForRefresh", plan, lambda name: self.west.patch("migmigrations", name, {"spec": {"canceled": True}}), stage=True, quiesce=False)
        self.assertIn("Canceled", conditions(canceled))
        self.assertIn(f"[{volume}]", conditions(canceled)["SourceStaysDown"]["message"])
        self.assertEqual(self.east.bound_volume(ns, "data"), volume)
        self.assertEqual(self.policy(self.east, volume), ("Delete", None, False))
        self.assertEqual(self.west.get("deployments", "web", ns)["spec"]["replicas"], 0)
        before = listing(self.source(ns))
        self.succeeded(self.migrate(plan, rollback=True))
        self.is_back(ns, volume, before)

    # What goes wrong

    def test_a_controller_that_is_killed_in_the_middle(self):
        for moment in ("AnnotateResources", "StageBackupCreated", "EnsureStageRestore", "StageRestoreCreated", "EnsureFinalRestore", "UnQuiesceDestApplications"):
            with self.subTest(moment):
                ns, volume = self.shop()
                fill(self.source(ns), files=3)
                before = listing(self.source(ns))
                plan = self.moving_plan(ns)
                self.succeeded(self.killed_at(moment, plan))
                self.is_moved(ns, volume, before)
                back = {"AnnotateResources": "DeleteBackups", "StageBackupCreated": "DeleteMigrated", "EnsureStageRestore": "EnsureMigratedDeleted"}
                self.succeeded(self.killed_at(back.get(moment, "UnQuiesceSrcApplications"), plan, rollback=True))
                self.is_back(ns, volume, before)

    def killed_at(self, moment, plan, while_it_is_dead=lambda name: None, **what):
        watch = self.west.watch("migmigrations")
        self.addCleanup(watch.stop)
        name = self.begin(plan, **what)
        watch.until(f"{name} to be at {moment}", lambda m: m["metadata"]["name"] == name and phase(m) == moment)
        self.world.controller.kill()
        while_it_is_dead(name)
        self.world.controller.start()
        return self.ended(name)

    def test_pods_that_nothing_stops(self):
        ns, volume = self.shop()
        self.west.create({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "loose", "namespace": ns}, "spec": {
            "terminationGracePeriodSeconds": 1, "containers": [{"name": "c", "image": self.world.image, "volumeMounts": [{"name": "data", "mountPath": "/data"}]}],
            "volumes": [{"name": "data", "persistentVolumeClaim": {"claimName": "data"}}]}})
        plan = self.moving_plan(ns)
        self.failed(self.migrate(plan), f"[Pod {ns}/loose] of the source use volumes that are to be moved")
        self.assertEqual(self.west.get("deployments", "web", ns)["spec"]["replicas"], 1)
        self.west.delete("pods", "loose", ns)
        wait_for("the pod to go", lambda: self.west.get("pods", "loose", ns) is None)
        self.failed(self.migrate(plan, quiesce=False), f"Deployment {ns}/web", "two clusters must not write to one volume", "quiescePods")
        self.assertEqual(self.policy(self.west, volume), ("Delete", None, False))
        self.assertIsNone(self.east.get("persistentvolumes", volume))

    def test_a_volume_of_that_name_on_the_destination(self):
        ns, volume = self.shop()
        theirs = {"apiVersion": "v1", "kind": "PersistentVolume", "metadata": {"name": volume}, "spec": {
            "capacity": {"storage": "1Mi"}, "accessModes": ["ReadWriteOnce"], "persistentVolumeReclaimPolicy": "Retain", "hostPath": {"path": "/var/empty"}}}
        self.east.create(theirs)
        plan = self.moving_plan(ns, ready=False)
        self.says("migplans", plan, "PvMoveTargetExists", "AlreadyExists", "Error", f"[{volume}]", "action copy")
        self.east.delete("persistentvolumes", volume)
        wait_for("the plan to look again by itself", lambda: "Ready" in conditions(self.west.get("migplans", plan)))

    def test_nothing_is_copied_into_a_volume_that_was_moved(self):
        ns, volume = self.shop()
        (self.source(ns) / "mine").write_text("hello")
        plan = self.moving_plan(ns)
        self.succeeded(self.migrate(plan, state=True))
        volumes = self.west.get("migplans", plan)["spec"]["persistentVolumes"]
        volumes[0]["selection"]["action"] = "copy"
        self.west.patch("migplans", plan, {"spec": {"persistentVolumes": volumes, "refresh": True}})
        self.says("migplans", plan, "PvTargetExists", "OtherAction", "Error", f"[{ns}/data]", "former action")
        volumes[0]["selection"]["action"] = "move"
        self.west.patch("migplans", plan, {"spec": {"persistentVolumes": volumes, "refresh": True}})
        wait_for("the plan to be ready", lambda: "Ready" in conditions(self.west.get("migplans", plan)))
        self.succeeded(self.migrate(plan, rollback=True))
        self.is_back(ns, volume, listing(self.source(ns)))


__all__ = ["MovedVolumes"]
