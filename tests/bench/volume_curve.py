#!/usr/bin/env python3
"""What a move costs by the number of files: memory of both movers, and time a file.

    volume_curve.py MTC [FOLDER] [FILES…]    default: 10000, 100000 and 1000000 files of 64 bytes, in folders of a thousand

Twice each: a first copy, and one that finds nothing changed. Prints a table and writes it into build/bench.json (results.py)."""
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time

import results
from volume import Mtc

GOAL_MIB = 200
GOAL_SLOWER = 1.3  # time a file at the most files, to that at the fewest


def make_tree(folder, files):
    for d in range(0, files, 1000):
        inner = folder / f"d{d // 100_000:03}" / f"s{d // 1000:05}"
        inner.mkdir(parents=True)
        at = os.open(inner, os.O_RDONLY)
        for i in range(min(1000, files - d)):
            file = os.open(f"f{i:03}", os.O_CREAT | os.O_WRONLY, 0o644, dir_fd=at)
            os.write(file, b"x" * 64)
            os.close(file)
        os.close(at)


class Measured(Mtc):
    """The same two processes, waited for so that the kernel tells the most memory that each had."""

    def copy(self, source, target, *options):
        receiver = subprocess.Popen([self.program, "mover", "receive", "--volume", target, "--listen", "127.0.0.1:0", "--tls", self.folder / "receiver", *options], stdout=subprocess.PIPE, text=True)
        at = self.address(receiver)
        sender = subprocess.Popen([self.program, "mover", "send", "--volume", source, "--to", at, "--tls", self.folder / "sender"], stdout=subprocess.DEVNULL)
        with open(os.devnull, "w", encoding="utf-8") as nowhere:
            shutil.copyfileobj(receiver.stdout, nowhere)
        memory = []
        for process in (sender, receiver):
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
            if process.returncode != 0:
                raise RuntimeError(f"{process.args} ended with {process.returncode}")
            memory.append(usage.ru_maxrss / 1024)
        return max(memory)


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    program = pathlib.Path(sys.argv[1]).resolve()
    counts = [int(each) for each in sys.argv[3:]] or [10_000, 100_000, 1_000_000]
    work = pathlib.Path(tempfile.mkdtemp(prefix="mtc-bench-", dir=sys.argv[2] if len(sys.argv) > 2 else None))
    found, first_copy = [], {}
    try:
        mtc = Measured(program, work)
        for files in counts:
            source, target = work / "source", work / "target"
            make_tree(source, files)
            for what in ("first", "unchanged"):
                began = time.monotonic()
                memory = mtc.copy(source, target)
                each = (time.monotonic() - began) / files * 1e6
                if what == "first":
                    first_copy[files] = each
                found.append({"name": f"volume-memory-{files}-{what}", "unit": "MiB", "value": round(memory, 1), "peer": "", "peer_value": 0, "ratio": 0, "goal": GOAL_MIB, "met": memory <= GOAL_MIB})
                print(f"{files} files, {what}: {memory:.1f} MiB, {each:.1f} µs a file", flush=True)
            for folder in (source, target):
                shutil.rmtree(folder)
    finally:
        shutil.rmtree(work, ignore_errors=True)
    slower = first_copy[max(counts)] / first_copy[min(counts)]
    found.append({"name": "volume-time-a-file", "unit": "x", "value": round(slower, 2), "peer": f"{min(counts)} files", "peer_value": round(first_copy[min(counts)], 1),
                  "ratio": round(slower, 2), "goal": GOAL_SLOWER, "met": slower <= GOAL_SLOWER})
    results.store(found)
    results.show(found)


if __name__ == "__main__":
    main()
