"""Starts the servers the workloads talk to, and asks them how many requests they saw."""

from __future__ import annotations

import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import server

_NGINX = """
daemon off;
pid {folder}/nginx.pid;
worker_processes 1;
events {{ worker_connections 512; }}
http {{
  access_log off;
  keepalive_requests 10000000;
  client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
  server {{
    listen 127.0.0.1:{port} backlog=512;
    location / {{ default_type application/json; return {status} '{body}'; }}
    location = /count {{ stub_status; }}
  }}
}}
"""


@dataclass
class Server:
    """A running server.

    Attributes:
        name: nginx or "own".
        asked: how often it was asked for its count, where it counts that too.
    """

    name: str
    url: str
    asked: int = field(default=0)

    def count(self) -> int:
        """Requests of the workloads seen so far."""
        with urllib.request.urlopen(f"{self.url}/count", timeout=10) as answer:
            text = answer.read().decode()
        if self.name != "nginx":
            return int(text)
        self.asked += 1
        found = re.search(r"requests\s+\d+ \d+ (\d+)", text)
        assert found is not None
        return int(found[1]) - self.asked


@contextmanager
def serving(folder: Path, delay: float = 0.0) -> Iterator[Server]:
    """A server that answers at once (nginx where there is one), or after `delay` seconds."""
    port = _free_port()
    nginx = shutil.which("nginx", path="/usr/sbin:/usr/local/sbin:/usr/bin:/usr/local/bin") if not delay else None
    if nginx:
        (folder / "nginx.conf").write_text(_NGINX.format(folder=folder, port=port, status=server.STATUS, body=server.BODY.decode()))
        command = [nginx, "-c", str(folder / "nginx.conf"), "-e", str(folder / "nginx.log")]
    else:
        command = [sys.executable, server.__file__, str(port), str(delay)]
    process = subprocess.Popen(command)
    try:
        _wait_for(port)
        yield Server("nginx" if nginx else "own", f"http://127.0.0.1:{port}")
    finally:
        process.terminate()
        process.wait()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_for(port: int) -> None:
    for _ in range(100):
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise SystemExit(f"the server on port {port} did not start")
