"""What holds of volumes that travel through the bucket: what stands for them meanwhile, and that it goes."""
import os
import random
import time

from case import NS
from cluster import conditions, phase, wait_for
from volumes import big, fill

MOVERS = "app=pod-volume-mover"
MARK = "migration-included-stage-backup"


class Staged:
    def objects(self, cluster, kind, name):
        uid = self.west.get("migmigrations", name)["metadata"]["uid"]
        return cluster.items(kind, NS, f"migmigration={uid}")

    def nothing_left(self, *namespaces):
        """Neither movers nor the keys that they had, nor marks on what travelled."""
        for cluster in (self.west, self.east):
            for ns in namespaces:
                for kind in ("pods", "secrets"):
                    self.assertEqual([o["metadata"]["name"] for o in cluster.items(kind, ns, MOVERS)], [], f"{kind} of {ns} in {cluster.name}")
                for selector in (MARK, MOVERS):
                    self.assertEqual(cluster.items("persistentvolumeclaims", ns, selector), [])
                self.assertNotIn(MARK, (cluster.get("namespaces", ns) or {"metadata": {}})["metadata"].get("labels", {}))
        self.assertEqual([v for v in self.west.items("persistentvolumes", None, MARK) if v["spec"]["claimRef"]["namespace"] in namespaces], [])

    def not_written_into(self, ns):
        self.assertEqual(self.east.items("pods", ns, MOVERS), [])

    def undone(self, name):
        for cluster, kind in ((self.west, "podvolumebackups"), (self.east, "podvolumerestores"), (self.west, "backups"), (self.east, "restores")):
            self.assertEqual(self.objects(cluster, kind, name), [], kind)

    def differed(self, migration):
        self.assertIn("ResticVerifyErrors", conditions(migration))

    def mover(self, cluster, ns):
        """The first mover there is. Not the first that runs: on a fast machine it is done before anybody sees it run."""
        found = wait_for(f"a mover in {ns} of {cluster.name}", lambda: cluster.items("pods", ns, MOVERS))
        return found[0]["metadata"]["name"]

    def killed_at_any_moment(self, seed, moments, until=lambda ns: None):
        """Two volumes travel, and the controller is killed on their way: in each round at another one of `moments`, seconds after `until`."""
        rounds = int(os.environ.get("MTC_KILL_ROUNDS", "10" if self.world.is_lab else "3"))
        seed = int(os.environ.get("MTC_KILL_SEED", seed))
        rng = random.Random(seed)
        for i in range(rounds):
            moment = rng.uniform(*moments)
            with self.subTest(round=i, seed=seed, moment=f"{moment:.2f} s"):
                ns = self.with_claims("data", "logs")
                fill(self.source(ns))
                big(self.source(ns, "logs") / "big", 16)
                name = self.begin(self.volume_plan(ns))
                until(ns)
                time.sleep(moment)  # the moment is the test's own
                self.world.controller.kill()
                self.world.controller.start()
                self.succeeded(self.ended(name, seconds=240))
                self.moved(ns, claims=("data", "logs"))
                self.nothing_left(ns)
                for cluster, kind in ((self.west, "podvolumebackups"), (self.east, "podvolumerestores")):
                    self.assertEqual([phase(o) for o in self.objects(cluster, kind, name)], ["Completed"] * 2)


__all__ = ["MOVERS", "Staged"]
