"""A controller that is killed anywhere goes on where it stopped, and does nothing twice."""
import json
import os
import random
import time

from case import NS, Case
from cluster import inventory


class Killed(Case):
    def test_the_outcome_is_that_of_an_undisturbed_run(self):
        rounds = int(os.environ.get("MTC_KILL_ROUNDS", "20" if self.world.is_lab else "5"))
        seed = int(os.environ.get("MTC_KILL_SEED", "20"))
        rng = random.Random(seed)
        ns, expected, usual = self.run_once(lambda: None)
        self.forget(ns)
        for i in range(rounds):
            moment = rng.uniform(0, usual)
            with self.subTest(round=i, seed=seed, moment=f"{moment:.2f} s of {usual:.2f} s"):
                ns, found, _ = self.run_once(lambda moment=moment: self.kill_after(moment))
                self.assertEqual(found, expected)
                self.forget(ns)

    def kill_after(self, moment):
        time.sleep(moment)
        self.world.controller.kill()
        self.world.controller.start()

    def run_once(self, disturb):
        """The namespace, what both clusters hold after a migration of it, and the seconds that it took."""
        ns = self.application(self.west)
        plan = self.plan("host", "east", ns)
        began = time.time()
        name = self.begin(plan)
        disturb()
        self.succeeded(self.ended(name))
        took = time.time() - began
        for cluster, kind, one in ((self.west, "backups", f"{name}-initial-"), (self.east, "restores", f"{name}-final-")):
            mine = [o["metadata"]["name"] for o in cluster.items(kind, NS) if o["metadata"]["name"].startswith(name)]
            self.assertEqual([m[: len(one)] for m in mine], [one], kind)
        return ns, [neutral(inventory(cluster, ns), ns) for cluster in (self.west, self.east)], took

    def forget(self, ns):
        for cluster in (self.west, self.east):
            cluster.delete("namespaces", ns)


def neutral(found, ns):
    """Without what two runs never share: the namespace's name, addresses, and the labels that say which migration made an object."""
    found = json.loads(json.dumps(found).replace(ns, "NAMESPACE"))
    # Who is first makes it: the restore, with its labels, or the cluster.
    found.get("serviceaccounts/default", {"metadata": {}})["metadata"].pop("labels", None)
    for thing in found.values():
        labels = thing["metadata"].get("labels", {})
        for key in [k for k in labels if k.startswith(("migration.openshift.io/", "velero.io/"))]:
            labels[key] = "SET"
        for field in ("clusterIP", "clusterIPs"):
            if thing.get("spec", {}).get(field) not in (None, "None", ["None"]):
                thing["spec"][field] = "SET"
    return found
