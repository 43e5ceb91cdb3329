"""No object is lost in silence: what cannot be read stops a migration before the cutover, what cannot be written is named."""

from case import NS, Case, Refused, unique
from cluster import binding, conditions, inventory, served_kinds, wait_for

CORE_BUT_SECRETS = ["namespaces", "pods", "services", "configmaps", "serviceaccounts", "endpoints", "events", "persistentvolumeclaims", "persistentvolumes",
                    "limitranges", "resourcequotas", "replicationcontrollers", "podtemplates", "nodes"]


def widgets(**size):
    """A kind whose objects have a size; the arguments limit it."""
    spec = {"type": "object", "properties": {"size": {"type": "integer", **size}}}
    return {"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "metadata": {"name": "widgets.example.com"},
            "spec": {"group": "example.com", "scope": "Namespaced", "names": {"plural": "widgets", "singular": "widget", "kind": "Widget", "listKind": "WidgetList"},
                     "versions": [{"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": {"type": "object", "properties": {"spec": spec}}}}]}}


def widget(name, size):
    return {"apiVersion": "example.com/v1", "kind": "Widget", "metadata": {"name": name}, "spec": {"size": size}}


def settings(name, **data):
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": data}


class Fates(Case):
    def failed(self, migration, *words):
        self.assertIn("Failed", conditions(migration), migration["status"])
        self.assertNotIn("Succeeded", conditions(migration))
        errors = "\n".join(migration["status"]["errors"])
        for word in words:
            self.assertIn(word, errors)

    def define(self, cluster, definition):
        name = definition["metadata"]["name"]
        wait_for("the end of an earlier test's", lambda: cluster.get("customresourcedefinitions", name) is None)
        self.addCleanup(cluster.delete, "customresourcedefinitions", name)
        cluster.create(definition)
        wait_for("widgets", lambda: ("/apis/example.com/v1", "widgets") in served_kinds(cluster))

    def only_on_real_clusters(self, what):
        if not self.world.is_lab:
            self.skipTest(f"embedded clusters have no {what} (docs/reference/sandbox.md); the lab has")

    # What cannot be read

    def test_secrets_that_may_not_be_listed_stop_the_migration_before_the_cutover(self):
        ns = self.application(self.west)
        before = inventory(self.west, ns)
        name = unique("blind")
        self.blind_account(name)
        self.create(*self.world.remote(name, self.west, token=self.west.token(name)))
        migration = self.migrate(self.plan(name, "east", ns))
        self.failed(migration, f"secrets {ns}/*", "forbidden")
        self.assertEqual(conditions(migration)["Failed"]["reason"], "InitialBackupCreated")
        self.assertEqual(inventory(self.west, ns), before)
        self.assertEqual(self.west.get("deployments", "web", ns)["status"]["availableReplicas"], 2)
        self.assertIsNone(self.east.get("namespaces", ns))

    def blind_account(self, name):
        """An account that may do everything, but sees Secrets in our own namespace alone."""
        rbac = {"apiVersion": "rbac.authorization.k8s.io/v1"}
        everything = [{"apiGroups": [""], "resources": CORE_BUT_SECRETS, "verbs": ["*"]}]
        groups = [group["name"] for group in self.west.call("GET", "/apis")["groups"]]
        everything.append({"apiGroups": groups, "resources": ["*"], "verbs": ["*"]})
        role = {**rbac, "kind": "Role", "metadata": {"name": name, "namespace": NS}, "rules": [{"apiGroups": [""], "resources": ["secrets"], "verbs": ["*"]}]}
        self.west.ensure({**rbac, "kind": "ClusterRole", "metadata": {"name": name}, "rules": everything}, binding(name, name, name), role,
                         {**binding(name, name, name), "kind": "RoleBinding", "metadata": {"name": name, "namespace": NS},
                          "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": name}})
        for kind in ("clusterroles", "clusterrolebindings", "roles", "rolebindings", "serviceaccounts"):
            self.addCleanup(self.west.delete, kind, name)

    def test_objects_that_cannot_be_converted_stop_the_migration_before_the_cutover(self):
        self.only_on_real_clusters("conversion of versions")
        self.define(self.west, widgets())
        ns = self.application(self.west)
        self.west.create({**widget("one", 1), "metadata": {"name": "one", "namespace": ns}})
        first = self.west.get("customresourcedefinitions", "widgets.example.com")["spec"]["versions"][0]
        webhook = {"strategy": "Webhook", "webhook": {"conversionReviewVersions": ["v1"], "clientConfig": {"service": {"namespace": "default", "name": "nobody"}}}}
        self.west.patch("customresourcedefinitions", "widgets.example.com", {"spec": {"conversion": webhook, "versions": [first, {**first, "name": "v2", "storage": False}]}})
        wait_for("v2", lambda: ("/apis/example.com/v2", "widgets") in served_kinds(self.west))
        before = self.west.get("deployments", "web", ns)["spec"]
        self.failed(self.migrate(self.plan("host", "east", ns)), f"widgets.example.com {ns}/*", "conversion")
        self.assertEqual(self.west.get("deployments", "web", ns)["spec"], before)

    def test_a_kind_that_goes_away_holds_up_no_plan(self):
        self.define(self.west, widgets())
        ns = self.namespace(self.west, settings("first", a="1"))
        self.succeeded(self.migrate(self.plan("host", "east", ns)))
        self.west.delete("customresourcedefinitions", "widgets.example.com")
        wait_for("their end", lambda: ("/apis/example.com/v1", "widgets") not in served_kinds(self.west))
        ns = self.namespace(self.west, settings("second", a="1"))
        self.succeeded(self.migrate(self.plan("host", "east", ns)))

    # What is there already

    def test_what_exists_and_differs_is_left_alone_and_named(self):
        ns = self.namespace(self.west, settings("same", a="1"), settings("other", a="1"), settings("new", a="1"))
        self.namespace(self.east, settings("same", a="1"), settings("other", a="2"), settings("own", a="3"), ns=ns)
        migration = self.warned(self.migrate(self.plan("host", "east", ns)), "DestinationObjectsDiffer")
        differ = conditions(migration)["DestinationObjectsDiffer"]
        self.assertEqual((differ["reason"], differ["category"]), ("NotRestored", "Warn"))
        self.assertIn(f"[configmaps {ns}/other]", differ["message"])
        data = {c["metadata"]["name"]: c["data"] for c in self.east.items("configmaps", ns)}
        del data["kube-root-ca.crt"]
        self.assertEqual(data, {"same": {"a": "1"}, "other": {"a": "2"}, "new": {"a": "1"}, "own": {"a": "3"}})

    # What the destination refuses

    def test_an_object_that_breaks_the_schema_of_the_destination_fails_with_the_reason(self):
        self.define(self.west, widgets())
        self.define(self.east, widgets(maximum=10))
        ns = self.application(self.west)
        before = inventory(self.west, ns)
        for name, size in (("small", 3), ("big", 20)):
            self.west.create({**widget(name, size), "metadata": {"name": name, "namespace": ns}})
        plan = self.plan("host", "east", ns)
        migration = self.migrate(plan)
        self.failed(migration, f"widgets.example.com {ns}/big", "spec.size", "10")
        self.assertNotIn(f"{ns}/small", "\n".join(migration["status"]["errors"]))
        self.assertEqual(self.east.get("widgets", "small", ns)["spec"]["size"], 3)
        # Nothing of the source is gone, and a rollback starts it again.
        self.succeeded(self.migrate(plan, rollback=True, quiesce=False))
        after = inventory(self.west, ns)
        self.assertEqual({key: thing for key, thing in after.items() if not key.startswith("widgets/")}, before)
        self.assertEqual(self.west.get("widgets", "big", ns)["spec"]["size"], 20)

    def test_a_quota_of_the_destination(self):
        ns = self.namespace(self.west, *[settings(f"c{i}", a="1") for i in range(5)])
        self.namespace(self.east, {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "few"}, "spec": {"hard": {"count/configmaps": "3"}}}, ns=ns)
        wait_for("the quota", lambda: "used" in self.east.get("resourcequotas", "few", ns).get("status", {}))
        self.failed(self.migrate(self.plan("host", "east", ns)), f"configmaps {ns}/c", "exceeded quota: few")

    def test_a_policy_of_the_destination(self):
        self.only_on_real_clusters("admission policies")
        name = unique("no-fruit")
        rule = {"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["configmaps"]}
        policies = {"apiVersion": "admissionregistration.k8s.io/v1"}
        for kind in ("validatingadmissionpolicybindings", "validatingadmissionpolicies"):
            self.addCleanup(self.east.delete, kind, name)
        self.east.create({**policies, "kind": "ValidatingAdmissionPolicy", "metadata": {"name": name},
                          "spec": {"matchConstraints": {"resourceRules": [rule]},
                                   "validations": [{"expression": "object.metadata.name != 'fruit'", "message": "no fruit in this cluster"}]}},
                         {**policies, "kind": "ValidatingAdmissionPolicyBinding", "metadata": {"name": name}, "spec": {"policyName": name, "validationActions": ["Deny"]}})

        def refuses():
            try:
                self.east.call("POST", self.east.path("configmaps", None, "default") + "?dryRun=All", {**settings("fruit"), "metadata": {"name": "fruit"}})
            except Refused:
                return True
            return False

        wait_for("the policy", refuses)
        ns = self.namespace(self.west, settings("fruit", a="1"), settings("bread", a="1"))
        self.failed(self.migrate(self.plan("host", "east", ns)), f"configmaps {ns}/fruit", "no fruit in this cluster")
        self.assertIsNotNone(self.east.get("configmaps", "bread", ns))


