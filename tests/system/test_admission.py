"""Clusters that do not let every pod in: what a plan says of it before anything is moved, and how volumes travel all the same."""
from cluster import conditions, wait_for
from volumes import Directly, VolumeCase, fill

LEVEL = "pod-security.kubernetes.io/enforce"


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
