"""Volumes go through the API servers of both clusters where no address of the destination leads to it, and arrive just as whole."""
from case import NS
from cluster import conditions, wait_for
from volumes import Directly, VolumeCase, big, fill


class RelayedVolumes(Directly, VolumeCase):
    def endpoints(self, kind):
        """How the destination says that it is reached, until the test ends."""
        def say(value):
            self.east.patch("configmaps", "migration-cluster-config", {"data": {"RSYNC_ENDPOINT_TYPE": value}})

        self.addCleanup(say, None)
        say(kind)

    def progress_of(self, ns):
        found = [p for p in self.west.items("directvolumemigrationprogresses", NS) if p["spec"]["podNamespace"] == ns]
        return found[0].get("status", {}) if found else {}

    def relayed(self, name, ns):
        """Waits until files travel by the relay; the pod that sends them."""
        wait_for("files to travel by a relay", lambda: self.progress_of(ns).get("way") == "relay" and int(self.progress_of(ns).get("lastObservedProgressPercent", "0%")[:-1]) > 5)
        return self.sender(name, ns)["metadata"]["name"]

    def test_cutover_by_a_relay_alone(self):
        self.endpoints("Relay")
        ns = self.with_claims("data", "logs")
        fill(self.source(ns))
        (self.source(ns, "logs") / "today").write_text("hello")
        name = self.begin(self.volume_plan(ns))
        self.sender(name, ns)
        self.assertEqual(self.east.items("services", ns, "owner=directvolumemigration"), [])
        migration = self.succeeded(self.ended(name))
        self.moved(ns, claims=("data", "logs"))
        self.available(self.east, ns)
        self.no_helpers(ns)
        self.assertEqual({pod["way"] for pod in self.copies_of(name)["status"]["successfulPods"]}, {"relay"})
        lines = next(step for step in migration["status"]["pipeline"] if step["name"] == "DirectVolume")["progress"]
        self.assertRegex(lines[1], rf"^\[data\] {ns}/rsync-\w+-1: Completed 100%.* \(through the API servers\)$")

    def test_cutover_where_no_address_answers(self):
        if not self.world.is_lab:
            self.skipTest("pods of embedded clusters all reach one another: `make lab-test` runs it")
        self.endpoints("ClusterIP")  # then there is only the pod's own address, which is of a network inside of its cluster
        ns = self.with_claims("data")
        fill(self.source(ns))
        name = self.begin(self.volume_plan(ns))
        self.succeeded(self.ended(name))
        self.moved(ns)
        self.no_helpers(ns)
        self.assertEqual(self.progress_of(ns)["way"], "relay")
        self.assertRegex(self.progress_of(ns)["failedWays"][0], r"^connect to [\d.]+:6443: ")

    def test_a_controller_that_is_killed_while_it_relays(self):
        self.endpoints("Relay")
        ns = self.with_claims("data")
        big(self.source(ns) / "big", 512)
        fill(self.source(ns))
        name = self.begin(self.volume_plan(ns))
        sender = self.relayed(name, ns)
        self.world.controller.kill()
        self.world.controller.start()
        self.succeeded(self.ended(name, seconds=240))
        self.moved(ns)
        self.assertEqual(self.copies_of(name)["status"]["successfulPods"][0]["name"], sender, "it went on and was not begun again")
        self.no_helpers(ns)

    def test_cancel_while_it_relays(self):
        self.endpoints("Relay")
        ns = self.with_claims("data")
        big(self.source(ns) / "big", 512)
        name = self.begin(self.volume_plan(ns))
        self.relayed(name, ns)
        self.west.patch("migmigrations", name, {"spec": {"canceled": True}})
        self.assertIn("Canceled", conditions(self.ended(name)))
        self.no_helpers(ns)
        self.available(self.west, ns)


__all__ = ["RelayedVolumes"]
