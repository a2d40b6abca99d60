"""Reading YAML as DVC reads it, and adding an entry to it without touching the rest."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml

from notedecay.core.errors import UserError

COPIED = (
    "'dvc exp run -S' would change nothing in what it copies; write shared values under 'defaults:'"
)


class _Loader(yaml.SafeLoader):
    """Reads what DVC reads.

    ``1e-3`` is a number, as in YAML 1.2, and a key that is there twice is refused. SafeLoader
    takes the one for text, and the last of the other. Merge keys and aliases are refused too.
    """

    def compose_node(self, parent: Any, index: Any) -> yaml.Node | None:
        if self.check_event(yaml.AliasEvent):
            mark = self.peek_event().start_mark  # type: ignore[no-untyped-call]
            raise _refusal(f"an alias (*) is not allowed: {COPIED}", mark)
        node: yaml.Node | None = super().compose_node(parent, index)
        return node

    def compose_mapping_node(self, anchor: Any) -> yaml.MappingNode:
        node = super().compose_mapping_node(anchor)
        seen: set[tuple[str, str]] = set()
        for key in (key for key, _ in node.value if isinstance(key, yaml.ScalarNode)):
            if key.tag == "tag:yaml.org,2002:merge":
                raise _refusal(f"'<<' is not allowed: {COPIED}", key.start_mark)
            if (key.tag, key.value) in seen:
                raise _refusal(f"the key '{key.value}' is there twice", key.start_mark)
            seen.add((key.tag, key.value))
        return node


def _refusal(why: str, mark: yaml.Mark) -> yaml.composer.ComposerError:
    return yaml.composer.ComposerError(None, None, why, mark)


_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:float", re.compile(r"[-+]?[0-9]+[eE][-+]?[0-9]+$"), list("-+0123456789")
)


def read_yaml(path: Path) -> Any:
    """Read a YAML file.

    Raises
    ------
    UserError
        For a file that is missing, not UTF-8 or not YAML, a key that is there twice, a
        merge key (``<<``) and an alias (``*``).
    """
    text = read_text(path)
    try:
        return yaml.load(text, _Loader)  # a SafeLoader
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        where = f"{path} cannot be used" if COPIED in str(error) else f"{path} is not YAML"
        raise UserError(f"{where}: {' '.join(str(error).split())}") from error


def read_text(path: Path) -> str:
    """Read a text file in UTF-8.

    Raises
    ------
    UserError
        For a file that is missing or not UTF-8.
    """
    try:
        with path.open(encoding="utf-8", newline="") as file:  # line ends as they are
            return file.read()
    except UnicodeDecodeError as error:
        raise UserError(f"{path} is not text in UTF-8: save it as such") from error
    except OSError as error:
        raise UserError(
            f"cannot read {path}: {error.strerror}; run inside the project folder"
        ) from error


def with_entry(text: str, group: str, name: str) -> str:
    """Add ``name: {}`` as the last entry of a top-level mapping of a YAML text.

    Parameters
    ----------
    text : str
        YAML.
    group : str
        Key of a mapping at the top level, which is written over several lines.
    name : str
        The new key.

    Returns
    -------
    str
        The text with one line more; comments, order and layout are kept.

    Raises
    ------
    ValueError
        Where the mapping is not there, or is written in one line.
    """
    root = yaml.compose(text, _Loader)
    pairs = root.value if isinstance(root, yaml.MappingNode) else []
    found = next((value for key, value in pairs if key.value == group), None)
    if not isinstance(found, yaml.MappingNode) or found.flow_style:
        raise ValueError(f"'{group}:' is not a mapping over several lines")
    indent = found.value[0][0].start_mark.column
    end = found.value[-1][1].end_mark
    lines = text.splitlines(keepends=True)
    stop = min(len(lines), end.line + (end.column > 0))
    # The mapping ends before what follows it; blank lines and comments there stay behind it.
    while _stands_between(lines[stop - 1], indent):
        stop -= 1
    ending = "\r\n" if lines[0].endswith("\r\n") else "\n"
    before = "".join(lines[:stop]).rstrip("\r\n")
    key = name if yaml.load(name, _Loader) == name else f"'{name}'"
    return f"{before}{ending}{' ' * indent}{key}: {{}}{ending}{''.join(lines[stop:])}"


def _stands_between(line: str, indent: int) -> bool:
    """Whether a line is blank, or a comment that is no deeper than the entries of a mapping."""
    content = line.lstrip()
    return not content or (content.startswith("#") and len(line) - len(content) <= indent)
