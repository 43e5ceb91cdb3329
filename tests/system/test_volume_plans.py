"""The volumes of a MigPlan: what the controller lists, what users change in it, and what it says of plans that would lose data."""
from case import Case, unique
from cluster import conditions, phase, wait_for

NODE = {"required": {"nodeSelectorTerms": [{"matchExpressions": [{"key": "kubernetes.io/os", "operator": "Exists"}]}]}}


class VolumePlans(Case):
    """Volumes are made by hand, so that they can be of any kind; nothing mounts them."""

    def setUp(self):
        super().setUp()
        self.storage_class = unique("disk")
        for cluster in (self.west, self.east):
            cluster.create({"apiVersion": "storage.k8s.io/v1", "kind": "StorageClass", "metadata": {"name": self.storage_class}, "provisioner": "example.com/disk"})
            self.addCleanup(cluster.delete, "storageclasses", self.storage_class)
        self.ns = self.namespace(self.west)

    def claim(self, name, ns=None, cluster=None, volume=None, mode="Filesystem", storage_class=None):
        spec = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}, "storageClassName": storage_class or self.storage_class, "volumeMode": mode}
        if volume:
            spec["volumeName"] = volume
        (cluster or self.west).create({"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": name, "namespace": ns or self.ns}, "spec": spec})

    def volume(self, name, claim, mode="Filesystem", storage_class=None, **source):
        """A volume that is there for one claim."""
        spec = {"capacity": {"storage": "2Gi"}, "accessModes": ["ReadWriteOnce"], "volumeMode": mode, "persistentVolumeReclaimPolicy": "Retain",
                "storageClassName": storage_class or self.storage_class, "claimRef": {"namespace": self.ns, "name": claim}, "nodeAffinity": NODE,
                **(source or {"hostPath": {"path": "/var/empty"}})}
        self.west.create({"apiVersion": "v1", "kind": "PersistentVolume", "metadata": {"name": name}, "spec": spec})
        self.addCleanup(self.west.delete, "persistentvolumes", name)

    def bound(self, claim, **what):
        """A claim with its volume; returns the volume's name."""
        name = unique("pv")
        self.volume(name, claim, **what)
        self.claim(claim, volume=name, mode=what.get("mode", "Filesystem"), storage_class=what.get("storage_class"))
        self.settle(name, claim)
        return name

    def settle(self, volume, claim):
        """A cluster without storage of its own has no controller that binds them: there they are told that they are bound."""
        if [c["metadata"]["name"] for c in self.west.items("storageclasses", None)] == [self.storage_class]:
            for kind, name, ns in (("persistentvolumes", volume, None), ("persistentvolumeclaims", claim, self.ns)):
                self.west.call("PATCH", self.west.path(kind, name, ns) + "/status", {"status": {"phase": "Bound"}}, "application/merge-patch+json")
        wait_for(f"claim {claim}", lambda: phase(self.west.get("persistentvolumeclaims", claim, self.ns)) == "Bound")
        wait_for(f"volume {volume}", lambda: phase(self.west.get("persistentvolumes", volume)) == "Bound")

    def direct(self, **changes):
        return self.plan("host", "east", self.ns, **{"indirectVolumeMigration": False, **changes})

    def volumes(self, plan):
        return self.west.get("migplans", plan)["spec"].get("persistentVolumes", [])

    def ready(self, plan):
        wait_for(f"plan {plan} to be ready", lambda: "Ready" in conditions(self.west.get("migplans", plan)))

    def refreshed(self, plan):
        self.west.patch("migplans", plan, {"spec": {"refresh": True}})
        wait_for(f"refresh of {plan}", lambda: not self.west.get("migplans", plan)["spec"]["refresh"])

    def edit(self, plan, selection=None, index=0, **claim):
        """As a console does it: the list is written as a whole."""
        volumes = self.volumes(plan)
        volumes[index]["selection"].update(selection or {})
        volumes[index]["pvc"].update(claim)
        self.west.patch("migplans", plan, {"spec": {"persistentVolumes": volumes}})

    def refused(self, plan, wanted, reason, *words, category="Error"):
        self.says("migplans", plan, wanted, reason, category, *words)

    def test_lists_volumes_and_classes(self):
        volume = self.bound("data")
        plan = self.west.get("migplans", self.direct())
        self.assertEqual(plan["spec"]["persistentVolumes"], [{
            "name": volume, "capacity": "2Gi", "storageClass": self.storage_class, "proposedCapacity": "0",
            "supported": {"actions": ["skip", "copy"], "copyMethods": ["filesystem", "block", "snapshot"]},
            "selection": {"action": "copy", "copyMethod": "filesystem", "storageClass": self.storage_class},
            "pvc": {"namespace": self.ns, "name": "data", "accessModes": ["ReadWriteOnce"], "volumeMode": "Filesystem"}}])
        once = {"name": self.storage_class, "provisioner": "example.com/disk", "volumeAccessModes": [{"accessModes": ["ReadWriteOnce"], "volumeMode": "Filesystem"}]}
        self.assertIn(once, plan["status"]["srcStorageClasses"])
        self.assertIn(once, plan["status"]["destStorageClasses"])
        self.assertEqual(conditions(plan)["PvsDiscovered"]["reason"], "Done")

    def test_edits_outlive_refreshes_and_what_is_gone_goes(self):
        first, second = self.bound("data"), self.bound("logs")
        plan = self.direct()
        chosen = {"action": "copy", "copyMethod": "filesystem", "storageClass": self.storage_class, "accessMode": "auto", "verify": True}
        at = [v["name"] for v in self.volumes(plan)].index(first)
        self.edit(plan, chosen, index=at, name="data:new-data", accessModes=["ReadWriteOncePod"])
        third = self.bound("more")
        self.refreshed(plan)
        found = {v["name"]: v for v in self.volumes(plan)}
        self.assertEqual(sorted(found), sorted([first, second, third]))
        self.assertEqual(list(found), sorted(found), "in order of their names")
        self.assertEqual(found[first]["selection"], chosen)
        self.assertEqual((found[first]["pvc"]["name"], found[first]["pvc"]["accessModes"]), ("data:new-data", ["ReadWriteOncePod"]))
        self.ready(plan)
        self.west.delete("persistentvolumeclaims", "logs", self.ns)
        self.west.delete("persistentvolumes", second)
        wait_for("the end of logs", lambda: self.west.get("persistentvolumeclaims", "logs", self.ns) is None)
        self.refreshed(plan)
        self.assertEqual([v["name"] for v in self.volumes(plan)], sorted([first, third]))

    def test_a_plan_at_rest_is_not_written(self):
        self.bound("data")
        plan = self.direct()
        self.refreshed(plan)
        self.ready(plan)
        watch = self.west.watch("migplans")
        self.addCleanup(watch.stop)
        # The cluster's passes and those of its plans come after what happened here.
        self.west.patch("migclusters", "east", {"spec": {"refresh": True}})
        wait_for("a pass of the cluster", lambda: not self.west.get("migclusters", "east")["spec"]["refresh"])
        bystander = self.plan("host", "east", self.namespace(self.west))
        self.west.patch("migplans", bystander, {"spec": {"refresh": True}})
        wait_for("a pass of another plan", lambda: not self.west.get("migplans", bystander)["spec"]["refresh"])
        self.assertEqual(watch.of(plan), [])

    def test_hasty_edits(self):
        self.bound("data")
        plan = self.direct()
        for i in range(10):
            self.edit(plan, {"action": "skip" if i % 2 else "copy", "verify": bool(i % 2)})
        self.refreshed(plan)
        self.assertEqual(self.volumes(plan)[0]["selection"], {"action": "skip", "copyMethod": "filesystem", "storageClass": self.storage_class, "verify": True})

    def test_claims_that_wait_for_a_volume(self):
        """The original forgets them, and with them their data."""
        self.claim("data", storage_class="none-such")
        plan = self.direct(ready=False)
        self.refused(plan, "PvcNotBound", "NotBound", f"[{self.ns}/data]", "start a pod")
        name = unique("pv")
        self.volume(name, "data", storage_class="none-such")
        self.west.patch("persistentvolumeclaims", "data", {"spec": {"volumeName": name}}, self.ns)
        self.settle(name, "data")
        self.ready(plan)  # nobody asked for a refresh
        self.assertEqual([v["name"] for v in self.volumes(plan)], [name])

    def test_edits_that_cannot_be(self):
        volume = self.bound("data")
        self.bound("logs")
        plan = self.direct()
        at = [v["name"] for v in self.volumes(plan)].index(volume)
        good = self.volumes(plan)
        for selection, wanted, reason in [
                ({"action": "teleport"}, "PvInvalidAction", "NotDone"), ({"action": ""}, "PvInvalidAction", "NotDone"), ({"action": "move"}, "PvInvalidAction", "NotDone"),
                ({"storageClass": "velvet"}, "PvInvalidStorageClass", "NotDone"), ({"copyMethod": "magic"}, "PvInvalidCopyMethod", ""),
                ({"copyMethod": ""}, "PvNoCopyMethodSelection", "NotFound"), ({"accessMode": "Sometimes"}, "PvInvalidAccessMode", "")]:
            with self.subTest(selection):
                self.edit(plan, selection, index=at)
                self.refused(plan, wanted, reason, f"[{volume}]")
                self.west.patch("migplans", plan, {"spec": {"persistentVolumes": good}})
                self.ready(plan)
        self.edit(plan, index=at, name="data:logs")
        self.refused(plan, "PvNameConflict", "DuplicateNames", f"[{self.ns}/logs]")
        self.edit(plan, index=at, name="data:../../etc")
        self.refused(plan, "PvInvalid", "NotValid", "../../etc")
        self.edit(plan, {"storageClass": ""}, index=at, name="data:new-data")
        self.says("migplans", plan, "PvNoStorageClassSelection", "NotFound", "Warn", f"[{volume}]")
        self.ready(plan)

    def test_what_this_release_does_not_move(self):
        self.bound("block", mode="Block")
        self.bound("data")
        plan = self.direct()
        at = {v["pvc"]["name"]: i for i, v in enumerate(wait_for("the list", lambda: self.volumes(plan)))}

        def refused(*words):
            wait_for(f"{words} of {plan}", lambda: all(w in conditions(self.west.get("migplans", plan)).get("VolumeMigrationNotSupported", {}).get("message", "") for w in words))
            self.refused(plan, "VolumeMigrationNotSupported", "NotSupported", category="Critical")

        self.edit(plan, index=at["block"], volumeMode="Filesystem")
        refused("another volume mode than that of the source", f"[{self.ns}/block]", "`pvc.volumeMode`")
        self.edit(plan, {"action": "skip"}, index=at["block"])
        self.ready(plan)
        self.says("migplans", plan, "PvSkipped", "Skipped", "Warn", f"[{self.ns}/block]")
        self.edit(plan, {"copyMethod": "snapshot"}, index=at["data"])
        self.says("migplans", plan, "VolumeSnapshotsUnavailable", "NotSupported", "Critical", f"[{self.ns}/data]", "of no CSI driver", "filesystem")
        self.edit(plan, {"copyMethod": "block"}, index=at["data"])  # a claim is copied as what it is
        self.ready(plan)

    def test_moving_is_offered_but_not_within_one_cluster(self):
        self.bound("shared", nfs={"server": "192.0.2.1", "path": "/"})
        plan = self.direct()
        self.assertEqual(self.volumes(plan)[0]["supported"]["actions"], ["skip", "copy", "move"])
        self.edit(plan, {"action": "move"})
        self.refreshed(plan)
        self.ready(plan)
        self.west.delete("migplans", plan)
        within = self.plan("host", "host", f"{self.ns}:{self.ns}-b", indirectVolumeMigration=False)
        self.edit(within, {"action": "move"})
        self.refused(within, "VolumeMigrationNotSupported", "NotSupported", f"[{self.ns}/shared]", "select copy", category="Critical")

    def test_claims_of_others_on_the_destination(self):
        self.bound("data")
        self.east.ensure({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": self.ns}})
        self.claim("data", cluster=self.east)
        plan = self.direct(ready=False)
        self.refused(plan, "PvTargetExists", "AlreadyExists", f"[{self.ns}/data]", "delete them there")
        self.east.delete("persistentvolumeclaims", "data", self.ns)
        self.ready(plan)  # nobody asked for a refresh

    def test_sets_without_claims(self):
        """Scaled to nothing before it ever made a claim: the plan holds nothing of it, and loses nothing."""
        template = {"metadata": {"name": "data"}, "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}}
        self.west.create({"apiVersion": "apps/v1", "kind": "StatefulSet", "metadata": {"name": "db", "namespace": self.ns}, "spec": {
            "replicas": 0, "serviceName": "db", "selector": {"matchLabels": {"app": "db"}}, "volumeClaimTemplates": [template],
            "template": {"metadata": {"labels": {"app": "db"}}, "spec": {"containers": [{"name": "c", "image": self.world.image}]}}}})
        plan = self.direct()
        self.assertEqual(self.volumes(plan), [])
        self.bound("data-db-0")
        self.refreshed(plan)
        claim = self.volumes(plan)[0]["pvc"]
        self.assertEqual((claim["name"], claim["hasReference"], claim["ownerType"]), ("data-db-0", True, "StatefulSet"))
        self.edit(plan, name="data-db-0:elsewhere")
        self.refused(plan, "PvSetNameInvalid", "NotSupported", f"[{self.ns}/data-db-0]")
        self.edit(plan, name="data-db-0:files-db-0")
        self.ready(plan)

    def test_plans_by_kubectl(self):
        """A list that a user wrote into the manifest counts, as far as it names volumes that are there."""
        volume = self.bound("data")
        wanted = {"name": volume, "selection": {"action": "skip"}, "supported": {"actions": [], "copyMethods": []}}
        ghost = {"name": "no-such-volume", "selection": {"action": "copy"}, "supported": {"actions": ["copy"], "copyMethods": []}}
        plan = self.direct(persistentVolumes=[ghost, wanted])
        found = self.volumes(plan)
        self.assertEqual([v["name"] for v in found], [volume])
        self.assertEqual(found[0]["selection"], {"action": "skip"})
        self.assertEqual(found[0]["supported"]["actions"], ["skip", "copy"])
        self.assertEqual(found[0]["pvc"]["accessModes"], ["ReadWriteOnce"])
