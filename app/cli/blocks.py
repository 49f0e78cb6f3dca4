"""A table that is never wider than the terminal: columns that have no room beside the others follow below them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rich.console import Console
from rich.table import Table
from rich.text import Text

GAP = 2
"""Letters between columns."""


@dataclass(frozen=True)
class Line:
    """``cells`` hold rich's markup; the first names the line."""

    cells: tuple[str, ...]
    style: str = ""


def show(console: Console, headers: Sequence[str], lines: Sequence[Line]) -> None:
    """Print the lines in as many blocks as are needed, each of which begins with the lines' names.

    Nothing is cut or folded: what is wider than the terminal by itself runs over its end.
    """
    for number, columns in enumerate(_fitting(console.width, headers, lines)):
        if number:
            console.print("")
        table = Table(box=None, pad_edge=False)
        for column in (0, *columns):
            table.add_column(headers[column], no_wrap=True, min_width=_width(column, headers, lines))
        for line in lines:
            table.add_row(*(line.cells[column] for column in (0, *columns)), style=line.style)
        console.print(table)


def _fitting(width: int, headers: Sequence[str], lines: Sequence[Line]) -> Iterator[list[int]]:
    """The columns after the first, as they stand side by side: at least one at a time."""
    names_width = _width(0, headers, lines)
    block: list[int] = []
    taken = names_width
    for column in range(1, len(headers)):
        needed = GAP + _width(column, headers, lines)
        if block and taken + needed > width:
            yield block
            block, taken = [], names_width
        block.append(column)
        taken += needed
    if block:
        yield block


def _width(column: int, headers: Sequence[str], lines: Sequence[Line]) -> int:
    cells = [headers[column], *(line.cells[column] for line in lines)]
    return max(Text.from_markup(cell).cell_len for cell in cells)
