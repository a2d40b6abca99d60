"""Claims on slots: one holder at a time, freed by its end, beside SQLite and in PostgreSQL."""

from __future__ import annotations

import signal
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import sqlalchemy as sa

from notedecay.core.errors import UserError
from notedecay.experiments.search.claims import Claims, FileClaims, claims_of
from tests import toy
from tests.postgres import Postgres

pytestmark = pytest.mark.end_to_end

Open = Callable[[str], Claims]


@pytest.fixture(params=["sqlite", "postgresql"])
def address(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Where the claims are: a folder beside SQLite, or a server."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/optuna.db"
    server: Postgres = request.getfixturevalue("postgres")
    return server.url().replace("postgresql:", "postgresql+psycopg:")


@pytest.fixture
def claims(address: str, tmp_path: Path) -> Iterator[Open]:
    made: list[Claims] = []

    def open_claims(study: str) -> Claims:
        made.append(claims_of(sa.make_url(address), tmp_path / "locks", study))
        return made[-1]

    yield open_claims
    for one in made:
        one.close()


HOLD = """
    import sys, time
    from pathlib import Path
    import sqlalchemy as sa
    from notedecay.experiments.search.claims import claims_of
    claims = claims_of(sa.make_url(sys.argv[1]), Path(sys.argv[2]), "s")
    print([claims.claim(int(slot)) for slot in sys.argv[3:]], flush=True)
    time.sleep(600)
"""


@contextmanager
def holder(address: str, place: Path, *slots: int) -> Iterator[subprocess.Popen[str]]:
    """Another process that holds slots until it is killed."""
    command = [sys.executable, "-c", textwrap.dedent(HOLD), address, str(place / "locks")]
    process = subprocess.Popen(
        [*command, *map(str, slots)], env=toy.environment(), stdout=subprocess.PIPE, text=True
    )
    with process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline().strip() == str([True] * len(slots))
            yield process
        finally:
            process.kill()


def test_a_slot_has_one_holder_and_slots_of_other_studies_are_others(claims: Open) -> None:
    one, other, elsewhere = claims("s"), claims("s"), claims("t")
    assert one.claim(3)
    assert one.claim(3)
    assert not other.claim(3)
    assert other.claim(4)
    assert elsewhere.claim(3)
    assert [other.is_free(slot) for slot in (2, 3, 4)] == [True, False, False]
    assert not other.is_idle()
    one.release(3)
    assert other.claim(3)
    assert not one.claim(3)


def test_no_claim_and_no_file_is_left(claims: Open, tmp_path: Path) -> None:
    one, other = claims("s"), claims("s")
    assert all(one.claim(slot) for slot in range(3))
    one.release(1)
    one.close()
    assert other.is_idle()
    assert not list((tmp_path / "locks").glob("s.*"))


def test_the_death_of_a_holder_frees_its_slots_at_once(
    claims: Open, address: str, tmp_path: Path
) -> None:
    mine = claims("s")
    with holder(address, tmp_path, 0, 1) as process:
        assert not mine.claim(0)
        process.send_signal(signal.SIGKILL)
        process.wait()
        until(lambda: mine.claim(0))
        assert mine.claim(1)


def test_a_holder_that_is_stopped_for_long_keeps_its_slots(
    claims: Open, address: str, tmp_path: Path
) -> None:
    mine = claims("s")
    with holder(address, tmp_path, 0) as process:
        process.send_signal(signal.SIGSTOP)
        assert not mine.claim(0)
        assert not mine.is_free(0)
        process.send_signal(signal.SIGCONT)


def test_only_one_at_a_time_is_alone(claims: Open, address: str, tmp_path: Path) -> None:
    """Whoever makes a study is alone, so that its tables are made once."""
    mine, events = claims("s"), tmp_path / "events"
    program = (
        HOLD.partition("    print")[0]
        + """
    with claims.alone():
        with open(sys.argv[3], "a") as file: file.write("other")
    """
    )
    command = [sys.executable, "-c", textwrap.dedent(program), address, str(tmp_path / "locks")]
    with mine.alone():
        other = subprocess.Popen([*command, str(events)], env=toy.environment())
        with pytest.raises(subprocess.TimeoutExpired):
            other.wait(timeout=5)
        events.write_text("first ")
    assert other.wait() == 0
    assert events.read_text() == "first other"


def until(true: Callable[[], bool]) -> None:
    """Wait for what must come; the generous limit is for a busy machine alone."""
    import time

    for _ in range(600):
        if true():
            return
        time.sleep(0.1)
    raise AssertionError("it did not come")


@pytest.mark.parametrize("how", ["restart", "crash"])
def test_claims_are_had_again_when_the_server_is_back(
    postgres: Postgres, how: str, tmp_path: Path
) -> None:
    """Also if another process asks for them first: it would work on the slots as well."""
    url = sa.make_url(postgres.url().replace("postgresql:", "postgresql+psycopg:"))
    mine, other = (claims_of(url, tmp_path, f"again {how}") for _ in range(2))
    assert mine.claim(0)
    assert mine.claim(1)
    assert not other.claim(0)
    getattr(postgres, how)()
    assert not other.claim(0)
    assert mine.is_mine(0)
    assert mine.is_mine(1)
    assert not other.claim(0)
    assert not other.is_free(1)
    mine.close()
    other.close()


def test_a_claim_that_another_took_meanwhile_is_lost(postgres: Postgres, tmp_path: Path) -> None:
    """On a machine that shares no file locks with this one."""
    url = sa.make_url(postgres.url().replace("postgresql:", "postgresql+psycopg:"))
    mine = claims_of(url, tmp_path / "here", "taken")
    assert mine.claim(0)
    postgres.restart()
    other = claims_of(url, tmp_path / "there", "taken")
    assert other.claim(0)
    assert not mine.is_mine(0)
    assert not mine.is_mine(0)
    mine.close()
    other.close()


def test_another_kind_of_database_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="NOTEDECAY_STORAGE names a database of mysql: name one"):
        claims_of(sa.make_url("mysql://u:p@h/d"), tmp_path, "s")


def test_a_removed_file_is_no_claim(tmp_path: Path) -> None:
    """Who waits at a file that its holder removes finds the slot over, or claims it anew."""
    one, other = FileClaims(tmp_path, "s"), FileClaims(tmp_path, "s")
    assert one.claim(0)
    one.release(0)
    assert other.is_free(0)
    assert other.claim(0)
    assert not one.claim(0)
    other.close()
