"""ResourceQuotas of the destination: what a plan says before anything is moved, and that it sees by itself when there is room."""
from cluster import conditions, wait_for
from volumes import Directly, VolumeCase, fill


def quota(**hard):
    return {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "few"}, "spec": {"hard": {k.replace("_", "."): v for k, v in hard.items()}}}


class ClaimQuotas(Directly, VolumeCase):
    def bounded(self, cluster, ns, **hard):
        """A namespace with a quota, once its cluster knows what is used of it."""
        cluster.ensure({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": ns}})
        bound = quota(**hard)
        bound["metadata"]["namespace"] = ns
        cluster.create(bound)
        wait_for("the quota", lambda: "used" in cluster.get("resourcequotas", "few", ns).get("status", {}))

    def allow(self, cluster, ns, **hard):
        cluster.patch("resourcequotas", "few", quota(**hard), ns)

    def waits(self, ns, *words):
        """A plan for it that has no room for its claims."""
        plan = self.plan("host", "east", ns, indirectVolumeMigration=False, ready=False)
        self.says("migplans", plan, "VolumesOverQuota", "QuotaExceeded", "Critical", f"namespace {ns}, quota few: ", *words)
        self.assertEqual(self.east.items("persistentvolumeclaims", ns), [])
        return plan

    def ready(self, plan):
        wait_for(f"plan {plan} to be ready", lambda: "Ready" in conditions(self.west.get("migplans", plan)))

    def test_a_quota_without_room_keeps_a_plan_from_being_ready(self):
        ns = self.with_claims("data", "logs")
        fill(self.source(ns), files=3)
        self.bounded(self.east, ns, requests_storage="100Mi")
        plan = self.waits(ns, "128Mi more of requests.storage, where 0 of 100Mi are used")
        self.allow(self.east, ns, requests_storage="128Mi")
        self.ready(plan)
        self.succeeded(self.migrate(plan))
        self.moved(ns, claims=("data", "logs"))

    def test_a_quota_of_which_somebody_else_uses_too_much(self):
        ns = self.with_claims("data")
        self.bounded(self.east, ns, persistentvolumeclaims="1")
        self.east.create({"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": "theirs", "namespace": ns},
                          "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Mi"}}}})
        wait_for("its use", lambda: self.east.get("resourcequotas", "few", ns)["status"]["used"]["persistentvolumeclaims"] == "1")
        plan = self.plan("host", "east", ns, indirectVolumeMigration=False, ready=False)
        self.says("migplans", plan, "VolumesOverQuota", "QuotaExceeded", "Critical", "1 more of persistentvolumeclaims, where 1 of 1 are used")
        self.east.delete("persistentvolumeclaims", "theirs", ns)
        self.ready(plan)

    def test_a_quota_that_comes_along_does_not_bound_the_claims_that_come_with_it(self):
        ns = self.with_claims("data")
        fill(self.source(ns), files=3)
        self.bounded(self.west, ns, requests_storage="64Mi", persistentvolumeclaims="1")
        plan = self.volume_plan(ns)
        self.confirm(plan, "96Mi")
        self.ready(plan)
        self.succeeded(self.migrate(plan))
        self.assertEqual(self.asked_for(ns), "96Mi")
        self.assertEqual(self.east.get("resourcequotas", "few", ns)["spec"]["hard"]["requests.storage"], "64Mi")

    def test_room_for_the_movers_is_seen_when_it_comes(self):
        ns = self.with_claims("data")
        self.bounded(self.east, ns, pods="0")
        plan = self.volume_plan(ns)
        self.says("migplans", plan, "MoversOverQuota", "QuotaExceeded", "Warn", "exceeded quota: few", "limited: pods=0")
        self.allow(self.east, ns, pods="10")
        wait_for("the warning to go", lambda: "MoversOverQuota" not in conditions(self.west.get("migplans", plan)))
