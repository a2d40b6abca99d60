"""What is told while a stage goes on."""

from __future__ import annotations

from io import StringIO

from rich.console import Console

from notedecay.experiments.bars import Bars


def test_a_warning_is_printed_as_it_is_on_one_line():
    told = StringIO()
    line = "layer front.stack.3 (BatchNorm1d) [1] is " + "long " * 40
    with Bars(Console(file=told, width=60)) as bars:
        bars.warn(line)
    assert f"warning: {line}" in told.getvalue()
