"""Claims have volumes, and pods of mtc's own image run."""
import re
import urllib.error
import urllib.request

import manifests
from case import Case
from cluster import Cluster, phase, wait_for
from volumes import fill, listing, serve_snapshots


def ended(cluster, ns, pod):
    def over():
        thing = cluster.get("pods", pod, ns)
        return thing if phase(thing) in ("Succeeded", "Failed") else None

    return wait_for(f"pod {ns}/{pod} to end", over)


class Volumes(Case):
    def test_a_claim_a_pod_and_its_files(self):
        ns = self.namespace(self.west, manifests.claim("data"), manifests.mover("mover", "--version", claims=["data"]))
        path = self.west.volume_path(ns, "data")
        (path / "file").write_text("content")
        pod = ended(self.west, ns, "mover")
        how = pod["status"]["containerStatuses"][0]["state"]["terminated"]
        self.assertEqual((phase(pod), how["exitCode"], how["reason"]), ("Succeeded", 0, "Completed"), how)
        self.assertRegex(self.west.kubectl("-n", ns, "logs", "mover"), r"mtc \d")
        self.assertEqual((path / "file").read_text(), "content")
        volume = self.west.get("persistentvolumeclaims", "data", ns)["spec"]["volumeName"]
        self.west.delete("pods", "mover", ns)
        self.west.delete("persistentvolumeclaims", "data", ns)
        wait_for("the volume to go", lambda: self.west.get("persistentvolumes", volume) is None)
        self.assertFalse(path.exists())

    def test_a_pod_that_fails(self):
        ns = self.namespace(self.west, manifests.mover("mover", "no-such-command"))
        pod = ended(self.west, ns, "mover")
        self.assertEqual(phase(pod), "Failed")
        self.assertNotEqual(pod["status"]["containerStatuses"][0]["state"]["terminated"]["exitCode"], 0)
        self.assertIn("no-such-command", self.west.log(ns, "mover"))


class Snapshots(Case):
    """Of volumes of a CSI driver, by one contract in both worlds."""

    def setUp(self):
        super().setUp()
        serve_snapshots(self.world)

    def snapshot(self, ns, name, claim):
        self.west.create({"apiVersion": "snapshot.storage.k8s.io/v1", "kind": "VolumeSnapshot", "metadata": {"name": name, "namespace": ns},
                          "spec": {"volumeSnapshotClassName": "files", "source": {"persistentVolumeClaimName": claim}}})
        ready = wait_for("the snapshot", lambda: self.west.get("volumesnapshots", name, ns).get("status", {}).get("readyToUse") and self.west.get("volumesnapshots", name, ns))
        content = self.west.get("volumesnapshotcontents", ready["status"]["boundVolumeSnapshotContentName"])
        self.assertEqual(content["spec"]["volumeSnapshotRef"]["uid"], ready["metadata"]["uid"])
        self.assertEqual(content["spec"]["driver"], self.west.get("volumesnapshotclasses", "files")["driver"])
        return content

    def copy_of(self, snapshot, name, **spec):
        source = {"apiGroup": "snapshot.storage.k8s.io", "kind": "VolumeSnapshot", "name": snapshot}
        return manifests.claim(name, dataSource=source, **spec)

    def test_a_snapshot_is_what_a_claim_was_and_another_claim_begins_with_it(self):
        ns = self.namespace(self.west, manifests.claim("data", storageClassName="files-at-once"))
        folder = self.west.volume_path(ns, "data")
        fill(folder, files=5)
        before = listing(folder)
        content = self.snapshot(ns, "then", "data")
        (folder / "empty").write_text("now")
        copy = self.copy_of("then", "copy", storageClassName="files-at-once")
        copy["metadata"]["namespace"] = ns
        self.west.create(copy)
        self.assertEqual(listing(self.west.volume_path(ns, "copy")), before)
        stored = self.world.snapshots / content["status"]["snapshotHandle"]
        self.assertTrue(stored.exists())
        self.west.delete("volumesnapshots", "then", ns)
        wait_for("what it held to go", lambda: self.west.get("volumesnapshotcontents", content["metadata"]["name"]) is None)
        wait_for("its folder to go", lambda: not stored.exists())
        self.assertEqual(listing(self.west.volume_path(ns, "copy")), before)

    def test_a_copy_of_a_class_that_waits_is_made_for_its_first_pod(self):
        ns = self.namespace(self.west, manifests.claim("data", storageClassName="files-at-once"))
        (self.west.volume_path(ns, "data") / "file").write_text("then")
        self.snapshot(ns, "then", "data")
        pod = manifests.mover("mover", "--version", claims=["copy"])
        for thing in (self.copy_of("then", "copy", storageClassName="files"), pod):
            thing["metadata"]["namespace"] = ns
            self.west.create(thing)
        self.assertEqual(phase(ended(self.west, ns, "mover")), "Succeeded")
        self.assertEqual((self.west.volume_path(ns, "copy") / "file").read_text(), "then")


class Kubelet(Case):
    """An embedded cluster of its own, to be killed."""

    def setUp(self):
        super().setUp()
        if self.world.is_lab:
            self.skipTest("a real cluster's kubelet is not ours to kill")
        kubeconfig = f"{self.world.folder}/third.kubeconfig"
        self.program = self.world.program("third", "sandbox", "--state", f"{self.world.folder}/third.db", "--write-kubeconfig", kubeconfig)
        self.addCleanup(self.program.kill)
        self.program.start("(serves at)")
        self.kubeconfig = kubeconfig
        self.third = Cluster("third", kubeconfig)

    def test_what_pods_run_ends_with_the_cluster(self):
        """The pod serves a bucket at an address of its own, until its cluster is killed."""
        env = [{"name": "POD_IP", "valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}},
               {"name": "AWS_ACCESS_KEY_ID", "value": "key"}, {"name": "AWS_SECRET_ACCESS_KEY", "value": "secret"}]
        pod = manifests.mover("server", "bucket", "b", "--listen", "$(POD_IP):0", claims=["data"], env=env)
        for thing in (manifests.claim("data"), pod):
            thing["metadata"]["namespace"] = "default"
            self.third.create(thing)
        url = wait_for("the pod to serve", lambda: self.serves())
        running = self.third.get("pods", "server", "default")
        self.assertEqual(phase(running), "Running")
        self.assertIn(f"//{running['status']['podIP']}:", url)
        self.assertEqual(self.ask(url), 403)
        path = self.third.volume_path("default", "data")
        (path / "file").write_text("content")
        self.program.kill()
        wait_for("the pod's process to end", lambda: self.ask(url) is None)
        self.program.start("(serves at)")
        again = Cluster("third", self.kubeconfig)
        self.assertEqual(phase(ended(again, "default", "server")), "Failed")
        self.assertIn("serves at", again.log("default", "server"))
        self.assertEqual((again.volume_path("default", "data") / "file").read_text(), "content")

    def serves(self):
        if phase(self.third.get("pods", "server", "default")) == "Pending":
            return None
        found = re.search(r"serves at (\S+)", self.third.log("default", "server"))
        return found and found[1]

    @staticmethod
    def ask(url):
        """The status of an answer; None if nobody is there."""
        try:
            return urllib.request.urlopen(url, timeout=10).status
        except urllib.error.HTTPError as error:
            return error.code
        except OSError:
            return None
