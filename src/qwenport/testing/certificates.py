"""Certificates for tests: an authority of their own, made with the `openssl` command."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

_KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")


@dataclass(frozen=True, slots=True)
class Authority:
    """An authority in a folder, which holds its certificate as `ca.pem`."""

    folder: Path

    @property
    def file(self) -> Path:
        """Return the path of its certificate."""
        return self.folder / "ca.pem"

    @classmethod
    def made(cls, folder: Path) -> Authority:
        """Return a new one."""
        made = cls(folder)
        _openssl(
            *("req", "-x509", *_KEY, "-days", "2", "-subj", "/CN=The authority of a test"),
            *("-keyout", str(folder / "ca.key"), "-out", str(made.file)),
        )
        return made

    def issue(self, name: str, *, files: str = "server", hosts: Sequence[str] = ()) -> tuple[Path, Path]:
        """Return a new certificate of `localhost`, 127.0.0.1 and these hosts, under this common name, and its key."""
        certificate, key, request, extensions = (
            self.folder / f"{files}{end}" for end in (".pem", ".key", ".csr", ".ext")
        )
        names = ",".join(("DNS:localhost", "IP:127.0.0.1", *(f"DNS:{host}" for host in hosts)))
        extensions.write_text(f"subjectAltName={names}\nextendedKeyUsage=serverAuth\n", "ascii")
        _openssl("req", "-new", *_KEY, "-subj", f"/CN={name}", "-keyout", str(key), "-out", str(request))
        _openssl(
            *("x509", "-req", "-in", str(request), "-CA", str(self.file), "-CAkey", str(self.folder / "ca.key")),
            *("-CAcreateserial", "-days", "2", "-extfile", str(extensions), "-out", str(certificate)),
        )
        return certificate, key


def _openssl(*arguments: str) -> None:
    subprocess.run(["openssl", *arguments], check=True, capture_output=True)  # noqa: S603, S607 - tests start it
