"""What the tests of volumes stand on, where clusters are real: storage, the built program as an image, pods of one cluster that reach the other's."""
import itertools
import subprocess

from case import Case
from cluster import phase, wait_for
from world import MTC


def pod(name, image, *arguments, claim=None, labels=None):
    container = {"name": "only", "image": image, "imagePullPolicy": "Never", "args": list(arguments)}
    spec = {"restartPolicy": "Never", "terminationGracePeriodSeconds": 1, "containers": [container]}
    if claim:
        container["volumeMounts"] = [{"name": "volume", "mountPath": "/volume"}]
        spec["volumes"] = [{"name": "volume", "persistentVolumeClaim": {"claimName": claim}}]
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "labels": labels or {}}, "spec": spec}


def claim_of(name, **more):
    spec = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Mi"}}, **more}
    return {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": name}, "spec": spec}


class Lab(Case):
    def setUp(self):
        super().setUp()
        if not self.world.is_lab:
            self.skipTest("embedded clusters run no container; the lab does")

    def room(self, cluster, *objects):
        """A namespace in which pods can be created: a real cluster first makes its default account."""
        ns = self.namespace(cluster)
        wait_for(f"the default account of {ns}", lambda: cluster.get("serviceaccounts", "default", ns))
        for thing in objects:
            thing["metadata"]["namespace"] = ns
        cluster.create(*objects)
        return ns

    def ended(self, cluster, ns, name):
        """The phase in which a pod ended."""
        return wait_for(f"the end of pod {ns}/{name}", lambda: phase(cluster.get("pods", name, ns)) in ("Succeeded", "Failed") and phase(cluster.get("pods", name, ns)))

    def test_a_claim_is_a_folder_of_this_machine_until_it_is_deleted(self):
        for extra in ({}, {"storageClassName": "files-at-once"}):
            with self.subTest(extra=extra):
                ns = self.room(self.west, claim_of("data", **extra), pod("user", self.world.image, claim="data"))
                folder = self.west.volume_path(ns, "data")
                (folder / "file").write_text("here")
                for path, end in (("/volume/file", "Succeeded"), ("/volume/other", "Failed")):
                    name = "finds-" + path[8:]
                    self.west.create({**pod(name, self.world.image, "find", path, claim="data"), "metadata": {"name": name, "namespace": ns}})
                    self.assertEqual(self.ended(self.west, ns, name), end)
                self.west.delete("namespaces", ns)
                wait_for(f"{folder} to go", lambda gone=folder: not gone.exists())

    def test_a_raw_block_claim_is_a_file_of_this_machine_and_a_device_in_pods(self):
        user = pod("user", self.world.image, "find", "/dev/volume")
        user["spec"]["containers"][0]["volumeDevices"] = [{"name": "volume", "devicePath": "/dev/volume"}]
        user["spec"]["volumes"] = [{"name": "volume", "persistentVolumeClaim": {"claimName": "data"}}]
        ns = self.room(self.west, claim_of("data", volumeMode="Block"), user)
        self.assertEqual(self.ended(self.west, ns, "user"), "Succeeded")
        file = self.west.volume_path(ns, "data")
        self.assertEqual((file.is_file(), file.stat().st_size), (True, 1 << 20))
        self.west.delete("namespaces", ns)
        wait_for(f"{file} to go", lambda: not file.exists())

        def devices():
            return subprocess.run(["losetup", "--all"], capture_output=True, text=True, timeout=60, check=True).stdout

        wait_for("its device to go", lambda: file.name not in devices())

    def test_the_built_program_is_an_image_of_both_clusters(self):
        said = subprocess.run([MTC, "--version"], capture_output=True, text=True, timeout=60, check=True).stdout
        for cluster in (self.west, self.east):
            ns = self.room(cluster, pod("version", self.world.program_image, "--version"))
            self.assertEqual(self.ended(cluster, ns, "version"), "Succeeded")
            self.assertEqual(cluster.kubectl("-n", ns, "logs", "version"), said)

    def test_pods_reach_a_node_port_of_the_other_cluster(self):
        for server, client in ((self.east, self.west), (self.west, self.east)):
            service = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "greeter"},
                       "spec": {"type": "NodePort", "selector": {"app": "greeter"}, "ports": [{"port": 7000}]}}
            ns = self.room(server, service, pod("greeter", self.world.image, "answer", "7000", labels={"app": "greeter"}))
            node_port = server.get("services", "greeter", ns)["spec"]["ports"][0]["nodePort"]
            address = wait_for("the greeter to run", lambda c=server, n=ns: phase(c.get("pods", "greeter", n)) == "Running" and c.get("pods", "greeter", n)["status"]["hostIP"])
            self.assertNotEqual(address, client.host.split(":")[0])
            client_ns = self.room(client)

            def greets(attempt=itertools.count()):
                name = f"guest-{next(attempt)}"
                client.create({**pod(name, self.world.image, "reach", address, str(node_port)), "metadata": {"name": name, "namespace": client_ns}})
                return self.ended(client, client_ns, name) == "Succeeded"

            wait_for("a pod to be greeted", greets)  # kube-proxy needs a moment to know the endpoint
