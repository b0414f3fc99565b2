"""HTTPS by the server itself: its certificate and key, taken anew when their files change."""

from __future__ import annotations

import logging
import ssl
from pathlib import Path

from qwenport.app.refusal import StartRefused
from qwenport.settings.settings import Settings

log = logging.getLogger(__name__)

LOOK_S = 10.0
"""How often the files are looked at."""

_Stamp = tuple[tuple[int, int, int], ...]


class TlsInvalid(ValueError):
    """Certificate and key cannot be used; the message names the file and says why."""


class Tls:
    """What connections are secured by. Those that are open keep the certificate that they began with."""

    def __init__(self, cert_file: Path, key_file: Path) -> None:
        """Read the files; raises `TlsInvalid`."""
        self._cert_file = cert_file
        self._key_file = key_file
        self._seen = self._stamp()
        self._current = self._read()
        self.context = self._read()
        """For the listener; each connection is handed to the certificate that was read last."""
        self.context.sni_callback = self._hand_over

    async def look(self) -> None:
        """Take the files anew where they have changed; while they cannot be used, the former ones stay in force."""
        stamp = self._stamp()
        if stamp == self._seen:
            return
        self._seen = stamp
        try:
            self._current = self._read()
        except TlsInvalid as error:
            log.error("the certificate stays as it was: %s", error)  # noqa: TRY400 - the trace tells an operator nothing
        else:
            log.info("the certificate in %s was read again", self._cert_file)

    def _hand_over(
        self, connection: ssl.SSLSocket | ssl.SSLObject, _name: str | None, _context: ssl.SSLContext
    ) -> None:
        connection.context = self._current

    def _stamp(self) -> _Stamp:
        return tuple(_stamp(path) for path in (self._cert_file, self._key_file))

    def _read(self) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        # Nobody here speaks HTTP/2, and a client that asks should be told.
        context.set_alpn_protocols(["http/1.1"])
        for path in (self._cert_file, self._key_file):
            _check_readable(path)
        try:
            context.load_cert_chain(self._cert_file, self._key_file, password=_no_password)
        except _PasswordWanted as error:
            raise TlsInvalid(f"the key in {self._key_file} has a password; write it without one") from error
        except ssl.SSLError as error:
            raise TlsInvalid(_words(self._cert_file, self._key_file, error)) from error
        except OSError as error:
            raise TlsInvalid(f"{self._cert_file} or {self._key_file} cannot be read: {error.strerror}") from error
        return context


def open_tls(settings: Settings) -> Tls | None:
    """Return what HTTPS is served with; None where the configuration names no certificate.

    Raises:
        StartRefused: certificate and key cannot be used.
    """
    server = settings.file.server
    if not server.tls_cert_file:
        return None
    try:
        return Tls(Path(server.tls_cert_file), Path(server.tls_key_file))
    except TlsInvalid as error:
        raise StartRefused(f"[server]: {error}") from error


def _stamp(path: Path) -> tuple[int, int, int]:
    try:
        found = path.stat()
    except OSError:
        return (0, 0, 0)
    return (found.st_ino, found.st_mtime_ns, found.st_size)


def _check_readable(path: Path) -> None:
    try:
        path.read_bytes()
    except OSError as error:
        raise TlsInvalid(f"{path} cannot be read: {error.strerror}") from error


class _PasswordWanted(ValueError):
    """OpenSSL would ask on the terminal."""


def _no_password() -> str:
    raise _PasswordWanted


def _words(cert_file: Path, key_file: Path, error: ssl.SSLError) -> str:
    if error.reason == "KEY_VALUES_MISMATCH":
        return f"the key in {key_file} is not that of the first certificate in {cert_file}"
    return f"{cert_file} and {key_file} are no certificate and key in PEM: {error.reason or error}"
