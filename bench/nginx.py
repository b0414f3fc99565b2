"""nginx as a plain reverse proxy in the gateway's place: the yardstick."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.processes import free_port, pinned, running, wait_for_port

_CONFIGURATION = """
daemon off;
master_process off;
pid {folder}/nginx.pid;
error_log stderr error;
events {{ worker_connections 1024; }}
http {{
  access_log off;
  client_max_body_size 16m;
  client_body_buffer_size 1m;
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  keepalive_requests 100000000;
  upstream host {{
    server 127.0.0.1:{upstream};
    keepalive 64;
    keepalive_requests 100000000;
  }}
  server {{
    listen 127.0.0.1:{port} backlog=1024;
    location / {{
      proxy_pass http://host;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_buffering off;
    }}
  }}
}}
"""


def reason_to_skip() -> str:
    """Return why nginx cannot be measured here; empty where it can."""
    return "" if shutil.which("nginx") else "nginx is not installed: `apt-get install nginx-light`"


@contextmanager
def proxying(folder: Path, *, core: int, upstream_port: int) -> Iterator[tuple[int, int]]:
    """Run nginx in one process while the block runs; gives its port and its process id."""
    folder.mkdir()
    port = free_port()
    configuration = folder / "nginx.conf"
    configuration.write_text(_CONFIGURATION.format(folder=folder, port=port, upstream=upstream_port), "utf-8")
    log = folder / "nginx.log"
    command = ["nginx", "-p", str(folder), "-e", "stderr", "-c", str(configuration)]
    with running(pinned(core, command), log) as process:
        wait_for_port(port, process, log)
        yield port, process.pid
