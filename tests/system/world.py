"""Two clusters, a bucket and a controller: those of a lab that runs (its variables are set), or embedded ones that are started here."""
import base64
import contextlib
import ctypes
import hashlib
import json
import os
import pathlib
import re
import shutil
import signal
import sqlite3
import subprocess
import tempfile
import time

import manifests
from cluster import NS, Cluster, b64, binding, wait_for
from servers import Hanging, Server

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
MTC = os.environ.get("MTC", str(ROOT / "build/release/mtc"))
PR_SET_PDEATHSIG = 1


def die_with_parent():
    """Whatever becomes of the suite, what it started does not stay behind."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


class Program:
    """A process of the built mtc, or of another command."""

    def __init__(self, folder, name, *arguments, environment=None, command=MTC):
        self.arguments, self.environment = [command, *arguments], {**os.environ, **(environment or {})}
        self.log = pathlib.Path(folder) / f"{name}.log"
        self.process = None

    def start(self, ready=None):
        """Waits for a line that matches `ready`, and returns what it caught."""
        from_here = self.log.stat().st_size if self.log.exists() else 0
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(self.arguments, env=self.environment, stdout=log, stderr=log, stdin=subprocess.DEVNULL, preexec_fn=die_with_parent)
        if ready is None:
            return None

        def said():
            if self.process.poll() is not None:
                raise AssertionError(f"{' '.join(self.arguments)} ended with {self.process.returncode}: {self.log.read_text()[-2000:]}")
            found = re.search(ready, self.log.read_bytes()[from_here:].decode(errors="replace"))
            return found and found[1]

        return wait_for(f"{self.log.stem} to say {ready}", said)

    def runs(self):
        return self.process is not None and self.process.poll() is None

    def kill(self):
        """As a machine that dies: nothing is finished, nothing is said."""
        if self.process:
            self.process.kill()
            self.process.wait()
            self.process = None

    def memory_mib(self):
        status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(r"VmRSS:\s+(\d+)", status)[1]) / 1024

    def cpu_seconds(self):
        fields = pathlib.Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


class World:
    """What both kinds have. `stop` ends everything that was started here, and can be called at any time."""

    is_lab = False
    snapshots = None  # the folder of this machine with a folder a snapshot of west, named by its handle
    image = "lab.mtc/pause:1"
    program_image = "lab.mtc/mtc:1"

    def __init__(self):
        self.folder = tempfile.mkdtemp(prefix="mtc-system-")
        os.chmod(self.folder, 0o711)  # processes of pods may be of other users
        self.programs, self.servers = [], []
        self.west = self.east = self.controller = None
        self.endpoint = self.bucket = self.key = self.secret = ""

    def program(self, name, *arguments, environment=None, command=MTC):
        program = Program(self.folder, name, *arguments, environment=environment, command=command)
        self.programs.append(program)
        return program

    def serving(self, server):
        self.servers.append(server)
        return server

    def stop(self):
        for server in self.servers:
            server.stop()
        for program in self.programs:
            program.kill()
        shutil.rmtree(self.folder, ignore_errors=True)

    def bucket_pid(self):
        raise NotImplementedError

    def expired_token(self, cluster):
        raise NotImplementedError

    def prepare(self):
        """The controller, and what the documents have a user register before plans are made: by kubectl, manifest by manifest."""
        self.controller = self.program("controller", "--kubeconfig", self.west.kubeconfig, "controller", environment={"PV_MOVE_STORAGECLASSES": "movable"})
        self.controller.start("controller (leads)")
        self.west.ensure({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "openshift-config"}})
        self.west.apply(manifests.HOST.format(name="host"), *self.remote("east", self.east), *self.remote("west-remote", self.west), *self.storage("bucket"))
        for cluster in (self.west, self.east):
            cluster.ensure(manifests.transfer_image(self.program_image))
        for kind, name in [("migcluster", "host"), ("migcluster", "east"), ("migcluster", "west-remote"), ("migstorage", "bucket")]:
            self.west.kubectl("-n", NS, "wait", kind, name, "--for=condition=Ready", "--timeout=60s")

    def remote(self, name, cluster, **changes):
        """The Secret and the MigCluster of a remote cluster, with something changed: an `insecure`, `ca`, `url`, `token` …"""
        values = {"name": name, "secret": f"{name}-token", "url": cluster.url, "ca": cluster.ca, "insecure": "false", **changes}
        token = changes["token"] if "token" in changes else cluster.token()
        text = manifests.REMOTE.format(**values)
        if not values["ca"]:
            text = text.replace("  caBundle: \n", "")
        return [manifests.CLUSTER_SECRET.format(name=values["secret"], token=b64(token)), text]

    def storage(self, name, **changes):
        values = {"name": name, "bucket": self.bucket, "url": self.endpoint, "secret": f"{name}-keys", "more": "", **changes}
        keys = manifests.STORAGE_SECRET.format(name=f"{name}-keys", key=b64(changes.get("key_id", self.key)), secret=b64(changes.get("secret_key", self.secret)))
        return [keys, manifests.STORAGE.format(**values)]


class Lab(World):
    is_lab = True

    def __init__(self):
        super().__init__()
        get = os.environ.__getitem__
        self.number, self.state = get("MTC_LAB"), pathlib.Path(get("MTC_LAB_STATE"))
        self.snapshots = self.state / "snapshots"
        self.west, self.east = (Cluster(name, get(f"KUBECONFIG_{name.upper()}"), self.state / name / "volumes") for name in ("west", "east"))
        self.endpoint, self.bucket, self.key, self.secret = get("S3_ENDPOINT"), get("S3_BUCKET"), get("S3_KEY"), get("S3_SECRET")
        self.image, self.program_image = get("MTC_LAB_IMAGE"), get("MTC_LAB_PROGRAM_IMAGE")

    def bucket_pid(self):
        return int((self.state / "minio.pid").read_text())

    def expired_token(self, cluster):
        """API servers give no token less than ten minutes, so this one is signed here, with the cluster's own key, as of an hour ago."""
        cluster.token()
        account = cluster.get("serviceaccounts", "migration-controller")
        now = int(time.time())
        subject = f"system:serviceaccount:{NS}:migration-controller"
        claims = {"iss": "https://kubernetes.default.svc.cluster.local", "aud": ["https://kubernetes.default.svc.cluster.local"], "sub": subject,
                  "iat": now - 7200, "nbf": now - 7200, "exp": now - 3600,
                  "kubernetes.io": {"namespace": NS, "serviceaccount": {"name": "migration-controller", "uid": account["metadata"]["uid"]}}}
        signed = url64(json.dumps({"alg": "RS256"}).encode()) + "." + url64(json.dumps(claims).encode())
        key = self.state / cluster.name / "etc/kubernetes/pki/service-accounts.key"
        made = subprocess.run(["openssl", "dgst", "-sha256", "-sign", key], input=signed.encode(), capture_output=True, check=True, timeout=60)
        return signed + "." + url64(made.stdout)


class Embedded(World):
    """`mtc sandbox` twice and `mtc bucket`, each a process of its own on a free port."""

    def __init__(self):
        super().__init__()
        self.bucket, self.key, self.secret = "migration", "embedded-access-key", "embedded-secret-key"
        self.snapshots = pathlib.Path(self.folder) / "west.db.files/snapshots"
        try:
            self.bucket_program = self.program("bucket", "bucket", self.bucket,
                                               environment={"AWS_ACCESS_KEY_ID": self.key, "AWS_SECRET_ACCESS_KEY": self.secret})
            self.endpoint = self.bucket_program.start(r"serves at (\S+)")
            self.west, self.east = self.sandbox("west"), self.sandbox("east")
        except BaseException:
            self.stop()
            raise

    def sandbox(self, name):
        kubeconfig = f"{self.folder}/{name}.kubeconfig"
        self.program(name, "sandbox", "--name", name, "--state", f"{self.folder}/{name}.db", "--write-kubeconfig", kubeconfig).start("(serves at)")
        return Cluster(name, kubeconfig, f"{self.folder}/{name}.db.files/volumes")

    def bucket_pid(self):
        return self.bucket_program.process.pid

    def expired_token(self, cluster):
        """A token whose end is moved into the past where the cluster keeps it: nobody gets one for less than ten minutes."""
        token = cluster.token()
        name = "token:" + hashlib.sha256(token.encode()).hexdigest()
        with contextlib.closing(sqlite3.connect(f"{self.folder}/{cluster.name}.db", timeout=10)) as state, state:
            parts = state.execute("SELECT value FROM settings WHERE name=?", (name,)).fetchone()[0].split("|")
            parts[2] = "2020-01-01T00:00:00Z"
            state.execute("UPDATE settings SET value=? WHERE name=?", ("|".join(parts), name))
        return token


def url64(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


class Frozen:
    """A process that stands still while the block runs, as one whose disk hangs."""

    def __init__(self, pid):
        self.pid = pid

    def __enter__(self):
        os.kill(self.pid, signal.SIGSTOP)
        return self

    def __exit__(self, *_):
        os.kill(self.pid, signal.SIGCONT)


def variables_of(path):
    """What a shell has once it has read this file."""
    said = subprocess.run(["bash", "-c", '. "$1" && env -0', "bash", path], capture_output=True, text=True, check=True, timeout=60).stdout
    return dict(line.split("=", 1) for line in said.split("\0") if line)


THE_WORLD = None


def start(is_lab, number=0):
    """The world of lane `number`: of several labs (MTC_LABS holds the paths of their variables) each lane has its own."""
    global THE_WORLD  # one for all tests of the lane: it takes seconds to come up
    if is_lab and "MTC_LABS" in os.environ:
        os.environ.update(variables_of(os.environ["MTC_LABS"].split()[number]))
    THE_WORLD = Lab() if is_lab else Embedded()
    THE_WORLD.prepare()
    return THE_WORLD


__all__ = ["NS", "ROOT", "MTC", "Hanging", "Server", "binding", "start", "Frozen"]
