"""Volumes alone: to claims of another storage class that workloads use from then on, or to another namespace or cluster."""
import json
import pathlib

from cluster import conditions, phase, settled, wait_for
from volumes import VolumeCase, fill, listing

HOLD = "example.com/hold"
OTHER = "other-files"


class Conversions(VolumeCase):
    def volume_plan(self, *namespaces, **changes):
        return self.plan("host", "east", *namespaces, indirectVolumeMigration=False, **changes)

    def no_helpers(self, ns):
        for kind in ("pods", "secrets", "services"):
            self.assertEqual([o["metadata"]["name"] for o in self.west.items(kind, ns, "owner=directvolumemigration")], [], kind)

    def other_class(self, name):
        """A class beside this one whose volumes are made in the same way."""
        mine = self.west.get("storageclasses", name)
        for each in self.west.items("storageclasses", None):
            if each["provisioner"] == mine["provisioner"] and each["metadata"]["name"] != name:
                return each["metadata"]["name"]
        self.west.ensure({"apiVersion": "storage.k8s.io/v1", "kind": "StorageClass", "metadata": {"name": OTHER},
                          "provisioner": mine["provisioner"], "reclaimPolicy": "Delete"})
        self.addCleanup(self.west.delete, "storageclasses", OTHER)
        return OTHER

    def with_everything(self):
        """A Deployment with a claim, a StatefulSet with two templates, and a bystander in the same namespace."""
        ns = self.with_claims("data")
        container = {"name": "c", "image": self.world.image, "imagePullPolicy": "IfNotPresent"}
        mounts = [{"name": name, "mountPath": f"/{name}"} for name in ("data", "logs")]
        pod = {"metadata": {"labels": {"app": "db"}}, "spec": {"terminationGracePeriodSeconds": 1, "containers": [{**container, "volumeMounts": mounts}]}}
        templates = [{"metadata": {"name": name}, "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "64Mi"}}}} for name in ("data", "logs")]
        idle = {"metadata": {"labels": {"app": "idle"}}, "spec": {"terminationGracePeriodSeconds": 1, "containers": [container]}}
        self.west.create(
            {"apiVersion": "apps/v1", "kind": "StatefulSet", "metadata": {"name": "db", "namespace": ns, "annotations": {"theirs": "kept"}},
             "spec": {"replicas": 2, "serviceName": "db", "selector": {"matchLabels": {"app": "db"}}, "template": pod, "volumeClaimTemplates": templates}},
            {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "idle", "namespace": ns},
             "spec": {"replicas": 1, "selector": {"matchLabels": {"app": "idle"}}, "template": idle}})
        self.running(ns)
        return ns

    def running(self, ns):
        def all_run():
            db, web = self.west.get("statefulsets", "db", ns), self.west.get("deployments", "web", ns)
            return db and db["spec"]["replicas"] == 2 == db.get("status", {}).get("readyReplicas") and web["spec"]["replicas"] == 1 == web.get("status", {}).get("availableReplicas")

        wait_for(f"all that uses volumes of {ns} to run", all_run, 120)

    def pods(self, ns, app):
        return sorted(p["metadata"]["uid"] for p in self.west.items("pods", ns, f"app={app}"))

    def conversion(self, ns, **changes):
        """A plan that is ready to convert all claims; returns it with the class that they get."""
        plan = self.plan("host", "host", ns, ready=False, indirectVolumeMigration=False, migStorageRef=None, **changes)
        volumes = wait_for("the list", lambda: self.west.get("migplans", plan)["spec"].get("persistentVolumes"))
        wanted = self.other_class(volumes[0]["storageClass"])
        for volume in volumes:
            volume["selection"]["storageClass"] = wanted
        self.west.patch("migplans", plan, {"spec": {"persistentVolumes": volumes}})

        def ready():
            found = self.west.get("migplans", plan)
            return "Ready" in conditions(found) and "PvStorageClassUnchanged" not in conditions(found)

        wait_for(f"plan {plan}", ready)
        return plan, wanted

    def new_names(self, plan):
        """Of claims, by their old ones."""
        return dict(v["pvc"]["name"].split(":") for v in self.west.get("migplans", plan)["spec"]["persistentVolumes"])

    def claim_of_web(self, ns):
        volumes = self.west.get("deployments", "web", ns)["spec"]["template"]["spec"]["volumes"]
        return volumes[0]["persistentVolumeClaim"]["claimName"]

    def templates(self, ns):
        return {t["metadata"]["name"]: t["spec"].get("storageClassName") for t in self.west.get("statefulsets", "db", ns)["spec"]["volumeClaimTemplates"]}

    def no_records(self, ns):
        self.assertEqual([c["metadata"]["name"] for c in self.west.items("configmaps", ns) if c["metadata"]["name"].startswith("mtc-")], [])
        for kind in ("deployments", "statefulsets"):
            for thing in self.west.items(kind, ns):
                self.assertNotIn("preQuiesce", json.dumps(thing["metadata"].get("annotations", {})))

    def filled(self, ns):
        """What the claims of with_everything hold."""
        before = {}
        for claim in ("data", "data-db-0", "data-db-1", "logs-db-0", "logs-db-1"):
            fill(self.source(ns, claim), files=4)
            (pathlib.Path(self.source(ns, claim)) / "whose").write_text(claim)
            before[claim] = listing(self.source(ns, claim))
        return before

    # Storage classes

    def test_the_new_claims_need_room_beside_the_old_ones(self):
        ns = self.with_claims("data")
        few = {"spec": {"hard": {"requests.storage": "128Mi"}}}
        self.west.create({"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "few", "namespace": ns}, **few})
        plan, _ = self.conversion(ns)
        self.confirm(plan, "96Mi")
        self.says("migplans", plan, "VolumesOverQuota", "QuotaExceeded", "Critical",
                  f"namespace {ns}, quota few: 96Mi more of requests.storage, where 64Mi of 128Mi are used")
        few["spec"]["hard"]["requests.storage"] = "160Mi"
        self.west.patch("resourcequotas", "few", few, ns)
        wait_for("the plan to see it", lambda: "Ready" in conditions(self.west.get("migplans", plan)))
        self.succeeded(self.migrate(plan, state=True))
        new = self.west.get("persistentvolumeclaims", self.new_names(plan)["data"], ns)
        self.assertEqual(new["spec"]["resources"]["requests"]["storage"], "96Mi")

    def test_conversion_and_the_way_back(self):
        ns = self.with_everything()
        before = self.filled(ns)
        as_it_was = settled(self.west.get("statefulsets", "db", ns))
        bystander = self.pods(ns, "idle")
        plan, wanted = self.conversion(ns)
        self.assertEqual(conditions(self.west.get("migplans", plan))["MigrationTypeIdentified"]["reason"], "StorageConversionPlan")
        suffix = self.west.get("migplans", plan)["status"]["suffix"]
        names = self.new_names(plan)
        self.assertEqual(names, {"data": f"data-mig-{suffix}", **{f"{t}-db-{i}": f"{t}-mig-{suffix}-db-{i}" for t in ("data", "logs") for i in (0, 1)}})
        migration = self.succeeded(self.migrate(plan, state=True))
        self.assertEqual(migration["status"]["itinerary"], "Stage")
        self.running(ns)
        self.assertEqual(self.claim_of_web(ns), names["data"])
        self.assertEqual(self.templates(ns), {f"data-mig-{suffix}": wanted, f"logs-mig-{suffix}": wanted})
        for old, new in names.items():
            self.assertEqual(listing(self.source(ns, new)), before[old])
            self.assertEqual(self.west.get("persistentvolumeclaims", new, ns)["spec"]["storageClassName"], wanted)
        self.assertEqual(self.pods(ns, "idle"), bystander, "what uses none of the volumes goes on running")
        self.no_records(ns)
        self.no_helpers(ns)
        # Once more would copy the old over the new.
        again = self.begin(plan, state=True)
        self.says("migmigrations", again, "HasFinalMigration", "", "Critical")
        self.west.delete("migmigrations", again)

        (pathlib.Path(self.source(ns, names["data"])) / "since").write_text("written after the conversion")
        rolled = self.succeeded(self.migrate(plan, rollback=True))
        self.assertIn(f"{ns}/{names['data']}", conditions(rolled)["ConvertedClaimsKept"]["message"])
        self.running(ns)
        self.assertEqual(self.claim_of_web(ns), "data")
        self.assertEqual(settled(self.west.get("statefulsets", "db", ns)), as_it_was)
        for claim, content in before.items():
            self.assertEqual(listing(self.source(ns, claim)), content)
        self.assertEqual((pathlib.Path(self.source(ns, names["data"])) / "since").read_text(), "written after the conversion")
        self.assertEqual(self.pods(ns, "idle"), bystander)
        self.no_records(ns)

    def test_a_controller_that_is_killed_between_deleting_a_set_and_creating_it(self):
        ns = self.with_everything()
        before = self.filled(ns)
        plan, _ = self.conversion(ns)
        names = self.new_names(plan)
        name = self.stopped_in_the_swap(ns, plan)
        self.world.controller.start()
        self.succeeded(self.ended(name))
        self.running(ns)
        self.assertEqual(self.claim_of_web(ns), names["data"])
        for old, new in names.items():
            self.assertEqual(listing(self.source(ns, new)), before[old])
        self.no_records(ns)

    def test_a_way_back_from_the_middle_of_a_swap(self):
        """The set is gone, and all there is of it is what the controller noted down."""
        for undone_by in ("rollback", "cancel"):
            with self.subTest(undone_by):
                ns = self.with_everything()
                before = self.filled(ns)
                as_it_was = settled(self.west.get("statefulsets", "db", ns))
                plan, _ = self.conversion(ns)
                name = self.stopped_in_the_swap(ns, plan)
                if undone_by == "cancel":
                    self.west.patch("migmigrations", name, {"spec": {"canceled": True}})
                self.world.controller.start()
                if undone_by == "cancel":
                    self.assertIn("Canceled", conditions(self.ended(name)))
                else:
                    self.ended(name)
                    self.succeeded(self.migrate(plan, rollback=True))
                self.running(ns)
                self.assertEqual(self.claim_of_web(ns), "data")
                self.assertEqual(settled(self.west.get("statefulsets", "db", ns)), as_it_was)
                for claim, content in before.items():
                    self.assertEqual(listing(self.source(ns, claim)), content)
                self.no_records(ns)

    def stopped_in_the_swap(self, ns, plan):
        """The controller is killed when the set is deleted and not created again; returns the migration's name."""
        self.west.patch("statefulsets", "db", {"metadata": {"finalizers": [HOLD]}}, ns)
        name = self.begin(plan, state=True)
        wait_for("the set to be deleted", lambda: self.west.get("statefulsets", "db", ns)["metadata"].get("deletionTimestamp"), 120)
        self.world.controller.kill()
        kept = next(c for c in self.west.items("configmaps", ns) if c["metadata"]["name"].startswith("mtc-replacement-"))
        # The next set shall not be held.
        wanted = json.loads(kept["data"]["object.json"])
        del wanted["metadata"]["finalizers"]
        self.west.patch("configmaps", kept["metadata"]["name"], {"data": {"object.json": json.dumps(wanted)}}, ns)
        self.west.patch("statefulsets", "db", {"metadata": {"finalizers": None}}, ns)
        wait_for("the set to be gone", lambda: self.west.get("statefulsets", "db", ns) is None)
        return name

    def test_conversions_do_not_stack_suffixes(self):
        ns = self.with_claims("data")
        fill(self.source(ns), files=4)
        before = listing(self.source(ns))
        first, _ = self.conversion(ns)
        self.succeeded(self.migrate(first, state=True))
        self.available(self.west, ns)
        now = self.new_names(first)["data"]
        self.west.delete("migplans", first)
        wait_for("the end of the first plan", lambda: self.west.get("migplans", first) is None)
        second, _ = self.conversion(ns)
        suffix = self.west.get("migplans", second)["status"]["suffix"]
        self.assertEqual(self.new_names(second), {now: f"data-mig-{suffix}"}, "and the claim that was replaced is none of its volumes")
        self.succeeded(self.migrate(second, state=True))
        self.available(self.west, ns)
        self.assertEqual(self.claim_of_web(ns), f"data-mig-{suffix}")
        self.assertEqual(listing(self.source(ns, f"data-mig-{suffix}")), before)

    def test_a_copy_without_stopping_swaps_nothing(self):
        ns = self.with_claims("data")
        fill(self.source(ns), files=4)
        plan, _ = self.conversion(ns)
        self.succeeded(self.migrate(plan, state=True, quiesce=False))
        self.assertEqual(self.claim_of_web(ns), "data")
        self.assertEqual(listing(self.source(ns, self.new_names(plan)["data"])), listing(self.source(ns)))
        self.succeeded(self.migrate(plan, state=True))
        self.assertEqual(self.claim_of_web(ns), self.new_names(plan)["data"])

    def test_a_cutover_onto_itself_is_over_before_it_begins(self):
        ns = self.with_claims("data")
        plan, _ = self.conversion(ns)
        migration = self.failed(self.migrate(plan), "migrateState")
        self.assertEqual(conditions(migration)["Failed"]["reason"], "NotSupported")
        self.assertEqual(self.west.get("deployments", "web", ns)["spec"]["replicas"], 1)

    def test_what_cannot_be_converted(self):
        ns = self.with_claims("data")
        plan, _ = self.conversion(ns)
        volumes = self.west.get("migplans", plan)["spec"]["persistentVolumes"]
        volumes[0]["pvc"]["name"] = "data:mine"
        self.west.patch("migplans", plan, {"spec": {"persistentVolumes": volumes}})
        wait_for("the name to be kept", lambda: self.new_names(plan) == {"data": "mine"} and "Ready" in conditions(self.west.get("migplans", plan)))
        volumes[0]["selection"]["action"] = "skip"
        self.west.patch("migplans", plan, {"spec": {"persistentVolumes": volumes}})
        self.says("migplans", plan, "StorageClassConversionUnavailable", "", "Critical", "copy")

    # State

    def test_state_to_another_cluster(self):
        ns = self.with_everything()
        before = self.filled(ns)
        bystander = self.pods(ns, "idle")
        plan = self.volume_plan(ns, indirectImageMigration=False)
        volumes = self.west.get("migplans", plan)["spec"]["persistentVolumes"]
        for volume in volumes:
            if volume["pvc"]["name"] == "data":
                volume["pvc"]["name"] = "data:files"
        self.west.patch("migplans", plan, {"spec": {"persistentVolumes": volumes}})
        wait_for("the type of the plan", lambda: conditions(self.west.get("migplans", plan)).get("MigrationTypeIdentified", {}).get("reason") == "StateMigrationPlan")
        wait_for("the plan", lambda: "Ready" in conditions(self.west.get("migplans", plan)))
        self.succeeded(self.migrate(plan, state=True))
        for claim, content in before.items():
            self.assertEqual(listing(self.target(ns, "files" if claim == "data" else claim)), content)
        self.assertEqual(self.east.items("deployments", ns), [])
        self.assertEqual(self.west.get("deployments", "web", ns)["spec"]["replicas"], 0)
        self.assertEqual(self.west.get("statefulsets", "db", ns)["spec"]["replicas"], 0)
        self.assertEqual(self.pods(ns, "idle"), bystander)
        self.succeeded(self.migrate(plan, rollback=True))
        self.running(ns)
        wait_for("the claim to go", lambda: self.east.get("persistentvolumeclaims", "files", ns) is None)

    def test_state_to_another_namespace(self):
        ns = self.with_claims("data")
        self.addCleanup(self.west.delete, "namespaces", ns + "-b")
        fill(self.source(ns), files=4)
        plan = self.plan("host", "host", f"{ns}:{ns}-b", indirectVolumeMigration=False, indirectImageMigration=False)
        self.assertEqual(conditions(self.west.get("migplans", plan))["MigrationTypeIdentified"]["reason"], "StateMigrationPlan")
        self.succeeded(self.migrate(plan, state=True))
        self.assertEqual(listing(self.source(ns + "-b")), listing(self.source(ns)))
        self.assertEqual(self.west.items("deployments", ns + "-b"), [])
        # Somebody uses them now: they are not copied to again.
        self.west.create({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "user", "namespace": ns + "-b"}, "spec": {
            "terminationGracePeriodSeconds": 1, "containers": [{"name": "c", "image": self.world.image, "imagePullPolicy": "IfNotPresent"}],
            "volumes": [{"name": "data", "persistentVolumeClaim": {"claimName": "data"}}]}})
        wait_for("the user to run", lambda: phase(self.west.get("pods", "user", ns + "-b")) == "Running")
        self.failed(self.migrate(plan, state=True), f"{ns}-b/user", "stop them first")
