"""Volumes that travel through the bucket: into a repository and out of it, proven by reading back, and nothing but the repository stays behind."""
import base64
import os
import subprocess
import time

from bucket import Bucket
from case import NS, unique
from cluster import conditions, machine_has, phase, wait_for
from staged import Staged
from volumes import EitherWay, VolumeCase, big, fill
from world import Frozen

class IndirectVolumes(Staged, EitherWay, VolumeCase):
    def volume_plan(self, *namespaces, **changes):
        """As the documents have it: indirectVolumeMigration is true."""
        return self.plan("host", "east", *namespaces, **changes)

    @property
    def bucket(self):
        return Bucket(self.world)

    def repository(self, plan, ns=""):
        return f"velero/restic/{self.west.get('migplans', plan)['metadata']['uid']}/{ns}"

    def password(self, plan):
        uid = self.west.get("migplans", plan)["metadata"]["uid"]
        found = self.west.items("secrets", NS, f"migration.openshift.io/volume-repository=True,migplan={uid}")
        self.assertEqual(len(found), 1)
        return base64.b64decode(found[0]["data"]["password"]).decode()

    def lines(self, migration, step):
        return next(s for s in migration["status"]["pipeline"] if s["name"] == step)["progress"]

    # What travels

    def test_cutover(self):
        ns = self.with_claims("data", "logs")
        fill(self.source(ns))
        (self.source(ns, "logs") / "today").write_text("hello")
        plan = self.volume_plan(ns)
        name = self.begin(plan)
        migration = self.succeeded(self.ended(name))
        self.moved(ns, claims=("data", "logs"))
        self.available(self.east, ns)
        self.assertEqual(self.west.get("deployments", "web", ns)["spec"]["replicas"], 0)
        self.nothing_left(ns)
        for cluster, kind, step, words in ((self.west, "podvolumebackups", "StageBackup", "PodVolumeBackup"),
                                           (self.east, "podvolumerestores", "StageRestore", "PodVolumeRestoreCompleted")):
            found = self.objects(cluster, kind, name)
            self.assertEqual([phase(o) for o in found], ["Completed"] * 2)
            self.assertEqual({o["spec"]["repoIdentifier"] for o in found}, {f"s3:{self.world.endpoint}/{self.world.bucket}/{self.repository(plan, ns)}"})
            self.assertRegex(self.lines(migration, step)[1], rf"^{words} {NS}/{name}-stage-\S+: \S+ \S+ out of \S+ \S+ (backed up|restored) \(\S+\)$")
        self.assertEqual(sorted(phase(o) for c, k in ((self.west, "backups"), (self.east, "backups"), (self.east, "restores")) for o in self.objects(c, k, name)),
                         ["Completed"] * 6)
        self.assertNotIn(self.password(plan), self.world.controller.log.read_text())

    def test_two_stages_then_the_cutover_store_only_what_changed(self):
        ns = self.with_claims("data")
        fill(self.source(ns))
        big(self.source(ns) / "big", 24)
        plan = self.volume_plan(ns)
        self.succeeded(self.migrate(plan, stage=True, quiesce=False))
        self.moved(ns)
        self.assertEqual(self.west.get("deployments", "web", ns)["spec"]["replicas"], 1)
        self.assertIsNone(self.east.get("deployments", "web", ns))
        packs = self.packs(plan, ns)
        (self.source(ns) / "deep/file-5").unlink()
        (self.source(ns) / "deep/file-6").write_text("newer")
        self.succeeded(self.migrate(plan, stage=True, quiesce=False))
        self.moved(ns)
        (self.source(ns) / "more").write_text("more")
        self.succeeded(self.migrate(plan))
        self.moved(ns)
        self.available(self.east, ns)
        grown = sum(len(self.bucket.get(key)) for key in self.packs(plan, ns) - packs)
        self.assertLess(grown, 1 << 20, "the large file was stored again")

    def packs(self, plan, ns):
        return set(self.bucket.keys(self.repository(plan, ns) + "/data/"))

    def test_two_namespaces_have_two_repositories(self):
        one, other = self.with_claims("data"), self.with_claims("data")
        self.addCleanup(self.east.delete, "namespaces", one + "-b")
        for ns in (one, other):
            fill(self.source(ns), files=3)
            (self.source(ns) / "whose").write_text(ns)
        plan = self.volume_plan(f"{one}:{one}-b", other)
        self.succeeded(self.migrate(plan))
        self.moved(one, one + "-b")
        self.moved(other)
        self.nothing_left(one, one + "-b", other)
        for ns in (one, other):
            self.assertTrue(self.bucket.keys(self.repository(plan, ns) + "/config"))

    def test_restic_reads_it_and_the_plans_end_is_its_end(self):
        if missing := machine_has("restic"):
            self.skipTest(f"no {missing} on this machine")
        ns = self.with_claims("data")
        fill(self.source(ns), files=5)
        plan = self.volume_plan(ns)
        self.succeeded(self.migrate(plan, stage=True, quiesce=False))
        environment = {**os.environ, "RESTIC_PASSWORD": self.password(plan), "AWS_ACCESS_KEY_ID": self.world.key, "AWS_SECRET_ACCESS_KEY": self.world.secret}
        place, folder = self.repository(plan, ns), self.repository(plan)
        command = ["restic", "--no-cache", "-r", f"s3:{self.world.endpoint}/{self.world.bucket}/{place}"]
        subprocess.run([*command, "check", "--read-data"], env=environment, check=True, capture_output=True, timeout=120)
        shown = subprocess.run([*command, "snapshots"], env=environment, check=True, capture_output=True, text=True, timeout=120).stdout
        self.assertIn(f"{ns}/data", shown)
        self.west.delete("migplans", plan)
        wait_for("the repository to go", lambda: not self.bucket.keys(folder))

    # The way back

    def test_cancel_in_the_middle(self):
        ns = self.with_claims("data")
        big(self.source(ns) / "big", 256)
        plan = self.volume_plan(ns)
        name = self.begin(plan)
        self.mover(self.west, ns)
        self.west.patch("migmigrations", name, {"spec": {"canceled": True}})
        self.assertIn("Canceled", conditions(self.ended(name)))
        self.nothing_left(ns)
        self.available(self.west, ns)
        self.assertEqual(self.objects(self.west, "podvolumebackups", name), [])
        self.succeeded(self.migrate(plan))
        self.moved(ns)

    # What goes wrong

    def test_a_mover_that_is_killed_is_followed_by_another(self):
        for side in ("west", "east"):
            with self.subTest(side):
                cluster = getattr(self, side)
                ns = self.with_claims("data")
                big(self.source(ns) / "big", 256)
                name = self.begin(self.volume_plan(ns))
                cluster.delete("pods", self.mover(cluster, ns), ns)
                self.succeeded(self.ended(name, seconds=240))
                self.moved(ns)

    def test_a_controller_that_is_killed_in_the_middle(self):
        for side in ("west", "east"):
            with self.subTest(side):
                ns = self.with_claims("data", "logs")
                big(self.source(ns) / "big", 128)
                fill(self.source(ns, "logs"))
                name = self.begin(self.volume_plan(ns))
                self.mover(getattr(self, side), ns)
                self.world.controller.kill()
                self.world.controller.start()
                self.succeeded(self.ended(name, seconds=240))
                self.moved(ns, claims=("data", "logs"))
                self.nothing_left(ns)
                self.assertEqual(len(self.objects(self.west, "podvolumebackups", name)), 2)
                self.assertEqual(len(self.objects(self.east, "podvolumerestores", name)), 2)

    def test_a_controller_that_is_killed_at_any_moment(self):
        self.killed_at_any_moment(seed=21, moments=(0.5, 5))

    def test_a_wrong_byte_in_the_repository_fails_the_cutover_and_names_it(self):
        ns = self.with_claims("data")
        big(self.source(ns) / "big", 8)
        plan = self.volume_plan(ns)
        self.succeeded(self.migrate(plan, stage=True, quiesce=False))
        self.succeeded(self.migrate(plan, rollback=True))
        wait_for("the claim to go", lambda: self.east.get("persistentvolumeclaims", "data", ns) is None)
        sizes = {key: len(self.bucket.get(key)) for key in self.packs(plan, ns)}
        pack = max(sizes, key=sizes.get)
        self.bucket.flip(pack, sizes[pack] // 2)
        migration = self.failed(self.migrate(plan), f"PersistentVolumeClaim {ns}/data was not restored", self.repository(plan, ns))
        self.assertTrue(any("big" in error or pack.rsplit("/", 1)[1][:8] in error for error in migration["status"]["errors"]), migration["status"]["errors"])
        self.assertIn("ResticErrors", conditions(migration))
        self.assertIsNone(self.east.get("deployments", "web", ns))
        self.nothing_left(ns)
        for key in self.bucket.keys(self.repository(plan)):  # as the guide says
            self.bucket.call("DELETE", key)
        self.succeeded(self.migrate(plan))
        self.moved(ns)

    def test_a_class_that_waits_for_the_first_pod(self):
        if self.world.is_lab:
            self.skipTest("its classes are those of its driver")
        name = unique("waiting")
        self.east.create({"apiVersion": "storage.k8s.io/v1", "kind": "StorageClass", "metadata": {"name": name}, "provisioner": "sandbox.mtc/directory",
                          "volumeBindingMode": "WaitForFirstConsumer"})
        self.addCleanup(self.east.delete, "storageclasses", name)
        ns = self.with_claims("data")
        fill(self.source(ns), files=3)
        plan = self.volume_plan(ns)
        volumes = self.west.get("migplans", plan)["spec"]["persistentVolumes"]
        volumes[0]["selection"]["storageClass"] = name
        self.west.patch("migplans", plan, {"spec": {"refresh": True, "persistentVolumes": volumes}})
        wait_for("the plan to look again", lambda: "Ready" in conditions(self.west.get("migplans", plan)))
        self.succeeded(self.migrate(plan))
        self.assertEqual(self.east.get("persistentvolumeclaims", "data", ns)["spec"]["storageClassName"], name)
        self.moved(ns)

    def test_a_bucket_that_is_away_for_a_while(self):
        ns = self.with_claims("data")
        big(self.source(ns) / "big", 128)
        name = self.begin(self.volume_plan(ns))
        self.mover(self.west, ns)
        with Frozen(self.world.bucket_pid()):
            time.sleep(20)  # an outage, not a wait
        self.succeeded(self.ended(name, seconds=240))
        self.moved(ns)

    def test_an_image_that_is_no_mover_copies_nothing_and_says_so(self):
        ns = self.with_claims("data")
        fill(self.source(ns), files=3)
        before = self.west.get("configmaps", "migration-cluster-config")["data"]
        self.addCleanup(self.west.patch, "configmaps", "migration-cluster-config", {"data": before})
        self.west.patch("configmaps", "migration-cluster-config", {"data": {"RSYNC_TRANSFER_IMAGE": self.world.image}})
        name = self.begin(self.volume_plan(ns))
        self.mover(self.west, ns)
        self.west.patch("migmigrations", name, {"spec": {"canceled": True}})
        self.assertNotIn("Succeeded", conditions(self.ended(name)))


__all__ = ["IndirectVolumes"]
