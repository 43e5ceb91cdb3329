#!/usr/bin/env python3
"""Times backups and restores of a volume beside restic, into a repository in a folder on this machine.

    restic.py MTC [FOLDER] [ROUNDS]    needs restic; 6 GB of room in FOLDER, best in memory: it is not the disk that is measured

Both take turns in every round; the medians count. Prints a table and writes it into build/bench.json (results.py)."""
import json
import os
import pathlib
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

import results
import volume

PASSWORD = "bench"


def run(*words, environment=None):
    """Runs a program; returns its output and its peak memory in MiB."""
    process = subprocess.Popen(list(map(str, words)), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env={**os.environ, **(environment or {})})
    output = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        raise RuntimeError(f"{words}: {output}")
    return output, usage.ru_maxrss / 1024


class Restic:
    name = "restic"

    def __init__(self, work):
        self.repository = work / "restic"
        self.words = ["restic", "--repo", self.repository, "--cache-dir", work / "cache"]

    def restic(self, *words):
        return run(*self.words, *words, environment={"RESTIC_PASSWORD": PASSWORD})

    def create(self):
        self.restic("init", "--repository-version", "2")

    def backup(self, source):
        output, memory = self.restic("backup", "--json", "--host", "bench", source)
        return json.loads(output.splitlines()[-1])["snapshot_id"], memory

    def restore(self, snapshot, target):
        return self.restic("restore", snapshot, "--target", target)[1]


class Mtc(Restic):
    """In a repository that restic has made, so that both cut files alike."""
    name = "mtc"

    def __init__(self, program, work):
        super().__init__(work)
        self.program, self.repository, self.folder = program, work / "mtc", work / "access"
        self.words[2] = self.repository
        self.folder.mkdir()
        (self.folder / "store.json").write_text(json.dumps({"directory": str(work), "prefix": "mtc"}))
        (self.folder / "password").write_text(PASSWORD)

    def mover(self, *words):
        return run(self.program, "mover", *words, "--repository", self.folder)

    def backup(self, source):
        output, memory = self.mover("backup", "--volume", source, "--host", "bench")
        return json.loads(output.splitlines()[-1])["snapshot"], memory

    def restore(self, snapshot, target):
        return self.mover("restore", "--volume", target, "--snapshot", snapshot)[1]


class Bench:
    def __init__(self, work, peers, rounds):
        self.work, self.peers, self.rounds, self.found = work, peers, rounds, {}

    def note(self, what, peer, value):
        self.found.setdefault(what, {}).setdefault(peer.name, []).append(value)

    def timed(self, what, peer, action, *arguments):
        began = time.monotonic()
        outcome = action(*arguments)
        self.note(what, peer, time.monotonic() - began)
        return outcome

    def one(self, kind, peer, source):
        shutil.rmtree(peer.repository, ignore_errors=True)
        peer.create()
        _, memory = self.timed(f"restic-backup-{kind}", peer, peer.backup, source)
        self.note(f"restic-backup-{kind}-memory", peer, memory)
        self.note(f"restic-size-{kind}", peer, sum(p.stat().st_size for p in peer.repository.rglob("*") if p.is_file()) / volume.MIB)
        snapshot, _ = self.timed(f"restic-unchanged-{kind}", peer, peer.backup, source)
        target = self.work / "target"
        target.mkdir()
        memory = self.timed(f"restic-restore-{kind}", peer, peer.restore, snapshot, target)
        self.note(f"restic-restore-{kind}-memory", peer, memory)
        shutil.rmtree(target)

    def run(self):
        rng = random.Random(1)
        sources = {"small-files": self.work / "small", "large-file": self.work / "large"}
        volume.make_small(sources["small-files"], rng)
        volume.make_large(sources["large-file"], rng)
        time.sleep(3)  # what was written a moment ago is read again by a backup of mtc
        for turn in range(self.rounds):
            for kind, source in sources.items():
                for peer in self.peers if turn % 2 == 0 else self.peers[::-1]:
                    self.one(kind, peer, source)


GOALS = {"backup": 1 / 2, "restore": 1 / 2, "unchanged": 1, "size": 1.001}  # of the ratio mtc / restic; no more memory


def compared(found):
    for what, of in found.items():
        ours, theirs = statistics.median(of["mtc"]), statistics.median(of["restic"])
        memory = what.endswith("-memory")
        goal = 1 if memory else GOALS[what.split("-")[1]]
        yield {"name": what, "unit": "MiB" if memory or "size" in what else "s", "value": round(ours, 3), "peer": "restic", "peer_value": round(theirs, 3),
               "ratio": round(ours / theirs, 3), "goal": round(goal * theirs, 3), "met": ours / theirs <= goal}


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    work = pathlib.Path(tempfile.mkdtemp(prefix="mtc-bench-", dir=sys.argv[2] if len(sys.argv) > 2 else None))
    try:
        bench = Bench(work, [Mtc(pathlib.Path(sys.argv[1]).resolve(), work), Restic(work)], int(sys.argv[3]) if len(sys.argv) > 3 else 3)
        bench.run()
        table = list(compared(bench.found))
        results.store(table)
        results.show(table)
    finally:
        shutil.rmtree(work, ignore_errors=True)


if __name__ == "__main__":
    main()
