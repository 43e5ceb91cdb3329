"""quiescePods: every kind of workload stops on the source, and a rollback brings each back exactly."""
from case import Case
from cluster import conditions, inventory, phase, served_kinds, wait_for

NOTE = "migration.openshift.io/preQuiesce"


def workloads(image):
    """One of each kind, in every state that a quiesce could get wrong."""
    def template(app, **spec):
        container = {"name": "main", "image": image, "imagePullPolicy": "IfNotPresent"}
        return {"metadata": {"labels": {"app": app}}, "spec": {"terminationGracePeriodSeconds": 1, "containers": [container], **spec}}

    def scaled(api_version, kind, name, replicas, **spec):
        selector = {"app": name} if kind in ("ReplicationController", "DeploymentConfig") else {"matchLabels": {"app": name}}
        return {"apiVersion": api_version, "kind": kind, "metadata": {"name": name}, "spec": {"replicas": replicas, "selector": selector, "template": template(name), **spec}}

    def daemons(name, **spec):
        return {"apiVersion": "apps/v1", "kind": "DaemonSet", "metadata": {"name": name},
                "spec": {"selector": {"matchLabels": {"app": name}}, "template": template(name, **spec)}}

    def job(name, **spec):
        return {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": name}, "spec": {**spec, "template": template(name, restartPolicy="Never")}}

    def nightly(name, suspend):
        return {"apiVersion": "batch/v1", "kind": "CronJob", "metadata": {"name": name},
                "spec": {"schedule": "0 2 * * *", "suspend": suspend, "jobTemplate": {"spec": {"template": template(name, restartPolicy="Never")}}}}

    return [scaled("apps/v1", "Deployment", "web", 2), scaled("apps/v1", "Deployment", "off", 0), scaled("apps/v1", "StatefulSet", "db", 2, serviceName="db"),
            scaled("apps/v1", "ReplicaSet", "old-style", 1), scaled("v1", "ReplicationController", "oldest-style", 2),
            daemons("everywhere"), daemons("on-linux", nodeSelector={"kubernetes.io/os": "linux"}),
            job("crunch", parallelism=2, completions=4), job("held", suspend=True), nightly("nightly", False), nightly("resting", True),
            scaled("apps/v1", "Deployment", "paused", 1), scaled("apps.openshift.io/v1", "DeploymentConfig", "shift", 3)]


DEPLOYMENT_CONFIGS = {
    "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "metadata": {"name": "deploymentconfigs.apps.openshift.io"},
    "spec": {"group": "apps.openshift.io", "scope": "Namespaced",
             "names": {"plural": "deploymentconfigs", "singular": "deploymentconfig", "kind": "DeploymentConfig", "listKind": "DeploymentConfigList"},
             "versions": [{"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}}}]}}


class Quiesce(Case):
    def running(self, ns):
        """The pods that run on the source, by their application."""
        pods = [p for p in self.west.items("pods", ns) if phase(p) == "Running" and "deletionTimestamp" not in p["metadata"]]
        return sorted({p["metadata"].get("labels", {}).get("app", p["metadata"]["name"]) for p in pods})

    def test_every_kind_stops_and_comes_back(self):
        for cluster in (self.west, self.east):
            self.addCleanup(cluster.delete, "customresourcedefinitions", "deploymentconfigs.apps.openshift.io")
        self.west.ensure(DEPLOYMENT_CONFIGS)
        wait_for("DeploymentConfigs", lambda: ("/apis/apps.openshift.io/v1", "deploymentconfigs") in served_kinds(self.west))
        bare = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "bare"},
                "spec": {"terminationGracePeriodSeconds": 1, "containers": [{"name": "main", "image": self.world.image, "imagePullPolicy": "IfNotPresent"}]}}
        ns = self.namespace(self.west, *workloads(self.world.image), bare)
        owned = ["crunch", "db", "everywhere", "old-style", "oldest-style", "paused", "web"]
        wait_for("pods", lambda: set(owned + ["bare"]) <= set(self.running(ns)))
        self.west.patch("deployments", "paused", {"spec": {"paused": True}}, ns)
        wait_for("pods of db", lambda: self.west.get("statefulsets", "db", ns)["status"].get("readyReplicas") == 2)
        before = inventory(self.west, ns)
        uid = self.west.get("pods", "bare", ns)["metadata"]["uid"]

        plan = self.plan("host", "east", ns)
        # Before anything is copied: what nobody can stop is named.
        named = self.says("migplans", plan, "WorkloadsCannotBeQuiesced", "NotSupported", "Warn", "Stop them yourself")
        self.assertIn(f"[{ns}/bare]", named["message"])
        self.assertIsNone(self.east.get("namespaces", ns))

        done = self.warned(self.migrate(plan), "WorkloadsCannotBeQuiesced")
        self.assertIn(f"[{ns}/bare]", conditions(done)["WorkloadsCannotBeQuiesced"]["message"])
        self.assertEqual(self.running(ns), ["bare"])
        stopped = inventory(self.west, ns)
        for key, path in {"deployments/web": "replicas", "deployments/paused": "replicas", "statefulsets/db": "replicas", "jobs/crunch": "parallelism",
                          "replicationcontrollers/oldest-style": "replicas", "deploymentconfigs/shift": "replicas"}.items():
            self.assertEqual(stopped[key]["spec"][path], 0, key)
        self.assertTrue(stopped["cronjobs/nightly"]["spec"]["suspend"])
        for name in ("resting", "off"):
            key = f"cronjobs/{name}" if name == "resting" else f"deployments/{name}"
            self.assertEqual(stopped[key], before[key])
        for name in ("everywhere", "on-linux"):
            self.assertEqual(stopped[f"daemonsets/{name}"]["spec"]["template"]["spec"]["nodeSelector"]["migration.openshift.io/quiesceDaemonSet"], "true")

        self.arrived(ns, before)
        self.succeeded(self.migrate(plan, rollback=True, quiesce=False))
        self.assertEqual(inventory(self.west, ns), before)
        self.assertNotIn(NOTE, str(inventory(self.west, ns)))
        # A Deployment hands its annotations on; a later `kubectl rollout undo` would bring them back from there.
        for copy in self.west.items("replicasets", ns):
            self.assertNotIn(NOTE, str(copy["metadata"].get("annotations")), copy["metadata"]["name"])
        wait_for("the source's pods", lambda: set(owned) - {"paused"} <= set(self.running(ns)))
        self.assertEqual(self.west.get("pods", "bare", ns)["metadata"]["uid"], uid)

    def arrived(self, ns, before):
        """The destination runs what the source ran, as the source ran it: no trace of the quiesce."""
        there = inventory(self.east, ns)
        self.assertEqual(sorted(there), sorted(before))
        self.assertNotIn(NOTE, str(there))
        for key, thing in before.items():
            for field in ("replicas", "parallelism", "paused"):
                self.assertEqual(there[key].get("spec", {}).get(field), thing.get("spec", {}).get(field), f"{key} {field}")
        self.assertFalse(there["cronjobs/nightly"]["spec"]["suspend"])
        self.assertTrue(there["cronjobs/resting"]["spec"]["suspend"])

