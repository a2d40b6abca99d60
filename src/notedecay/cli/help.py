"""Help of the command: its commands in groups, in plain text.

Typer draws groups with Rich, whose import takes longer than everything else of ``--help``.
"""

from __future__ import annotations

from typing import Any

from typer.core import TyperGroup


class GroupedCommands(TyperGroup):
    """Commands listed below the name of their ``rich_help_panel``, in order of registration."""

    def format_commands(self, ctx: Any, formatter: Any) -> None:  # noqa: ARG002
        """Write a list of commands for each group."""
        groups: dict[str, list[tuple[str, str]]] = {}
        for name, command in self.commands.items():
            group = str(getattr(command, "rich_help_panel", "Commands"))
            groups.setdefault(group, []).append((name, command.get_short_help_str(limit=200)))
        widest = max(len(name) for name in self.commands)
        for group, rows in groups.items():
            with formatter.section(group):
                formatter.write_dl([(name.ljust(widest), text) for name, text in rows])
