"""`mtc image copy` between two of Debian's registries: every instance of a list, digests as they were, nothing twice."""
import json
import os
import pathlib
import shutil
import subprocess
import tempfile
import unittest
import urllib.error

from registries import Registry
import world as worlds
from world import MTC

class ImageCopy(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        if worlds.THE_WORLD.is_lab:
            raise unittest.SkipTest("needs no cluster: `make test` runs it")

    def setUp(self):
        self.work = pathlib.Path(tempfile.mkdtemp(prefix="mtc-images-"))
        self.addCleanup(shutil.rmtree, self.work, ignore_errors=True)
        self.registries = []
        for name in ("west", "east"):
            (self.work / name).mkdir()
            self.registries.append(Registry(self.work / name))
            self.addCleanup(self.registries[-1].stop)
        self.west, self.east = self.registries
        self.shared = os.urandom(3_000_000)

    def copy(self, *words):
        command = [MTC, "image", "copy", "--source-insecure", "--destination-insecure", "--output", "json", *map(str, words)]
        run = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, env={"HOME": str(self.work), "PATH": os.environ["PATH"]})
        return run.returncode, [json.loads(line) for line in run.stdout.splitlines()], run.stderr

    def test_a_list_arrives_with_all_its_instances(self):
        digest = self.west.put_list("shop/web", "1", self.shared)
        code, told, _ = self.copy(f"{self.west.host}/shop/web:1", f"{self.east.host}/there/web")
        self.assertEqual(code, 0, told)
        self.assertEqual(told[0]["digest"], digest)
        self.assertGreater(told[0]["bytesCopied"], 3_100_000)
        self.assertLess(told[0]["bytesCopied"], 3_200_000, "what the instances share travels once")
        arrived, index = self.east.manifest("there/web", "1")
        self.assertEqual(arrived, digest)
        for instance in index["manifests"]:
            self.assertEqual(self.east.manifest("there/web", instance["digest"])[0], instance["digest"])
        code, told, _ = self.copy(f"{self.west.host}/shop/web:1", f"{self.east.host}/there/web")
        self.assertEqual((code, told[0]["bytesCopied"]), (0, 0), "nothing has changed")

    def test_images_of_a_list_share_what_they_have_in_common(self):
        names = [f"shop/app-{i}" for i in range(5)]
        for name in names:
            self.west.put_list(name, "1", self.shared)
        file = self.work / "images.txt"
        file.write_text("# all of the shop\n" + "".join(f"{self.west.host}/{name}:1 {self.east.host}/{name}:2\n" for name in names))
        code, told, _ = self.copy("--list", file)
        self.assertEqual((code, len(told)), (0, 5), told)
        self.assertLess(sum(each["bytesCopied"] for each in told), 3_700_000)
        self.assertEqual(sum(each["bytesMounted"] for each in told), 4 * len(self.shared))

    def test_what_fails_is_told_and_leaves_the_others_alone(self):
        digest = self.west.put_list("shop/web", "1", self.shared)
        self.west.put_list("shop/worse", "1", self.shared)
        layer = self.west.manifest("shop/worse", self.west.manifest("shop/worse", "1")[1]["manifests"][0]["digest"])[1]["layers"][1]["digest"]
        blob = self.west.data / "docker/registry/v2/blobs/sha256" / layer[7:9] / layer[7:] / "data"
        content = bytearray(blob.read_bytes())
        content[100] ^= 1
        blob.write_bytes(content)
        file = self.work / "images.txt"
        pairs = [("shop/gone:1", "a:1"), ("shop/worse:1", "b:1"), ("shop/web:1", "c:1")]
        file.write_text("".join(f"{self.west.host}/{a} {self.east.host}/{b}\n" for a, b in pairs))
        code, told, _ = self.copy("--list", file)
        self.assertEqual(code, 1)
        errors = {each["source"].split("/", 1)[1]: each.get("error") for each in told}
        self.assertIn("has no 1 in shop/gone", errors["shop/gone:1"])
        self.assertIn(layer, errors["shop/worse:1"])
        self.assertIsNone(errors["shop/web:1"])
        self.assertEqual(self.east.manifest("c", "1")[0], digest)
        with self.assertRaises(urllib.error.HTTPError):
            self.east.manifest("b", "1")

    def test_a_wrong_command_line(self):
        for words in ((), ("a",), ("a", "b", "--list", "c")):
            self.assertEqual(self.copy(*words)[0], 2, words)
        code, _, said = self.copy("a", "b@sha256:" + 64 * "0")
        self.assertEqual(code, 1)
        self.assertIn("names a digest", said)
        file = self.work / "images.txt"
        file.write_text("only-one\n")
        code, _, said = self.copy("--list", file)
        self.assertEqual(code, 1)
        self.assertIn("images.txt:1 is no SOURCE and DESTINATION: only-one", said)


__all__ = ["ImageCopy"]
