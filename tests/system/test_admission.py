"""Clusters that do not let every pod in: what a plan says of it before anything is moved, and how volumes travel all the same."""
import os

from cluster import conditions, wait_for
from volumes import Directly, VolumeCase, fill

LEVEL = "pod-security.kubernetes.io/enforce"
USER = 4711
TIGHT = {"runAsUser": USER, "runAsGroup": USER, "runAsNonRoot": True, "allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]},
         "seccompProfile": {"type": "RuntimeDefault"}}


class Admission(Directly, VolumeCase):
    def enforce(self, cluster, ns, level):
        """From now on; pods that run go on."""
        cluster.ensure({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": ns}})
        cluster.patch("namespaces", ns, {"metadata": {"labels": {LEVEL: level}}})

    def ready(self, plan):
        wait_for(f"plan {plan} to be ready", lambda: "Ready" in conditions(self.west.get("migplans", plan)))

    def forbidden(self, plan, ns):
        self.says("migplans", plan, "MoversForbidden", "NotAdmitted", "Critical",
                  f"namespace {ns}: pods ", 'is forbidden: violates PodSecurity "restricted:latest": ', "securityContext.capabilities.add")

    def test_a_plan_whose_movers_the_destination_refuses_moves_nothing(self):
        ns = self.with_claims("data")
        fill(self.source(ns), files=3)
        self.enforce(self.east, ns, "restricted")
        plan = self.plan("host", "east", ns, indirectVolumeMigration=False, ready=False)
        self.forbidden(plan, ns)
        self.assertEqual(self.east.items("persistentvolumeclaims", ns), [])
        self.enforce(self.east, ns, "baseline")
        self.ready(plan)
        self.succeeded(self.migrate(plan))
        self.moved(ns)

    def test_a_plan_whose_movers_the_source_refuses(self):
        ns = self.with_claims("data")
        self.enforce(self.west, ns, "restricted")
        plan = self.plan("host", "east", ns, indirectVolumeMigration=True, ready=False)
        self.forbidden(plan, ns)
        self.enforce(self.west, ns, "baseline")
        self.ready(plan)

    # Movers that run as the user of the application

    def restricted(self, *clusters):
        """An application of one user, with files of its own, in a namespace of these clusters that is restricted."""
        ns = self.with_claims("data", security=TIGHT)
        root = self.source(ns)
        fill(root, files=5)
        for path in root.rglob("*"):
            os.chown(path, USER, USER, follow_symlinks=False)
        for cluster in clusters:
            self.enforce(cluster, ns, "restricted")
        return ns

    def is_told(self, plan, ns):
        self.says("migplans", plan, "MoversRestricted", "NotRoot", "Warn", f"namespace {ns}", "owners other than this user")

    def users(self, cluster, ns, begun):
        """Whom the movers run as that a migration has in a namespace, once there is one."""
        def there():
            pods = cluster.items("pods", ns, "app.kubernetes.io/part-of=openshift-migration")
            return {pod["spec"]["containers"][0]["securityContext"]["runAsUser"] for pod in pods}

        return wait_for(f"a mover of {begun}", there)

    def not_whole(self, migration, *words):
        """It succeeded, and says what was not kept."""
        self.assertIn("SucceededWithWarnings", conditions(migration), migration["status"])
        for word in words:
            self.assertIn(word, conditions(migration)["VolumeAttributesNotKept"]["message"])

    def test_directly_into_a_restricted_namespace(self):
        ns = self.restricted(self.east)
        theirs = self.source(ns) / "theirs"
        theirs.write_text("of another user")
        os.chown(theirs, USER + 1, USER + 1)
        plan = self.volume_plan(ns)
        self.is_told(plan, ns)
        name = self.begin(plan)
        self.assertEqual(self.users(self.east, ns, name), {USER})
        self.not_whole(self.ended(name), "owner")
        self.assertEqual((self.target(ns) / "theirs").read_text(), "of another user")
        self.assertEqual((self.target(ns) / "theirs").stat().st_uid, USER)
        os.chown(theirs, USER, USER)
        self.moved(ns)
        self.available(self.east, ns)

    def test_through_the_bucket_between_restricted_namespaces(self):
        ns = self.restricted(self.west, self.east)
        plan = self.plan("host", "east", ns, indirectVolumeMigration=True)
        self.is_told(plan, ns)
        name = self.begin(plan)
        self.assertEqual(self.users(self.west, ns, name), {USER})
        self.not_whole(self.ended(name), "data")
        self.moved(ns)
        self.available(self.east, ns)

    def test_a_file_that_the_user_cannot_read_stops_the_cutover(self):
        ns = self.restricted(self.west)
        secret = self.source(ns) / "secret"
        secret.write_text("root's")
        os.chown(secret, 0, 0)
        secret.chmod(0o600)
        self.failed(self.migrate(self.volume_plan(ns)), f"{ns}/data", "secret")
        self.assertIsNone(self.east.get("deployments", "web", ns))

    def test_a_migration_that_wants_no_root(self):
        ns = self.restricted()
        plan = self.volume_plan(ns)
        self.assertNotIn("MoversRestricted", conditions(self.west.get("migplans", plan)))
        name = self.begin(plan, root=False)
        self.assertEqual(self.users(self.east, ns, name), {USER})
        self.not_whole(self.ended(name), "data")
        self.moved(ns)

    def test_a_migration_that_wants_no_root_and_names_nobody_else(self):
        ns = self.with_claims("data")
        self.failed(self.migrate(self.volume_plan(ns), root=False), f"{ns}/data", "spec.runAsUser of the MigMigration")
