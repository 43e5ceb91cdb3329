"""MigStorages that cannot work."""
import yaml

import world as worlds
from case import Bystander, unique
from cluster import b64, conditions, wait_for
from servers import LONG_AGO, Certificates, Hanging, TlsFront, WebSite, closed_port


class BadStorage(Bystander):
    """All are registered at once; a test then waits for its own."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        world = worlds.THE_WORLD
        cls.names = {}
        good, other = Certificates(f"{world.folder}/store"), Certificates(f"{world.folder}/other")
        old = Certificates(f"{world.folder}/old", server=LONG_AGO)
        front = world.serving(TlsFront(good, world.endpoint))
        bundle = "    s3CustomCABundle: {}\n"
        cls.add("hangs", url=world.serving(Hanging()).url)
        cls.add("fine")
        cls.add("newline", key_id=world.key + "\n", secret_key=world.secret + "\n")
        cls.add("https", url=front.url, more=bundle.format(b64(good.ca_pem)))
        cls.add("wrong_ca", url=front.url, more=bundle.format(b64(other.ca_pem)))
        cls.add("no_ca", url=front.url)
        cls.add("expired", url=world.serving(TlsFront(old)).url, more=bundle.format(b64(old.ca_pem)))
        cls.add("absent_bucket", bucket="absent")
        cls.add("wrong_secret", secret_key="wrong")
        cls.add("wrong_key", key_id="wrong")
        cls.add("wrong_region", more="    awsRegion: eu-west-1\n")
        cls.add("unreachable", url=f"http://{closed_port()}")
        cls.add("web_site", url=world.serving(WebSite()).url)
        cls.add("no_bucket", bucket='""')
        cls.add("ftp", url="ftp://x")
        cls.add("no_secret", skip_secret=True)
        cls.add("empty_secret", secret_key="")
        cls.add("no_reference", credsSecretRef=None)
        cls.add("provider", provider="floppy")

    @classmethod
    def add(cls, what, skip_secret=False, provider="aws", **changes):
        name = unique(what.replace("_", "-"))
        secret, storage = (yaml.safe_load(text) for text in worlds.THE_WORLD.storage(name, **changes))
        if "credsSecretRef" in changes:
            del storage["spec"]["backupStorageConfig"]["credsSecretRef"]
        storage["spec"]["backupStorageProvider"] = provider
        for field in ("volumeSnapshotProvider", "volumeSnapshotConfig"):  # it has checks of its own
            del storage["spec"][field]
        worlds.THE_WORLD.west.ensure(*([] if skip_secret else [secret]), storage)
        cls.names[what] = name

    @classmethod
    def tearDownClass(cls):
        for name in cls.names.values():
            worlds.THE_WORLD.west.delete("migstorages", name)
            worlds.THE_WORLD.west.delete("secrets", f"{name}-keys", "openshift-config")
        super().tearDownClass()

    def refused(self, what, *words, wanted="BackupStorageProviderTestFailed", reason="TestFailed", seconds=20):
        return self.says("migstorages", self.names[what], wanted, reason, "Critical", *words, seconds=seconds)

    def works(self, what):
        return wait_for(what, lambda: "Ready" in conditions(self.west.get("migstorages", self.names[what])), 20)

    def test_keys_with_a_trailing_newline_work(self):
        self.works("fine")
        self.works("newline")

    def test_https_store_with_its_ca_works(self):
        self.works("https")

    def test_https_store_with_another_ca(self):
        self.refused("wrong_ca", "certificate")
        self.refused("no_ca", "certificate")

    def test_https_store_with_an_expired_certificate(self):
        self.refused("expired", "expired")

    def test_store_that_hangs(self):
        self.refused("hangs", "within", seconds=20)

    def test_absent_bucket(self):
        self.refused("absent_bucket", "NoSuchBucket")

    def test_wrong_secret_key(self):
        self.refused("wrong_secret", "SignatureDoesNotMatch")

    def test_wrong_access_key(self):
        self.refused("wrong_key", "InvalidAccessKeyId")

    def test_wrong_region(self):
        self.refused("wrong_region", "region", "us-east-1")

    def test_unreachable_store(self):
        self.refused("unreachable", "refused")

    def test_a_server_that_is_no_store(self):
        self.refused("web_site")

    def test_settings(self):
        for what, words in {"no_bucket": "[Bucket]", "ftp": "[S3URL]", "empty_secret": "[Secret(content)]"}.items():
            self.refused(what, words, wanted="InvalidBackupStorageSettings", reason="NotSupported")

    def test_secret_missing(self):
        name = self.names["no_secret"]
        self.refused("no_secret", f"openshift-config/{name}-keys", wanted="InvalidBackupStorageCredsSecretRef", reason="NotFound")
        self.refused("no_reference", "credsSecretRef", wanted="InvalidBackupStorageCredsSecretRef", reason="NotSet")

    def test_provider(self):
        self.refused("provider", "floppy", wanted="InvalidBackupStorageProvider", reason="NotSupported")

    def test_secrets_are_told_to_nobody(self):
        everything = str(self.west.items("migstorages")) + str(self.west.items("events")) + self.world.controller.log.read_text()
        self.assertNotIn(self.world.secret, everything)


