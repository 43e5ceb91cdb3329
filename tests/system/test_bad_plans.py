"""MigPlans and MigMigrations that cannot work, manifests that are none, and what this release refuses instead of losing it."""
import subprocess

import manifests
import world as worlds
from case import NS, Bystander, Refused, unique
from cluster import conditions, phase, wait_for


class BadPlans(Bystander):
    def refused(self, plan, *words, wanted, reason, category="Critical"):
        return self.says("migplans", plan, wanted, reason, category, *words)

    def bad(self, *namespaces, source="host", destination="east", **changes):
        return self.plan(source, destination, *(namespaces or [self.ns]), ready=False, **changes)

    # Namespaces

    def test_namespace_absent(self):
        self.refused(self.bad("no-such-namespace"), "[no-such-namespace]", wanted="NamespaceNotFoundOnSourceCluster", reason="NotFound")

    def test_namespace_over_63_characters(self):
        self.refused(self.bad(f"{self.ns}:{'x' * 64}"), "x" * 64, "63", wanted="NamespaceNotDNSCompliant", reason="NotDNSCompliant")
        self.refused(self.bad("x" * 64), "x" * 64, wanted="NamespaceNotFoundOnSourceCluster", reason="NotFound")

    def test_namespaces_mapped_to_one(self):
        self.refused(self.bad(f"{self.ns}:one", "default:one"), "[one]", wanted="DuplicateNamespaceOnDestinationCluster", reason="DuplicateNamespaces")

    def test_namespace_listed_twice(self):
        self.refused(self.bad(self.ns, self.ns), f"[{self.ns}]", wanted="DuplicateNamespaceOnSourceCluster", reason="DuplicateNamespaces")
        self.refused(self.bad(self.ns, f"{self.ns}:other"), f"[{self.ns}]", wanted="DuplicateNamespaceOnSourceCluster", reason="DuplicateNamespaces")

    def test_no_namespaces(self):
        for changes in ({"namespaces": []}, {"namespaces": None}):
            self.refused(self.bad(**changes), "may not be empty", wanted="NamespaceListEmpty", reason="NotFound")

    def test_more_than_ten_namespaces(self):
        self.refused(self.bad(*[f"n{i}" for i in range(11)]), "11", "10", wanted="NamespaceLimitExceeded", reason="LimitExceeded")

    def test_names_that_are_none(self):
        for name in ("", ":", "a:b:c", "Ünïcode", "../../etc"):
            plan = self.bad(name)
            wait_for(f"plan of {name!r}", lambda plan=plan: any(c["category"] == "Critical" for c in conditions(self.west.get("migplans", plan)).values()))

    # Clusters

    def test_clusters_absent(self):
        self.refused(self.bad(source="nowhere"), f"{NS}/nowhere", wanted="InvalidSourceClusterRef", reason="NotFound")
        self.refused(self.bad(destination="nowhere"), f"{NS}/nowhere", wanted="InvalidDestinationClusterRef", reason="NotFound")

    def test_clusters_not_named(self):
        """Without srcMigClusterRef the original's controller crashed."""
        self.refused(self.bad(srcMigClusterRef=None), "srcMigClusterRef", wanted="InvalidSourceClusterRef", reason="NotSet")
        self.refused(self.bad(destMigClusterRef=None), "MigClusterRef", wanted="InvalidDestinationClusterRef", reason="NotSet")
        self.refused(self.bad(srcMigClusterRef={"name": "host"}), "srcMigClusterRef", wanted="InvalidSourceClusterRef", reason="NotSet")
        nothing = self.bad(srcMigClusterRef=None, destMigClusterRef=None, migStorageRef=None, namespaces=None)
        for wanted, reason in {"InvalidSourceClusterRef": "NotSet", "InvalidDestinationClusterRef": "NotSet", "InvalidStorageRef": "NotSet",
                               "NamespaceListEmpty": "NotFound"}.items():
            self.refused(nothing, wanted=wanted, reason=reason)

    def test_clusters_not_ready(self):
        name = unique("unready")
        self.create(*self.world.remote(name, self.east, token="wrong"))
        self.says("migclusters", name, "TestConnectFailed", "ConnectFailed", "Critical")
        self.refused(self.bad(source=name), f"{NS}/{name}", wanted="SourceClusterNotReady", reason="")
        self.refused(self.bad(destination=name), f"{NS}/{name}", wanted="DestinationClusterNotReady", reason="")

    def test_one_cluster_for_both(self):
        self.refused(self.bad(source="host", destination="host"), "same cluster", wanted="IntraClusterMigration", reason="NamespaceMigrationPlan")
        direct = {"source": "host", "destination": "host", "indirectVolumeMigration": False}
        self.refused(self.bad("shop", "blog:other", **direct), "another name", wanted="IntraClusterMigration", reason="ConflictingNamespaces")

    # Storage

    def test_storage(self):
        self.refused(self.bad(migStorageRef={"name": "nowhere", "namespace": NS}), f"{NS}/nowhere", wanted="InvalidStorageRef", reason="NotFound")
        self.refused(self.bad(migStorageRef=None), "migStorageRef", wanted="InvalidStorageRef", reason="NotSet")
        name = unique("unready")
        self.create(*self.world.storage(name, bucket="absent"))
        self.says("migstorages", name, "BackupStorageProviderTestFailed", "TestFailed", "Critical")
        self.refused(self.bad(migStorageRef={"name": name, "namespace": NS}), f"{NS}/{name}", wanted="StorageNotReady", reason="")

    # What this release does not do

    def test_hooks_are_refused(self):
        hook = {"executionNamespace": "default", "phase": "PreBackup", "serviceAccount": "default", "reference": {"name": "h", "namespace": NS}}
        self.refused(self.bad(hooks=[hook]), "hooks", wanted="HooksNotSupported", reason="NotSupported")

    def test_two_plans_for_one_namespace(self):
        first, second = self.plan("host", "east", self.ns), self.bad()
        self.refused(second, f"[{first}]", wanted="PlanConflict", reason="Conflict", category="Error")


class BadMigrations(Bystander):
    def refused(self, name, *words, wanted, reason=""):
        found = self.says("migmigrations", name, wanted, reason, "Critical", *words)
        self.assertEqual(phase(self.west.get("migmigrations", name)), "")
        return found

    def test_plan_not_named(self):
        """The original's controller crashed when such a migration was deleted."""
        name = unique("m")
        self.west.create({"apiVersion": "migration.openshift.io/v1alpha1", "kind": "MigMigration", "metadata": {"name": name, "namespace": NS}, "spec": {"stage": False}})
        self.refused(name, "migPlanRef", wanted="InvalidPlanRef", reason="NotSet")
        self.west.delete("migmigrations", name)
        wait_for("its end", lambda: self.west.get("migmigrations", name) is None)

    def test_plan_absent(self):
        self.refused(self.begin("no-such-plan"), f"{NS}/no-such-plan", wanted="InvalidPlanRef", reason="NotFound")

    def test_plan_not_ready(self):
        plan = self.plan("host", "east", "no-such-namespace", ready=False)
        self.refused(self.begin(plan), f"{NS}/{plan}", wanted="PlanNotReady")

    def test_plan_closed(self):
        plan = self.plan("host", "east", self.ns)
        self.west.patch("migplans", plan, {"spec": {"closed": True}})
        wait_for("Closed", lambda: "Closed" in conditions(self.west.get("migplans", plan)))
        self.refused(self.begin(plan), f"{NS}/{plan}", wanted="PlanClosed")

    def test_stage_and_rollback_at_once(self):
        plan = self.plan("host", "east", self.ns)
        self.refused(self.begin(plan, stage=True, rollback=True, quiesce=False), "Only one", wanted="InvalidSpec", reason="NotSupported")

    def test_a_plan_becomes_ready_and_the_migration_goes_on(self):
        ns = unique("later")
        plan = self.plan("host", "east", ns, ready=False)
        name = self.begin(plan)
        self.refused(name, wanted="PlanNotReady")
        self.namespace(self.west, {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "late"}, "data": {"a": "b"}}, ns=ns)
        self.west.patch("migplans", plan, {"spec": {"refresh": True}})
        self.succeeded(self.ended(name))
        self.assertEqual(self.east.get("configmaps", "late", ns)["data"], {"a": "b"})


class Malformed(Bystander):
    """What the API server refuses by our definitions, and what the command line refuses."""

    def test_manifests(self):
        kind = {"apiVersion": "migration.openshift.io/v1alpha1", "metadata": {"name": "x", "namespace": NS}}
        bad = {
            "stage": {**kind, "kind": "MigMigration", "spec": {"stage": "perhaps"}},
            "spec.stage": {**kind, "kind": "MigMigration", "spec": {"quiescePods": True}},
            "caBundle": {**kind, "kind": "MigCluster", "spec": {"isHostCluster": False, "caBundle": "%%%"}},
            "backupStorageProvider": {**kind, "kind": "MigStorage", "spec": {"backupStorageConfig": {}}},
            "namespaces": {**kind, "kind": "MigPlan", "spec": {"namespaces": "shop"}},
        }
        for word, thing in bad.items():
            with self.assertRaises(Refused) as caught:
                self.west.create(thing)
            self.assertEqual(caught.exception.status, 422 if word != "stage" else caught.exception.status)
            self.assertIn(word, str(caught.exception))

    def test_by_kubectl(self):
        with self.assertRaisesRegex(AssertionError, "stage"):
            self.west.apply(manifests.MIGRATION.format(name="x", plan="p", quiesce="true", stage="perhaps", rollback="false"))

    def test_flags(self):
        def mtc(*arguments):
            done = subprocess.run([worlds.MTC, "--kubeconfig", self.west.kubeconfig, *arguments], capture_output=True, text=True, timeout=60, check=False)
            return done.returncode, done.stderr

        for code, words, arguments in [
                (1, "no-such-plan", ("plan", "describe", "no-such-plan")), (1, "no-such-plan", ("migrate", "no-such-plan")), (2, "PLAN", ("migrate",)),
                (2, "excludes", ("migrate", "p", "--stage", "--rollback")), (2, "--namespace", ("plan", "create", "p", "--source", "a", "--destination", "b", "--storage", "s")),
                (2, "--frobnicate", ("plan", "get", "--frobnicate")), (1, "no-such-context", ("cluster", "add", "x", "--from-kubeconfig", self.west.kubeconfig, "--from-context", "no-such-context"))]:
            got, said = mtc(*arguments)
            self.assertEqual((got, words in said), (code, True), f"{arguments}: {got} {said}")


