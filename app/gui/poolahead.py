"""The pool of the query that comes next, asked for before it is needed."""

from __future__ import annotations

from PySide6.QtCore import QObject, Signal

from app.engine.errors import AppError
from app.engine.judgingtypes import JudgingOrder, Pool
from app.gui.engine import Engine

Wanted = tuple[int, int, str, JudgingOrder]
"""Query, depth, judge, order."""


class PoolAhead(QObject):
    """Holds one pool at most. ``arrived`` when it is there."""

    arrived = Signal()

    def __init__(self, engine: Engine, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._engine = engine
        self._wanted: Wanted | None = None
        self.pool: Pool | None = None

    def ask(self, wanted: Wanted) -> None:
        """Ask for a pool; what was asked for before is dropped."""
        if wanted == self._wanted:
            return
        self._wanted, self.pool = wanted, None

        def done(pool: Pool) -> None:
            if wanted is self._wanted:  # and not the same ids, which name another query in another library
                self.pool = pool
                self.arrived.emit()

        def failed(_error: AppError) -> None:  # told when the query is turned to
            if wanted is self._wanted:
                self.drop()

        query_id, depth, judge, order = wanted
        self._engine.request(
            "evaluations_pool", query_id, depth=depth, judge=judge, order=order, on_done=done, on_failed=failed
        )

    def take(self, wanted: Wanted) -> Pool | None:
        """The pool, if it is this one and there; it is not held any longer."""
        pool = self.pool if wanted == self._wanted else None
        self.drop()
        return pool

    def drop(self) -> None:
        self._wanted = self.pool = None
