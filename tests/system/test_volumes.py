"""Claims have volumes, and pods of mtc's own image run."""
import re
import urllib.error
import urllib.request

import manifests
from case import Case
from cluster import Cluster, phase, wait_for


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
