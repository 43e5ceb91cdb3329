"""`mtc mover backup|restore|prune` as they run in pods: repositories in folders and buckets, restic on the other side, and processes that are killed."""
import json
import os
import pathlib
import random
import re
import shutil
import signal
import subprocess
import tempfile
import unittest

from mover_case import End, describe
import world as worlds
from world import MTC

PASSWORD, KEYS = "the password of the tests", ("key", "secret-of-the-key")


@unittest.skipUnless(shutil.which("restic"), "restic is not installed")
class RepositoryMover(unittest.TestCase):
    environment = {}

    @classmethod
    def setUpClass(cls):
        if worlds.THE_WORLD.is_lab:
            raise unittest.SkipTest("needs no cluster: `make test` runs it")

    def setUp(self):
        self.work = pathlib.Path(tempfile.mkdtemp(prefix="mtc-repository-"))
        self.addCleanup(shutil.rmtree, self.work, ignore_errors=True)
        self.source, self.target, self.access, self.bucket = (self.work / name for name in ("source", "target", "access", "bucket"))
        for folder in (self.source, self.target, self.access, self.bucket):
            folder.mkdir()
        (self.access / "password").write_text(PASSWORD + "\n")
        self.stored({"directory": str(self.bucket), "prefix": "velero/restic/plan/shop"})
        self.restic("init", "--repository-version", "2")

    def stored(self, where):
        (self.access / "store.json").write_text(json.dumps(where))

    def restic(self, *words):
        command = ["restic", "--no-cache", "--repo", self.bucket / "velero/restic/plan/shop", *map(str, words)]
        return subprocess.run(command, check=True, capture_output=True, text=True, timeout=120, env={**os.environ, "RESTIC_PASSWORD": PASSWORD}).stdout

    def fill(self, files=200, large=0):
        rng = random.Random(11)
        for number in range(files):
            folder = self.source / f"d{number % 7}"
            folder.mkdir(exist_ok=True)
            (folder / f"f{number}").write_bytes(rng.randbytes(rng.randint(0, 9000)))
        with open(self.source / "large", "wb") as out:
            for _ in range(large):
                out.write(rng.randbytes(1 << 20))
        os.link(self.source / "d0/f0", self.source / "hard")
        os.chmod(self.source, 0o2750)

    def backup(self, *flags):
        return End(self, "backup", "--volume", self.source, "--repository", self.access, "--host", "shop/data", *flags)

    def restore(self, snapshot, *flags):
        return End(self, "restore", "--volume", self.target, "--repository", self.access, "--snapshot", snapshot, *flags)

    def done(self, end):
        self.assertEqual(end.wait(), 0, end.lines)
        self.assertEqual(end.last["phase"], "done")
        self.assertEqual(end.last["percent"], 100)
        self.assertEqual(json.loads(end.termination_log.read_text()), end.last)
        return end.last

    def assert_restored(self, snapshot):
        self.assertIs(self.done(self.restore(snapshot, "--verify"))["verified"], True)
        self.assertEqual(describe(self.target), describe(self.source))

    def test_what_no_snapshot_holds_is_named(self):
        self.fill(files=10)
        os.setxattr(self.source / "d0/f0", b"user.\xff", b"1")
        os.setxattr(self.source / "d0/f0", b"user.kept", b"2")
        for _ in range(2):
            self.assertEqual(self.done(self.backup("--mode", "cutover"))["notes"], ["not kept: attribute user.\\xff (2 paths; first hard)"])
        os.removexattr(self.source / "d0/f0", b"user.\xff")
        snapshot = self.done(self.backup("--mode", "cutover"))
        self.assertEqual(snapshot["notes"], [])
        self.assert_restored(snapshot["snapshot"])

    def test_stage_and_cutover(self):
        self.fill()
        first = self.done(self.backup("--mode", "stage", "--tag", "migration=m1"))
        self.assertRegex(first["snapshot"], "^[0-9a-f]{64}$")
        self.assertNotIn("verified", first)
        self.assert_restored(first["snapshot"])
        (self.source / "d2/f2").write_text("changed")
        (self.source / "d3/f3").unlink()
        second = self.done(self.backup())
        self.assertEqual(second["files"], second["filesTotal"])
        self.assert_restored(second["snapshot"])
        known = {each["id"]: each for each in json.loads(self.restic("snapshots", "--json"))}
        self.assertEqual(known[second["snapshot"]]["parent"], first["snapshot"])
        self.assertIn("migration=m1", known[first["snapshot"]]["tags"])
        self.done(End(self, "prune", "--repository", self.access, "--host", "shop/data", "--keep-last", "1"))
        self.assertEqual([each["id"] for each in json.loads(self.restic("snapshots", "--json"))], [second["snapshot"]])
        self.assertIn("no errors were found", self.restic("check", "--read-data"))
        self.assert_restored(second["snapshot"])

    def test_restic_restores_it(self):
        self.fill(30)
        snapshot = self.done(self.backup())["snapshot"]
        self.restic("restore", snapshot, "--target", self.target)
        found, wanted = describe(self.target), describe(self.source)
        del found["."], wanted["."]  # restic knows nothing of the root itself
        self.assertEqual(found, wanted)

    def test_killed_backup(self):
        self.fill(large=96)
        backup = self.backup()
        packs = self.bucket / "velero/restic/plan/shop/data"
        while not any(path.is_file() for path in packs.rglob("*")):
            self.assertIsNone(backup.process.poll(), "it is through before it could be killed")
        backup.process.kill()
        backup.wait()
        self.assertEqual(json.loads(self.restic("snapshots", "--json", "--no-lock")) or [], [])
        snapshot = self.done(self.backup())["snapshot"]
        self.assert_restored(snapshot)
        self.restic("unlock")
        self.restic("check", "--read-data")

    def test_killed_restore(self):
        self.fill(large=96)
        snapshot = self.done(self.backup())["snapshot"]
        restore = self.restore(snapshot)
        while not any(part.stat().st_size for part in self.target.glob(".mtc-part-*")):
            self.assertIsNone(restore.process.poll(), "it is through before it could be killed")
        restore.process.kill()
        restore.wait()
        self.assert_restored(snapshot)

    def test_signal(self):
        self.fill(large=96)
        backup = self.backup()
        backup.until(lambda line: line["phase"] == "copying")
        backup.process.send_signal(signal.SIGTERM)
        self.assertEqual(backup.wait(20), 1, "it is through before it could be stopped")
        self.assertEqual(backup.last["message"], "stopped by a signal")
        self.assertIs(backup.last["retry"], True)
        self.assertEqual(self.restic("list", "locks").split(), [])

    def test_damage(self):
        self.fill(40)
        snapshot = self.done(self.backup())["snapshot"]
        for pack in filter(pathlib.Path.is_file, (self.bucket / "velero/restic/plan/shop/data").rglob("*")):
            content = bytearray(pack.read_bytes())
            content[len(content) // 3] ^= 1
            pack.chmod(0o600)
            pack.write_bytes(content)
        restore = self.restore(snapshot)
        self.assertEqual(restore.wait(), 1)
        self.assertEqual(restore.last["phase"], "failed")
        self.assertIs(restore.last["retry"], False)

    def test_wrong_password(self):
        (self.access / "password").write_text("not it")
        backup = self.backup()
        self.assertEqual(backup.wait(), 1)
        self.assertIs(backup.last["retry"], False)
        self.assertIn("password", backup.last["message"])

    def test_wrong_folder(self):
        for name, words in {"password": "cannot read", "store.json": "cannot read"}.items():
            kept = (self.access / name).read_bytes()
            (self.access / name).unlink()
            backup = self.backup()
            self.assertEqual(backup.wait(), 1)
            self.assertIn(words, backup.last["message"])
            self.assertIn(name, backup.last["message"])
            (self.access / name).write_bytes(kept)
        self.stored({"prefix": "x"})
        backup = self.backup()
        self.assertEqual(backup.wait(), 1)
        self.assertIn("neither a bucket nor a directory", backup.last["message"])

    def serve(self, listen="127.0.0.1:0"):
        words = [MTC, "bucket", "backups", "--folder", self.bucket, "--listen", listen, "--access-key-id", KEYS[0], "--secret-access-key", KEYS[1]]
        process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self.addCleanup(process.stdout.close)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        for line in process.stdout:
            if found := re.search(r"serves at http://(\S+)", line):
                return process, found[1]
        raise AssertionError("the bucket does not serve")

    def test_bucket_that_goes_away(self):
        self.fill(300, large=64)
        bucket, at = self.serve()
        self.stored({"bucket": "backups", "region": "us-east-1", "url": f"http://{at}", "prefix": "velero/restic/plan/shop"})
        (self.access / "access-key-id").write_text(KEYS[0])
        (self.access / "secret-access-key").write_text(KEYS[1])
        backup = self.backup()
        backup.until(lambda line: line["phase"] == "copying")
        bucket.kill()
        bucket.wait()
        backup.until(lambda line: "tried again" in line["message"])
        self.serve(at)
        self.assert_restored(self.done(backup)["snapshot"])
        self.restic("unlock")
        self.assertIn("no errors were found", self.restic("check", "--read-data"))
