"""Claims of a study's slots: locks that their holder's death frees.

A claim is a file lock, which the kernel frees; with PostgreSQL an advisory lock as well, which the
server frees when the connection ends. So there is no heartbeat, no grace period and no
host name: whoever gets a claim knows that nobody else works on the slot.
"""

from __future__ import annotations

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from filelock import FileLock, Timeout

from notedecay.core.errors import UserError

STUDY_SLOT = -1
"""The claim on what is made once for a study."""

KEEPALIVE = {
    "keepalives_idle": 10, "keepalives_interval": 5, "keepalives_count": 4, "connect_timeout": 10,
    # A node that loses power ends no connection: the server takes it for dead after 30 s.
    "options": "-c tcp_keepalives_idle=10 -c tcp_keepalives_interval=5 -c tcp_keepalives_count=4",
}  # fmt: skip


class Claims(ABC):
    """Claims that this process holds on slots of one study."""

    @abstractmethod
    def claim(self, slot: int) -> bool:
        """Claim a slot unless another process holds it; return whether this one now does."""

    @abstractmethod
    def release(self, slot: int) -> None:
        """Give a claim back."""

    @abstractmethod
    def is_mine(self, slot: int) -> bool:
        """Whether a claim is still held, or could be had again after the database was away."""

    @abstractmethod
    def is_free(self, slot: int) -> bool:
        """Whether no process holds a slot."""

    @abstractmethod
    def is_idle(self) -> bool:
        """Whether no process holds any slot."""

    @abstractmethod
    @contextmanager
    def alone(self) -> Iterator[None]:
        """Wait for, and hold, the claim on what is made once for a study."""
        yield

    @abstractmethod
    def close(self) -> None:
        """Give all claims back."""


class FileClaims(Claims):
    """File locks in a folder, for processes that share it.

    Parameters
    ----------
    folder : Path
        Made on first use. A network file system must support locks.
    study : str
        Name of the study.
    """

    def __init__(self, folder: Path, study: str) -> None:
        self._folder, self._study = folder, study
        self._held: dict[int, FileLock] = {}
        folder.mkdir(parents=True, exist_ok=True)

    def claim(self, slot: int) -> bool:
        """As of :meth:`Claims.claim`."""
        if slot in self._held:
            return True
        lock = self._lock(slot)
        with suppress(Timeout):
            lock.acquire(blocking=False)
            self._held[slot] = lock
            return True
        return False

    def release(self, slot: int) -> None:
        """As of :meth:`Claims.release`.

        The file goes too. A process that has opened it before may lock the removed file, which is
        harmless: it reads after its claim whether the slot is over.
        """
        if lock := self._held.pop(slot, None):
            Path(lock.lock_file).unlink(missing_ok=True)
            lock.release()

    def is_mine(self, slot: int) -> bool:
        """As of :meth:`Claims.is_mine`."""
        return slot in self._held

    def is_free(self, slot: int) -> bool:
        """As of :meth:`Claims.is_free`."""
        lock = self._lock(slot)
        if slot in self._held or not Path(lock.lock_file).exists():
            return slot not in self._held
        try:
            lock.acquire(blocking=False)
        except Timeout:
            return False
        lock.release()
        return True

    def is_idle(self) -> bool:
        """As of :meth:`Claims.is_idle`."""
        prefix = f"{self._study}."
        names = [path.name for path in self._folder.glob("*.lock") if path.name.startswith(prefix)]
        slots = [int(n) for name in names if (n := name[len(prefix) : -len(".lock")]).isdecimal()]
        return all(self.is_free(slot) for slot in slots)

    @contextmanager
    def alone(self) -> Iterator[None]:
        """As of :meth:`Claims.alone`."""
        with FileLock(self._folder / "studies.lock"):
            yield

    def close(self) -> None:
        """As of :meth:`Claims.close`."""
        for slot in list(self._held):
            self.release(slot)

    def _lock(self, slot: int) -> FileLock:
        return FileLock(self._folder / f"{self._study}.{slot}.lock")


class PostgresClaims(Claims):
    """Advisory locks on one connection, direct or from a pool of sessions, and file locks.

    A restart of the database frees all advisory locks while their holders work on. The file locks
    keep others that share the folder from the slots until the holders have theirs again.

    Parameters
    ----------
    url : sqlalchemy.URL
        Of the database.
    folder : Path
        Of the file locks.
    study : str
        Name of the study.
    """

    def __init__(self, url: sa.URL, folder: Path, study: str) -> None:
        self._files = FileClaims(folder, study)
        digest = hashlib.sha256(study.encode()).digest()
        self._study = int.from_bytes(digest[:4], "big", signed=True)
        self._engine = sa.create_engine(
            url, poolclass=sa.NullPool, isolation_level="AUTOCOMMIT", connect_args=KEEPALIVE
        )
        self._connection: sa.Connection | None = None
        self._held: set[int] = set()

    def claim(self, slot: int) -> bool:
        """As of :meth:`Claims.claim`."""
        if slot not in self._held and self._files.claim(slot):
            if self._ask("pg_try_advisory_lock", slot):
                self._held.add(slot)
            else:
                self._files.release(slot)
        return slot in self._held

    def release(self, slot: int) -> None:
        """As of :meth:`Claims.release`."""
        if slot in self._held:
            self._held.discard(slot)
            with suppress(sa.exc.DBAPIError):  # a connection that has ended holds no locks
                self._ask("pg_advisory_unlock", slot)
            self._files.release(slot)

    def is_mine(self, slot: int) -> bool:
        """As of :meth:`Claims.is_mine`."""
        self._scalar("select 1", {})
        return slot in self._held

    def is_free(self, slot: int) -> bool:
        """As of :meth:`Claims.is_free`."""
        return self._files.is_free(slot) and slot not in self._slots_held()

    def is_idle(self) -> bool:
        """As of :meth:`Claims.is_idle`."""
        return self._files.is_idle() and not self._slots_held()

    def _slots_held(self) -> set[int]:
        """Slots that any process holds."""
        query = (
            "select array_agg(objid) from pg_locks where locktype = 'advisory' and granted "
            "and database = (select oid from pg_database where datname = current_database()) "
            "and classid = :study and objid < 2147483648"
        )
        found = self._scalar(query, {"study": self._study % 2**32})
        return {int(slot) for slot in found or ()}

    @contextmanager
    def alone(self) -> Iterator[None]:
        """As of :meth:`Claims.alone`."""
        self._ask("pg_advisory_lock", STUDY_SLOT)
        try:
            yield
        finally:
            self._ask("pg_advisory_unlock", STUDY_SLOT)

    def close(self) -> None:
        """As of :meth:`Claims.close`."""
        self._held.clear()
        self._disconnect()
        self._engine.dispose()
        self._files.close()

    def _ask(self, function: str, slot: int) -> bool:
        return bool(
            self._scalar(f"select {function}(:study, :slot)", {"study": self._study, "slot": slot})
        )

    def _scalar(self, query: str, values: dict[str, int]) -> Any:
        """Ask the database; connect anew if the connection has ended, as after a restart."""
        if self._connection is not None:
            try:
                return self._connection.execute(sa.text(query), values).scalar()
            except sa.exc.DBAPIError:
                self._disconnect()
        self._connection = self._engine.connect()
        held, self._held = self._held, set()
        for slot in held:  # each that no other process has taken meanwhile
            self.claim(slot)
        return self._connection.execute(sa.text(query), values).scalar()

    def _disconnect(self) -> None:
        if self._connection is not None:
            with suppress(sa.exc.SQLAlchemyError):
                self._connection.close()
        self._connection = None


def claims_of(url: sa.URL, folder: Path, study: str) -> Claims:
    """Claims on a study: files beside SQLite, else locks in the database itself.

    Raises
    ------
    UserError
        For a database of another kind, which has neither.
    """
    kind = url.get_backend_name()
    if kind == "sqlite":
        return FileClaims(folder, study)
    if kind == "postgresql":
        return PostgresClaims(url, folder, study)
    raise UserError(
        f"NOTEDECAY_STORAGE names a database of {kind}: name one of PostgreSQL, or none for a "
        "SQLite file in mlruns/"
    )
