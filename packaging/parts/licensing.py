"""Licences of parts: which one holds, whether the program may carry it, and where its text is."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from importlib.metadata import Distribution, PackageNotFoundError
from importlib.metadata import distribution as distribution_named
from pathlib import Path
from typing import Any

from license_expression import ExpressionError, LicenseSymbol, LicenseWithExceptionSymbol, Licensing, get_spdx_licensing

HERE = Path(__file__).resolve().parent
TEXTS = HERE / "texts"
"""Licences to whose text others only refer, by SPDX id without "-only" or "-or-later"; and notices kept by hand."""
APACHE = HERE.parents[1] / "resources" / "licences" / "Apache-2.0.txt"
NAMED_LIKE_A_LICENCE = re.compile(r"(licen[cs]e|copying|copyright|notice|authors|third.?party)", re.IGNORECASE)
NO_TEXT = frozenset({".py", ".pyc", ".so", ".json", ".html"})


@dataclass(frozen=True)
class Known:
    """What is written down by hand of a part."""

    licence: str = ""
    name: str = ""
    source: str = ""
    note: str = ""
    called: str = ""
    """A regular expression for how texts of licences call it, where not by its name."""
    like: str = ""
    """A distribution whose texts speak of it, where those of the one that it is in do not."""
    text: str = ""
    """The file in ``texts/`` with its own notice, where nothing that carries it has one."""


@cache
def _table() -> dict[str, Any]:
    return tomllib.loads((HERE / "known.toml").read_text(encoding="utf-8"))


@cache
def _spdx() -> Licensing:
    return get_spdx_licensing()


def known_distribution(name: str) -> Known:
    return Known(**_table()["distributions"].get(name.lower(), {}))


def known_library(file_name: str) -> Known | None:
    """The library that a file is, by its name; None where the name says nothing."""
    for entry in _table()["libraries"]:
        if re.fullmatch(entry["files"], file_name.lower()):
            return Known(**{key: value for key, value in entry.items() if key != "files"})
    return None


def known_system_package(package: str, source_package: str) -> str:
    """The licence of one of Debian's packages, by its own name or else by that of its source; or ""."""
    table = _table()["debian"]
    return str(table.get(package) or table.get(source_package, ""))


def is_expression(text: str) -> bool:
    """Whether it is an SPDX expression; licences of one's own are called LicenseRef-..., as SPDX has it."""
    try:
        keys = _spdx().license_keys(text)
    except ExpressionError:
        return False
    spdx = _spdx().known_symbols
    return bool(keys) and all(key in spdx or key.startswith("LicenseRef-") for key in keys)


def licence_of(distribution: Distribution) -> str:
    """An SPDX expression: what is known by hand, else what the distribution says of itself; "" if neither helps."""
    if by_hand := known_distribution(distribution.name).licence:
        return by_hand
    said = distribution.metadata.get("License-Expression") or distribution.metadata.get("License") or ""
    return said if is_expression(said) else ""


def needs_gpl(expression: str) -> bool:
    """Whether the part can be had under no other terms than those of the GPL or AGPL, without an exception.

    The LGPL is another licence: it asks that its library can be replaced, which a folder of shared libraries allows.
    """
    return not _allowed(_spdx().parse(expression))


def _allowed(expression: Any) -> bool:
    if isinstance(expression, LicenseWithExceptionSymbol):
        return True
    if isinstance(expression, LicenseSymbol):
        return not expression.key.startswith(("GPL-", "AGPL-"))
    choose = any if type(expression).__name__ == "OR" else all
    return choose(_allowed(part) for part in expression.args)


def texts_of(distribution: Distribution) -> Iterator[tuple[str, Path]]:
    """The distribution's own files about licences and what is inside it, each with the path to keep it under."""
    described, elsewhere = [], []
    for file in distribution.files or ():
        if file.suffix.lower() in NO_TEXT or not NAMED_LIKE_A_LICENCE.match(file.name):
            continue
        (described if ".dist-info" in file.parts[0] else elsewhere).append(file)
    for file in described or elsewhere:
        path = Path(str(distribution.locate_file(file)))
        if path.is_file():
            inside = [part for part in file.parts[1 if described else 0 :] if part != "licenses"]
            yield "/".join((kept_in(distribution.name, distribution.version), *inside)), path


def bills_of(distribution: Distribution) -> Iterator[Path]:
    """The bills of materials in CycloneDX that its wheel carries (PEP 770), of what was compiled or put into it."""
    for file in distribution.files or ():
        if file.match("*.dist-info/sboms/*.json"):
            yield Path(str(distribution.locate_file(file)))


def linked(bills: Iterable[Path]) -> list[dict[str, Any]]:
    """What such bills name: crates and C libraries inside of extension modules, each once. What is "optional" in one is
    not in the wheel, or is a file of its own there."""
    named = [entry for path in bills for entry in json.loads(path.read_bytes()).get("components", ())]
    inside = {
        (entry["name"], entry.get("version", "")): entry
        for entry in named
        if entry.get("scope", "required") == "required"
    }
    return [entry for _, entry in sorted(inside.items())]


def licences_said(entry: dict[str, Any]) -> list[str]:
    """The licences of an entry of a bill: one expression, or any number of ids and names."""
    said = entry.get("licenses") or []
    texts = [one.get("expression") or one["license"].get("id") or one["license"].get("name", "") for one in said]
    return [text for text in texts if text]


def kept_in(name: str, version: str) -> str:
    """The name of the folder for a part's texts."""
    return re.sub(r"[^\w.+-]+", "-", f"{name}-{version}".strip("-"))


def texts_in(holder: str, library: Known) -> Iterator[tuple[str, Path]]:
    """The texts of the distribution ``holder`` that speak of the library inside of it, else those of one like it."""
    about = re.compile(library.called or re.escape(library.name), re.IGNORECASE)
    for name in filter(None, (holder, library.like)):
        found = [(place, path) for place, path in _installed_texts(name) if about.search(place + "\n" + _read(path))]
        if found:
            return iter(found)
    return kept_by_hand(library)


@cache
def _installed_texts(name: str) -> list[tuple[str, Path]]:
    try:
        return list(texts_of(distribution_named(name)))
    except PackageNotFoundError:
        return []


@cache
def _read(path: Path) -> str:
    return path.read_text(encoding="utf-8", errors="replace")


def kept_by_hand(part: Known) -> Iterator[tuple[str, Path]]:
    if part.text:
        yield f"notices/{part.text}", TEXTS / part.text


def general_texts(expression: str) -> Iterator[tuple[str, Path]]:
    """The texts that an expression names and that are the same for everyone: the GPL's family, Apache's, Mozilla's."""
    for key in _spdx().license_keys(expression):
        stem = key.removesuffix("-only").removesuffix("-or-later")
        # The LGPL 3 is written as additions to the GPL.
        for name in (stem, "GPL-3.0") if stem == "LGPL-3.0" else (stem,):
            path = APACHE if name == "Apache-2.0" else TEXTS / f"{name}.txt"
            if path.is_file():
                yield f"general/{path.name}", path


def is_general(expression: str) -> bool:
    """Whether the general texts say all: a licence with a notice of its makers in it (MIT, BSD) has none in general."""
    named = {Path(name).stem for name, _ in general_texts(expression)}
    keys = _spdx().license_keys(expression)
    return all(key.removesuffix("-only").removesuffix("-or-later") in named for key in keys)
