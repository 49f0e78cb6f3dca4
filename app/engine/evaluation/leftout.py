"""Why a model has no figures for some of the queries."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from app.engine.types import Modality

_NAMES = {Modality.TEXT: "words", Modality.IMAGE: "picture", Modality.AUDIO: "sound"}


def left_out(foreign: Sequence[Collection[Modality]], unjudged: int, lost: Sequence[str]) -> str:
    """The reasons in sentences; empty where nothing was left out.

    Args:
        foreign: what each query that the model does not understand is made of.
        unjudged: how many queries it understands, of which nothing that it could find is judged.
        lost: the titles of those whose files are gone.
    """
    sentences = []
    if foreign:
        kinds = " or ".join(dict.fromkeys(f"by {_made_of(modalities)}" for modalities in foreign))
        sentences.append(f"Cannot search {kinds}, so {_are(len(foreign))} left out.")
    if unjudged:
        sentences.append(f"{_are(unjudged)} left out, because nothing that this model finds is judged there.")
    if lost:
        sentences.append(f"Left out, because the query's file is gone or cannot be read: {', '.join(lost)}.")
    return " ".join(sentences)


def _made_of(modalities: Collection[Modality]) -> str:
    return " and ".join(name for modality, name in _NAMES.items() if modality in modalities)


def _are(count: int) -> str:
    return "1 query is" if count == 1 else f"{count:,} queries are"
