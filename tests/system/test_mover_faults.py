"""Movers on bad networks, killed at any moment, and on disks that have no room: the volume ends as it should be, or a mover says why not."""
import os
import random
import socket
import subprocess
import threading
import time

from mover_case import MoverCase


class Network:
    """Stands between the two ends, one thread a direction. `treat` gets the connection's number, the bytes that it has carried, and the next
    ones; it returns them, changed perhaps, or None to break the connection."""

    def __init__(self, test, to, treat):
        self.to, self.treat = to, treat
        self.connections = 0
        self.listener = socket.create_server(("127.0.0.1", 0))
        test.addCleanup(self.listener.close)
        self.address = "127.0.0.1:%d" % self.listener.getsockname()[1]
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            try:
                near, _ = self.listener.accept()
                host, port = self.to.rsplit(":", 1)
                far = socket.create_connection((host, int(port)))
            except OSError:
                return
            self.connections += 1
            for source, sink in ((near, far), (far, near)):
                threading.Thread(target=self.carry, args=(self.connections, source, sink), daemon=True).start()

    def carry(self, number, source, sink):
        carried = 0
        try:
            while data := source.recv(1 << 16):
                carried += len(data)
                data = self.treat(number, carried, data)
                if data is None:
                    break
                sink.sendall(data)
        except OSError:
            pass
        for each in (source, sink):
            try:
                each.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass


class MoverFaults(MoverCase):
    def over(self, treat, *flags):
        """Moves the tree over a network that treats it so."""
        receiver, at = self.receive("--verify", *flags)
        network = Network(self, at, treat)
        sender = self.send(network.address, flags=flags)
        self.assertEqual((sender.wait(), receiver.wait()), (0, 0), (sender.lines, receiver.lines))
        self.assert_same()
        return network

    def test_connections_that_break_again_and_again(self):
        self.fill(files=1500, large=24 << 20)
        network = self.over(lambda number, carried, data: None if number <= 20 and carried > 2 << 20 else data)
        self.assertGreater(network.connections, 20)

    def test_a_network_that_corrupts(self):
        self.fill(files=300, large=8 << 20)

        def flip(number, carried, data):
            if number > 4 or carried < 1 << 19:
                return data
            return data[:-1] + bytes([data[-1] ^ 1])

        self.assertGreater(self.over(flip).connections, 4)

    def test_a_network_that_falls_silent(self):
        self.fill(files=300, large=8 << 20)
        ended = threading.Event()
        self.addCleanup(ended.set)

        def stall(number, carried, data):
            if number <= 4 and carried > 1 << 19:
                ended.wait()
                return None
            return data

        self.over(stall, "--silence", "1s")

    def test_a_slow_network(self):
        self.fill(files=200, large=2 << 20)

        def throttle(_number, _carried, data):
            time.sleep(len(data) / (1 << 20))  # 1 MB/s: the link's own pace, not a wait for anything
            return data

        self.over(throttle)

    def test_either_end_killed_a_hundred_times(self):
        seed = random.randrange(1 << 30)
        rng = random.Random(seed)
        self.fill(files=3000, large=64 << 20)
        for _ in range(100):
            receiver, at = self.receive("--verify")
            sender = self.send(at)
            victim = rng.choice((sender, receiver)).process
            try:
                victim.wait(rng.uniform(0.01, 0.25))
            except subprocess.TimeoutExpired:
                victim.kill()
            # The other end would wait for a successor; whoever runs movers begins both anew.
            for end in (sender, receiver):
                end.end()
        sender, receiver, codes = self.move()
        self.assertEqual(codes, (0, 0), f"seed {seed}: {sender.lines} {receiver.lines}")
        self.assert_same()

    # Disks

    def mounted(self, options):
        """The target is a file system of its own."""
        if os.geteuid() != 0:
            self.skipTest("only root can mount a file system of a few inodes")
        subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", self.target], check=True, timeout=60)
        self.addCleanup(subprocess.run, ["umount", "--lazy", self.target], check=True, timeout=60)

    def test_a_disk_that_is_full_or_has_no_inodes_left(self):
        self.fill(files=200, large=4 << 20)
        for options, cause in (("size=2m", "the volume has 2097152 bytes"), ("nr_inodes=50", "all of the volume's 50 inodes")):
            with self.subTest(options=options):
                self.mounted(options)
                sender, receiver, codes = self.move()
                self.assertEqual(codes, (1, 1), (sender.lines, receiver.lines))
                for end in (sender, receiver):
                    self.assertIn("No space left on device", end.last["message"])
                    self.assertIn(cause, end.last["message"])
                    self.assertIs(end.last["retry"], False)
