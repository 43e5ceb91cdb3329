"""Debian's docker-registry, and images in it that are made here."""
import hashlib
import json
import os
import socket
import ssl
import subprocess
import time
import urllib.error
import urllib.request

MANIFEST, INDEX = "application/vnd.oci.image.manifest.v1+json", "application/vnd.oci.image.index.v1+json"


def digest_of(content):
    return "sha256:" + hashlib.sha256(content).hexdigest()


def certify(folder):
    """A key and a certificate for 127.0.0.1 that is its own authority; both as files of the folder."""
    key, certificate = folder / "tls.key", folder / "tls.crt"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", certificate, "-days", "2", "-subj", "/CN=registry",
                    "-addext", "subjectAltName=IP:127.0.0.1"], check=True, capture_output=True)
    return key, certificate


class Registry:
    """A docker-registry with a folder of its own, until stop(). With `tls`, a key and a certificate, it speaks TLS."""

    def __init__(self, folder, tls=None):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.host = "127.0.0.1:%d" % free.getsockname()[1]
        self.data = folder / "data"
        http = {"addr": self.host, **({"tls": {"key": str(tls[0]), "certificate": str(tls[1])}} if tls else {})}
        config = {"version": 0.1, "storage": {"filesystem": {"rootdirectory": str(self.data)}}, "http": http}
        (folder / "config.yml").write_text(json.dumps(config))  # which is YAML
        self.url = f"{'https' if tls else 'http'}://{self.host}"
        self.trust = ssl.create_default_context(cafile=tls[1]) if tls else None
        self.process = subprocess.Popen(["docker-registry", "serve", folder / "config.yml"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        for _ in range(300):
            if self.answers():
                return
            time.sleep(0.1)
        self.stop()
        raise TimeoutError("docker-registry does not answer")

    def stop(self):
        self.process.kill()
        self.process.wait()

    def answers(self):
        try:
            return self.request("GET", "/v2/").status == 200
        except urllib.error.URLError:
            return False

    def request(self, method, path, content=None, kind="application/octet-stream"):
        url = path if path.startswith("http") else self.url + path
        request = urllib.request.Request(url, data=content, method=method, headers={"Content-Type": kind, "Accept": f"{MANIFEST}, {INDEX}"})
        return urllib.request.urlopen(request, timeout=30, context=self.trust)

    def put_blob(self, name, content):
        where = self.request("POST", f"/v2/{name}/blobs/uploads/", b"").headers["Location"]
        self.request("PUT", f"{where}{'&' if '?' in where else '?'}digest={digest_of(content)}", content)
        return {"mediaType": "application/octet-stream", "digest": digest_of(content), "size": len(content)}

    def put_manifest(self, name, target, kind, manifest):
        content = json.dumps({"schemaVersion": 2, "mediaType": kind, **manifest}).encode()
        self.request("PUT", f"/v2/{name}/manifests/{target or digest_of(content)}", content, kind)
        return {"mediaType": kind, "digest": digest_of(content), "size": len(content)}

    def put_list(self, name, tag, shared, platforms=("amd64", "arm64")):
        """A list of images, each of a layer of its own and the one that all share."""
        instances = []
        for each in platforms:
            config = self.put_blob(name, json.dumps({"architecture": each, "os": "linux", "for": name + tag}).encode())
            layers = [self.put_blob(name, shared), self.put_blob(name, os.urandom(50_000))]
            instances.append({**self.put_manifest(name, None, MANIFEST, {"config": config, "layers": layers}), "platform": {"architecture": each, "os": "linux"}})
        return self.put_manifest(name, tag, INDEX, {"manifests": instances})["digest"]

    def manifest(self, name, target):
        content = self.request("GET", f"/v2/{name}/manifests/{target}").read()
        return digest_of(content), json.loads(content)


__all__ = ["INDEX", "MANIFEST", "Registry", "certify", "digest_of"]
