"""The undo journal behind ``ledger.atomic()``: what to take back, with a stack of marks for nesting.

Nothing is written while no block is open. A block that ends well leaves its entries to the block around it; a block
that raises is undone backwards to its mark, and the exception goes on. Single moves stand flat in one list of
numbers, which spares the garbage collector a million small objects; everything else is a function to call.
"""

from __future__ import annotations

from collections.abc import Callable
from types import TracebackType
from typing import Any

MOVE = 5
"""Numbers per single move: asset, payer, payee, amount, flow cell."""


class Journal:
    """A context manager. ``undo_moves`` takes back single moves, given as a flat list, from the last to the first."""

    __slots__ = ("_undo_moves", "calls", "marks", "moves")

    def __init__(self, undo_moves: Callable[[list[int]], None]) -> None:
        self.moves: list[int] = []
        self.calls: list[tuple[int, Callable[..., object], tuple[Any, ...]]] = []
        self.marks: list[tuple[int, int]] = []
        self._undo_moves = undo_moves

    def add(self, undo: Callable[..., object], *arguments: Any) -> None:
        """Call ``undo(*arguments)`` on the way back, where a block is open."""
        if self.marks:
            self.calls.append((len(self.moves), undo, arguments))

    def __enter__(self) -> None:
        self.marks.append((len(self.moves), len(self.calls)))

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        moves, calls = self.marks[-1]
        try:
            if kind is not None:
                self._undo_to(moves, calls)
        finally:
            self.marks.pop()
            if not self.marks:
                self.moves.clear()
                self.calls.clear()

    def _undo_to(self, moves: int, calls: int) -> None:
        try:
            while len(self.calls) > calls:
                at, undo, arguments = self.calls.pop()
                self._undo_moves_to(at)
                undo(*arguments)
            self._undo_moves_to(moves)
        finally:
            if len(self.calls) > calls or len(self.moves) > moves:  # a call raised: undo the rest all the same
                self._undo_to(moves, calls)

    def _undo_moves_to(self, at: int) -> None:
        rows = self.moves[at:]
        if rows:
            del self.moves[at:]
            self._undo_moves(rows)
