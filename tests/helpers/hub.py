"""A local server that answers the real client as the Hugging Face hub does."""

import base64
import contextlib
import hashlib
import http.server
import json
import os
import subprocess
import sys
import threading
from pathlib import Path
from urllib.parse import unquote, urlsplit

REPO = "opengait/OpenGait"
COMMITS = {"main": "1" * 40, "old": "2" * 40}


class Hub(http.server.ThreadingHTTPServer):
    """One repository, the same files at two revisions, and whatever is pushed to it.

    Attributes:
      repo: owner/name.
      files: path -> bytes.
      token: that pushing needs.
      cuts: answers still to be broken off half-way.
      seen: (method, path, Range header) of every request.
    """

    def __init__(self, files, repo=REPO):
        self.stated = {}  # SHA-256 by path, where the listing is not to be right
        super().__init__(("127.0.0.1", 0), Handler)
        self.repo, self.token = repo, "hf_write"
        self.files, self.cuts, self.seen, self.uploads = files, 0, [], {}

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_port}"

    def downloads(self):
        return [seen for seen in self.seen if seen[1].startswith("/cdn/")]


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def answer(self, status, body=b"", **headers):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def refuse(self, status, code):
        self.answer(status, b"{}", X_Error_Code=code, X_Error_Message=code)

    def do_GET(self):
        path = unquote(urlsplit(self.path).path)
        self.server.seen.append((self.command, path, self.headers.get("Range")))
        if path.startswith("/cdn/"):
            return self.content(path.removeprefix("/cdn/"))
        tree, resolve = f"/api/models/{self.server.repo}/tree/", f"/{self.server.repo}/resolve/"
        if not path.startswith((tree, resolve)):
            return self.refuse(401, "RepoNotFound")
        revision, _, name = path.removeprefix(tree).removeprefix(resolve).partition("/")
        commits = COMMITS | {commit: commit for commit in COMMITS.values()}
        if revision not in commits:
            return self.refuse(404, "RevisionNotFound")
        if path.startswith(tree):
            return self.tree(name)
        if name not in self.server.files:
            return self.refuse(404, "EntryNotFound")
        data = self.server.files[name]
        sha = hashlib.sha256(data).hexdigest()
        self.answer(  # large files lie on another host
            302,
            Location=f"http://localhost:{self.server.server_port}/cdn/{sha}",
            X_Repo_Commit=commits[revision],
            X_Linked_Etag=f'"{sha}"',
            X_Linked_Size=str(len(data)),
            ETag='"pointer"',
        )

    do_HEAD = do_GET

    def do_POST(self):
        """A push in one commit: the repository, how to send each file, large ones, the commit."""
        data = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        path, server = unquote(urlsplit(self.path).path), self.server
        server.seen.append((self.command, path, None))
        if path == "/api/validate-yaml":
            head = json.loads(data)["content"].split("---")[1]
            assert "license: " in head
            return self.json({"errors": [], "warnings": []})
        if self.headers.get("Authorization") != f"Bearer {server.token}":
            return self.refuse(401, "")
        api = f"/api/models/{server.repo}"
        if path == "/api/repos/create":
            return self.json({"url": f"{server.url}/{server.repo}"})
        if path == f"{api}/preupload/main":
            names = [file["path"] for file in json.loads(data)["files"]]
            modes = {name: "regular" if name.endswith(".md") else "lfs" for name in names}
            return self.json(
                {
                    "files": [
                        {"path": n, "uploadMode": m, "shouldIgnore": False}
                        for n, m in modes.items()
                    ]
                }
            )
        if path == f"/{server.repo}.git/info/lfs/objects/batch":
            objects = [
                o | {"actions": {"upload": {"href": f"{server.url}/upload/{o['oid']}"}}}
                for o in json.loads(data)["objects"]
            ]
            return self.json({"transfer": "basic", "objects": objects})
        if path == f"{api}/commit/main":
            for line in map(json.loads, data.splitlines()):
                value = line["value"]
                if line["key"] == "file":
                    server.files[value["path"]] = base64.b64decode(value["content"])
                elif line["key"] == "lfsFile":
                    server.files[value["path"]] = server.uploads[value["oid"]]
            url = f"{server.url}/{server.repo}/commit/{COMMITS['main']}"
            return self.json({"commitUrl": url, "commitOid": COMMITS["main"], "success": True})
        return self.refuse(404, "")

    def do_PUT(self):
        data = self.rfile.read(int(self.headers["Content-Length"]))
        sha = self.path.rpartition("/")[2]
        assert hashlib.sha256(data).hexdigest() == sha
        self.server.uploads[sha] = data
        self.answer(200)

    def json(self, value):
        self.answer(200, json.dumps(value).encode(), Content_Type="application/json")

    def tree(self, folder):
        sha = {p: hashlib.sha256(d).hexdigest() for p, d in self.server.files.items()}
        sha |= self.server.stated
        listed = [
            {"type": "file", "path": path, "size": len(data), "oid": "0" * 40}
            | {"lfs": {"oid": sha[path], "size": len(data), "pointerSize": 130}}
            for path, data in self.server.files.items()
            if path.rpartition("/")[0] == folder
        ]
        if not listed:
            return self.refuse(404, "EntryNotFound")
        self.answer(200, json.dumps(listed).encode(), Content_Type="application/json")

    def content(self, sha):
        data = next(d for d in self.server.files.values() if hashlib.sha256(d).hexdigest() == sha)
        start = int((self.headers.get("Range") or "bytes=0-")[6:].partition("-")[0])
        self.send_response(206 if start else 200)
        self.send_header("Content-Length", str(len(data) - start))
        self.send_header("Content-Range", f"bytes {start}-{len(data) - 1}/{len(data)}")
        self.end_headers()
        if self.server.cuts:
            self.server.cuts -= 1
            self.wfile.write(data[start : (start + len(data)) // 2])
            self.close_connection = True
        else:
            self.wfile.write(data[start:])


@contextlib.contextmanager
def serving(files, repo=REPO):
    """A `Hub` that answers while the block lasts."""
    with Hub(files, repo) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


def environment(endpoint, cache, **extra):
    kept = {k: v for k, v in os.environ.items() if not k.lower().endswith("_proxy")}
    return kept | {"HF_ENDPOINT": endpoint, "HF_HOME": str(cache), **extra}


def python(script, endpoint, cache, **extra):
    """A script in a process of its own, for the client reads its settings on import."""
    return subprocess.run(
        [sys.executable, "-c", script],
        env=environment(endpoint, cache, **extra),
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        timeout=100,
    )
