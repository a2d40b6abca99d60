"""An entry added to a YAML text leaves the rest as it is."""

from __future__ import annotations

import pytest
import yaml

from notedecay.core.yaml_file import with_entry


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("top:\n  a: {}\n", "top:\n  a: {}\n  new: {}\n"),
        ("top:\n  a: {}", "top:\n  a: {}\n  new: {}\n"),
        ("top:\n  a: {}  # mine\n", "top:\n  a: {}  # mine\n  new: {}\n"),
        ("top:\n    a:\n      b: 1\n", "top:\n    a:\n      b: 1\n    new: {}\n"),
        ("top:\n  a: {}\n\n# end\n", "top:\n  a: {}\n  new: {}\n\n# end\n"),
        ("top:\n  a: {}\n\nrest: 1\n", "top:\n  a: {}\n  new: {}\n\nrest: 1\n"),
        ("top:\n  a:\n    b: 1\n    # c: 2\n", "top:\n  a:\n    b: 1\n    # c: 2\n  new: {}\n"),
        ("top:\n  a:\n    b: [1,\n      2]\n", "top:\n  a:\n    b: [1,\n      2]\n  new: {}\n"),
        ("top:\r\n  a: {}\r\nb: 1\r\n", "top:\r\n  a: {}\r\n  new: {}\r\nb: 1\r\n"),
    ],
)
def test_the_entry_is_the_last_of_its_group(before: str, after: str) -> None:
    made = with_entry(before, "top", "new")
    assert made == after
    values = yaml.safe_load(before)
    values["top"]["new"] = {}
    assert yaml.safe_load(made) == values


@pytest.mark.parametrize("name", ["1", "1e3", "true", "null", "2024-01-01"])
def test_a_name_that_yaml_takes_for_a_value_is_quoted(name: str) -> None:
    assert yaml.safe_load(with_entry("top:\n  a: {}\n", "top", name))["top"] == {"a": {}, name: {}}


@pytest.mark.parametrize("text", ["", "other: 1\n", "top: {a: {}}\n", "top: 3\n"])
def test_a_group_that_is_not_over_several_lines_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="'top:' is not a mapping over several lines"):
        with_entry(text, "top", "new")
