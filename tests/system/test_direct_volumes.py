"""Volumes are moved file by file by pods on both clusters, proven by reading back, and nothing of it stays behind."""
from case import NS
from cluster import conditions, phase, wait_for
from volumes import Directly, EitherWay, VolumeCase, big, fill


class DirectVolumes(Directly, EitherWay, VolumeCase):
    # What travels

    def test_cutover(self):
        ns = self.with_claims("data", "logs")
        fill(self.source(ns))
        (self.source(ns, "logs") / "today").write_text("hello")
        name = self.begin(self.volume_plan(ns))
        migration = self.succeeded(self.ended(name))
        self.moved(ns, claims=("data", "logs"))
        self.available(self.east, ns)
        self.assertEqual(self.west.get("deployments", "web", ns)["spec"]["replicas"], 0)
        self.no_helpers(ns)
        copies = self.copies_of(name)
        self.assertEqual((copies["status"]["phase"], copies["status"]["itinerary"]), ("Completed", "VolumeMigration"))
        self.assertEqual(copies["spec"]["migrationType"], "CutOver")
        self.assertEqual(len(copies["status"]["successfulPods"]), 2)
        lines = next(step for step in migration["status"]["pipeline"] if step["name"] == "DirectVolume")["progress"]
        self.assertEqual(lines[0], "2 total volumes; 2 successful; 0 running; 0 failed")
        self.assertRegex(lines[1], rf"^\[data\] {ns}/rsync-\w+-1: Completed 100%")
        progress = [p for p in self.west.items("directvolumemigrationprogresses", NS) if p["spec"]["podNamespace"] == ns]
        self.assertEqual({p["status"]["totalProgressPercentage"] for p in progress}, {"100%"})

    def test_a_stage_then_what_has_changed_since(self):
        ns = self.with_claims("data")
        fill(self.source(ns))
        plan = self.volume_plan(ns)
        self.succeeded(self.migrate(plan, stage=True, quiesce=False))
        self.moved(ns)
        self.assertEqual(self.west.get("deployments", "web", ns)["spec"]["replicas"], 1)
        self.assertIsNone(self.east.get("deployments", "web", ns))
        kept = (self.target(ns) / "deep/file-7").stat().st_ino
        (self.source(ns) / "deep/file-5").unlink()
        (self.source(ns) / "deep/file-6").write_text("newer")
        (self.source(ns) / "more").write_text("more")
        self.succeeded(self.migrate(plan))
        self.moved(ns)
        self.assertEqual((self.target(ns) / "deep/file-7").stat().st_ino, kept, "it was there and was left alone")

    # The way back

    def test_cancel_in_the_middle(self):
        ns = self.with_claims("data")
        big(self.source(ns) / "big", 256)
        name = self.begin(self.volume_plan(ns))
        self.sender(name, ns)
        self.west.patch("migmigrations", name, {"spec": {"canceled": True}})
        migration = self.ended(name)
        self.assertIn("Canceled", conditions(migration))
        self.assertIsNone(self.copies_of(name))
        self.no_helpers(ns)
        self.available(self.west, ns)

    # What goes wrong

    def test_a_sender_that_is_killed_is_followed_by_another(self):
        ns = self.with_claims("data")
        big(self.source(ns) / "big", 256)
        name = self.begin(self.volume_plan(ns))
        pod = self.sender(name, ns)["metadata"]["name"]
        wait_for("it to run", lambda: phase(self.west.get("pods", pod, ns)) == "Running")
        self.west.delete("pods", pod, ns)
        self.succeeded(self.ended(name, seconds=240))
        self.moved(ns)

    def test_a_controller_that_is_killed_in_the_middle(self):
        ns = self.with_claims("data")
        big(self.source(ns) / "big", 256)
        fill(self.source(ns))
        name = self.begin(self.volume_plan(ns))
        self.sender(name, ns)
        self.world.controller.kill()
        self.world.controller.start()
        self.succeeded(self.ended(name, seconds=240))
        self.moved(ns)
        self.no_helpers(ns)

    def test_an_image_that_is_no_mover_copies_nothing_and_says_so(self):
        ns = self.with_claims("data")
        fill(self.source(ns), files=3)
        before = self.east.get("configmaps", "migration-cluster-config")["data"]
        self.addCleanup(self.east.patch, "configmaps", "migration-cluster-config", {"data": before})
        self.east.patch("configmaps", "migration-cluster-config", {"data": {"RSYNC_TRANSFER_IMAGE": self.world.image}})
        name = self.begin(self.volume_plan(ns))
        wait_for("the copy to begin", lambda: self.copies_of(name) and phase(self.copies_of(name)) == "RunRsyncOperations")
        self.west.patch("migmigrations", name, {"spec": {"canceled": True}})
        self.assertNotIn("Succeeded", conditions(self.ended(name)))


__all__ = ["DirectVolumes"]
