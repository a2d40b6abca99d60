from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notedecay.core.errors import UserError
from notedecay.data import pitch, split
from notedecay.data.note import Note


def note(midi: int, take: str = "ff", flags: tuple[str, ...] = ()) -> Note:
    name = pitch.name(midi)
    return Note(
        f"piano/{take}/{name}", "piano", midi, name, take, None, f"piano/{take}/{name}.wav",
        0.0, 3.0, 44100, 1, "somewhere", "free", flags=flags,
    )  # fmt: skip


def notes(count: int, takes: tuple[str, ...] = ("pp", "ff")) -> list[Note]:
    return [note(40 + i, take) for take in takes for i in range(count)]


@given(st.integers(10, 88), st.floats(0.05, 0.15), st.floats(0.05, 0.15), st.integers(0, 2**32 - 1))
def test_any_split_is_whole_and_leaks_nothing(
    count: int, validation: float, test: float, seed: int
) -> None:
    own = notes(count)
    parts = split.split(own, validation=validation, test=test, seed=seed)
    split.audit(parts, own)
    assert sorted(i for ids in parts.values() for i in ids) == sorted(n.id for n in own)
    assert len(parts["validation"]) == 2 * max(1, round(validation * count))
    assert len(parts["test"]) == 2 * max(1, round(test * count))
    assert parts == split.split(own, validation=validation, test=test, seed=seed)


@given(
    st.dictionaries(st.integers(21, 108), st.integers(1, 6), min_size=12, max_size=40),
    st.integers(0, 2**32 - 1),
)
def test_all_takes_of_a_pitch_are_in_one_part(takes: dict[int, int], seed: int) -> None:
    own = [note(midi, f"v{k:03}") for midi, count in takes.items() for k in range(count)]
    parts = split.split(own, validation=0.15, test=0.15, seed=seed)
    of = {n.id: n.pitch for n in own}
    assert sorted(i for ids in parts.values() for i in ids) == sorted(of)
    pitches = [{of[i] for i in ids} for ids in parts.values()]
    assert sum(len(some) for some in pitches) == len(set().union(*pitches)) == len(takes)


def test_held_out_pitches_lie_between_learned_ones_all_over_the_range() -> None:
    own = notes(85)
    by_id = {n.id: n.pitch for n in own}
    for seed in range(20):
        parts = split.split(own, validation=0.15, test=0.15, seed=seed)
        learned = {by_id[i] for i in parts["train"]}
        for part in ("validation", "test"):
            held = sorted({by_id[i] for i in parts[part]})
            gaps = [b - a for a, b in zip([40, *held], [*held, 124], strict=True)]
            assert max(gaps) <= 14
            assert all(
                learned & set(range(p - 3, p)) and learned & set(range(p + 1, p + 4)) for p in held
            )


def test_seeds_differ() -> None:
    own = notes(40)
    assert split.split(own, validation=0.15, test=0.15, seed=1) != split.split(
        own, validation=0.15, test=0.15, seed=2
    )


def test_flagged_notes_are_nowhere() -> None:
    own = [*notes(12), note(45, "mf", ("silent",))]
    parts = split.split(own, validation=0.1, test=0.1, seed=0)
    assert "piano/mf/A2" not in [i for ids in parts.values() for i in ids]


def test_pitches_of_flagged_notes_alone_do_not_count() -> None:
    good = notes(20)
    flagged = [note(midi, flags=("clipped",)) for midi in (30, 39, 60, 61, 90)]
    parts = split.split([*flagged[:2], *good, *flagged[2:]], validation=0.15, test=0.15, seed=4)
    assert parts == split.split(good, validation=0.15, test=0.15, seed=4)


@pytest.mark.parametrize("count", [0, 1, 4])
def test_too_few_pitches_are_told(count: int) -> None:
    with pytest.raises(UserError, match=f"{count} pitches are too few"):
        split.split(notes(count), validation=0.15, test=0.15, seed=0)


@pytest.mark.parametrize(("validation", "test"), [(0.3, 0.3), (0.5, 0.1), (0.05, 0.5), (0.9, 0.9)])
def test_no_more_than_half_of_the_pitches_can_be_held_out(validation: float, test: float) -> None:
    """More would leave held-out pitches without a learned one beside them."""
    with pytest.raises(UserError, match=r"20 pitches are too few for training when \d+ are held"):
        split.split(notes(20), validation=validation, test=test, seed=0)


def test_every_second_of_the_inner_pitches_can_be_held_out() -> None:
    own = notes(14)
    parts = split.split(own, validation=0.2, test=0.2, seed=0)
    split.audit(parts, own)
    assert {part: len(ids) // 2 for part, ids in parts.items()} == {
        "train": 8, "validation": 3, "test": 3,
    }  # fmt: skip


@pytest.mark.parametrize("held", range(2, 21))
def test_a_split_trains_on_at_least_half_of_the_inner_pitches(held: int) -> None:
    own = notes(22)
    try:
        parts = split.split(own, validation=1 / 22, test=(held - 1) / 22, seed=held)
    except UserError:
        assert held > 10
    else:
        assert held <= 10
        assert len(parts["train"]) // 2 == 22 - held


def test_an_audit_finds_every_fault() -> None:
    own = [*notes(12), note(60, "mf", ("silent",))]
    good = split.split(own, validation=0.1, test=0.1, seed=0)

    def changed(part: str, ids: list[str]) -> split.Split:
        return {**good, part: ids}

    leak = good["validation"][0]
    for bad, words in (
        (changed("train", [*good["train"], "piano/mf/C4"]), "flagged or unknown"),
        (changed("train", [*good["train"], leak]), "twice"),
        (changed("train", good["train"][1:]), "lacks"),
        (
            {
                "train": [*good["train"], leak],
                "validation": good["validation"][1:],
                "test": good["test"],
            },
            "is both in",
        ),
        ({"train": [i for ids in good.values() for i in ids], "test": []}, "is empty"),
    ):
        with pytest.raises(UserError, match=words):
            split.audit(bad, own)


def test_a_split_comes_back_from_its_file(tmp_path: Path) -> None:
    parts = split.split(notes(12), validation=0.1, test=0.1, seed=0)
    split.write(parts, tmp_path / "split.json")
    assert split.read(tmp_path / "split.json") == parts
    (tmp_path / "bad.json").write_text("[]")
    for name, words in {"none.json": "no such split", "bad.json": "is not a split"}.items():
        with pytest.raises(UserError, match=words):
            split.read(tmp_path / name)
