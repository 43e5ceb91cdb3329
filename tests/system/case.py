"""What the tests share: an application, a plan, a migration, and the proof that a test left clusters as they were."""
import unittest
import uuid

import yaml

import manifests
import world as worlds
from cluster import NS, Refused, conditions, inventory, phase, served_kinds, wait_for


def unique(prefix):
    return f"{prefix}-{uuid.uuid4().hex[:6]}"


class Case(unittest.TestCase):
    """A test against the clusters of the world that runs."""

    maxDiff = 8000

    @property
    def world(self):
        return worlds.THE_WORLD

    @property
    def west(self):
        return self.world.west

    @property
    def east(self):
        return self.world.east

    def setUp(self):
        self.assertTrue(self.world.controller.runs(), "an earlier test ended the controller")

    def tearDown(self):
        self.assertTrue(self.world.controller.runs(), self.world.controller.log.read_text()[-2000:])

    def create(self, *manifest_texts):
        """Manifests as text, by the API (kubectl's way is Documents' matter). They go when the test ends."""
        for text in manifest_texts:
            thing = yaml.safe_load(text)
            self.west.ensure(thing)
            self.addCleanup(self.west.delete, thing["kind"].lower() + "s", thing["metadata"]["name"], thing["metadata"]["namespace"])

    def namespace(self, cluster, *objects, ns=None):
        """A namespace with these objects; it goes from both clusters when the test ends."""
        ns = ns or unique("shop")
        for each in (self.west, self.east):
            self.addCleanup(each.delete, "namespaces", ns)
        cluster.ensure({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": ns}})
        for thing in objects:
            thing["metadata"]["namespace"] = ns
        cluster.create(*objects)
        return ns

    def application(self, cluster, copies=2):
        ns = self.namespace(cluster)
        cluster.create(*manifests.application(ns, self.world.image, copies)[1:])
        self.available(cluster, ns)
        return ns

    @staticmethod
    def available(cluster, ns):
        def is_available():
            web = cluster.get("deployments", "web", ns)
            return web.get("status", {}).get("availableReplicas", 0) == web["spec"]["replicas"] > 0

        wait_for(f"pods of {ns} in {cluster.name}", lambda: cluster.get("deployments", "web", ns) and is_available())

    def plan(self, source, destination, *namespaces, name=None, ready=True, **changes):
        """`changes` replace fields of the spec; None removes one."""
        name = name or unique("plan")
        plan = yaml.safe_load(manifests.PLAN.format(name=name, source=source, destination=destination, storage="bucket", namespace="x"))
        plan["spec"]["namespaces"] = list(namespaces)
        for field, value in changes.items():
            plan["spec"][field] = value
            if value is None:
                del plan["spec"][field]
        self.west.create(plan)
        self.addCleanup(self.west.delete, "migplans", name)
        if ready:
            try:
                wait_for(f"plan {name}", lambda: "Ready" in conditions(self.west.get("migplans", name)))
            except AssertionError as error:
                raise AssertionError(f"{error}; its status is {self.west.get('migplans', name).get('status')}") from None
        return name

    def begin(self, plan, **what):
        name = unique("m")
        self.create(manifests.migration(name, plan, **what))
        return name

    def ended(self, name, seconds=120):
        def over():
            migration = self.west.get("migmigrations", name)
            return migration if phase(migration) == "Completed" else None

        try:
            return wait_for(f"migration {name}", over, seconds)
        except AssertionError as error:
            raise AssertionError(f"{error}; its status is {self.west.get('migmigrations', name).get('status')}") from None

    def migrate(self, plan, **what):
        return self.ended(self.begin(plan, **what))

    def succeeded(self, migration):
        self.assertIn("Succeeded", conditions(migration), migration["status"])
        return migration

    def warned(self, migration, warning):
        """It succeeded, with this warning and no other."""
        found = conditions(migration)
        self.assertIn("SucceededWithWarnings", found, migration["status"])
        self.assertNotIn("Succeeded", found)
        self.assertEqual([t for t, c in found.items() if c["category"] == "Warn"], [warning])
        return migration

    def says(self, kind, name, wanted, reason, category, *words, seconds=30):
        """Waits for a condition, and holds it to its reason, category and words; and the object is not Ready then."""

        def found():
            thing = self.west.get(kind, name)
            return thing if wanted in conditions(thing) else None

        try:
            thing = wait_for(f"{wanted} of {kind} {name}", found, seconds)
        except AssertionError as error:
            raise AssertionError(f"{error}; it says {conditions(self.west.get(kind, name))}") from None
        condition = conditions(thing)[wanted]
        self.assertEqual((condition.get("reason", ""), condition["category"]), (reason, category), condition)
        for word in words:
            self.assertIn(word, condition["message"])
        if category in ("Critical", "Error"):
            self.assertNotIn("Ready", conditions(thing))
        return condition


class Bystander(Case):
    """For what must not touch anything: an application stands by, and both clusters hold the same after each test."""

    @classmethod
    def setUpClass(cls):
        cls.ns = unique("bystander")
        west = worlds.THE_WORLD.west
        west.ensure(*manifests.application(cls.ns, worlds.THE_WORLD.image))
        cls.available(west, cls.ns)
        cls.kinds = served_kinds(west)
        cls.before = inventory(west, cls.ns, cls.kinds)

    @classmethod
    def tearDownClass(cls):
        for cluster in (worlds.THE_WORLD.west, worlds.THE_WORLD.east):
            cluster.delete("namespaces", cls.ns)

    def tearDown(self):
        super().tearDown()
        self.assertEqual(inventory(self.west, self.ns, self.kinds), self.before)
        self.assertIsNone(self.east.get("namespaces", self.ns))
        self.assertEqual(self.west.get("deployments", "web", self.ns)["status"]["availableReplicas"], 2)


__all__ = ["Case", "Bystander", "NS", "Refused", "unique"]
