"""What the public documents promise: their manifests in every direction, their output to the letter, every phase, and the way back."""
import os
import pathlib

import manifests
from case import NS, Case, unique
from cluster import conditions, inventory, masked, phase, wait_for
from servers import Gate

GOLDEN = pathlib.Path(__file__).resolve().parent.parent / "golden"

# The rows of the cutover that a quiesced migration without volumes and images runs, by their number among the 47.
ROWS = {
    2: "Started", 3: "StartRefresh", 4: "WaitForRefresh", 5: "CleanStaleAnnotations", 6: "CleanStaleResticCRs", 7: "CleanStaleVeleroCRs",
    8: "RestartVelero", 9: "CleanStaleStagePods", 10: "WaitForStaleStagePodsTerminated", 12: "WaitForVeleroReady", 15: "EnsureCloudSecretPropagated",
    16: "PreBackupHooks", 18: "EnsureInitialBackup", 19: "InitialBackupCreated", 25: "QuiesceApplications", 26: "EnsureQuiesced",
    38: "EnsureInitialBackupReplicated", 39: "PostBackupHooks", 40: "PreRestoreHooks", 41: "EnsureFinalRestore", 42: "FinalRestoreCreated",
    43: "UnQuiesceDestApplications", 44: "PostRestoreHooks", 45: "DeleteRegistries", 47: "Completed"}


def names(found):
    return sorted(key for key in found if key not in ("configmaps/kube-root-ca.crt", "serviceaccounts/default"))


class Documents(Case):
    """The manifests of the documents, in every direction; the clusters of `world.prepare` were registered by kubectl."""

    def travel(self, source, destination, origin, target):
        ns = self.application(origin, copies=21)
        before = inventory(origin, ns)
        self.succeeded(self.migrate(self.plan(source, destination, ns)))
        self.assertEqual(names(inventory(target, ns)), names(before))
        self.available(target, ns)
        self.assertEqual(origin.get("deployments", "web", ns)["spec"]["replicas"], 0)
        self.assertEqual(target.get("deployments", "web", ns)["spec"]["replicas"], 2)

    def test_host_to_remote(self):
        self.travel("host", "east", self.west, self.east)

    def test_remote_to_host(self):
        self.travel("east", "host", self.east, self.west)

    def test_remote_to_remote(self):
        self.travel("west-remote", "east", self.west, self.east)

    def test_into_another_namespace(self):
        ns = self.application(self.west)
        self.addCleanup(self.east.delete, "namespaces", ns + "-b")
        self.succeeded(self.migrate(self.plan("host", "east", f"{ns}:{ns}-b")))
        binding = self.east.get("rolebindings", "robot", ns + "-b")
        self.assertEqual(binding["subjects"][0]["namespace"], ns + "-b")
        self.assertIsNone(self.east.get("namespaces", ns))

    def test_by_kubectl_from_plan_to_end(self):
        ns, plan, name = self.application(self.west), unique("plan"), unique("m")
        self.addCleanup(self.west.delete, "migplans", plan)
        self.west.apply(manifests.PLAN.format(name=plan, source="host", destination="east", storage="bucket", namespace=ns))
        self.west.kubectl("-n", NS, "wait", "migplan", plan, "--for=condition=Ready", "--timeout=60s")
        self.west.apply(manifests.migration(name, plan))
        self.west.kubectl("-n", NS, "wait", "migmigration", name, "--for=condition=Succeeded", "--timeout=120s")
        self.describes("describe-completed.txt", name, plan, ns)

    def test_describe_at_the_moment_of_the_documents(self):
        # `Step: 19/47` at InitialBackupCreated: the bucket takes no backup for a while, so the migration stands there.
        gate = Gate(self.world.endpoint, "/velero/backups/")
        self.addCleanup(gate.stop)
        storage = unique("gated")
        self.create(*self.world.storage(storage, url=gate.url))
        ns = self.application(self.west)
        plan = self.plan("host", "east", ns, migStorageRef={"name": storage, "namespace": NS})
        name = self.begin(plan)

        def stands():
            migration = self.west.get("migmigrations", name)
            backup = [step for step in migration.get("status", {}).get("pipeline", []) if step["name"] == "Backup"]
            return phase(migration) == "InitialBackupCreated" and backup[0].get("progress")

        wait_for("the backup", stands)
        self.assertEqual(conditions(self.west.get("migmigrations", name))["Running"]["message"], "Step: 19/47")
        self.describes("describe-initial-backup-created.txt", name, plan, ns)
        self.assertEqual(self.west.get("deployments", "web", ns)["spec"]["replicas"], 2)
        gate.open.set()
        self.succeeded(self.ended(name))

    def describes(self, golden, name, plan, ns):
        text = masked(self.west.kubectl("-n", NS, "describe", "migmigration", name), (name, "NAME"), (plan, "PLAN"), (ns, "NAMESPACE"))
        text = text[: text.index("Events:")]
        if os.environ.get("MTC_UPDATE_GOLDEN"):
            (GOLDEN / golden).write_text(text)
        self.assertEqual(text, (GOLDEN / golden).read_text())


class Phases(Case):
    def test_every_row_once_and_in_order(self):
        ns = self.application(self.west)
        plan = self.plan("host", "east", ns)
        watch = self.west.watch("migmigrations")
        self.addCleanup(watch.stop)
        name = self.begin(plan)
        self.succeeded(self.ended(name))
        watch.until("the end", lambda m: m["metadata"]["name"] == name and phase(m) == "Completed")
        steps, phases = [], []
        for state in watch.of(name):
            if phase(state) and phase(state) not in phases[-1:]:
                phases.append(phase(state))
            running = conditions(state).get("Running")
            if running:
                self.assertEqual(running["reason"], phase(state))
                if running["message"] not in steps[-1:]:
                    steps.append(running["message"])
        self.assertEqual(phases, list(ROWS.values()))
        self.assertEqual(steps, [f"Step: {n}/47" for n in ROWS if n != 47])
        self.events(name)

    def events(self, name):
        def written():
            found = [e for e in self.west.items("events") if e["involvedObject"]["name"] == name]
            return found if any(e["reason"] == "Succeeded" for e in found) else None

        found = wait_for("its events", written)
        running = [e for e in found if e["reason"] == "Running"]
        self.assertEqual(sorted(e["message"] for e in running), sorted(f"Step: {n}/47" for n in ROWS if n != 47))
        ready = [e for e in found if e["reason"] == "Ready"]
        self.assertEqual([e["message"] for e in ready], ["The migration is ready."])
        for event in running + ready:
            self.assertEqual((event["type"], event["source"]["component"]), ("Normal", "migmigration_controller"))


class Undoing(Case):
    def test_stage_stops_nothing(self):
        ns = self.application(self.west)
        before = inventory(self.west, ns)
        done = self.warned(self.migrate(self.plan("host", "east", ns), stage=True, quiesce=False), "StageNoOp")
        self.assertEqual(done["status"]["itinerary"], "Stage")
        self.assertEqual(inventory(self.west, ns), before)

    def test_rollback_removes_the_copy_and_starts_the_source(self):
        ns = self.application(self.west)
        before = inventory(self.west, ns)
        plan = self.plan("host", "east", ns)
        self.succeeded(self.migrate(plan))
        self.assertNotEqual(inventory(self.west, ns), before)
        self.succeeded(self.migrate(plan, rollback=True, quiesce=False))
        self.assertEqual(inventory(self.west, ns), before)
        self.available(self.west, ns)
        self.assertEqual(names(inventory(self.east, ns)), [])

    def test_cancel_puts_the_source_back(self):
        ns = self.application(self.west)
        # Pods that do not go keep the migration in EnsureQuiesced.
        self.west.patch("deployments", "web", {"spec": {"template": {"metadata": {"finalizers": ["example.com/hold"]}}}}, ns)
        self.addCleanup(self.let_go, ns)

        def held():
            pods = [p for p in self.west.items("pods", ns) if p["metadata"].get("labels", {}).get("app") == "web"]
            web = self.west.get("deployments", "web", ns)
            return len(pods) == 2 and web["status"].get("availableReplicas") == 2 and all("finalizers" in p["metadata"] for p in pods)

        wait_for("pods that hold", held)
        before = inventory(self.west, ns)
        name = self.begin(self.plan("host", "east", ns))
        wait_for("quiesce", lambda: phase(self.west.get("migmigrations", name)) == "EnsureQuiesced")
        self.west.patch("migmigrations", name, {"spec": {"canceled": True}})
        done = self.ended(name)
        self.assertIn("Canceled", conditions(done))
        self.assertNotIn("Succeeded", conditions(done))
        self.assertEqual(inventory(self.west, ns), before)
        self.assertIsNone(self.east.get("namespaces", ns))

    def let_go(self, ns):
        for pod in self.west.items("pods", ns):
            if pod["metadata"].get("finalizers"):
                self.west.patch("pods", pod["metadata"]["name"], {"metadata": {"finalizers": None}}, ns)


