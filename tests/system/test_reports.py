"""What a migration did is on record, signed, and can be checked later."""
import json
import os
import pathlib
import subprocess

from case import NS
from volumes import VolumeCase, fill
from world import MTC


class Reports(VolumeCase):
    def test_a_report_of_objects_and_volumes_is_signed(self):
        ns = self.with_claims("data")
        fill(self.source(ns), files=3)
        self.west.create({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "settings", "namespace": ns}, "data": {"a": "b"}})
        name = self.begin(self.plan("host", "east", ns, indirectVolumeMigration=False))
        self.succeeded(self.ended(name))
        shown = self.mtc("migration", "report", name)
        self.assertEqual((shown.returncode, shown.stderr), (0, ""), shown)
        self.assertIn(f"MigMigration {NS}/{name}: Succeeded", shown.stdout)
        self.assertRegex(shown.stdout, rf"{ns}/data to {ns}/data: copied, \d+ files, \d+ bytes, read back and equal, root [0-9a-f]{{64}}")
        file = pathlib.Path(self.world.folder) / f"{name}.report"
        file.write_text(self.mtc("migration", "report", name, "-o", "json").stdout)
        self.assertEqual(self.mtc("verify", str(file)).returncode, 0)
        # Somebody who was not at the migration has the host's public key alone, and no cluster.
        key = pathlib.Path(self.world.folder) / "host.pem"
        key.write_text(self.west.get("configmaps", "mtc-report-key")["data"]["public.pem"])
        alone = subprocess.run([MTC, "verify", str(file), "--key", str(key)], env={"PATH": os.environ["PATH"]}, capture_output=True, text=True, timeout=60, check=False)
        self.assertEqual(alone.returncode, 0, alone)
        self.assertIn(f"{NS}/{name}", alone.stdout)
        changed = json.loads(file.read_text())
        changed["payload"] = changed["payload"][:40] + ("A" if changed["payload"][40] != "A" else "B") + changed["payload"][41:]
        file.write_text(json.dumps(changed))
        self.assertEqual(self.mtc("verify", str(file)).returncode, 1)

    def test_a_rollback_copied_nothing(self):
        ns = self.with_claims("data")
        fill(self.source(ns), files=3)
        plan = self.plan("host", "east", ns)
        cutover = self.begin(plan)
        self.succeeded(self.ended(cutover))
        rollback = self.begin(plan, rollback=True)
        self.succeeded(self.ended(rollback))
        self.assertRegex(self.mtc("migration", "report", cutover).stdout, rf"{ns}/data to {ns}/data: copied, \d+ files, \d+ bytes, read back and equal")
        shown = self.mtc("migration", "report", rollback).stdout
        self.assertIn(f"MigMigration {NS}/{rollback}: Succeeded", shown)
        self.assertNotIn("Volumes", shown)

    def test_a_migration_that_failed_says_what_it_had_done(self):
        ns = self.with_claims("data")
        fill(self.source(ns), files=3)
        plan = self.plan("host", "east", ns, indirectVolumeMigration=False)
        self.succeeded(self.migrate(plan, stage=True, quiesce=False))
        (self.target(ns) / "empty").chmod(0o4)
        (self.target(ns) / "deep/file-1").write_bytes(b"x" * 997)
        info = (self.source(ns) / "deep/file-1").stat()
        os.utime(self.target(ns) / "deep/file-1", ns=(info.st_atime_ns, info.st_mtime_ns))
        name = self.begin(plan)
        self.failed(self.ended(name), "deep/file-1")
        shown = self.mtc("migration", "report", name).stdout
        self.assertIn(": Failed", shown)
        self.assertIn(f"{ns}/data to {ns}/data: not copied", shown)
        self.assertIn("deep/file-1", shown)


__all__ = ["Reports"]
