"""Velero beside mtc, on the same clusters and the same bucket: a server for each cluster, as processes of this machine."""
import pathlib
import subprocess
import time

from cluster import phase, wait_for

HERE = pathlib.Path(__file__).resolve().parent
NS = "velero"  # mtc's objects are in openshift-migration: neither sees the other's
VERSION = "1.14.1"
ENDED = ("Completed", "PartiallyFailed", "Failed", "FailedValidation")


def of_velero(kind, name, spec):
    return {"apiVersion": "velero.io/v1", "kind": kind, "metadata": {"name": name, "namespace": NS}, "spec": spec}


class Velero:
    """Two servers with the settings of `velero install`. They end with the world."""

    def __init__(self, world):
        self.world = world
        built = subprocess.run([HERE / "velero/compile"], stdout=subprocess.PIPE, text=True, check=True).stdout.split()
        self.program, self.plugins = f"{built[0]}/velero", built[1]
        definitions = subprocess.run([self.program, "install", "--crds-only", "--dry-run", "-o", "yaml"], capture_output=True, text=True, check=True, timeout=60).stdout
        for cluster in (world.west, world.east):
            cluster.kubectl("apply", "--server-side", "--force-conflicts", "-f", "-", stdin="---\n" + definitions)
            cluster.kubectl("wait", "--for=condition=Established", "--timeout=60s", "crd", "--selector=component=velero")
            cluster.ensure({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NS}})
            cluster.ensure(self.location())
            self.serve(cluster)
        for cluster in (world.west, world.east):
            wait_for(f"Velero of {cluster.name}", lambda c=cluster: phase(c.get("backupstoragelocations", "default", NS)) == "Available", 120)

    def location(self):
        config = {"region": "us-east-1", "s3ForcePathStyle": "true", "s3Url": self.world.endpoint}
        spec = {"provider": "aws", "default": True, "objectStorage": {"bucket": self.world.bucket, "prefix": "peer"}, "config": config}
        return of_velero("BackupStorageLocation", "default", spec)

    def serve(self, cluster):
        """In the cluster's network, because two servers listen on the same ports."""
        folder = pathlib.Path(self.world.folder) / f"velero-{cluster.name}"
        folder.mkdir()
        keys = folder / "keys"
        keys.write_text(f"[default]\naws_access_key_id={self.world.key}\naws_secret_access_key={self.world.secret}\n")
        environment = {"KUBECONFIG": cluster.kubeconfig, "VELERO_NAMESPACE": NS, "AWS_SHARED_CREDENTIALS_FILE": str(keys), "TMPDIR": str(folder),
                       "VELERO_SCRATCH_DIR": str(folder), "AWS_EC2_METADATA_DISABLED": "true"}
        network = f"--net=/run/netns/mtclab{self.world.number}-{cluster.name}"
        arguments = [network, self.program, "server", "--kubeconfig", cluster.kubeconfig, "--namespace", NS, "--plugin-dir", self.plugins]
        self.world.program(f"velero-{cluster.name}", *arguments, environment=environment, command="nsenter").start()

    def moves(self, namespace, name):
        """Seconds of the backup in west, of the hand-over, and of the restore in east."""
        backups, arrivals, restores = self.world.west.watch("backups", NS), self.world.east.watch("backups", NS), self.world.east.watch("restores", NS)
        try:
            began = time.time()
            self.world.west.create(of_velero("Backup", name, {"includedNamespaces": [namespace], "storageLocation": "default", "snapshotVolumes": False}))
            backed_up = self.ended(backups, "Backup", name, 300)
            arrived, _ = arrivals.until(f"Backup {name} in east", lambda thing: thing["metadata"]["name"] == name, 180)
            asked = time.time()
            self.world.east.create(of_velero("Restore", name, {"backupName": name}))
            restored = self.ended(restores, "Restore", name, 900)
            return backed_up - began, arrived - backed_up, restored - asked
        finally:
            for watch in (backups, arrivals, restores):
                watch.stop()

    @staticmethod
    def ended(watch, kind, name, seconds):
        when, thing = watch.until(f"the end of {kind} {name}", lambda thing: thing["metadata"]["name"] == name and phase(thing) in ENDED, seconds)
        if phase(thing) != "Completed":
            raise AssertionError(f"{kind} {name} ended {phase(thing)}: {thing['status']}")
        return when
