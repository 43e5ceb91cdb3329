"""The command line against clusters that run, and the unit tests that want a real server."""
import os
import subprocess

from case import Case, unique
from cluster import conditions, wait_for
from world import MTC, ROOT


class Program(Case):
    def mtc(self, *arguments):
        return subprocess.run([MTC, "--kubeconfig", self.west.kubeconfig, *arguments], capture_output=True, text=True, timeout=180, check=False)

    def test_verbs(self):
        self.assertIn("east", self.mtc("cluster", "get").stdout)
        ns, plan, name = self.application(self.west), unique("plan"), unique("m")
        self.addCleanup(self.west.delete, "migplans", plan)
        made = self.mtc("plan", "create", plan, "--source", "host", "--destination", "east", "--storage", "bucket", "--namespace", ns)
        self.assertEqual(made.returncode, 0, made.stderr)
        wait_for("plan", lambda: "Ready" in conditions(self.west.get("migplans", plan)))
        done = self.mtc("migrate", plan, "--name", name, "--quiesce", "--watch")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertIn("succeeded", done.stdout)
        self.assertIn(name, self.mtc("migration", "get").stdout)
        self.assertIn("ObjectsAccounted", self.mtc("migration", "describe", name).stdout)
        wrong = self.mtc("plan", "describe", "no-such-plan")
        self.assertEqual(wrong.returncode, 1)
        self.assertIn("does not exist", wrong.stderr)

    def test_unit_tests_against_the_real_servers(self):
        if not self.world.is_lab:
            self.skipTest("these ask a real server what the embedded one is held to; the lab runs them")
        for test in ["kube/kube_test", "blob/blob_test", "backup/backup_test", "sandbox/sandbox_test"]:
            program = ROOT / "build/dev/src" / test
            if not program.exists():
                self.skipTest(f"{program} is not built: run make test first")
            environment = {**os.environ, "MTC_TEST_KUBECONFIG": self.west.kubeconfig}
            done = subprocess.run([program, "--gtest_filter=RealServer.*:*RealStore:Server/*:Access.*"], env=environment, capture_output=True, text=True, timeout=600, check=False)
            self.assertEqual(done.returncode, 0, done.stdout[-3000:])
