"""A database that is written to until it is frozen: whatever it had acknowledged is there after the move, and after the way back."""
import subprocess
import threading

import manifests
from case import Case
from cluster import wait_for
from world import ROOT

IMAGE = "lab.mtc/postgres:1"
BIN = "/usr/lib/postgresql/15/bin"
# The whole database in a folder of the volume. It gets two seconds to end and is then killed, so that what travels may well be a
# database that has to recover by its log.
RUN = (f"test -f /volume/db/PG_VERSION || {BIN}/initdb -D /volume/db -U app -A trust -E UTF8 --locale=C --no-instructions; "
       f"exec {BIN}/postgres -D /volume/db -k /tmp -c listen_addresses= -c jit=off -c shared_buffers=16MB")
# With "Always" the kubelet would widen the modes of a database's folder each time, and PostgreSQL refuses such a folder.
SECURITY = {"runAsUser": 999, "runAsGroup": 999, "fsGroup": 999, "fsGroupChangePolicy": "OnRootMismatch"}


def database(ns):
    container = {"name": "db", "image": IMAGE, "imagePullPolicy": "Never", "args": ["-c", RUN],
                 "readinessProbe": {"exec": {"command": [f"{BIN}/psql", "-h", "/tmp", "-U", "app", "-c", "select 1", "postgres"]}, "periodSeconds": 1},
                 "volumeMounts": [{"name": "data", "mountPath": "/volume"}]}
    pod = {"metadata": {"labels": {"app": "web"}},
           "spec": {"terminationGracePeriodSeconds": 2, "securityContext": SECURITY, "containers": [container],
                    "volumes": [{"name": "data", "persistentVolumeClaim": {"claimName": "data"}}]}}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web", "namespace": ns},
            "spec": {"replicas": 1, "strategy": {"type": "Recreate"}, "selector": {"matchLabels": {"app": "web"}}, "template": pod}}


class Writer:
    """Inserts rows one by one, each a transaction, until the database goes away."""

    def __init__(self, command):
        self.acknowledged = []
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, bufsize=1)
        self.thread = threading.Thread(target=self.write)
        self.thread.start()

    def write(self):
        try:
            while True:
                self.process.stdin.write("insert into rows (text) values (md5(random()::text)) returning id;\n")
                answer = self.process.stdout.readline()
                if not answer:
                    break
                self.acknowledged.append(int(answer))
        except OSError:
            pass

    def stop(self):
        self.process.kill()
        self.process.wait()
        self.thread.join()


class Postgres(Case):
    def setUp(self):
        super().setUp()
        if not self.world.is_lab:
            self.skipTest("embedded clusters run no database; the lab does")
        subprocess.run([ROOT / "tests/lab/import-postgres"], check=True, timeout=120)

    def psql(self, cluster, ns, statement):
        return cluster.kubectl("-n", ns, "exec", "deploy/web", "--", f"{BIN}/psql", "-h", "/tmp", "-U", "app", "-qAtc", statement, "postgres").strip()

    def writer(self, ns):
        command = ["kubectl", "--kubeconfig", str(self.west.kubeconfig), "-n", ns, "exec", "-i", "deploy/web", "--", f"{BIN}/psql", "-h", "/tmp", "-U", "app", "-qAt", "postgres"]
        writer = Writer(command)
        self.addCleanup(writer.stop)
        wait_for("rows to be written", lambda: len(writer.acknowledged) > 100)
        return writer

    def holds(self, cluster, ns, writer):
        """Every row that the database had said it has, and every index agrees."""
        ids = {int(line) for line in self.psql(cluster, ns, "select id from rows").splitlines()}
        self.assertEqual(set(writer.acknowledged) - ids, set())
        self.assertEqual(int(self.psql(cluster, ns, "set enable_seqscan = off; select count(*) from rows where id > 0")), len(ids))

    def moves(self, indirect):
        ns = self.namespace(self.west, manifests.claim("data"))
        self.west.create(database(ns))
        self.available(self.west, ns)
        self.psql(self.west, ns, "create table rows (id bigserial primary key, text text not null)")
        plan = self.plan("host", "east", ns, indirectVolumeMigration=indirect)
        writer = self.writer(ns)
        staged = self.migrate(plan, stage=True, quiesce=False)
        self.assertNotIn("Failed", str(staged["status"]["conditions"]))
        written = len(writer.acknowledged)
        self.assertGreater(written, 100)
        self.succeeded(self.migrate(plan))
        writer.thread.join(30)
        self.assertFalse(writer.thread.is_alive(), "the source still takes rows")
        self.available(self.east, ns)
        self.holds(self.east, ns, writer)
        self.succeeded(self.migrate(plan, rollback=True))
        self.available(self.west, ns)
        self.holds(self.west, ns, writer)

    def test_directly(self):
        self.moves(indirect=False)

    def test_through_the_bucket(self):
        self.moves(indirect=True)


__all__ = ["Postgres"]
