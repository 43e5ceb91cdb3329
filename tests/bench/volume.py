#!/usr/bin/env python3
"""Times moving a volume beside its peers, all on this machine: mtc over TLS, rsync -a over stunnel, cp -a; each run ends with the file system synchronised.

    volume.py MTC [FOLDER] [ROUNDS]    needs rsync and stunnel4; 3 GB of room in FOLDER

Peers take turns in every round, because disks swing; the medians count. Prints a table and writes it into build/bench.json (results.py)."""
import json
import pathlib
import random
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time

import results

FILES, MIB = 50_000, 1 << 20


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_for_port(port):
    for _ in range(500):
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            time.sleep(0.01)
    raise RuntimeError(f"nothing listens at port {port}")


class Mtc:
    """Both ends of `mtc mover`, as two processes."""
    name = "mtc"

    def __init__(self, program, work):
        self.program, self.folder = program, work / "identity"
        self.folder.mkdir()
        key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
        self.openssl("req", "-x509", *key, "-subj", "/CN=bench", "-days", "2", "-keyout", "ca.key", "-out", "ca.crt")
        for end in ("sender", "receiver"):
            (self.folder / end).mkdir()
            shutil.copy(self.folder / "ca.crt", self.folder / end)
            (self.folder / "extensions").write_text(f"subjectAltName=DNS:mtc-{end}\n")
            self.openssl("req", "-new", *key, "-subj", f"/CN={end}", "-keyout", f"{end}/tls.key", "-out", f"{end}/csr")
            self.openssl("x509", "-req", "-in", f"{end}/csr", "-CA", "ca.crt", "-CAkey", "ca.key", "-CAcreateserial", "-days", "2", "-extfile", "extensions", "-out", f"{end}/tls.crt")

    def openssl(self, *words):
        subprocess.run(["openssl", *words], cwd=self.folder, check=True, capture_output=True)

    @staticmethod
    def address(receiver):
        """What a receiver says first."""
        return json.loads(receiver.stdout.readline())["message"].removeprefix("listens at ")

    def copy(self, source, target, *options):
        receiver = subprocess.Popen([self.program, "mover", "receive", "--volume", target, "--listen", "127.0.0.1:0", "--tls", self.folder / "receiver", *options], stdout=subprocess.PIPE, text=True)
        try:
            at = self.address(receiver)
            subprocess.run([self.program, "mover", "send", "--volume", source, "--to", at, "--tls", self.folder / "sender"], check=True, stdout=subprocess.DEVNULL)
            receiver.communicate(timeout=60)
        finally:
            receiver.kill()
            receiver.wait()

    def close(self):
        pass


class Rsync:
    """rsync's daemon behind stunnel, with a client stunnel before it."""
    name = "rsync+stunnel"

    def __init__(self, work):
        plain, secure, entry = free_port(), free_port(), free_port()
        pem = work / "stunnel.pem"
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=bench", "-days", "2",
                        "-keyout", work / "key.pem", "-out", work / "cert.pem"], check=True, stderr=subprocess.DEVNULL)
        pem.write_bytes((work / "key.pem").read_bytes() + (work / "cert.pem").read_bytes())
        pem.chmod(0o600)
        (work / "rsyncd.conf").write_text(f"use chroot = no\nuid = 0\ngid = 0\nport = {plain}\naddress = 127.0.0.1\n[bench]\npath = {work}\nread only = no\n")
        common = "foreground = yes\npid =\nsyslog = no\ndebug = 3\nsocket = l:TCP_NODELAY=1\nsocket = r:TCP_NODELAY=1\n"
        (work / "server.conf").write_text(f"{common}output = {work}/server.log\n[in]\naccept = 127.0.0.1:{secure}\nconnect = 127.0.0.1:{plain}\ncert = {pem}\n")
        (work / "client.conf").write_text(f"{common}output = {work}/client.log\nclient = yes\n[out]\naccept = 127.0.0.1:{entry}\nconnect = 127.0.0.1:{secure}\n")
        start = lambda *words: subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.started = [start("rsync", "--daemon", "--no-detach", f"--config={work}/rsyncd.conf"), start("stunnel4", str(work / "server.conf")),
                        start("stunnel4", str(work / "client.conf"))]
        for port in (plain, secure, entry):
            wait_for_port(port)
        self.url, self.work = f"rsync://127.0.0.1:{entry}/bench/", work

    def copy(self, source, target, *_):
        subprocess.run(["rsync", "-a", f"{source}/", self.url + str(target.relative_to(self.work)) + "/"], check=True)

    def close(self):
        for process in self.started:
            process.terminate()
            process.wait()


class Cp:
    name = "cp -a"

    def copy(self, source, target, *_):
        target.mkdir(exist_ok=True)
        subprocess.run(["cp", "-a", f"{source}/.", f"{target}/"], check=True)

    def close(self):
        pass


def make_small(folder, rng):
    for d in range(FILES // 100):
        inner = folder / f"d{d // 25:02}" / f"s{d:03}"
        inner.mkdir(parents=True)
        for i in range(100):
            (inner / f"f{i:03}").write_bytes(rng.randbytes(rng.randint(200, 11_800)))


def touch_one_percent(folder, rng):
    for path in rng.sample(sorted(p for p in folder.rglob("f*") if p.is_file()), FILES // 100):
        path.write_bytes(rng.randbytes(6000))


def make_large(folder, rng):
    folder.mkdir()
    with open(folder / "database", "wb") as out:
        for _ in range(1024):
            out.write(rng.randbytes(MIB))


def change_ten_mib(folder, rng):
    with open(folder / "database", "r+b") as out:
        for place in rng.sample(range(1024), 10):
            out.seek(place * MIB)
            out.write(rng.randbytes(MIB))


class Bench:
    def __init__(self, work, peers, rounds):
        self.work, self.peers, self.rounds, self.times = work, peers, rounds, {}

    def synchronise(self):
        subprocess.run(["sync", "-f", self.work], check=True)

    def measure(self, what, peer, source, target, *options):
        self.synchronise()
        began = time.monotonic()
        peer.copy(source, target, *options)
        self.synchronise()
        self.times.setdefault(what, {}).setdefault(peer.name, []).append(time.monotonic() - began)

    def targets(self):
        return [(peer, self.work / f"to-{i}") for i, peer in enumerate(self.peers)]

    def run(self):
        rng = random.Random(1)
        small, large = self.work / "small", self.work / "large"
        make_small(small, rng)
        make_large(large, rng)
        for turn in range(self.rounds):
            order = self.targets() if turn % 2 == 0 else self.targets()[::-1]
            for source, first, change, again in [(small, "volume-small-files", touch_one_percent, "volume-one-percent"), (large, "volume-large-file", change_ten_mib, "volume-large-delta")]:
                for peer, target in order:
                    shutil.rmtree(target, ignore_errors=True)
                    self.measure(first, peer, source, target)
                both = [each for each in order if each[0].name != "cp -a"]
                if source == small:
                    for peer, target in both:
                        self.measure("volume-unchanged", peer, source, target)
                    for peer, target in both:
                        if peer.name == "mtc":
                            self.measure("volume-verified", peer, source, target, "--verify")
                change(source, rng)
                for peer, target in both:
                    self.measure(again, peer, source, target)
                for _, target in order:
                    shutil.rmtree(target, ignore_errors=True)


GOALS = {  # of the ratio mtc / peer
    ("volume-small-files", "rsync+stunnel"): 1 / 2, ("volume-small-files", "cp -a"): 1.3, ("volume-unchanged", "rsync+stunnel"): 1 / 1.5,
    ("volume-one-percent", "rsync+stunnel"): 1 / 3, ("volume-large-file", "rsync+stunnel"): 1 / 1.5, ("volume-large-delta", "rsync+stunnel"): 1 / 1.5,
}


def compared(times):
    for (what, peer), goal in GOALS.items():
        ours, theirs = statistics.median(times[what]["mtc"]), statistics.median(times[what][peer])
        yield {"name": what + ("-beside-cp" if peer == "cp -a" else ""), "unit": "s", "value": round(ours, 3), "peer": peer, "peer_value": round(theirs, 3),
               "ratio": round(ours / theirs, 3), "goal": round(goal * theirs, 3), "met": ours / theirs <= goal}


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    program = pathlib.Path(sys.argv[1]).resolve()
    work = pathlib.Path(tempfile.mkdtemp(prefix="mtc-bench-", dir=sys.argv[2] if len(sys.argv) > 2 else None))
    peers = []
    try:
        peers = [Mtc(program, work), Rsync(work), Cp()]
        bench = Bench(work, peers, int(sys.argv[3]) if len(sys.argv) > 3 else 5)
        bench.run()
    finally:
        for peer in peers:
            peer.close()
        shutil.rmtree(work, ignore_errors=True)
    rows = list(compared(bench.times))
    results.store(rows)
    results.show(rows)
    print(f"volume-verified: {statistics.median(bench.times['volume-verified']['mtc']):.2f} s to read both trees again and compare")


if __name__ == "__main__":
    main()
