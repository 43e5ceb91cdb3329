"""What holds of volumes that travel through the bucket: what stands for them meanwhile, and that it goes."""
from case import NS
from cluster import conditions, wait_for

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


__all__ = ["MOVERS", "Staged"]
