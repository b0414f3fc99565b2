"""The files of a certificate: what is refused in which words, and what happens when they change."""

from __future__ import annotations

import contextlib
import logging
import shutil
import ssl
import subprocess
from pathlib import Path
from typing import Any

import pytest

from qwenport.app.refusal import StartRefused
from qwenport.app.tls import Tls, TlsInvalid, open_tls
from qwenport.settings.settings import SettingInvalid, load_settings
from qwenport.testing.certificates import Authority

pytestmark = pytest.mark.anyio


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority.made(tmp_path_factory.mktemp("authority"))


def name_shown(tls: Tls, authority: Authority, *, asks_for_name: bool = True) -> object:
    """Return the common name of the certificate that a new connection is shown."""
    client_in, client_out, server_in, server_out = (ssl.MemoryBIO() for _ in range(4))
    trusting = ssl.create_default_context(cafile=str(authority.file))
    trusting.check_hostname = asks_for_name
    client = trusting.wrap_bio(client_in, client_out, server_hostname="localhost" if asks_for_name else None)
    server = tls.context.wrap_bio(server_in, server_out, server_side=True)
    for side in (client, server, client, server):
        with contextlib.suppress(ssl.SSLWantReadError):
            side.do_handshake()
        server_in.write(client_out.read())
        client_in.write(server_out.read())
    found: Any = client.getpeercert()
    return dict(pair for (pair,) in found["subject"])["commonName"]


def test_tls_1_2_is_the_oldest_that_is_spoken(authority: Authority) -> None:
    tls = Tls(*authority.issue("first"))

    assert tls.context.minimum_version is ssl.TLSVersion.TLSv1_2


@pytest.mark.parametrize("asks_for_name", [True, False])
async def test_a_changed_certificate_is_shown_to_new_connections(asks_for_name: bool, authority: Authority) -> None:
    tls = Tls(*authority.issue("first"))
    before = name_shown(tls, authority, asks_for_name=asks_for_name)

    authority.issue("second")
    await tls.look()

    assert (before, name_shown(tls, authority, asks_for_name=asks_for_name)) == ("first", "second")


async def test_a_certificate_without_its_key_yet_changes_nothing_until_the_key_has_come(
    authority: Authority, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    certificate, key = (Path(shutil.copy(path, tmp_path)) for path in authority.issue("first"))
    tls = Tls(certificate, key)
    other_certificate, other_key = authority.issue("second", files="second")

    put(other_certificate, certificate)
    await tls.look()
    between = name_shown(tls, authority)
    put(other_key, key)
    await tls.look()

    assert (between, name_shown(tls, authority)) == ("first", "second")
    assert [record.getMessage() for record in caplog.records if record.levelno == logging.ERROR] == [
        f"the certificate stays as it was: the key in {key} is not that of the first certificate in {certificate}"
    ]


def put(source: Path, target: Path) -> None:
    """Put a copy of one file in the place of another, as those do who renew certificates."""
    Path(shutil.copy(source, target.with_suffix(".new"))).replace(target)


async def test_files_that_have_not_changed_are_not_read_again(authority: Authority) -> None:
    tls = Tls(*authority.issue("first"))
    in_force = tls._current

    await tls.look()

    assert tls._current is in_force


def test_what_cannot_be_used_is_refused_by_its_file(authority: Authority, tmp_path: Path) -> None:
    certificate, key = authority.issue("first")
    _, other_key = authority.issue("other", files="other")
    locked, text, missing = tmp_path / "locked.key", tmp_path / "text.pem", tmp_path / "missing.pem"
    subprocess.run(
        ["openssl", "ec", "-aes256", "-passout", "pass:word", "-in", str(key), "-out", str(locked)],
        check=True,
        capture_output=True,
    )
    text.write_text("no certificate\n", "utf-8")

    assert [refused(*files) for files in ((missing, key), (certificate, tmp_path), (certificate, other_key))] == [
        f"{missing} cannot be read: No such file or directory",
        f"{tmp_path} cannot be read: Is a directory",
        f"the key in {other_key} is not that of the first certificate in {certificate}",
    ]
    assert refused(text, key).startswith(f"{text} and {key} are no certificate and key in PEM")
    assert refused(certificate, locked) == f"the key in {locked} has a password; write it without one"


def refused(certificate: Path, key: Path) -> str:
    with pytest.raises(TlsInvalid) as found:
        Tls(certificate, key)
    return str(found.value)


def test_files_are_named_from_the_folder_of_the_configuration(authority: Authority, tmp_path: Path) -> None:
    certificate, key = authority.issue("first")
    shutil.copy(certificate, tmp_path / "here.pem")
    shutil.copy(key, tmp_path / "here.key")
    file = tmp_path / "qwenport.toml"
    file.write_text('[server]\ntls_cert_file = "here.pem"\ntls_key_file = "here.key"\n', "utf-8")
    settings = load_settings({"QWENPORT_CONFIG": str(file)}, Path("/"))

    assert open_tls(settings) is not None
    assert settings.address(8600) == "https://127.0.0.1:8600"
    (tmp_path / "here.key").unlink()
    with pytest.raises(StartRefused, match=r"^\[server\]: .*here.key cannot be read"):
        open_tls(settings)


def test_without_files_nothing_is_secured(tmp_path: Path) -> None:
    settings = load_settings({"QWENPORT_DATA_DIR": str(tmp_path)}, tmp_path)

    assert (open_tls(settings), settings.address(8600)) == (None, "http://127.0.0.1:8600")


@pytest.mark.parametrize("name", ["tls_cert_file", "tls_key_file"])
def test_one_file_without_the_other_is_refused(name: str, tmp_path: Path) -> None:
    file = tmp_path / "qwenport.toml"
    file.write_text(f'[server]\n{name} = "here.pem"\n', "utf-8")

    with pytest.raises(SettingInvalid, match="needs `tls_cert_file` and `tls_key_file` together, or neither"):
        load_settings({"QWENPORT_CONFIG": str(file)}, tmp_path)
