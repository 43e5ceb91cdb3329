"""One Kubernetes cluster as the suite sees it: by its HTTP API where a test only wants to know, by kubectl where a user would use it."""
import base64
import http.client
import json
import os
import pathlib
import re
import ssl
import subprocess
import tempfile
import threading
import time
import urllib.parse

import yaml

NS = "openshift-migration"
MIGRATION = "/apis/migration.openshift.io/v1alpha1"
KINDS = {
    "namespaces": "/api/v1", "pods": "/api/v1", "services": "/api/v1", "configmaps": "/api/v1", "secrets": "/api/v1", "serviceaccounts": "/api/v1",
    "events": "/api/v1", "persistentvolumes": "/api/v1", "replicationcontrollers": "/api/v1", "persistentvolumeclaims": "/api/v1", "resourcequotas": "/api/v1",
    "deployments": "/apis/apps/v1", "statefulsets": "/apis/apps/v1", "replicasets": "/apis/apps/v1", "daemonsets": "/apis/apps/v1",
    "storageclasses": "/apis/storage.k8s.io/v1", "jobs": "/apis/batch/v1", "cronjobs": "/apis/batch/v1",
    "roles": "/apis/rbac.authorization.k8s.io/v1", "rolebindings": "/apis/rbac.authorization.k8s.io/v1",
    "clusterroles": "/apis/rbac.authorization.k8s.io/v1", "clusterrolebindings": "/apis/rbac.authorization.k8s.io/v1",
    "customresourcedefinitions": "/apis/apiextensions.k8s.io/v1", "apiservices": "/apis/apiregistration.k8s.io/v1",
    "validatingadmissionpolicies": "/apis/admissionregistration.k8s.io/v1", "validatingadmissionpolicybindings": "/apis/admissionregistration.k8s.io/v1",
    "backups": "/apis/velero.io/v1", "backupstoragelocations": "/apis/velero.io/v1", "restores": "/apis/velero.io/v1",
    "podvolumebackups": "/apis/velero.io/v1", "podvolumerestores": "/apis/velero.io/v1",
    "directvolumemigrations": MIGRATION, "directvolumemigrationprogresses": MIGRATION,
    "migclusters": MIGRATION, "migstorages": MIGRATION, "migplans": MIGRATION, "migmigrations": MIGRATION,
    "volumesnapshots": "/apis/snapshot.storage.k8s.io/v1", "volumesnapshotcontents": "/apis/snapshot.storage.k8s.io/v1",
    "volumesnapshotclasses": "/apis/snapshot.storage.k8s.io/v1",
    "widgets": "/apis/example.com/v1", "deploymentconfigs": "/apis/apps.openshift.io/v1",
}
CLUSTER_SCOPED = {"namespaces", "clusterroles", "clusterrolebindings", "customresourcedefinitions", "apiservices", "persistentvolumes", "storageclasses", "volumesnapshotcontents", "volumesnapshotclasses",
                  "validatingadmissionpolicies", "validatingadmissionpolicybindings"}
PLURALS = {"networkpolicy": "networkpolicies", "storageclass": "storageclasses", "volumesnapshotclass": "volumesnapshotclasses", "validatingadmissionpolicy": "validatingadmissionpolicies"}


def b64(text):
    return base64.b64encode(text.encode() if isinstance(text, str) else text).decode()


def plural_of(thing):
    kind = thing["kind"].lower()
    return PLURALS.get(kind, kind + "s")


class Refused(AssertionError):
    """The server said no: `status` is HTTP's, the text its message."""

    def __init__(self, status, body):
        self.status = status
        super().__init__(f"{status}: {body.get('message', body) if isinstance(body, dict) else body}")


class Cluster:
    def __init__(self, name, kubeconfig, volumes=None):
        """`volumes`: the folder of this machine where the cluster's CSI driver keeps a folder a volume."""
        self.name, self.kubeconfig, self.volumes = name, kubeconfig, volumes
        with open(kubeconfig, encoding="utf-8") as file:
            config = yaml.safe_load(file)
        cluster, user = config["clusters"][0]["cluster"], config["users"][0]["user"]
        self.url, self.ca = cluster["server"], cluster["certificate-authority-data"]
        self.host = urllib.parse.urlsplit(self.url).netloc
        self.tls = ssl.create_default_context(cadata=base64.b64decode(self.ca).decode())
        with tempfile.NamedTemporaryFile() as pair:
            pair.write(base64.b64decode(user["client-certificate-data"]) + b"\n" + base64.b64decode(user["client-key-data"]))
            pair.flush()
            self.tls.load_cert_chain(pair.name)
        self.local = threading.local()

    # The API

    def connection(self, timeout=60):
        return http.client.HTTPSConnection(self.host, context=self.tls, timeout=timeout)

    def call(self, method, path, body=None, content_type="application/json"):
        for attempt in range(1, 40):
            # The server may close a connection that rests; what changes something is not sent twice.
            if getattr(self.local, "kept", None) is None or time.monotonic() - self.local.used > 10:
                self.local.kept = self.connection()
            self.local.used = time.monotonic()
            try:
                self.local.kept.request(method, path, None if body is None else json.dumps(body), {"Content-Type": content_type, "Accept": "application/json"})
                answer = self.local.kept.getresponse()
                text = answer.read()
                # So says a server that has just learned a kind.
                if answer.status != 429:
                    break
                time.sleep(0.25)
            except (http.client.HTTPException, OSError):
                self.local.kept = None
                if attempt > 1 or method not in ("GET", "DELETE"):
                    raise
        value = json.loads(text) if text and "json" in answer.getheader("Content-Type", "") else text
        if answer.status >= 400:
            raise Refused(answer.status, value)
        return value

    @staticmethod
    def path(kind, name=None, ns=NS):
        path = KINDS[kind] + (f"/namespaces/{ns}" if ns and kind not in CLUSTER_SCOPED else "") + "/" + kind
        return path + (f"/{name}" if name else "")

    def get(self, kind, name=None, ns=NS):
        """None if it does not exist."""
        try:
            return self.call("GET", self.path(kind, name, ns))
        except Refused as refused:
            if refused.status == 404:
                return None
            raise

    def items(self, kind, ns=NS, selector=""):
        found = self.call("GET", self.path(kind, None, ns) + (f"?labelSelector={urllib.parse.quote(selector)}" if selector else ""))
        return found["items"]

    def create(self, *objects):
        for thing in objects:
            metadata = thing["metadata"]
            self.call("POST", self.path(plural_of(thing), None, metadata.get("namespace")), thing)

    def ensure(self, *objects):
        for thing in objects:
            try:
                self.create(thing)
            except Refused as refused:
                if refused.status != 409:
                    raise

    def patch(self, kind, name, patch, ns=NS):
        return self.call("PATCH", self.path(kind, name, ns), patch, "application/merge-patch+json")

    def delete(self, kind, name, ns=NS):
        try:
            self.call("DELETE", self.path(kind, name, ns), {"propagationPolicy": "Background"})
        except Refused as refused:
            if refused.status != 404:
                raise

    def token(self, account="migration-controller", ns=NS, seconds=43200):
        """Of a service account; the default is the one of the documents' prerequisite."""
        self.ensure({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": ns}},
                    {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": account, "namespace": ns}})
        if account == "migration-controller":
            self.ensure(binding(account, "cluster-admin", account, ns))
        answer = self.call("POST", self.path("serviceaccounts", account, ns) + "/token", {"spec": {"expirationSeconds": seconds}})
        return answer["status"]["token"]

    def log(self, ns, pod):
        return self.call("GET", self.path("pods", pod, ns) + "/log").decode()

    def watch(self, kind, ns=NS):
        return Watch(self, self.path(kind, None, ns))

    def volume_path(self, ns, claim):
        """The folder of this machine that is a claim's volume, once the claim is bound: tests write and compare files there."""
        name = wait_for(f"claim {ns}/{claim} of {self.name} to be bound", lambda: self.bound_volume(ns, claim))
        spec = self.get("persistentvolumes", name)["spec"]
        return pathlib.Path(spec["hostPath"]["path"]) if "hostPath" in spec else pathlib.Path(self.volumes) / spec["csi"]["volumeHandle"]

    def bound_volume(self, ns, claim):
        found = self.get("persistentvolumeclaims", claim, ns)
        return found and phase(found) == "Bound" and found["spec"]["volumeName"]

    # kubectl

    def kubectl(self, *arguments, stdin=None):
        done = subprocess.run(["kubectl", "--kubeconfig", self.kubeconfig, *arguments], input=stdin, capture_output=True, text=True, timeout=120, check=False)
        if done.returncode != 0:
            raise AssertionError(f"kubectl {' '.join(arguments)}: {done.stderr.strip()}")
        return done.stdout

    def apply(self, *documents):
        """Manifests as text, the way of the documents. Debian's kubectl checks them by an API that servers no longer have: the server checks."""
        return self.kubectl("apply", "--validate=false", "-f", "-", stdin="\n---\n".join(documents))


class Watch:
    """Every state of every object of a kind from now on, in order; read by a thread of its own."""

    def __init__(self, cluster, path):
        start = cluster.call("GET", path)["metadata"]["resourceVersion"]
        self.seen, self.errors = [], []
        self.news = threading.Condition()
        self.connection = cluster.connection(timeout=600)
        self.connection.request("GET", f"{path}?watch=true&resourceVersion={start}", headers={"Accept": "application/json"})
        self.answer = self.connection.getresponse()
        self.thread = threading.Thread(target=self.read, daemon=True)
        self.thread.start()

    def read(self):
        try:
            for line in self.answer:
                event = json.loads(line)
                with self.news:
                    self.seen.append((time.time(), event["type"], event["object"]))
                    self.news.notify_all()
        except (OSError, ValueError, http.client.HTTPException, AttributeError) as error:
            self.errors.append(error)  # also how a stop looks from here

    def until(self, what, test, seconds=60):
        """The time and the first state of an object, seen or still to come, for which test(object) holds."""
        deadline, at = time.time() + seconds, 0
        with self.news:
            while True:
                while at < len(self.seen):
                    when, _, thing = self.seen[at]
                    at += 1
                    if test(thing):
                        return when, thing
                if not self.news.wait(max(0.0, deadline - time.time())) and time.time() >= deadline:
                    raise AssertionError(f"{what}: not within {seconds} s {self.errors or ''}")

    def of(self, name):
        """The states of one object so far."""
        with self.news:
            return [thing for _, _, thing in self.seen if thing["metadata"]["name"] == name]

    def stop(self):
        try:
            self.connection.sock.shutdown(2)
        except OSError:
            pass
        self.thread.join(5)
        self.connection.close()


def binding(name, role, account, ns=NS):
    return {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRoleBinding", "metadata": {"name": name},
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": role},
            "subjects": [{"kind": "ServiceAccount", "name": account, "namespace": ns}]}


def conditions(thing):
    return {c["type"]: c for c in (thing or {}).get("status", {}).get("conditions", []) if c["status"] == "True"}


def phase(thing):
    return (thing or {}).get("status", {}).get("phase", "")


IGNORED_KINDS = {"events", "endpoints", "endpointslices", "leases", "pods", "replicasets", "controllerrevisions"}
SERVER_FIELDS = ("uid", "resourceVersion", "generation", "creationTimestamp", "managedFields", "selfLink", "ownerReferences")
SERVER_ANNOTATIONS = ("kubectl.kubernetes.io/last-applied-configuration", "deployment.kubernetes.io/revision", "deprecated.daemonset.template.generation",
                      "cronjob.kubernetes.io/instantiated-at")


def settled(thing):
    """What a user said about an object: without what servers note down, so that two moments, or two clusters, can be compared."""
    out = {key: value for key, value in thing.items() if key not in ("status", "apiVersion", "kind")}
    metadata = {key: value for key, value in out["metadata"].items() if key not in SERVER_FIELDS}
    metadata["annotations"] = {key: value for key, value in metadata.get("annotations", {}).items() if key not in SERVER_ANNOTATIONS}
    out["metadata"] = {key: value for key, value in metadata.items() if value}
    return out


def served_kinds(cluster):
    """(path prefix, plural) of every namespaced kind that can be listed."""
    versions = ["/api/v1"] + [f"/apis/{group['preferredVersion']['groupVersion']}" for group in cluster.call("GET", "/apis")["groups"]]
    out = []
    for prefix in versions:
        try:
            resources = cluster.call("GET", prefix)["resources"]
        except Refused:
            continue  # an aggregated API whose server is away
        out += [(prefix, r["name"]) for r in resources if r["namespaced"] and "list" in r["verbs"] and "/" not in r["name"]]
    return out


def inventory(cluster, ns, kinds=None):
    """Every object of a namespace as `settled` has it, by "kind/name"; pods and what else comes and goes by itself are counted out."""
    found = {}
    for prefix, kind in kinds or served_kinds(cluster):
        if kind in IGNORED_KINDS:
            continue
        for thing in cluster.call("GET", f"{prefix}/namespaces/{ns}/{kind}")["items"]:
            found[f"{kind}/{thing['metadata']['name']}"] = settled(thing)
    return found


def masked(text, *names):
    """Times, identities and counts are different each time; everything else is to the letter. `names` are (text, its mask)."""
    for name, mask in names:
        text = text.replace(name, mask)
    text = re.sub(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", "TIME", text)
    text = re.sub(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", "UUID", text)
    text = re.sub(r"\b[0-9a-f]{64}\b", "DIGEST", text)
    text = re.sub(r"NAME-(initial|final)-[0-9a-f]{5}", r"NAME-\1-ID", text)
    text = re.sub(r"\(\d+s\)", "(SECONDS)", text)
    text = re.sub(r"\d+ (out of estimated total of) \d+", r"N \1 N", text)
    text = re.sub(r"\d+ objects: \d+ restored unchanged, \d+ adapted to the destination, \d+ left out on purpose, 0 failed", "OBJECTS", text)
    text = re.sub(r"(Generation|Resource Version): +\d+", r"\1: N", text)
    # An old kubectl shows two more things.
    text = re.sub(r"  Managed Fields:\n(?:    .*\n)+", "", text)
    return re.sub(r"  Self Link: .*\n", "", text)


def wait_for(what, test, seconds=60):
    """Polls as a test may; the product does not."""
    deadline = time.time() + seconds
    while True:
        value = test()
        if value:
            return value
        if time.time() > deadline:
            raise AssertionError(f"{what}: not within {seconds} s")
        time.sleep(0.02)


def machine_has(*programs):
    """The first of these programs that is missing, or None."""
    folders = os.environ.get("PATH", "").split(os.pathsep)
    return next((p for p in programs if not any(os.access(os.path.join(f, p), os.X_OK) for f in folders)), None)
