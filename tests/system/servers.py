"""Servers that are wrong in one way each: they hang, are no Kubernetes, or show a certificate that nobody should accept."""
import pathlib
import socket
import ssl
import subprocess
import threading
import urllib.parse

CA_CONFIG = """\
[ca]
default_ca=test
[test]
database={0}/index
new_certs_dir={0}
default_md=sha256
policy=any
rand_serial=yes
unique_subject=no
[any]
commonName=supplied
[authority]
basicConstraints=critical,CA:TRUE
keyUsage=critical,keyCertSign,digitalSignature
subjectKeyIdentifier=hash
[server]
basicConstraints=CA:FALSE
extendedKeyUsage=serverAuth
subjectAltName=IP:127.0.0.1
"""
FOREVER = ("20200101000000Z", "20400101000000Z")
LONG_AGO = ("20200101000000Z", "20210101000000Z")


class Certificates:
    """An authority and a server's certificate of it; each valid when one wants."""

    def __init__(self, folder, authority=FOREVER, server=FOREVER):
        self.folder = pathlib.Path(folder)
        self.folder.mkdir()
        (self.folder / "index").touch()
        self.config = self.folder / "openssl.cnf"
        self.config.write_text(CA_CONFIG.format(self.folder))
        self.issue("ca", "test authority", "authority", authority, ["-selfsign", "-keyfile", "ca.key"])
        self.issue("server", "test server", "server", server, ["-cert", "ca.pem", "-keyfile", "ca.key"])
        self.ca_pem = (self.folder / "ca.pem").read_text()

    def openssl(self, *arguments):
        subprocess.run(["openssl", *arguments], cwd=self.folder, check=True, capture_output=True, timeout=60)

    def issue(self, name, subject, extensions, dates, signer):
        self.openssl("req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", f"{name}.key", "-out", f"{name}.csr",
                     "-subj", f"/CN={subject}")
        self.openssl("ca", "-batch", "-notext", "-config", str(self.config), *signer, "-in", f"{name}.csr", "-out", f"{name}.pem",
                     "-startdate", dates[0], "-enddate", dates[1], "-extensions", extensions)

    def context(self):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.folder / "server.pem", self.folder / "server.key")
        return context


class Server:
    """A listening socket of 127.0.0.1 and a thread that serves each connection by `serve`."""

    def __init__(self, scheme="http"):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"{scheme}://127.0.0.1:{self.listener.getsockname()[1]}"
        self.ending = False
        threading.Thread(target=self.accept_all, daemon=True).start()

    def accept_all(self):
        while not self.ending:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.guarded, args=(connection,), daemon=True).start()

    def guarded(self, connection):
        with connection:
            try:
                self.serve(connection)
            except OSError:
                pass  # a client that does not like our certificate hangs up

    def serve(self, connection):
        raise NotImplementedError

    def stop(self):
        self.ending = True
        try:
            self.listener.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self.listener.close()


class Hanging(Server):
    """Takes connections and never says a word."""

    def serve(self, connection):
        while connection.recv(65536):
            pass


class WebSite(Server):
    """A web server, but no Kubernetes."""

    def serve(self, connection):
        while connection.recv(65536):
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 20\r\n\r\n<html>welcome</html>")


class TlsFront(Server):
    """HTTPS before a server that speaks HTTP; with a certificate of our choice. Without a target it only shakes hands."""

    def __init__(self, certificates, target=None):
        self.context = certificates.context()
        self.target = urllib.parse.urlsplit(target) if target else None
        super().__init__("https")

    def serve(self, connection):
        with self.context.wrap_socket(connection, server_side=True) as client:
            if self.target is None:
                client.recv(1)
                return
            with socket.create_connection((self.target.hostname, self.target.port)) as server:
                back = threading.Thread(target=pump, args=(server, client), daemon=True)
                back.start()
                pump(client, server)
                back.join()


class Gate(Server):
    """HTTP before a server; requests that mention `word` wait until the gate is opened."""

    def __init__(self, target, word):
        self.target, self.word = urllib.parse.urlsplit(target), word.encode()
        self.open = threading.Event()
        super().__init__()

    def serve(self, connection):
        with socket.create_connection((self.target.hostname, self.target.port)) as server:
            threading.Thread(target=pump, args=(server, connection), daemon=True).start()
            pump(connection, server, lambda data: self.word not in data or self.open.wait())

    def stop(self):
        self.open.set()
        super().stop()


def pump(source, sink, wait=lambda data: True):
    try:
        while data := source.recv(65536):
            wait(data)
            sink.sendall(data)
        sink.shutdown(socket.SHUT_WR)
    except OSError:
        pass


def closed_port():
    """An address where nothing listens."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return f"127.0.0.1:{listener.getsockname()[1]}"
