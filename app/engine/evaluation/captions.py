"""Files of captions: tables with a header row, JSON lines, and the captions of COCO."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from app.engine.errors import AppError
from app.engine.types import printable

FILE_NAMES = ("file", "filename", "file_name", "filepath", "file_path", "path", "image", "image_path", "img", "photo",
              "audio", "sound", "video", "clip")  # fmt: skip
TEXT_NAMES = ("caption", "captions", "text", "description", "sentence", "title", "comment", "query")
"""What the columns are called, the likelier names first; upper and lower case are one."""

DELIMITERS = "\t;,|"
TITLE = "This captions file cannot be read"
_LANGUAGE = re.compile(r"(?:(?P<sure>[:@])|[_\-. ])(?P<tag>[a-z]{2,3}(?:-[a-z0-9]{2,8})*)", re.IGNORECASE)


@dataclass(frozen=True)
class Caption:
    """What is said of a file. ``file`` is as the table has it; ``translations`` say it in other languages, by tag."""

    file: str
    text: str
    translations: Mapping[str, str] = field(default_factory=dict)


def read_captions(data: bytes, path: str) -> list[Caption]:
    """The captions of a file, in their order; rows without a caption are left out.

    A table has a header row, by which the columns are found (`FILE_NAMES`, `TEXT_NAMES`), and tabs, semicolons, commas
    or bars between them. A column ``caption_de`` or ``caption:de`` holds the caption in that language. JSON may be a
    row a line, a list of rows, or COCO's ``images`` and ``annotations``.

    Raises:
        AppError: it is not UTF-8, has no such columns, or no caption at all.
    """
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise AppError(TITLE, "It is not in UTF-8. Save it as “CSV UTF-8”, and import it again.", path) from None
    begins = text.lstrip()[:1]
    rows = _json_rows(text, path) if begins in ("{", "[") else _table_rows(text, path)
    captions = [caption for row in rows if (caption := _caption(*row))]
    if not captions:
        raise AppError("There is no caption in this file", "It has the columns, and no row with a caption.", path)
    return captions


_Row = tuple[object, object, dict[str, object]]
"""File, caption and translations as they stand there."""


def _caption(file: object, text: object, translations: Mapping[str, object]) -> Caption | None:
    name, words = str(file or "").strip(), _words(text)
    said = {language: _words(other) for language, other in translations.items()}
    return (
        Caption(name, words, {language: other for language, other in said.items() if other}) if name and words else None
    )


def _words(text: object) -> str:
    return printable(" ".join(str(text or "").split()))


@dataclass(frozen=True)
class _Columns:
    """The names of the columns, as they stand there."""

    file: str
    text: str
    languages: Mapping[str, str]

    def of(self, get: Callable[[str], object]) -> _Row:
        return get(self.file), get(self.text), {tag: get(name) for tag, name in self.languages.items()}


def _columns(names: Sequence[str]) -> _Columns | None:
    """The columns of files and captions among these, if both are there."""
    plain = {name.strip().casefold().replace(" ", "_"): name for name in reversed(names)}
    file = next((plain[name] for name in FILE_NAMES if name in plain), None)
    text = next((plain[name] for name in TEXT_NAMES if name in plain and plain[name] != file), None)
    if file is None or text is None:
        return None
    return _Columns(file, text, {tag: name for name in names if (tag := _language(name.strip(), text.strip()))})


def _language(name: str, text: str) -> str:
    """The language that a column ``caption_de`` beside ``caption`` is in. ``caption_id`` is taken for a number;
    ``caption:id`` is Indonesian."""
    if not name.casefold().startswith(text.casefold()):
        return ""
    match = _LANGUAGE.fullmatch(name[len(text) :])
    if not match or (match["tag"].casefold() == "id" and not match["sure"]):
        return ""
    return match["tag"]


# --- tables ----------------------------------------------------------------------------------------------------------


def _table_rows(text: str, path: str) -> list[_Row]:
    header = next(iter(text.splitlines()), "")
    for delimiter in DELIMITERS:  # csv.Sniffer is misled by captions, which are full of commas; a header is not
        try:
            columns = _columns(next(csv.reader([header], delimiter=delimiter), []))
        except csv.Error:  # a name longer than any is: that of no column
            continue
        if columns:
            return _rows(text, delimiter, columns, path)
    raise AppError(
        TITLE,
        f"Its first line should name a column of files ({', '.join(FILE_NAMES[:3])}, …) and one of captions "
        f"({', '.join(TEXT_NAMES[:3])}, …), and reads {header[:80]!r}.",
        path,
    )


def _rows(text: str, delimiter: str, columns: _Columns, path: str) -> list[_Row]:
    table = csv.DictReader(io.StringIO(text, newline=""), delimiter=delimiter)
    try:
        return [columns.of(row.get) for row in table]
    except csv.Error as error:
        raise AppError(TITLE, f"Line {table.line_num} is not as a table's should be: {error}.", path) from None


# --- JSON ------------------------------------------------------------------------------------------------------------


def _json_rows(text: str, path: str) -> list[_Row]:
    try:
        whole = json.loads(text)
    except RecursionError:
        raise AppError(TITLE, "Its brackets stand in each other too deep.", path) from None
    except ValueError:
        whole = _json_lines(text, path)
    if isinstance(whole, dict) and "annotations" in whole:
        return _coco(whole, path)
    rows = whole if isinstance(whole, list) else [whole]
    found: list[_Row] = []
    for row in rows:
        columns = _columns([str(name) for name in row]) if isinstance(row, dict) else None
        if columns is None:
            raise AppError(TITLE, "Each of its entries should have a “file” and a “caption”; one has not.", path)
        found.append(columns.of(row.get))
    return found


def _json_lines(text: str, path: str) -> list[Any]:
    rows = []
    for number, line in enumerate(text.splitlines(), start=1):
        try:
            rows += [json.loads(line)] if line.strip() else []
        except (ValueError, RecursionError):
            raise AppError(TITLE, f"Line {number} is no JSON.", path) from None
    return rows


def _coco(whole: Mapping[str, Any], path: str) -> list[_Row]:
    try:
        names = {image["id"]: image["file_name"] for image in whole["images"]}
        return [(names.get(one["image_id"]), one["caption"], {}) for one in whole["annotations"]]
    except (KeyError, TypeError):
        raise AppError(
            TITLE, "It looks like COCO's, and lacks an image's “file_name” or an annotation's “caption”.", path
        ) from None
