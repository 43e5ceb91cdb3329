"""The system against real clusters: what the public documents promise, what goes wrong, and what must survive it."""
import os
import pathlib
import random
import re
import subprocess
import time
import unittest

import manifests
from world import MTC, NS, ROOT, Cluster, Controller, b64, conditions, unique, wait_for

IMAGE = os.environ.get("MTC_LAB_IMAGE", "lab.mtc/pause:1")
KINDS = ["deployments", "statefulsets", "cronjobs", "services", "configmaps", "secrets", "serviceaccounts", "roles", "rolebindings"]


class Lab(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.west = Cluster("west", os.environ["KUBECONFIG_WEST"])
        cls.east = Cluster("east", os.environ["KUBECONFIG_EAST"])
        cls.controller = Controller(cls.west)
        cls.controller.start()
        wait_for("the CRDs", lambda: "migplans.migration.openshift.io" in cls.west.run("get", "crd", "-o", "name", check=False))
        cls.west.run("create", "namespace", "openshift-config", check=False)
        cls.west.apply(manifests.HOST.format(name="host"))
        cls.register("east", cls.east)
        cls.register("west-remote", cls.west)
        cls.west.apply(manifests.STORAGE_SECRET.format(name="s3", key=b64(os.environ["S3_KEY"]), secret=b64(os.environ["S3_SECRET"])),
                       manifests.STORAGE.format(name="bucket", bucket=os.environ["S3_BUCKET"], url=os.environ["S3_ENDPOINT"], secret="s3"))
        for kind, name in [("migcluster", "host"), ("migcluster", "east"), ("migcluster", "west-remote"), ("migstorage", "bucket")]:
            cls.west.run("-n", NS, "wait", kind, name, "--for=condition=Ready", "--timeout=30s")
        cls.made = []

    @classmethod
    def tearDownClass(cls):
        cls.controller.kill()

    @classmethod
    def register(cls, name, cluster, **changes):
        values = {"name": name, "secret": f"{name}-secret", "url": cluster.url, "ca": cluster.ca, **changes}
        remote = manifests.REMOTE.format(**values)
        if not values["ca"]:
            remote = remote.replace("  caBundle: \n", "")
        cls.west.apply(manifests.CLUSTER_SECRET.format(name=f"{name}-secret", token=b64(changes.get("token") or cluster.token())), remote)

    def setUp(self):
        self.cleanup = []

    def tearDown(self):
        for cluster, ns in self.cleanup:
            cluster.delete("namespace", ns)

    def application(self, cluster, ns=None):
        ns = ns or unique("shop")
        cluster.apply(*manifests.application(ns, IMAGE))
        self.cleanup += [(self.west, ns), (self.east, ns)]
        cluster.run("-n", ns, "rollout", "status", "deployment/web", "--timeout=60s")
        return ns

    def plan(self, source, destination, namespace, name=None, ready=True):
        name = name or unique("plan")
        self.west.apply(manifests.PLAN.format(name=name, source=source, destination=destination, storage="bucket", namespace=namespace))
        if ready:
            wait_for(f"plan {name}", lambda: "Ready" in conditions(self.west.get("migplan", name)))
        return name

    def migrate(self, plan, seconds=90, **what):
        name = unique("m")
        self.west.apply(manifests.migration(name, plan, **what))
        return wait_for(f"migration {name}", lambda: (lambda m: m if m and m.get("status", {}).get("phase") == "Completed" else None)(self.west.get("migmigration", name)), seconds)

    def names(self, cluster, ns):
        return {kind: sorted(o["metadata"]["name"] for o in cluster.items(kind, ns)) for kind in KINDS}

    def blocked(self, plan):
        return wait_for(f"conditions of {plan}", lambda: {t: c for t, c in conditions(self.west.get("migplan", plan)).items() if c["category"] in ("Critical", "Error")})


class Documents(Lab):
    """The manifests of the documents, in every direction."""

    def travel(self, source, destination, origin, target):
        ns = self.application(origin)
        before = self.names(origin, ns)
        goal = ns if origin is not target else ns + "-new"
        self.cleanup.append((target, goal))
        plan = self.plan(source, destination, ns if goal == ns else f"{ns}:{goal}")
        done = self.migrate(plan)
        self.assertIn("Succeeded", conditions(done), done["status"])
        self.assertEqual(self.names(target, goal), before)
        target.run("-n", goal, "rollout", "status", "deployment/web", "--timeout=60s")
        self.assertEqual(origin.get("deployment", "web", ns)["spec"]["replicas"], 0)
        self.assertEqual(target.get("deployment", "web", goal)["spec"]["replicas"], 2)
        return done

    def test_host_to_remote(self):
        self.travel("host", "east", self.west, self.east)

    def test_remote_to_host(self):
        self.travel("east", "host", self.east, self.west)

    def test_remote_to_remote(self):
        self.travel("west-remote", "east", self.west, self.east)

    def test_into_another_namespace(self):
        ns = self.application(self.west)
        self.cleanup.append((self.east, ns + "-b"))
        done = self.migrate(self.plan("host", "east", f"{ns}:{ns}-b"))
        self.assertIn("Succeeded", conditions(done))
        binding = self.east.get("rolebinding", "robot", ns + "-b")
        self.assertEqual(binding["subjects"][0]["namespace"], ns + "-b")

    def test_describe_reads_as_in_the_documents(self):
        ns = self.application(self.west)
        plan = self.plan("host", "east", ns)
        done = self.migrate(plan)
        text = self.west.run("-n", NS, "describe", "migmigration", done["metadata"]["name"])
        golden = pathlib.Path(__file__).parent.parent / "golden/describe-completed.txt"
        if os.environ.get("MTC_UPDATE_GOLDEN"):
            golden.write_text(masked(text, done["metadata"]["name"], plan, ns))
        self.assertEqual(masked(text, done["metadata"]["name"], plan, ns), golden.read_text())


def masked(text, name, plan, ns):
    """Times, identities and counts are different each time; everything else is to the letter."""
    text = text.replace(name, "NAME").replace(plan, "PLAN").replace(ns, "NAMESPACE")
    text = re.sub(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", "TIME", text)
    text = re.sub(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", "UUID", text)
    text = re.sub(r"\b[0-9a-f]{64}\b", "DIGEST", text)
    text = re.sub(r"NAME-(initial|final)-[0-9a-f]{5}", r"NAME-\1-ID", text)
    text = re.sub(r"\(\d+s\)", "(SECONDS)", text)
    text = re.sub(r"\d+ (out of estimated total of) \d+", r"N \1 N", text)
    text = re.sub(r"\d+ objects: \d+ restored unchanged, \d+ adapted to the destination, \d+ left out on purpose, 0 failed", "OBJECTS", text)
    text = re.sub(r"(Generation|Resource Version): +\d+", r"\1: N", text)
    return text[: text.index("Events:")] if "Events:" in text else text


class Undoing(Lab):
    def test_stage_stops_nothing(self):
        ns = self.application(self.west)
        done = self.migrate(self.plan("host", "east", ns), stage=True, quiesce=False)
        self.assertEqual(done["status"]["itinerary"], "Stage")
        self.assertEqual(self.west.get("deployment", "web", ns)["spec"]["replicas"], 2)

    def test_rollback_removes_the_copy_and_starts_the_source(self):
        ns = self.application(self.west)
        plan = self.plan("host", "east", ns)
        self.assertIn("Succeeded", conditions(self.migrate(plan)))
        back = self.migrate(plan, rollback=True, quiesce=False)
        self.assertIn("Succeeded", conditions(back), back["status"])
        self.assertEqual(self.west.get("deployment", "web", ns)["spec"]["replicas"], 2)
        self.assertFalse(self.west.get("cronjob", "nightly", ns)["spec"]["suspend"])
        self.assertEqual(self.east.items("deployments", ns), [])
        self.assertEqual([s["metadata"]["name"] for s in self.east.items("serviceaccounts", ns)], ["default"])

    def test_cancel_puts_the_source_back(self):
        ns = self.application(self.west)
        # A pod that takes its time keeps the migration in EnsureQuiesced.
        self.west.run("-n", ns, "patch", "deployment", "web", "--type=merge", "-p",
                      '{"metadata":{"finalizers":["example.com/hold"]},"spec":{"template":{"metadata":{"finalizers":["example.com/hold"]}}}}')
        self.west.run("-n", ns, "rollout", "status", "deployment/web", "--timeout=60s")
        plan, name = self.plan("host", "east", ns), unique("m")
        self.west.apply(manifests.migration(name, plan))
        wait_for("quiesce", lambda: self.west.get("migmigration", name)["status"].get("phase") == "EnsureQuiesced")
        self.west.run("-n", NS, "patch", "migmigration", name, "--type=merge", "-p", '{"spec":{"canceled":true}}')
        done = wait_for("the end", lambda: (lambda m: m if m["status"]["phase"] == "Completed" else None)(self.west.get("migmigration", name)))
        for pod in self.west.items("pods", ns):
            self.west.run("-n", ns, "patch", "pod", pod["metadata"]["name"], "--type=merge", "-p", '{"metadata":{"finalizers":null}}', check=False)
        self.west.run("-n", ns, "patch", "deployment", "web", "--type=merge", "-p", '{"metadata":{"finalizers":null}}')
        self.assertIn("Canceled", conditions(done))
        self.assertNotIn("Succeeded", conditions(done))
        self.assertEqual(self.west.get("deployment", "web", ns)["spec"]["replicas"], 2)


class Killed(Lab):
    def test_a_killed_controller_goes_on_where_it_stopped(self):
        rounds = int(os.environ.get("MTC_KILL_ROUNDS", "20"))
        rng = random.Random(20)
        for i in range(rounds):
            ns = self.application(self.west)
            before = self.names(self.west, ns)
            plan, name = self.plan("host", "east", ns), unique("m")
            self.west.apply(manifests.migration(name, plan))
            time.sleep(rng.uniform(0, 2.5))
            self.controller.kill()
            self.controller.start()
            done = wait_for(f"round {i}", lambda: (lambda m: m if m.get("status", {}).get("phase") == "Completed" else None)(self.west.get("migmigration", name)))
            self.assertIn("Succeeded", conditions(done), done["status"])
            self.assertEqual(self.names(self.east, ns), before, f"round {i}")
            backups = [b for b in self.west.items("backups.velero.io", NS) if b["metadata"]["name"].startswith(name)]
            self.assertEqual(len(backups), 1)
            for cluster in (self.west, self.east):
                cluster.delete("namespace", ns)


class BadClusters(Lab):
    def trouble(self, name):
        return wait_for(name, lambda: {t: c["message"] for t, c in conditions(self.west.get("migcluster", name)).items() if c["category"] == "Critical"})

    def add(self, **changes):
        name = unique("bad")
        self.register(name, self.east, **changes)
        try:
            return self.trouble(name)
        finally:
            self.west.delete("-n", NS, "migcluster", name)

    def test_wrong_token(self):
        trouble = self.add(token="wrong")
        self.assertIn("Unauthorized", trouble["TestConnectFailed"])
        self.assertIn("is wrong or has expired", trouble["TestConnectFailed"])

    def test_token_with_a_trailing_newline_works(self):
        name = unique("newline")
        self.register(name, self.east, token=self.east.token() + "\n")
        self.west.run("-n", NS, "wait", "migcluster", name, "--for=condition=Ready", "--timeout=30s")
        self.west.delete("-n", NS, "migcluster", name)

    def test_wrong_and_missing_ca(self):
        self.assertIn("unknown authority", self.add(ca=self.west.ca)["TestConnectFailed"])
        self.assertIn("caBundle", self.add(ca="")["TestConnectFailed"])

    def test_unreadable_ca(self):
        self.assertIn("holds no PEM certificate", self.add(ca=b64("nonsense"))["TestConnectFailed"])

    def test_unreachable_url(self):
        self.assertIn("refused", self.add(url=self.east.url.replace("6443", "6444"))["TestConnectFailed"])

    def test_a_server_that_is_no_kubernetes(self):
        self.assertIn("TestConnectFailed", self.add(url=os.environ["S3_ENDPOINT"]))

    def test_malformed_url(self):
        self.assertIn("InvalidURL", self.add(url='"not a url"'))
        self.assertIn("InvalidURL", self.add(url="ftp://example.com"))

    def test_secret_missing_or_with_wrong_keys(self):
        name = unique("bad")
        self.west.apply(manifests.REMOTE.format(name=name, secret="absent", url=self.east.url, ca=self.east.ca))
        self.assertIn("InvalidSaSecretRef", self.trouble(name))
        self.west.run("-n", "openshift-config", "create", "secret", "generic", "absent", "--from-literal=token=x")
        wait_for("the other condition", lambda: "InvalidSaToken" in self.trouble(name))
        self.west.delete("-n", NS, "migcluster", name)
        self.west.delete("-n", "openshift-config", "secret", "absent")

    def test_token_without_privileges(self):
        self.east.run("-n", NS, "create", "serviceaccount", "nobody", check=False)
        token = self.east.run("-n", NS, "create", "token", "nobody").strip()
        self.assertIn("SaTokenNotPrivileged", self.add(token=token))


class BadStorage(Lab):
    def add(self, secret=None, **changes):
        name = unique("bad")
        values = {"name": name, "bucket": os.environ["S3_BUCKET"], "url": os.environ["S3_ENDPOINT"], "secret": name, **changes}
        self.west.apply(manifests.STORAGE_SECRET.format(name=name, key=b64(os.environ["S3_KEY"]), secret=b64(secret or os.environ["S3_SECRET"])), manifests.STORAGE.format(**values))
        try:
            return wait_for(name, lambda: {t: c["message"] for t, c in conditions(self.west.get("migstorage", name)).items() if c["category"] == "Critical"})
        finally:
            self.west.delete("-n", NS, "migstorage", name)

    def test_absent_bucket(self):
        self.assertIn("NoSuchBucket", self.add(bucket="absent")["BackupStorageProviderTestFailed"])

    def test_wrong_secret(self):
        self.assertIn("SignatureDoesNotMatch", self.add(secret="wrong")["BackupStorageProviderTestFailed"])

    def test_unreachable_store(self):
        self.assertIn("BackupStorageProviderTestFailed", self.add(url="http://127.0.0.1:1"))

    def test_wrong_settings(self):
        self.assertIn("[Bucket]", self.add(bucket='""')["InvalidBackupStorageSettings"])
        self.assertIn("[S3URL]", self.add(url="ftp://x")["InvalidBackupStorageSettings"])


class BadPlans(Lab):
    def test_absent_namespace(self):
        self.assertIn("NamespaceNotFoundOnSourceCluster", self.blocked(self.plan("host", "east", "no-such-namespace", ready=False)))

    def test_namespace_too_long(self):
        self.assertIn("NamespaceNotDNSCompliant", self.blocked(self.plan("host", "east", f"default:{'x' * 64}", ready=False)))

    def test_namespace_mapped_twice(self):
        found = self.blocked(self.plan("host", "east", "default:one\n    - kube-public:one", ready=False))
        self.assertIn("DuplicateNamespaceOnDestinationCluster", found)

    def test_absent_and_identical_clusters(self):
        self.assertIn("InvalidSourceClusterRef", self.blocked(self.plan("nowhere", "east", "default", ready=False)))
        self.assertIn("IntraClusterMigration", self.blocked(self.plan("host", "host", "default", ready=False)))

    def test_volumes_are_refused_not_lost(self):
        ns = self.application(self.west)
        self.west.apply({"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": "data", "namespace": ns},
                         "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}})
        self.assertIn(f"{ns}/data", self.blocked(self.plan("host", "east", ns, ready=False))["VolumeMigrationNotSupported"]["message"])

    def test_a_migration_of_a_plan_that_is_not_ready_waits(self):
        plan = self.plan("host", "east", "no-such-namespace", ready=False)
        name = unique("m")
        self.west.apply(manifests.migration(name, plan))
        wait_for("PlanNotReady", lambda: "PlanNotReady" in conditions(self.west.get("migmigration", name)))
        self.assertNotIn("phase", self.west.get("migmigration", name)["status"])

    def test_malformed_manifests_are_refused_by_the_api_server(self):
        with self.assertRaisesRegex(AssertionError, "stage"):
            self.west.apply({"apiVersion": "migration.openshift.io/v1alpha1", "kind": "MigMigration", "metadata": {"name": "x", "namespace": NS}, "spec": {"stage": "perhaps"}})


class Program(Lab):
    """The unit tests that want a real server, and the command line."""

    def test_unit_tests_against_the_real_servers(self):
        for test in ["kube/kube_test", "blob/blob_test", "backup/backup_test", "sandbox/sandbox_test"]:
            program = ROOT / "build/dev/src" / test
            if not program.exists():
                self.skipTest(f"{program} is not built: run make test first")
            environment = {**os.environ, "MTC_TEST_KUBECONFIG": self.west.kubeconfig}
            done = subprocess.run([program, "--gtest_filter=RealServer.*:*RealStore:Server/*:Access.*"], env=environment, capture_output=True, text=True, timeout=300)
            self.assertEqual(done.returncode, 0, done.stdout[-3000:])

    def test_verbs(self):
        def mtc(*arguments):
            return subprocess.run([MTC, "--kubeconfig", self.west.kubeconfig, *arguments], capture_output=True, text=True, timeout=90)

        self.assertIn("east", mtc("cluster", "get").stdout)
        ns, plan = self.application(self.west), unique("plan")
        self.assertEqual(mtc("plan", "create", plan, "--source", "host", "--destination", "east", "--storage", "bucket", "--namespace", ns).returncode, 0)
        wait_for("plan", lambda: "Ready" in conditions(self.west.get("migplan", plan)))
        done = mtc("migrate", plan, "--quiesce", "--watch")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertIn("succeeded", done.stdout)
        wrong = mtc("plan", "describe", "no-such-plan")
        self.assertEqual(wrong.returncode, 1)
        self.assertIn("does not exist", wrong.stderr)
        self.assertEqual(mtc("migrate").returncode, 2)
