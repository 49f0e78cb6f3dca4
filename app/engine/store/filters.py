"""Filters as conditions of SQL."""

from __future__ import annotations

import os
from collections.abc import Sequence

from app.engine.store.files import within_condition
from app.engine.types import Filters

NS_PER_MS = 1_000_000


def below_condition(folder: bytes, but: Sequence[bytes]) -> tuple[str, tuple[bytes, ...]]:
    """A condition on ``f.path``: below ``folder`` and below none of ``but``."""
    condition, values = within_condition(folder)
    without = [within_condition(one) for one in but]
    conditions = [condition, *(f"NOT {one}" for one, _ in without)]
    return " AND ".join(conditions), (*values, *(value for _, bounds in without for value in bounds))


def file_condition(filters: Filters) -> tuple[str, tuple[object, ...]]:
    """The filters as conditions on ``f`` (files) and ``c`` (contents)."""
    conditions = [f"c.kind IN ({','.join('?' * len(filters.kinds))})"]
    values: list[object] = [*sorted(filters.kinds)]
    if filters.under is not None:
        condition, bounds = within_condition(os.fsencode(filters.under))
        conditions.append(condition)
        values.extend(bounds)
    moment = f"coalesce(c.taken_ms, f.mtime_ns / {NS_PER_MS})"
    for bound, comparison in ((filters.after_ms, ">="), (filters.before_ms, "<=")):
        if bound is not None:
            conditions.append(f"{moment} {comparison} ?")
            values.append(bound)
    return " AND ".join(conditions), tuple(values)


def label_condition(filters: Filters) -> tuple[str, tuple[str, ...]]:
    """The filter by labels as a condition on ``i`` (items)."""
    if not filters.labels:
        return "1", ()
    condition = (
        "i.id IN (SELECT item_id FROM item_labels WHERE label_id IN "
        f"(SELECT id FROM labels WHERE name IN ({','.join('?' * len(filters.labels))})))"
    )
    return condition, filters.labels
