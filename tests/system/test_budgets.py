"""What movers may use: set for a host, divided among those at work, changed while they are."""
import json
import os
import time

from cluster import wait_for
from volumes import Directly, VolumeCase, big

BUDGET = "migration.openshift.io/mover-budget"
MIB = 1 << 20


class Budgets(Directly, VolumeCase):
    def setUp(self):
        super().setUp()
        self.addCleanup(self.grant, MOVER_BYTES_PER_SECOND=None, MOVER_IOPS=None)

    def grant(self, **settings):
        self.west.patch("configmaps", "migration-cluster-config", {"data": settings})

    def granted(self, setting, text, budget):
        """Returns when the controller has seen it, and not only the end of what an earlier test had set."""
        log = self.world.controller.log
        seen = len(log.read_text())
        self.grant(**{setting: text})
        expected = json.dumps(budget, separators=(",", ":"))
        wait_for("the controller to see it", lambda: any("movers may use" in line and expected in line.replace("\\", "") for line in log.read_text()[seen:].splitlines()))
        return budget

    def budget(self, ns):
        """What the mover of a namespace may use; None if none is at work."""
        pods = [pod for pod in self.west.items("pods", ns) if BUDGET in pod["metadata"].get("annotations", {}) and pod["status"]["phase"] == "Running"]
        return json.loads(pods[0]["metadata"]["annotations"][BUDGET]) if pods else None

    def test_a_budget_is_divided_among_migrations_and_taken_away_while_they_run(self):
        namespaces = [self.with_claims("data") for _ in range(2)]
        for ns in namespaces:
            big(self.source(ns) / "big", 40)
        plans = [self.volume_plan(ns) for ns in namespaces]
        self.granted("MOVER_BYTES_PER_SECOND", "1Mi", {"bytesPerSecond": MIB})
        begun = time.monotonic()
        names = [self.begin(plan) for plan in plans]
        half = {"bytesPerSecond": MIB // 2}
        for ns in namespaces:
            wait_for(f"{ns} to have half of it", lambda ns=ns: self.budget(ns) == half)
        self.assertLess(time.monotonic() - begun, 70, "both would be through by then")
        self.grant(MOVER_BYTES_PER_SECOND=None)
        wait_for("the bounds to go", lambda: all(self.budget(ns) in ({}, None) for ns in namespaces))
        freed = time.monotonic()
        for ns, name in zip(namespaces, names):
            self.succeeded(self.ended(name))
            self.moved(ns)
        self.assertLess(time.monotonic() - freed, 80, "2 x 40 MiB at half a MiB a second each take longer")

    def test_reads_of_the_source_are_bounded(self):
        ns = self.with_claims("data")
        for i in range(200):
            (self.source(ns) / f"{i}").write_text(str(i))
        plan = self.volume_plan(ns)
        bound = self.granted("MOVER_IOPS", "20", {"iops": 20})
        name = self.begin(plan)
        wait_for("its budget", lambda: self.budget(ns) == bound)
        begun = time.monotonic()
        self.succeeded(self.ended(name))
        self.moved(ns)
        self.assertGreater(time.monotonic() - begun, 5, "200 files at 20 a second")

    def test_the_way_to_the_bucket_and_back_is_bounded_too(self):
        ns = self.with_claims("data")
        (self.source(ns) / "big").write_bytes(os.urandom(8 * MIB))  # a repository keeps what is repeated once
        plan = self.plan("host", "east", ns)
        bound = self.granted("MOVER_BYTES_PER_SECOND", "1Mi", {"bytesPerSecond": MIB})
        name = self.begin(plan)
        wait_for("its budget", lambda: self.budget(ns) == bound)
        begun = time.monotonic()
        self.succeeded(self.ended(name))
        self.moved(ns)
        self.assertGreater(time.monotonic() - begun, 12, "8 MiB there and 8 MiB back")


__all__ = ["Budgets"]
