"""Two clusters, a bucket and a controller, as a user has them: everything goes through kubectl and the built mtc."""
import base64
import json
import os
import pathlib
import re
import signal
import subprocess
import tempfile
import time
import uuid

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
MTC = os.environ.get("MTC", str(ROOT / "build/release/mtc"))
NS = "openshift-migration"


def b64(text):
    return base64.b64encode(text.encode() if isinstance(text, str) else text).decode()


class Cluster:
    """One cluster, by kubectl."""

    def __init__(self, name, kubeconfig):
        self.name, self.kubeconfig = name, kubeconfig
        config = json.loads(self.run("config", "view", "--raw", "-o", "json"))
        cluster = config["clusters"][0]["cluster"]
        self.url, self.ca = cluster["server"], cluster["certificate-authority-data"]

    def run(self, *arguments, stdin=None, check=True):
        done = subprocess.run(["kubectl", "--kubeconfig", self.kubeconfig, *arguments], input=stdin, capture_output=True, text=True, timeout=120)
        if check and done.returncode != 0:
            raise AssertionError(f"kubectl {' '.join(arguments)}: {done.stderr.strip()}")
        return done.stdout

    def apply(self, *objects):
        documents = [o if isinstance(o, str) else json.dumps(o) for o in objects]
        # kubectl takes a stream that begins with a brace for JSON alone.
        return self.run("apply", "-f", "-", stdin="---\n" + "\n---\n".join(documents))

    def get(self, kind, name=None, ns=NS):
        arguments = ["get", kind] + ([name] if name else []) + (["-n", ns] if ns else []) + ["-o", "json", "--ignore-not-found"]
        text = self.run(*arguments)
        return json.loads(text) if text else None

    def items(self, kind, ns):
        return (self.get(kind, ns=ns) or {"items": []})["items"]

    def delete(self, *arguments):
        self.run("delete", "--ignore-not-found", "--wait=false", *arguments)

    def token(self):
        """The account of the documents' prerequisite, and its token."""
        if self.get("namespace", NS, ns=None) is None:
            self.run("create", "namespace", NS)
        if self.get("serviceaccount", "migration-controller") is None:
            self.run("-n", NS, "create", "serviceaccount", "migration-controller")
            self.run("create", "clusterrolebinding", "migration-controller", "--clusterrole=cluster-admin", f"--serviceaccount={NS}:migration-controller")
        return self.run("-n", NS, "create", "token", "migration-controller", "--duration=12h").strip()


class Controller:
    """The program under test."""

    def __init__(self, host):
        self.host, self.process, self.log = host, None, tempfile.NamedTemporaryFile(prefix="mtc-controller-", suffix=".log")

    def start(self):
        self.process = subprocess.Popen([MTC, "--kubeconfig", self.host.kubeconfig, "controller"], stdout=self.log, stderr=self.log)

    def kill(self):
        """As a machine that dies: nothing is finished, nothing is said."""
        if self.process:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait()
            self.process = None

    def memory_mib(self):
        status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(r"VmRSS:\s+(\d+)", status)[1]) / 1024


def conditions(thing):
    return {c["type"]: c for c in (thing or {}).get("status", {}).get("conditions", []) if c["status"] == "True"}


def wait_for(what, test, seconds=60):
    """Polls as a test may; the product does not."""
    deadline = time.time() + seconds
    while True:
        value = test()
        if value:
            return value
        if time.time() > deadline:
            raise AssertionError(f"{what}: not within {seconds} s")
        time.sleep(0.1)


def unique(prefix):
    return f"{prefix}-{uuid.uuid4().hex[:6]}"
