#!/usr/bin/env python3
"""Times copies of images between two of Debian's registries on this machine, over TLS, beside skopeo.

    image.py MTC [FOLDER] [ROUNDS]    needs skopeo and docker-registry; 2 GB of room in FOLDER, best in memory: it is not the disk that is measured

Both take turns in every round; the medians count. Prints a table and writes it into build/bench.json (results.py)."""
import json
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

import results

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "system"))
from registries import MANIFEST, Registry, certify  # noqa: E402

LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"
MANY = 40
MB = 1_000_000


def put_image(registry, name, layers):
    config = registry.put_blob(name, json.dumps({"architecture": "amd64", "os": "linux", "for": name}).encode())
    blobs = [{**registry.put_blob(name, layer), "mediaType": LAYER} for layer in layers]
    registry.put_manifest(name, "1", MANIFEST, {"config": config, "layers": blobs})


def peak_of(process):
    """Its peak memory in MiB so far; 0 if it has ended. What wait4 tells is at least what this program had when it forked."""
    try:
        status = pathlib.Path(f"/proc/{process.pid}/status").read_text()
    except OSError:
        return 0
    return next((int(line.split()[1]) / 1024 for line in status.splitlines() if line.startswith("VmHWM:")), 0)


def run(words, environment):
    """Runs a program; returns its seconds and its peak memory in MiB."""
    began, memory = time.monotonic(), 0
    with tempfile.TemporaryFile("w+") as output:
        process = subprocess.Popen(list(map(str, words)), stdout=output, stderr=subprocess.STDOUT, env={**os.environ, **environment})
        while process.poll() is None:
            memory = max(memory, peak_of(process))
            time.sleep(0.01)
        if process.returncode != 0:
            output.seek(0)
            raise RuntimeError(f"{words}: {output.read()}")
    return time.monotonic() - began, memory


class Skopeo:
    name = "skopeo"

    def __init__(self, ca):
        self.environment = {"SSL_CERT_FILE": str(ca)}

    def copy(self, pairs):
        """One after the other, as a loop of a shell does it."""
        runs = [run(["skopeo", "copy", "--all", f"docker://{source}", f"docker://{target}"], self.environment) for source, target in pairs]
        return sum(seconds for seconds, _ in runs), max(memory for _, memory in runs)


class Mtc:
    name = "mtc"

    def __init__(self, program, work, ca):
        self.words, self.list = [program, "image", "copy", "--source-ca", ca, "--destination-ca", ca, "--list"], work / "images.txt"

    def copy(self, pairs):
        self.list.write_text("".join(f"{source} {target}\n" for source, target in pairs))
        return run([*self.words, self.list], {})


class Bench:
    def __init__(self, work, program, rounds):
        key, ca = certify(work)
        for name in ("west", "east"):
            (work / name).mkdir()
        self.west, self.rounds, self.found, self.work, self.tls = Registry(work / "west", (key, ca)), rounds, {}, work, (key, ca)
        self.peers = [Mtc(program, work, ca), Skopeo(ca)]

    def note(self, what, peer, value):
        self.found.setdefault(what, {}).setdefault(peer.name, []).append(value)

    def one(self, kind, peer, names):
        """Into an empty registry, and once more."""
        east = Registry(self.work / "east", self.tls)
        try:
            pairs = [(f"{self.west.host}/{name}:1", f"{east.host}/{name}:1") for name in names]
            seconds, memory = peer.copy(pairs)
            self.note(f"image-{kind}-copy", peer, seconds)
            self.note(f"image-{kind}-memory", peer, memory)
            self.note(f"image-{kind}-unchanged", peer, peer.copy(pairs)[0])
        finally:
            east.stop()
            shutil.rmtree(east.data, ignore_errors=True)

    def run(self):
        images = {"one": ["shop/large"], "many": [f"shop/app-{i}" for i in range(MANY)]}
        put_image(self.west, "shop/large", (os.urandom(100 * MB) for _ in range(5)))
        shared = [os.urandom(20 * MB) for _ in range(5)]
        for name in images["many"]:
            put_image(self.west, name, [*shared, os.urandom(MB // 5)])
        del shared
        for turn in range(self.rounds):
            for kind, names in images.items():
                for peer in self.peers if turn % 2 == 0 else self.peers[::-1]:
                    self.one(kind, peer, names)


GOALS = {"image-one-copy": 1 / 1.3, "image-many-copy": 1 / 4, "image-many-unchanged": 1 / 5}  # of the ratio mtc / skopeo
MEMORY = 64  # MiB at most


def compared(found):
    for what, of in found.items():
        ours, theirs = statistics.median(of["mtc"]), statistics.median(of["skopeo"])
        memory = what.endswith("-memory")
        goal = MEMORY if memory else GOALS.get(what, 1) * theirs
        yield {"name": what, "unit": "MiB" if memory else "s", "value": round(ours, 3), "peer": "skopeo", "peer_value": round(theirs, 3),
               "ratio": round(ours / theirs, 3), "goal": round(goal, 3), "met": ours <= goal}


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    work = pathlib.Path(tempfile.mkdtemp(prefix="mtc-bench-", dir=sys.argv[2] if len(sys.argv) > 2 else None))
    bench = None
    try:
        bench = Bench(work, pathlib.Path(sys.argv[1]).resolve(), int(sys.argv[3]) if len(sys.argv) > 3 else 3)
        bench.run()
        table = list(compared(bench.found))
        results.store(table)
        results.show(table)
    finally:
        if bench:
            bench.west.stop()
        shutil.rmtree(work, ignore_errors=True)


if __name__ == "__main__":
    main()
