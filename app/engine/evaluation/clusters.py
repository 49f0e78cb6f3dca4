"""Which queries count as one, because their results are not independent of each other."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

Floats = NDArray[np.float64]
Item = TypeVar("Item", bound=Hashable)

ALIKE = 1 / 3
"""Jaccard's index of what is relevant to two queries from which on they look for the same: two examples of a class of
three files have it, since neither looks for itself."""


def clusters(keys: Mapping[int, str], grades: Mapping[int, Mapping[Item, int]]) -> dict[int, int]:
    """Query id → the number of its cluster.

    Queries are of one cluster if they have the same key (the same query, judged in several sets), or the very same
    relevant items (several captions of one picture); and so are those that are linked by others. A query without
    relevant items shares none.
    """
    ids = list(keys)
    nodes: dict[Hashable, int] = {}
    edges: list[tuple[int, int]] = []
    for place, query_id in enumerate(ids):
        relevant = frozenset(item for item, grade in grades.get(query_id, {}).items() if grade > 0)
        labels: tuple[Hashable, ...] = (keys[query_id], relevant) if relevant else (keys[query_id],)
        edges += [(place, nodes.setdefault(label, len(ids) + len(nodes))) for label in labels]
    first, second = np.array(edges, dtype=np.intp).reshape(-1, 2).T
    size = len(ids) + len(nodes)
    graph = sparse.coo_array((np.ones(len(edges), np.int8), (first, second)), shape=(size, size))
    _, numbers = sparse.csgraph.connected_components(graph, directed=False)
    return dict(zip(ids, numbers.tolist(), strict=False))


def things_looked_for(grades: Sequence[Mapping[Item, int]]) -> int:
    """How many different things the queries look for: those of which the relevant items are mostly the same, as the
    examples of one class have them, look for one. A query without relevant items counts for itself."""
    items: dict[Item, int] = {}
    rows = [[items.setdefault(item, len(items)) for item, grade in given.items() if grade > 0] for given in grades]
    sizes = np.array([len(row) for row in rows], dtype=np.intp)
    columns = np.array([item for row in rows for item in row], dtype=np.intp)
    stops = np.concatenate([[0], np.cumsum(sizes)])
    relevant = sparse.csr_array((np.ones(len(columns)), columns, stops), shape=(len(rows), max(1, len(items))))
    shared = (relevant @ relevant.T).tocoo()
    first, second = shared.coords
    alike = shared.data >= ALIKE * (sizes[first] + sizes[second] - shared.data) - 1e-9
    graph = sparse.coo_array((np.ones(int(alike.sum())), (first[alike], second[alike])), shape=shared.shape)
    return int(sparse.csgraph.connected_components(graph, directed=False)[0])


def per_cluster(values: NDArray[np.floating], of_queries: NDArray[np.integer]) -> Floats:
    """(c, m): one row for each cluster, of which the mean is the mean over the queries.

    A row is the sum over a cluster's queries, by the mean size of all clusters: what queries are together is drawn
    together (the ultimate clusters of survey sampling). Where every query is its own, these are the values themselves.

    Args:
        values: (n, m) of n queries.
        of_queries: (n,) the numbers of their clusters.
    """
    rows: Floats = np.asarray(values, dtype=np.float64)
    found, places = np.unique(of_queries, return_inverse=True)
    if len(found) == len(rows):
        return rows
    sums = np.zeros((len(found), rows.shape[1]))
    np.add.at(sums, places, rows)
    return np.asarray(np.round(sums * (len(found) / len(rows)), 12))
