"""Markdown tables."""

from __future__ import annotations

from collections.abc import Iterable, Sequence


def table(columns: Sequence[str], body: Iterable[Sequence[str]]) -> str:
    """Write a table.

    Parameters
    ----------
    columns : sequence of str
        Headings.
    body : iterable of sequence of str
        Rows, each as long as ``columns``.

    Returns
    -------
    str
        Markdown, with a line break at its end.

    Examples
    --------
    >>> print(table(["note", "T60"], [["C4", "6.1 s"]]), end="")
    | note | T60 |
    | --- | --- |
    | C4 | 6.1 s |
    """
    lines = [columns, ["---"] * len(columns), *body]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines) + "\n"
