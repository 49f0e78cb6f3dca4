"""What is known of a model, in words."""

from __future__ import annotations

from collections.abc import Iterable

from PySide6.QtCore import QLocale

from app.engine.modeltypes import InstalledFile, ModelStatus, Origin, Pin
from app.engine.types import Modality
from app.gui import theme, wording

VECTOR_BYTES = 2
"""Vectors are stored in half precision: this much for each of a model's numbers."""

MANY = "mul"
"""The language tag of a model that knows many."""

OFFERED_LANGUAGES = ("en", "de", "fr", "es", "it", "zh", "ja")
"""The languages that a person can ask for by name; a model that knows many knows these."""

ALSO_CALLED = {
    Modality.IMAGE: "photos images videos films",
    Modality.AUDIO: "music audio recordings songs",
    Modality.TEXT: "text",
}
"""What a person may call the things that a model finds, beside `compares`."""

PIN_WORDS = {
    Pin.PUBLISHED: "the checksum that its makers publish",
    Pin.HUB: "the checksum that the hub named when it was downloaded",
    Pin.FIRST_USE: "its own checksum of the first use; no published one is known",
}


def state(model: ModelStatus, busy: bool = False) -> tuple[str, str]:
    """How a model stands, and the label's role in the style sheet. ``busy``: something is being done about it."""
    if model.ready:
        return "Ready", "good"
    if model.damaged:
        return "Needs attention", "warning"
    return ("Unfinished download" if model.partial_bytes and not busy else "Not installed"), theme.Type.CAPTION


def has_files(model: ModelStatus) -> bool:
    """Whether it has files of its own here, which can be checked, packed and removed."""
    own = model.origin in (Origin.CATALOGUE, Origin.ADDED) and not model.variant_of
    return own and (model.ready or model.damaged)


def compares(model: ModelStatus) -> str:
    """``Pictures, by words or by example``."""
    kinds = [word for kind, word in ((Modality.IMAGE, "pictures"), (Modality.AUDIO, "sounds")) if kind in model.accepts]
    how = "by words or by example" if Modality.TEXT in model.accepts else "by example"
    return f"{' and '.join(kinds).capitalize()}, {how}"


def languages(tags: Iterable[str]) -> str:
    """``English, German``; ``many languages``."""
    names = ["many languages" if tag == MANY else language(tag) for tag in tags]
    return ", ".join(names)


def language(tag: str) -> str:
    """The English name of a language tag, or the tag where nobody knows it."""
    known = QLocale(tag).language()
    return tag if known is QLocale.Language.C else QLocale.languageToString(known)


def million(parameters: int) -> str:
    return f"{parameters / 1_000_000:,.0f} million"


def at_work(commercial: bool | None) -> str:
    """An answer to "may I use it at work?"."""
    if commercial is None:
        return "Use at work: not known, read the licence"
    return "May be used at work" if commercial else "Not for use at work"


def caption(model: ModelStatus) -> str:
    """The one line below a model's sentence."""
    words = [compares(model), languages(model.languages)]
    if model.origin is Origin.ADDED:
        words.append("your own")
    if model.download_bytes and not model.ready:
        words.append(f"{wording.size(model.download_bytes)} to download")
    words.append(at_work(model.commercial) if model.commercial is not None else model.licence)
    return " · ".join(word for word in words if word)


def facts(model: ModelStatus) -> list[tuple[str, str]]:
    """All there is to say, a name and a value each; what is not known is left out."""
    said = [
        ("Compares", compares(model)),
        ("Languages", languages(model.languages)),
        ("Numbers per item", f"{model.dim:,}"),
        ("Input", _input(model)),
        ("Parameters", million(model.parameters) if model.parameters else ""),
        ("Download", wording.size(model.download_bytes) if model.download_bytes else ""),
        ("Memory", f"about {wording.size(model.memory_bytes)}" if model.memory_bytes else ""),
        ("Licence", ": ".join(word for word in (model.licence, model.licence_note) if word)),
        ("At work", at_work(model.commercial)),
        ("From", model.source),
        ("By hand", "" if model.ready or model.damaged else model.problem),
        ("Files", _files(model)),
    ]
    return [(name, value) for name, value in said if value]


def found_by(model: ModelStatus) -> str:
    """Everything that a person may look for in a model, in small letters."""
    said = (model.key, model.name, model.family, model.summary, model.licence, model.licence_note, compares(model))
    also = [words for kind, words in ALSO_CALLED.items() if kind in model.accepts]
    known = (language(tag) for tag in OFFERED_LANGUAGES if MANY in model.languages)
    return " ".join((*said, *also, languages(model.languages), *model.languages, *known)).lower()


def _input(model: ModelStatus) -> str:
    picture = f"pictures of {model.input_px} × {model.input_px} pixels" if model.input_px else ""
    sound = f"sounds at {model.sample_rate_hz:,} Hz" if model.sample_rate_hz else ""
    said = ", ".join(word for word in (picture, sound) if word)
    return said[:1].upper() + said[1:]


def _files(model: ModelStatus) -> str:
    if model.installation is None:
        return ""
    return "\n".join(_file(file) for file in model.installation.files)


def _file(file: InstalledFile) -> str:
    return f"{file.name}, {wording.size(file.size_bytes)}, held against {PIN_WORDS[file.pin]}"
