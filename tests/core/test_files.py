from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import pytest

from notedecay.core.errors import UserError
from notedecay.core.files import replacing, replacing_folder


def test_a_file_is_replaced_once_it_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "new" / "a.txt"
    with replacing(path) as partial:
        partial.write_text("one")
        assert not path.exists()
    with suppress(KeyError), replacing(path) as partial:
        partial.write_text("half")
        raise KeyError
    assert path.read_text() == "one"
    assert [p.name for p in path.parent.iterdir()] == ["a.txt"]


def test_a_folder_is_replaced_once_it_is_whole(tmp_path: Path) -> None:
    folder = tmp_path / "new" / "folder"
    for word in ("one", "two"):
        with replacing_folder(folder) as partial:
            (partial / f"{word}.txt").write_text(word)
    with suppress(KeyError), replacing_folder(folder) as partial:
        (partial / "half.txt").write_text("half")
        raise KeyError
    assert [p.name for p in folder.iterdir()] == ["two.txt"]
    assert [p.name for p in folder.parent.iterdir()] == ["folder"]


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(UserError, match="cannot be written"), replacing(tmp_path / "file" / "x"):
        pass
    folder = replacing_folder(tmp_path / "file" / "x")
    with pytest.raises(UserError, match="cannot be written"), folder:
        pass


@pytest.mark.parametrize("name", ["x" * 251 + ".wav", "é" * 125 + ".wav", "x" + "é" * 127])
def test_a_name_as_long_as_the_file_system_takes_is_written(tmp_path: Path, name: str) -> None:
    for text in ("one", "two"):
        with replacing(tmp_path / "files" / name) as partial:
            partial.write_text(text)
        with replacing_folder(tmp_path / "folders" / name) as partial:
            (partial / text).touch()
    assert (tmp_path / "files" / name).read_text() == "two"
    assert [p.name for p in (tmp_path / "files").iterdir()] == [name]
    assert [p.name for p in (tmp_path / "folders" / name).iterdir()] == ["two"]
    assert [p.name for p in (tmp_path / "folders").iterdir()] == [name]
