"""The cache of what is measured of notes: whole files or none, shared, and of bounded size."""

from __future__ import annotations

from multiprocessing import get_context
from pathlib import Path

import numpy as np
import pytest

from notedecay.models.note_cache import NoteCache

LEVELS = {"levels": np.linspace(0, 1, 100, dtype=np.float32), "count": np.array([3, 4])}


def test_arrays_come_back_bit_for_bit(tmp_path: Path) -> None:
    NoteCache(tmp_path / "new").write("v1", "ab", LEVELS)
    found = NoteCache(tmp_path / "new").read("v1", "ab")
    assert found is not None
    assert found.keys() == LEVELS.keys()
    for name, array in LEVELS.items():
        assert found[name].dtype == array.dtype
        assert np.array_equal(found[name], array)


def test_other_notes_and_other_versions_are_not_found(tmp_path: Path) -> None:
    cache = NoteCache(tmp_path)
    cache.write("v1", "ab", LEVELS)
    assert cache.read("v1", "ac") is None
    assert cache.read("v2", "ab") is None


@pytest.mark.parametrize("kept", [0, 1, 100, -1])
def test_a_damaged_file_counts_as_missing_and_is_replaced(tmp_path: Path, kept: int) -> None:
    cache = NoteCache(tmp_path)
    cache.write("v1", "ab", LEVELS)
    [file] = tmp_path.rglob("*.npz")
    file.write_bytes(file.read_bytes()[:kept])
    assert cache.read("v1", "ab") is None
    cache.write("v1", "ab", LEVELS)
    assert cache.read("v1", "ab") is not None


def test_a_flipped_bit_is_noticed(tmp_path: Path) -> None:
    cache = NoteCache(tmp_path)
    cache.write("v1", "ab", LEVELS)
    [file] = tmp_path.rglob("*.npz")
    data = bytearray(file.read_bytes())
    data[data.index(LEVELS["levels"].tobytes()) + 17] ^= 4
    file.write_bytes(data)
    assert cache.read("v1", "ab") is None


def test_a_folder_that_cannot_be_written_is_no_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    cache = NoteCache(tmp_path / "file" / "targets")
    cache.write("v1", "ab", LEVELS)
    assert cache.read("v1", "ab") is None


def size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def test_a_full_cache_keeps_what_it_has_and_drops_other_versions(tmp_path: Path) -> None:
    limit = 10_000
    for number in range(40):
        NoteCache(tmp_path, limit).write("v1", f"a{number}", LEVELS)
    first = sum(NoteCache(tmp_path).read("v1", f"a{n}") is not None for n in range(40))
    assert 5 < first < 25
    assert NoteCache(tmp_path).read("v1", "a0") is not None
    one = size(tmp_path) / first
    assert size(tmp_path) <= limit + one
    cache = NoteCache(tmp_path, limit)
    for number in range(40):
        cache.write("v2", f"a{number}", LEVELS)
    assert cache.read("v2", "a0") is not None
    assert cache.read("v1", "a0") is None
    assert size(tmp_path) <= limit + one


def _write_and_read(folder: Path) -> bool:
    cache = NoteCache(folder)
    for _ in range(50):
        cache.write("v1", "ab", LEVELS)
        found = cache.read("v1", "ab")
        if found is None or not np.array_equal(found["levels"], LEVELS["levels"]):
            return False
    return True


def test_several_processes_may_write_the_same_note_at_once(tmp_path: Path) -> None:
    with get_context("spawn").Pool(3) as pool:
        assert pool.map(_write_and_read, [tmp_path] * 3) == [True] * 3
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == ["ab.npz"]
