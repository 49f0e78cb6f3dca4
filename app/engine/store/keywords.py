"""Searching by words: in names, folders and captions, by FTS5, and in labels."""

from __future__ import annotations

import json
import re
import unicodedata

from app.engine.store.database import Database
from app.engine.store.filters import file_condition, label_condition
from app.engine.store.integrity import path_bytes
from app.engine.store.labels import SOUND_LABEL
from app.engine.types import Filters

WORD = re.compile(r"\w+")


class Keywords:
    """What the words of one library know."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def find(self, words: str, filters: Filters, limit: int) -> dict[int, list[bytes]]:
        """The first item of each file whose name, folders or caption hold all the words, with the paths of these
        files, best first; then the items whose labels hold them, the likeliest first.

        The last word may be the beginning of one. Names count double: BM25 with column weights, by FTS5.
        """
        expression = _match_expression(words)
        if not expression:
            return {}
        conditions, values = file_condition(filters)
        labelled, names = label_condition(filters)
        rows = self._database.read.execute(
            f"SELECT (SELECT i.id FROM items i WHERE i.content_id = c.id AND {labelled} "
            "ORDER BY i.kind = 'audio', i.start_ms LIMIT 1) "
            "AS item, CAST(f.path AS BLOB) FROM words JOIN files f ON f.id = words.rowid "
            f"JOIN contents c ON c.id = f.content_id WHERE words MATCH ? AND item IS NOT NULL AND {conditions} "
            "ORDER BY bm25(words, 2.0, 1.0, 1.5), f.path LIMIT ?",
            (*names, expression, *values, limit),
        )
        found: dict[int, list[bytes]] = {}
        for item_id, path in rows:
            found.setdefault(item_id, []).append(path_bytes(path))
        for item_id in self._by_labels(words, filters, limit - len(found)):
            found.setdefault(item_id, [])
        return found

    def _by_labels(self, words: str, filters: Filters, limit: int) -> list[int]:
        """The items whose labels, taken together, hold all the words, the likeliest first."""
        rows = self._database.read.execute(f"SELECT l.id, l.name FROM labels l WHERE {SOUND_LABEL}").fetchall()
        tokens = _tokens(words)
        begun = tokens[-1:]  # the last word may be the beginning of one
        named = {label_id: _tokens(name) for label_id, name in rows}
        meant = [[label_id for label_id, own in named.items() if token in own] for token in tokens[:-1]]
        meant += [[key for key, own in named.items() if any(one.startswith(begun[0]) for one in own)]] if begun else []
        if limit <= 0 or not meant or not all(meant):
            return []
        conditions, values = file_condition(filters)
        labelled, names = label_condition(filters)
        each = " AND ".join(
            ["i.id IN (SELECT item_id FROM item_labels WHERE label_id IN (SELECT value FROM json_each(?)))"]
            * len(meant)
        )
        anything = json.dumps(sorted({label_id for ids in meant for label_id in ids}))
        found = self._database.read.execute(
            f"SELECT i.id FROM items i JOIN contents c ON c.id = i.content_id WHERE {each} AND {labelled} "
            f"AND EXISTS (SELECT 1 FROM files f WHERE f.content_id = c.id AND {conditions}) "
            "ORDER BY (SELECT max(il.score) FROM item_labels il WHERE il.item_id = i.id "
            "AND il.label_id IN (SELECT value FROM json_each(?))) DESC, i.id LIMIT ?",
            (*map(json.dumps, meant), *names, *values, anything, limit),
        )
        return [item_id for (item_id,) in found]


def _tokens(text: str) -> list[str]:
    """The words of a text as FTS5's tokenizer compares them: folded, without accents."""
    bare = "".join(mark for mark in unicodedata.normalize("NFKD", text) if not unicodedata.combining(mark))
    return WORD.findall(bare.replace("_", " ").casefold())


def _match_expression(words: str) -> str:
    """The words as an FTS5 expression: each quoted, so that no character of a user's is an operator."""
    found = WORD.findall(unicodedata.normalize("NFC", words).replace("_", " "))  # accents on their own are no letters
    return " AND ".join(f'"{word}"' for word in found) + "*" if found else ""
