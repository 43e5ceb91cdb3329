"""Claims that are devices (volumeMode Block) move from cluster to cluster or through the bucket: only what differs travels, and what arrived is read back."""
import os
import pathlib
import subprocess

import manifests
from bucket import Bucket
from case import NS
from cluster import conditions, phase, wait_for
from staged import Staged
from volumes import Directly, Scribbling, VolumeCase, by_snapshot, fill, listing, serve_snapshots

MIB = 1 << 20
SIZE = 64 * MIB


def write(path, offset, data):
    """As a program does that has the device: its size stays."""
    with open(path, "r+b") as file:
        file.seek(offset)
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def seen_by_pods(file):
    """The loop device that pods of a real cluster have for it, while they have it; else the file itself."""
    found = subprocess.run(["losetup", "--associated", file, "--noheadings", "--output", "NAME"], capture_output=True, text=True, timeout=60, check=True)
    return pathlib.Path((found.stdout.split() or [file])[0])


class Disks(VolumeCase):
    """A device is a file of this machine on either kind of cluster: tests write and compare it there."""

    def device(self, ns, claim="data"):
        """What an application of the source writes to."""
        return seen_by_pods(self.source(ns, claim)) if self.world.is_lab else self.source(ns, claim)

    def with_device(self):
        """A namespace with a Deployment that has a claim as its device; something stands in it, and more is empty."""
        ns = self.namespace(self.west)
        chosen = {"storageClassName": self.storage_class} if self.storage_class else {}
        claim = manifests.claim("data", "64Mi", volumeMode="Block", **chosen)
        claim["metadata"]["namespace"] = ns
        container = {"name": "web", "image": self.world.image, "imagePullPolicy": "IfNotPresent", "volumeDevices": [{"name": "data", "devicePath": "/dev/data"}]}
        pod = {"metadata": {"labels": {"app": "web"}}, "spec": {"terminationGracePeriodSeconds": 1, "containers": [container],
               "volumes": [{"name": "data", "persistentVolumeClaim": {"claimName": "data"}}]}}
        self.west.create(claim, {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web", "namespace": ns},
                                 "spec": {"replicas": 1, "strategy": {"type": "Recreate"}, "selector": {"matchLabels": {"app": "web"}}, "template": pod}})
        self.available(self.west, ns)
        self.assertEqual(self.source(ns).stat().st_size, SIZE)
        write(self.device(ns), 0, os.urandom(8 * MIB))
        write(self.device(ns), SIZE - MIB, os.urandom(MIB))
        return ns

    def moved(self, ns, target_ns=None, claims=("data",)):
        for claim in claims:
            source, target = self.source(ns, claim).read_bytes(), self.target(target_ns or ns, claim).read_bytes()
            self.assertEqual(len(target), len(source))
            differing = [i for i in range(0, len(source), MIB) if source[i:i + MIB] != target[i:i + MIB]]
            self.assertEqual(differing, [], "offsets of the MiBs that differ")


class EitherWay:
    """What holds of devices whichever way they travel."""

    def test_a_set_that_has_file_systems_and_devices(self):
        ns = self.namespace(self.west)
        container = {"name": "db", "image": self.world.image, "imagePullPolicy": "IfNotPresent", "volumeMounts": [{"name": "files", "mountPath": "/files"}],
                     "volumeDevices": [{"name": "disk", "devicePath": "/dev/disk"}]}
        self.west.create({"apiVersion": "apps/v1", "kind": "StatefulSet", "metadata": {"name": "db", "namespace": ns}, "spec": {
            "replicas": 1, "serviceName": "db", "selector": {"matchLabels": {"app": "db"}},
            "volumeClaimTemplates": [manifests.claim("files", "64Mi"), manifests.claim("disk", "64Mi", volumeMode="Block")],
            "template": {"metadata": {"labels": {"app": "db"}}, "spec": {"terminationGracePeriodSeconds": 1, "containers": [container]}}}})

        def runs(cluster):
            found = cluster.get("statefulsets", "db", ns)
            return found and found.get("status", {}).get("readyReplicas") == 1

        wait_for("the set to run", lambda: runs(self.west))
        fill(self.source(ns, "files-db-0"), files=3)
        write(self.device(ns, "disk-db-0"), 10 * MIB, b"something")
        self.succeeded(self.migrate(self.volume_plan(ns)))
        self.assertEqual(listing(self.target(ns, "files-db-0")), listing(self.source(ns, "files-db-0")))
        self.moved(ns, claims=["disk-db-0"])
        wait_for("the set to run there", lambda: runs(self.east))

    def test_a_stage_says_that_it_was_written_to_meanwhile(self):
        ns = self.with_device()
        plan = self.volume_plan(ns)
        with Scribbling(self.device(ns)):
            staged = self.warned(self.migrate(plan, stage=True, quiesce=False), "VolumeFilesSkipped")
        self.assertIn(f"{ns}/data: ", conditions(staged)["VolumeFilesSkipped"]["message"])
        self.succeeded(self.migrate(plan))
        self.moved(ns)

    def test_a_device_of_the_destination_is_as_large_as_was_confirmed(self):
        ns = self.with_device()
        plan = self.volume_plan(ns)
        self.confirm(plan, "96Mi")
        migration = self.warned(self.migrate(plan), "VolumeAttributesNotKept")
        self.assertIn(f"the destination has {32 * MIB} bytes more than the source", conditions(migration)["VolumeAttributesNotKept"]["message"])
        self.assertEqual(self.asked_for(ns), "96Mi")
        source, target = self.source(ns).read_bytes(), self.target(ns).read_bytes()
        self.assertEqual(len(target), 96 * MIB)
        self.assertEqual(target[:SIZE], source)

    def test_a_device_of_a_stage_grows_if_its_class_lets_it(self):
        ns = self.with_device()
        plan = self.volume_plan(ns)
        self.let_grow(plan)
        self.succeeded(self.migrate(plan, stage=True, quiesce=False))
        self.assertEqual(self.target(ns).stat().st_size, SIZE)
        self.confirm(plan, "96Mi")
        self.warned(self.migrate(plan), "VolumeAttributesNotKept")
        self.assertEqual(self.target(ns).stat().st_size, 96 * MIB)

    def test_rollback_takes_the_claim_that_it_made(self):
        ns = self.with_device()
        before = self.source(ns).read_bytes()
        plan = self.volume_plan(ns)
        self.succeeded(self.migrate(plan))
        file = self.target(ns)
        self.succeeded(self.migrate(plan, rollback=True))
        wait_for("the claim to go", lambda: self.east.get("persistentvolumeclaims", "data", ns) is None)
        wait_for("the device to go", lambda: not file.exists())
        self.available(self.west, ns)
        self.assertEqual(self.source(ns).read_bytes(), before)

    def cut_over(self):
        """Moves an application with a device; the namespace, and the migration's name."""
        ns = self.with_device()
        name = self.begin(self.volume_plan(ns))
        self.succeeded(self.ended(name))
        self.moved(ns)
        self.assertEqual(self.east.get("persistentvolumeclaims", "data", ns)["spec"]["volumeMode"], "Block")
        self.available(self.east, ns)
        self.assertEqual(self.west.get("deployments", "web", ns)["spec"]["replicas"], 0)
        return ns, name


class BlockVolumes(Directly, EitherWay, Disks):
    def travelled(self, name):
        """How many bytes of the device a migration's sender moved."""
        uid = self.copies_of(name)["metadata"]["uid"]
        progress = self.west.items("directvolumemigrationprogresses", NS, f"directvolumemigration={uid}")[0]
        said = progress["status"]["logMessage"]
        self.assertRegex(said, rf"\d+ of {SIZE} bytes of the device moved")
        self.assertEqual(progress["status"]["totalProgressPercentage"], "100%")
        return int(said.split(f" of {SIZE} bytes")[0].split()[-1])

    def test_a_cutover(self):
        ns, name = self.cut_over()
        self.no_helpers(ns)
        self.assertEqual(self.travelled(name), 9 * MIB, "what was empty was so on both sides")
        result = self.copies_of(name)["status"]["rsyncOperations"][0]["result"]
        self.assertEqual((result["device"], result["bytes"], result["verified"]), (True, SIZE, True))
        self.assertNotIn("files", result)
        shown = self.mtc("migration", "report", name).stdout
        self.assertIn(f"{ns}/data to {ns}/data: copied, a device of {SIZE} bytes, read back and equal, root {result['root']}", shown)

    def test_a_stage_then_the_chunks_that_have_changed_since(self):
        ns = self.with_device()
        plan = self.volume_plan(ns)
        self.succeeded(self.migrate(plan, stage=True, quiesce=False))
        self.moved(ns)
        self.assertEqual(self.west.get("deployments", "web", ns)["spec"]["replicas"], 1)
        self.assertIsNone(self.east.get("deployments", "web", ns))
        write(self.device(ns), 3 * MIB + 17, b"newer")
        write(self.device(ns), 3 * MIB + 1000, b"in the same chunk")
        write(self.device(ns), 5 * MIB, bytes(MIB))
        write(self.device(ns), 40 * MIB - 1, b"on both sides of a border")
        write(self.target(ns), 20 * MIB, b"what somebody wrote there")
        name = self.begin(plan)
        self.succeeded(self.ended(name))
        self.moved(ns)
        self.assertEqual(self.travelled(name), 5 * MIB)

    def test_into_another_namespace_under_another_name(self):
        ns = self.with_device()
        self.addCleanup(self.east.delete, "namespaces", ns + "-b")
        plan = self.volume_plan(f"{ns}:{ns}-b")
        volumes = self.west.get("migplans", plan)["spec"]["persistentVolumes"]
        self.assertEqual((volumes[0]["selection"]["copyMethod"], volumes[0]["pvc"]["volumeMode"]), ("block", "Block"))
        volumes[0]["pvc"]["name"] = "data:disk"
        volumes[0]["selection"]["copyMethod"] = "filesystem"  # it says nothing of what the claim is
        self.west.patch("migplans", plan, {"spec": {"persistentVolumes": volumes}})
        wait_for("the plan to look again", lambda: "Ready" in conditions(self.west.get("migplans", plan)))
        self.succeeded(self.migrate(plan))
        self.assertEqual(self.target(ns + "-b", "disk").read_bytes(), self.source(ns).read_bytes())
        self.available(self.east, ns + "-b")

    def test_a_sender_that_is_killed_is_followed_by_another(self):
        ns = self.with_device()
        name = self.begin(self.volume_plan(ns))
        self.west.delete("pods", self.sender(name, ns)["metadata"]["name"], ns)
        self.succeeded(self.ended(name, seconds=240))
        self.moved(ns)
        self.no_helpers(ns)

    # What goes wrong

    def test_a_byte_that_differs_on_the_destination_stops_the_cutover(self):
        ns = self.with_device()
        plan = self.volume_plan(ns)
        self.succeeded(self.migrate(plan, stage=True, quiesce=False))
        with Scribbling(self.target(ns)):  # after the first MiB was compared, and before it is read back
            self.failed(self.migrate(plan), f"{ns}/data", "the destination differs from the source", "bytes 0-")
        self.assertIsNone(self.east.get("deployments", "web", ns))
        self.succeeded(self.migrate(plan))
        self.moved(ns)

    def test_a_smaller_claim_on_the_destination_is_refused(self):
        ns = self.with_device()
        plan = self.volume_plan(ns)
        labels = {"migration.openshift.io/migrated-by-migplan": self.west.get("migplans", plan)["metadata"]["uid"]}
        claim = manifests.claim("data", "32Mi", volumeMode="Block")
        claim["metadata"]["labels"] = labels
        self.namespace(self.east, claim, ns=ns)
        self.failed(self.migrate(plan), f"PersistentVolumeClaim {ns}/data of the destination is a device of 32Mi, too small for the source's of 64Mi", "delete the one")
        self.east.delete("persistentvolumeclaims", "data", ns)
        wait_for("the claim to go", lambda: self.east.get("persistentvolumeclaims", "data", ns) is None)
        self.succeeded(self.migrate(plan))
        self.moved(ns)

    def test_a_device_that_turns_out_smaller_is_refused(self):
        ns = self.with_device()
        plan = self.volume_plan(ns)
        self.succeeded(self.migrate(plan, stage=True, quiesce=False))
        if self.world.is_lab:
            wait_for("the device to be free", lambda: seen_by_pods(self.target(ns)) == self.target(ns))
        os.truncate(self.target(ns), SIZE // 2)
        name = self.begin(plan)
        cause = f"is too small: it has {SIZE // 2} bytes, the source has {SIZE}"
        self.failed(self.ended(name), f"PersistentVolumeClaim {ns}/data was not copied", cause)
        self.assertIsNone(self.east.get("deployments", "web", ns))
        copies = self.copies_of(name)
        self.assertEqual((phase(copies), copies["status"]["rsyncOperations"][0]["currentAttempt"]), ("Completed", 1), "it is not tried again")
        self.assertIn("Failed", conditions(copies))
        self.assertTrue(any(cause in error for error in copies["status"]["errors"]), copies["status"]["errors"])


class BlockVolumesThroughTheBucket(Staged, EitherWay, Disks):
    def volume_plan(self, *namespaces, **changes):
        return self.plan("host", "east", *namespaces, **changes)

    def repository(self, plan, ns):
        return f"velero/restic/{self.west.get('migplans', plan)['metadata']['uid']}/{ns}"

    def stored(self, plan, ns):
        """How many bytes its repository has."""
        bucket = Bucket(self.world)
        return sum(len(bucket.get(key)) for key in bucket.keys(self.repository(plan, ns) + "/data/"))

    def test_a_cutover(self):
        ns, name = self.cut_over()
        self.nothing_left(ns)
        for cluster, kind in ((self.west, "podvolumebackups"), (self.east, "podvolumerestores")):
            found = self.objects(cluster, kind, name)
            self.assertEqual([phase(o) for o in found], ["Completed"])
            self.assertEqual(found[0]["status"]["progress"], {"totalBytes": SIZE, "bytesDone": SIZE})
        shown = self.mtc("migration", "report", name).stdout
        self.assertIn(f"{ns}/data to {ns}/data: copied, a device of {SIZE} bytes, read back and equal", shown)

    def test_a_stage_then_only_what_has_changed_since(self):
        ns = self.with_device()
        plan = self.volume_plan(ns)
        self.succeeded(self.migrate(plan, stage=True, quiesce=False))
        self.moved(ns)
        self.assertEqual(self.west.get("deployments", "web", ns)["spec"]["replicas"], 1)
        before = self.stored(plan, ns)
        self.assertLess(before, 12 * MIB, "what is empty takes no room")
        write(self.device(ns), SIZE - MIB + 17, os.urandom(100))
        write(self.device(ns), 40 * MIB - 1, b"where nothing was")
        write(self.target(ns), 20 * MIB, b"what somebody wrote there")
        self.succeeded(self.migrate(plan))
        self.moved(ns)
        self.assertLess(self.stored(plan, ns) - before, 2 * MIB, "the last MiB has changed, and a blob that is nearly empty")

    # What goes wrong

    def test_a_device_that_turns_out_smaller_is_refused(self):
        ns = self.with_device()
        plan = self.volume_plan(ns)
        self.succeeded(self.migrate(plan, stage=True, quiesce=False))
        if self.world.is_lab:
            wait_for("the device to be free", lambda: seen_by_pods(self.target(ns)) == self.target(ns))
        os.truncate(self.target(ns), SIZE // 2)
        self.failed(self.migrate(plan), f"PersistentVolumeClaim {ns}/data was not restored", f"is too small: it has {SIZE // 2} bytes, the source has {SIZE}")
        self.assertIsNone(self.east.get("deployments", "web", ns))
        self.nothing_left(ns)

    def test_a_wrong_byte_in_the_repository_fails_the_cutover(self):
        ns = self.with_device()
        plan = self.volume_plan(ns)
        self.succeeded(self.migrate(plan, stage=True, quiesce=False))
        self.succeeded(self.migrate(plan, rollback=True))
        wait_for("the claim to go", lambda: self.east.get("persistentvolumeclaims", "data", ns) is None)
        bucket = Bucket(self.world)
        sizes = {key: len(bucket.get(key)) for key in bucket.keys(self.repository(plan, ns) + "/data/")}
        pack = max(sizes, key=sizes.get)
        bucket.flip(pack, sizes[pack] // 2)
        self.failed(self.migrate(plan), f"PersistentVolumeClaim {ns}/data was not restored", self.repository(plan, ns))
        self.assertIsNone(self.east.get("deployments", "web", ns))


class BlockVolumesBySnapshot(Staged, Disks):
    storage_class = "files"

    def setUp(self):
        super().setUp()
        serve_snapshots(self.world)
        if self.world.is_lab:
            self.skipTest("the lab's driver takes snapshots of folders alone")

    def test_a_stage_is_of_one_moment_and_the_cutover_of_the_last(self):
        ns = self.with_device()
        plan = by_snapshot(self, self.plan("host", "east", ns, indirectVolumeMigration=False))
        before = self.source(ns).read_bytes()
        with Scribbling(self.device(ns)):
            self.succeeded(self.migrate(plan, stage=True, quiesce=False))
        self.assertEqual(self.target(ns).read_bytes()[MIB:], before[MIB:])
        self.succeeded(self.migrate(plan))
        self.moved(ns)
        self.available(self.east, ns)
        self.nothing_left(ns)
        self.assertEqual(self.west.items("volumesnapshots", ns), [])


__all__ = ["BlockVolumes", "BlockVolumesBySnapshot", "BlockVolumesThroughTheBucket"]
