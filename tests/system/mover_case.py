"""What the tests of `mtc mover` share: both ends as they run in pods, as two processes."""
import hashlib
import json
import os
import pathlib
import random
import shutil
import subprocess
import tempfile
import threading
import unittest

import world as worlds
from world import MTC

NAMES = {"sender": "mtc-sender", "receiver": "mtc-receiver"}


class Authority:
    """A certificate authority of one migration, and the folders that pods get as Secrets."""

    def __init__(self, folder):
        self.folder = folder
        folder.mkdir()
        self.openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=migration", "-days", "2", "-keyout", "ca.key", "-out", "ca.crt")
        for end, name in NAMES.items():
            self.issue(end, name)

    def openssl(self, *words):
        subprocess.run(["openssl", *words], cwd=self.folder, check=True, capture_output=True, timeout=60)

    def issue(self, end, name):
        into = self.folder / end
        into.mkdir()
        self.openssl("req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", f"/CN={end}", "-keyout", f"{end}/tls.key", "-out", f"{end}/csr")
        (self.folder / "extensions").write_text(f"subjectAltName=DNS:{name}\nextendedKeyUsage=serverAuth,clientAuth\n")
        self.openssl("x509", "-req", "-in", f"{end}/csr", "-CA", "ca.crt", "-CAkey", "ca.key", "-CAcreateserial", "-days", "2", "-extfile", "extensions", "-out", f"{end}/tls.crt")
        shutil.copy(self.folder / "ca.crt", into / "ca.crt")
        return into


class End:
    """One end: its process, and the lines that it prints as they come."""

    def __init__(self, test, *words):
        self.termination_log = pathlib.Path(tempfile.mkdtemp(dir=test.work)) / "termination-log"
        self.termination_log.touch()
        environment = {**os.environ, "MTC_TERMINATION_LOG": str(self.termination_log), **test.environment}
        self.process = subprocess.Popen([MTC, "mover", *map(str, words)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment)
        test.addCleanup(self.end)
        self.lines, self.changed = [], threading.Condition()
        self.reader = threading.Thread(target=self.read, daemon=True)
        self.reader.start()

    def read(self):
        for text in self.process.stdout:
            with self.changed:
                self.lines.append(json.loads(text))
                self.changed.notify_all()

    def until(self, wanted, limit=60):
        """The first line for which `wanted` holds."""
        with self.changed:
            self.changed.wait_for(lambda: any(map(wanted, self.lines)) or self.process.poll() is not None, limit)
            found = [line for line in self.lines if wanted(line)]
        assert found, (self.lines, self.process.poll())
        return found[0]

    def wait(self, limit=120):
        code = self.process.wait(limit)
        self.reader.join(10)
        return code

    def end(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self.reader.join(10)
        self.process.stdout.close()
        self.process.stderr.close()

    @property
    def last(self):
        return self.lines[-1]


def describe(root):
    """What stands at each path: kind and mode, owner, size, time, content or target, and the first name of the same file."""
    found, firsts = {}, {}
    for path in [root, *sorted(root.rglob("*"))]:
        name, is_now = str(path.relative_to(root)), path.lstat()
        content = os.readlink(path) if path.is_symlink() else hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""
        first = firsts.setdefault(is_now.st_ino, name)
        found[name] = (oct(is_now.st_mode), is_now.st_uid, is_now.st_gid, is_now.st_mtime_ns, 0 if path.is_dir() else is_now.st_size, content, first)
    return found


class MoverCase(unittest.TestCase):
    environment = {}

    @classmethod
    def setUpClass(cls):
        if worlds.THE_WORLD.is_lab:
            raise unittest.SkipTest("needs no cluster: `make test` runs it")

    def setUp(self):
        self.work = pathlib.Path(tempfile.mkdtemp(prefix="mtc-mover-"))
        self.addCleanup(shutil.rmtree, self.work, ignore_errors=True)
        self.authority = Authority(self.work / "authority")
        self.source, self.target = self.work / "source", self.work / "target"
        self.source.mkdir()
        self.target.mkdir()

    def fill(self, files=200, large=0):
        rng = random.Random(7)
        for number in range(files):
            folder = self.source / f"d{number % 7}"
            folder.mkdir(exist_ok=True)
            (folder / f"f{number}").write_bytes(rng.randbytes(rng.randint(0, 9000)))
        if large:
            (self.source / "large").write_bytes(rng.randbytes(large))
        (self.source / "empty").mkdir()
        (self.source / "link").symlink_to("d0/f0")
        os.link(self.source / "d0/f0", self.source / "hard")
        os.chmod(self.source / "d1/f1", 0o640)

    def receive(self, *flags):
        receiver = End(self, "receive", "--volume", self.target, "--listen", "127.0.0.1:0", "--tls", self.authority.folder / "receiver", *flags)
        at = receiver.until(lambda line: "listens at" in line["message"])["message"].split("listens at ")[1].split(";")[0]
        return receiver, at

    def send(self, *to, flags=(), authority=None):
        tls = (authority or self.authority).folder / "sender"
        return End(self, "send", "--volume", self.source, "--tls", tls, *[word for at in to for word in ("--to", at)], *flags)

    def move(self, *flags, verify=True):
        receiver, at = self.receive(*["--verify"] * verify)
        sender = self.send(at, flags=flags)
        codes = sender.wait(), receiver.wait()
        return sender, receiver, codes

    def assert_same(self):
        self.assertEqual(describe(self.target), describe(self.source))
