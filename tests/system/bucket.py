"""The bucket as the suite looks into it: requests signed as S3 wants them (docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html)."""
import datetime
import hashlib
import hmac
import http.client
import re
import urllib.parse


class Bucket:
    def __init__(self, world):
        self.url, self.name, self.key, self.secret = urllib.parse.urlsplit(world.endpoint), world.bucket, world.key, world.secret

    def call(self, method, key="", query="", body=b""):
        now = datetime.datetime.now(datetime.timezone.utc)
        stamp, day = now.strftime("%Y%m%dT%H%M%SZ"), now.strftime("%Y%m%d")
        path = urllib.parse.quote(f"/{self.name}/{key}")
        digest = hashlib.sha256(body).hexdigest()
        headers = {"host": self.url.netloc, "x-amz-content-sha256": digest, "x-amz-date": stamp}
        names = ";".join(headers)
        canonical = "\n".join([method, path, query, *(f"{k}:{v}" for k, v in headers.items()), "", names, digest])
        scope = f"{day}/us-east-1/s3/aws4_request"
        text = "\n".join(["AWS4-HMAC-SHA256", stamp, scope, hashlib.sha256(canonical.encode()).hexdigest()])
        signing = b"AWS4" + self.secret.encode()
        for part in (*scope.split("/"), text):
            signing = hmac.new(signing, part.encode(), hashlib.sha256).digest()
        headers["authorization"] = f"AWS4-HMAC-SHA256 Credential={self.key}/{scope},SignedHeaders={names},Signature={signing.hex()}"
        connection = http.client.HTTPConnection(self.url.netloc, timeout=30)
        try:
            connection.request(method, path + (f"?{query}" if query else ""), body, headers)
            answer = connection.getresponse()
            content = answer.read()
        finally:
            connection.close()
        if answer.status >= 400:
            raise AssertionError(f"{method} {path}: {answer.status} {content[:300]}")
        return content

    def keys(self, prefix):
        """At most a thousand."""
        listed = self.call("GET", "", f"list-type=2&prefix={urllib.parse.quote(prefix, safe='')}").decode()
        return re.findall(r"<Key>([^<]*)</Key>", listed)

    def get(self, key):
        return self.call("GET", key)

    def put(self, key, content):
        self.call("PUT", key, body=content)

    def flip(self, key, at):
        """One bit of one byte, as a disk does it."""
        content = bytearray(self.get(key))
        content[at] ^= 1
        self.put(key, bytes(content))
