"""`mtc mover`: both ends as they run in pods, as two processes; whoever runs them reads the JSON lines and the exit codes."""
import json
import os
import signal
import socket
import ssl
import threading

from mover_case import Authority, End, MoverCase


class Mover(MoverCase):
    def test_stage_and_cutover(self):
        self.fill(large=3 << 20)
        sender, receiver, codes = self.move("--mode", "stage")
        self.assertEqual(codes, (0, 0), sender.lines)
        self.assert_same()
        (self.source / "d2/f2").write_text("changed")
        (self.source / "d3/f3").unlink()
        sender, receiver, codes = self.move()
        self.assertEqual(codes, (0, 0), sender.lines)
        self.assert_same()
        for end in (sender, receiver):
            self.assertEqual(end.last["phase"], "done")
            self.assertEqual(end.last["percent"], 100)
            self.assertIs(end.last["verified"], True)
            self.assertEqual(end.last["skipped"], [])
            self.assertEqual(json.loads(end.termination_log.read_text()), end.last)
        self.assertRegex(sender.last["root"], "^[0-9a-f]{64}$")
        self.assertEqual(sender.last["root"], receiver.last["root"])
        self.assertEqual(sender.last["files"], sender.last["filesTotal"])
        self.assertIn("1 files and 7 bytes moved", sender.last["message"])

    def test_lines(self):
        self.fill()
        receiver, at = self.receive()
        sender = self.send(at)
        self.assertEqual((sender.wait(), receiver.wait()), (0, 0))
        for line in sender.lines[:-1]:
            self.assertEqual({"phase", "percent", "files", "filesTotal", "bytes", "bytesTotal", "rate", "message"}, set(line) - {"way"})
            self.assertEqual(line.get("way", at), at, "absent until it has one")
            self.assertIn(line["phase"], ("connecting", "scanning", "copying", "verifying"))
            self.assertRegex(line["rate"], r"^\d+\.\d\d[kMGT]B/s$")

    def test_addresses(self):
        self.fill(5)
        receiver, at = self.receive()
        with socket.create_server(("127.0.0.1", 0)) as silent:
            sender = self.send("127.0.0.1:1", f"127.0.0.1:{silent.getsockname()[1]}", at, flags=["--dial", "500ms"])
            self.assertEqual((sender.wait(), receiver.wait()), (0, 0))
        said = " ".join(line["message"] for line in sender.lines)
        self.assertIn("connect to 127.0.0.1:1: Connection refused", said)
        self.assertRegex(said, r"connect to 127.0.0.1:\d+: no answer within 500 ms")
        self.assertIn(f"connected to {at}", said)

    def test_nobody_answers(self):
        sender = self.send("127.0.0.1:1", flags=["--patience", "1s"])
        self.assertEqual(sender.wait(), 1)
        self.assertEqual(sender.last["phase"], "failed")
        self.assertIs(sender.last["retry"], True)
        self.assertIn("Connection refused", sender.last["message"])
        self.assertEqual(json.loads(sender.termination_log.read_text()), sender.last)

    def test_strangers(self):
        self.fill(20)
        receiver, at = self.receive()
        host, port = at.split(":")
        stranger = self.send(at, authority=Authority(self.work / "other"))
        self.assertEqual(stranger.wait(), 1)
        self.assertIs(stranger.last["retry"], False)
        self.assertIn("unknown authority", stranger.last["message"])
        old = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        old.maximum_version = ssl.TLSVersion.TLSv1_2
        old.check_hostname, old.verify_mode = False, ssl.CERT_NONE
        old.load_cert_chain(self.authority.folder / "sender/tls.crt", self.authority.folder / "sender/tls.key")
        with socket.create_connection((host, int(port))) as plain, self.assertRaises(ssl.SSLError):
            old.wrap_socket(plain)
        with socket.create_connection((host, int(port))), socket.create_connection((host, int(port))) as talks:
            talks.sendall(b"GET / HTTP/1.1\r\n\r\n")
            sender = self.send(at)
            self.assertEqual((sender.wait(), receiver.wait()), (0, 0))
        self.assert_same()

    def test_killed_sender(self):
        self.fill(large=128 << 20)
        receiver, at = self.receive("--verify")
        sender = self.send(at, flags=["--lanes", "1"])
        while not any(part.stat().st_size for part in self.target.glob(".mtc-part-*")):
            self.assertIsNone(sender.process.poll(), "it is through before it could be killed")
        sender.process.send_signal(signal.SIGKILL)
        sender.wait()
        again = self.send(at)
        self.assertEqual((again.wait(), receiver.wait()), (0, 0))
        self.assert_same()

    def test_difference(self):
        self.fill()
        self.assertEqual(self.move("--mode", "stage")[2], (0, 0))
        victim = self.target / "d4/f4"
        before = victim.stat()
        content = bytearray(victim.read_bytes())
        content[0] ^= 1
        victim.write_bytes(content)
        os.utime(victim, ns=(before.st_atime_ns, before.st_mtime_ns))
        sender, receiver, codes = self.move()
        self.assertEqual(codes, (1, 1))
        for end in (sender, receiver):
            self.assertEqual(end.last["phase"], "failed")
            self.assertEqual(end.last["differences"], ["d4/f4"])
            self.assertIs(end.last["retry"], False)
            self.assertIn("d4/f4: content", end.last["message"])
        self.assertEqual(self.move("--by-hash")[2], (0, 0))
        self.assert_same()

    def test_a_file_that_never_rests(self):
        self.fill(30)
        busy, stop = self.source / "busy", threading.Event()

        def scribble():
            with open(busy, "wb", buffering=0) as out:
                while not stop.is_set():
                    out.write(b"x" * 1024)
                    if out.tell() > 200_000:
                        out.truncate(0)
                        out.seek(0)

        writer = threading.Thread(target=scribble)
        writer.start()
        try:
            sender, receiver, codes = self.move("--mode", "stage")
            self.assertEqual(codes, (0, 0), sender.last)
            for end in (sender, receiver):
                self.assertIn(end.last["skipped"], (["busy"], []))  # it may have rested for a moment
        finally:
            stop.set()
            writer.join()
        self.assertEqual(self.move()[2], (0, 0))
        self.assert_same()

    def test_no_room_of_its_own(self):
        self.environment = {"TMPDIR": "/nonexistent"}  # an image that holds nothing but the program
        self.fill(20)
        self.assertEqual(self.move()[2], (0, 0))
        self.assert_same()

    def test_signal(self):
        receiver, _ = self.receive()
        receiver.process.send_signal(signal.SIGTERM)
        self.assertEqual(receiver.wait(20), 1)
        self.assertEqual(receiver.last["message"], "stopped by a signal")
        self.assertIs(receiver.last["retry"], True)

    def test_wrong_folder(self):
        end = End(self, "send", "--volume", self.source, "--to", "127.0.0.1:1", "--tls", self.work / "absent")
        self.assertEqual(end.wait(), 1)
        self.assertIn("cannot read", end.last["message"])
        self.assertIn("ca.crt", end.last["message"])
