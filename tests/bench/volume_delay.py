#!/usr/bin/env python3
"""What the distance between clusters costs: 50,000 small files through a proxy that delays each byte by 0, 1 and 50 ms there and back.

    volume_delay.py MTC [FOLDER] [ROUNDS]

Kernels without sch_netem cannot delay packets, so a process does; what it costs itself is in all three. Prints a table and writes it into
build/bench.json (results.py)."""
import collections
import pathlib
import random
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time

import results
from volume import Mtc, make_small

GOAL = 1.2  # of the time without delay
ROUND_TRIPS = (0, 0.001, 0.05)


class Pipe:
    """One direction of one connection: what is read is written on after the delay, in order, however much is on its way."""

    def __init__(self, source, sink, delay):
        self.source, self.sink, self.delay = source, sink, delay
        self.queue, self.filled = collections.deque(), threading.Condition()
        for work in (self.read, self.write):
            threading.Thread(target=work, daemon=True).start()

    def read(self):
        while True:
            try:
                data = self.source.recv(1 << 20)
            except OSError:
                data = b""
            with self.filled:
                self.queue.append((time.monotonic() + self.delay, data))
                self.filled.notify()
            if not data:
                return

    def write(self):
        while True:
            with self.filled:
                while not self.queue:
                    self.filled.wait()
                due, data = self.queue.popleft()
            if (wait := due - time.monotonic()) > 0:
                time.sleep(wait)
            try:
                if not data:
                    self.sink.shutdown(socket.SHUT_WR)
                    return
                self.sink.sendall(data)
            except OSError:
                return


def proxy(to, delay):
    """Listens at a free port and returns it."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve():
        while True:
            near, _ = listener.accept()
            far = socket.create_connection(to)
            for each in (near, far):
                each.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            Pipe(near, far, delay)
            Pipe(far, near, delay)

    threading.Thread(target=serve, daemon=True).start()
    return listener.getsockname()[1]


class Delayed(Mtc):
    delay = 0.0

    @staticmethod
    def address(receiver):
        host, port = Mtc.address(receiver).rsplit(":", 1)
        return f"127.0.0.1:{proxy((host, int(port)), Delayed.delay / 2)}"


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    program, rounds = pathlib.Path(sys.argv[1]).resolve(), int(sys.argv[3]) if len(sys.argv) > 3 else 3
    work = pathlib.Path(tempfile.mkdtemp(prefix="mtc-bench-", dir=sys.argv[2] if len(sys.argv) > 2 else None))
    times = {}
    try:
        mtc = Delayed(program, work)
        source, target = work / "source", work / "target"
        make_small(source, random.Random(1))
        for _ in range(rounds):
            for Delayed.delay in ROUND_TRIPS:
                shutil.rmtree(target, ignore_errors=True)
                subprocess.run(["sync", "-f", work], check=True)
                began = time.monotonic()
                mtc.copy(source, target)
                times.setdefault(Delayed.delay, []).append(time.monotonic() - began)
    finally:
        shutil.rmtree(work, ignore_errors=True)
    none = statistics.median(times[0])
    found = []
    for delay in ROUND_TRIPS[1:]:
        value = statistics.median(times[delay])
        found.append({"name": f"volume-delay-{round(delay * 1000)}-ms", "unit": "s", "value": round(value, 3), "peer": "no delay", "peer_value": round(none, 3),
                      "ratio": round(value / none, 3), "goal": round(none * GOAL, 3), "met": value <= none * GOAL})
    results.store(found)
    results.show(found)


if __name__ == "__main__":
    main()
