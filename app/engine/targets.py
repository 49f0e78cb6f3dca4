"""Which models answer a query: each with the space that holds its vectors."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from app.engine.encoders.base import EncoderSource, EncoderSpec, ready_keys
from app.engine.errors import NothingToCompare, UnsupportedModality
from app.engine.store.spaces import Spaces
from app.engine.types import Filters, ItemKind, MediaKind, Modality, Query, Space


@dataclass(frozen=True)
class Target:
    """A model that is asked: what it is, and where its vectors are."""

    key: str
    spec: EncoderSpec
    space: Space

    @property
    def kinds(self) -> tuple[ItemKind, ...]:
        """The kinds of item its space holds."""
        return tuple(kind for kind in ItemKind if kind.modality in self.spec.accepts)


class Targets:
    """The models of one library, as those that can be asked."""

    def __init__(self, spaces: Spaces, encoders: EncoderSource) -> None:
        self._spaces = spaces
        self._encoders = encoders

    def of(self, key: str) -> Target | None:
        """The model's space in this library, or None while it holds nothing.

        Raises:
            AppError: there is no such model, or its weights are missing.
        """
        space = self._spaces.find(key, self._encoders.fingerprint(key))
        return Target(key, self._encoders.spec(key), space) if space and not self._spaces.is_empty(space.id) else None

    def ready(self, keys: Iterable[str]) -> list[Target]:
        """Those of these models that are ready and hold something."""
        ready = ready_keys(self._encoders)
        return [target for key in keys if key in ready and (target := self.of(key))]

    def choose(self, query: Query, model: str | None, models: Sequence[str], filters: Filters) -> list[Target]:
        """The models that answer: the wanted one, else the first that understands the query; for words one for each
        modality that is searched, and none where they are left to the keywords."""
        if model:
            if not query.modalities <= self._encoders.spec(model).accepts:
                raise UnsupportedModality(
                    "This model cannot answer this", f"{model} does not understand a query by {_kinds(query)}."
                )
            if target := self.of(model):
                return [target]
            if self._has_vectors(model):
                self._encoders.load(model)  # tells what is wrong where its files are not those that were indexed with
            elif self._is_known(model):
                raise _holds_none(query)
            raise NothingToCompare("Nothing is indexed with this model", f"Index this library with {model} first.")
        ready = ready_keys(self._encoders)  # looks into every model's folder: once a search is enough
        usable = [key for key in models if key in ready]
        if query.modalities == {Modality.TEXT}:
            wanted = (query.modalities | {modality} for modality in _searched(filters))
            found = [target for modalities in wanted if (target := self._first(modalities, usable))]
            return list(dict.fromkeys(found))
        if target := self._first(query.modalities, usable):
            return [target]
        able = [key for key in usable if query.modalities <= self._encoders.spec(key).accepts]
        if any(map(self._has_vectors, able)):
            raise NothingToCompare(
                "This library is to be indexed again",
                f"What it holds for a query by {_kinds(query)} was made in another way than the models make it now. "
                "Index it again; judgments stay.",
            )
        if any(map(self._is_known, able)):
            raise _holds_none(query)
        raise NothingToCompare(
            "No model here can answer this",
            f"This library is not indexed with a model that understands a query by {_kinds(query)}. "
            "Choose one under Models, then index again.",
        )

    def _has_vectors(self, key: str) -> bool:
        """Whether the library has been indexed with the model as it is now or as it was."""
        return any(not self._spaces.is_empty(space.id) for space in self._spaces.of_encoder(key))

    def _is_known(self, key: str) -> bool:
        """Whether the library has been indexed with the model as it is now, though with nothing that it takes."""
        return self._spaces.find(key, self._encoders.fingerprint(key)) is not None

    def _first(self, modalities: frozenset[Modality], usable: Sequence[str]) -> Target | None:
        """The first of these models that knows all the modalities and has indexed something."""
        knowing = (key for key in usable if modalities <= self._encoders.spec(key).accepts)
        return next((target for key in knowing if (target := self.of(key))), None)


def no_model(filters: Filters) -> str:
    """Why only the keywords answered."""
    names = {Modality.IMAGE: "pictures", Modality.AUDIO: "sounds"}
    searched = " or ".join(names[modality] for modality in _searched(filters))
    return f"No model here finds {searched} by words: these are found by name, folder and caption alone."


def _searched(filters: Filters) -> tuple[Modality, ...]:
    """What is looked for, pictures first: a film has both frames and a sound track."""
    modalities = {
        Modality.IMAGE: {MediaKind.PHOTO, MediaKind.VIDEO},
        Modality.AUDIO: {MediaKind.VIDEO, MediaKind.AUDIO},
    }
    return tuple(modality for modality, kinds in modalities.items() if kinds & filters.kinds)


def _holds_none(query: Query) -> NothingToCompare:
    """What is said where the models are there, and only sounds are indexed, or only pictures."""
    sought = "sounds" if Modality.AUDIO in query.modalities else "pictures"
    return NothingToCompare(
        f"No {sought} are in this library",
        f"A query by {_kinds(query)} finds {sought}, and none have been indexed here. Add a folder that holds some.",
    )


def _kinds(query: Query) -> str:
    names = {Modality.TEXT: "words", Modality.IMAGE: "picture", Modality.AUDIO: "sound"}
    return " and ".join(names[modality] for modality in sorted(query.modalities))
