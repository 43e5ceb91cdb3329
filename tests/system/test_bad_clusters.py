"""MigClusters that cannot work: each says why, and none holds up another or touches an application."""
import time

import yaml

import world as worlds
from case import Bystander, unique
from cluster import b64, conditions, wait_for
from servers import LONG_AGO, Certificates, Hanging, TlsFront, WebSite, closed_port

WRONG_TOKEN = "is wrong or has expired"


class BadClusters(Bystander):
    """All are registered at once, the ones that hang first: a test then waits for its own."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        world = worlds.THE_WORLD
        cls.names, cls.made = {}, []
        east, folder = world.east, world.folder
        good = Certificates(f"{folder}/good")
        expired = Certificates(f"{folder}/expired", server=LONG_AGO)
        expired_ca = Certificates(f"{folder}/expired-ca", authority=LONG_AGO)
        fronts = {name: world.serving(TlsFront(certificates)) for name, certificates in (("good", good), ("expired", expired), ("expired_ca", expired_ca))}
        token, key = east.token(), east.ca
        cls.add("hangs_in_tls", url=world.serving(Hanging("https")).url)
        cls.add("hangs_in_http", url=world.serving(Hanging()).url)
        cls.began = time.time()
        cls.add("fine", token=token)
        cls.add("newline", token=token + "\n")
        cls.add("insecure", token=token, ca="", insecure="true")
        cls.add("wrong_token", token="wrong")
        cls.add("expired_token", token=world.expired_token(east))
        cls.add("orphaned_token", token=cls.orphan(east))
        cls.add("weak_token", token=east.token("nobody"))
        cls.add("empty_token", keys={"saToken": ""})
        cls.add("other_ca", ca=world.west.ca if world.west.ca != key else b64(good.ca_pem))
        cls.add("no_ca", ca="")
        cls.add("nonsense_ca", ca=b64("nonsense"))
        cls.add("expired_certificate", url=fronts["expired"].url, ca=b64(expired.ca_pem))
        cls.add("expired_ca", url=fronts["expired_ca"].url, ca=b64(expired_ca.ca_pem))
        cls.add("unreachable", url=f"https://{closed_port()}")
        cls.add("unknown_host", url="https://no-such-host.invalid:6443")
        cls.add("web_site", url=world.serving(WebSite()).url)
        cls.add("bucket", url=world.endpoint)
        cls.add("no_url", url='""')
        cls.add("malformed_url", url='"not a url"')
        cls.add("ftp", url="ftp://example.com")
        cls.add("no_secret", skip_secret=True)
        cls.add("wrong_keys", keys={"token": b64("x")})
        cls.add("no_reference", drop="serviceAccountSecretRef")

    @classmethod
    def add(cls, what, skip_secret=False, keys=None, drop=None, **changes):
        name = unique(what.replace("_", "-"))
        values = {"token": "x", **changes}
        secret, cluster = (yaml.safe_load(text) for text in worlds.THE_WORLD.remote(name, worlds.THE_WORLD.east, **values))
        secret["data"] = keys or secret["data"]
        if drop:
            del cluster["spec"][drop]
        host = worlds.THE_WORLD.west
        host.ensure(*([] if skip_secret else [secret]), cluster)
        cls.names[what] = name

    @staticmethod
    def orphan(cluster):
        """A token that was good until its account was deleted."""
        token = cluster.token("short-lived")
        cluster.delete("serviceaccounts", "short-lived")
        return token

    @classmethod
    def tearDownClass(cls):
        for name in cls.names.values():
            worlds.THE_WORLD.west.delete("migclusters", name)
            worlds.THE_WORLD.west.delete("secrets", f"{name}-token", "openshift-config")
        super().tearDownClass()

    def refused(self, what, *words, wanted="TestConnectFailed", reason="ConnectFailed", seconds=20):
        found = self.says("migclusters", self.names[what], wanted, reason, "Critical", *words, seconds=seconds)
        others = [t for t, c in conditions(self.west.get("migclusters", self.names[what])).items() if c["category"] == "Critical"]
        self.assertEqual(others, [wanted])
        return found

    def works(self, what):
        return wait_for(what, lambda: "Ready" in conditions(self.west.get("migclusters", self.names[what])), 20)

    # Named to run first: later it would prove nothing.
    def test_1_two_that_hang_delay_no_other(self):
        self.works("fine")
        self.refused("malformed_url", wanted="InvalidURL", reason="Malformed")
        self.assertLess(time.time() - self.began, 8)

    def test_2_a_server_that_hangs_is_named_in_time(self):
        for what in ("hangs_in_tls", "hangs_in_http"):
            self.refused(what, "within", seconds=15)

    def test_token_with_a_trailing_newline_works(self):
        self.works("newline")

    def test_insecure_needs_no_ca(self):
        self.works("insecure")

    def test_wrong_token(self):
        self.refused("wrong_token", "Unauthorized", WRONG_TOKEN, f"openshift-config/{self.names['wrong_token']}-token")

    def test_expired_token(self):
        self.refused("expired_token", "Unauthorized", WRONG_TOKEN)

    def test_token_of_a_deleted_account(self):
        self.refused("orphaned_token", "Unauthorized", WRONG_TOKEN)

    def test_token_without_privileges(self):
        self.refused("weak_token", "lacks privileges", wanted="SaTokenNotPrivileged", reason="Unauthorized")

    def test_empty_token(self):
        self.refused("empty_token", "saToken", "is empty", wanted="InvalidSaToken", reason="NotSet")

    def test_ca_of_another_cluster(self):
        self.refused("other_ca", "certificate", "Compare `caBundle`")

    def test_missing_ca(self):
        self.refused("no_ca", "put its CA into `caBundle`")

    def test_ca_that_is_no_certificate(self):
        self.refused("nonsense_ca", "holds no PEM certificate")

    def test_expired_server_certificate(self):
        self.refused("expired_certificate", "expired")

    def test_expired_ca(self):
        self.refused("expired_ca", "expired")

    def test_unreachable_address(self):
        self.refused("unreachable", "refused")

    def test_unknown_host(self):
        self.refused("unknown_host", "no-such-host.invalid")

    def test_servers_that_are_no_kubernetes(self):
        self.refused("web_site", "Kubernetes")
        self.refused("bucket", "Kubernetes")

    def test_urls_that_are_none(self):
        self.refused("no_url", "required", wanted="InvalidURL", reason="NotSet")
        self.refused("malformed_url", "not a url", wanted="InvalidURL", reason="Malformed")
        self.refused("ftp", "ftp", wanted="InvalidURL", reason="InvalidScheme")

    def test_reference_missing(self):
        self.refused("no_reference", "serviceAccountSecretRef", wanted="InvalidSaSecretRef", reason="NotSet")

    def test_secret_with_wrong_keys(self):
        self.refused("wrong_keys", "no key `saToken`", wanted="InvalidSaToken", reason="NotFound")

    def test_secret_missing_then_wrong_then_right(self):
        name = self.names["no_secret"]
        self.refused("no_secret", f"openshift-config/{name}-token", wanted="InvalidSaSecretRef", reason="NotFound")
        secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": f"{name}-token", "namespace": "openshift-config"}, "data": {"wrong": b64("x")}}
        self.west.create(secret)
        self.refused("no_secret", wanted="InvalidSaToken", reason="NotFound")
        self.west.patch("secrets", f"{name}-token", {"data": {"saToken": b64(self.east.token())}}, "openshift-config")
        self.works("no_secret")

    def test_secrets_are_told_to_nobody(self):
        everything = str(self.west.items("migclusters")) + str(self.west.items("events")) + self.world.controller.log.read_text()
        self.assertNotIn(self.east.token()[:40], everything)


