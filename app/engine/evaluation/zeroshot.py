"""Which words of a list are kept as the labels of a picture, by the probabilities that a model gives for them.

Radford et al.: Learning Transferable Visual Models From Natural Language Supervision, 2021, section 3.1; Zhai et al.:
Sigmoid Loss for Language Image Pre-Training, 2023. A softmax (CLIP) is relative to the list: another list gives other
probabilities, and one of its words always comes first. So words that name nothing stand beside it (`NOTHING`), and a
label is kept only where it is likelier than these. A sigmoid (SigLIP) judges every word for itself.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from app.engine.errors import AppError
from app.engine.types import Modality

PROMPTS = {Modality.IMAGE: "a photo of a {}.", Modality.AUDIO: "This is a sound of {}."}
"""How zero-shot classification is published, for CLIP and for CLAP. A label is a name rather than a search, for which
words go in as they are typed; such a sentence about it is nearer to the captions that the models have learned from."""

NOTHING = {Modality.IMAGE: "a photo.", Modality.AUDIO: "This is a sound."}
"""The same about nothing: what a label of a softmax must beat."""

MOST_PER_ITEM = 5
FLOORS = {"softmax": 0.05, "sigmoid": 0.01}
"""Below these a label is not kept. SigLIP's probabilities are those of a batch of 32,768 pairs, of which one is right:
a hundredth is already some three hundred times as likely as chance."""

MOST_LABELS, LONGEST_NAME = 10_000, 100

Floats = npt.NDArray[np.float32]
Places = npt.NDArray[np.intp]


def likeliest(chances: Floats, labels: int, floor: float) -> tuple[Places, Places, Floats]:
    """The labels to keep: at most `MOST_PER_ITEM` an item, none below ``floor``, none that is no likelier than nothing.

    Args:
        chances: (items, labels), or (items, labels + 1) where the last column is the probability of `NOTHING`.
        labels: how many labels there are, at least 1.
        floor: the least probability.

    Returns:
        The rows (items), the columns (labels) and the probabilities of what is kept, (n,) each.
    """
    of_labels, of_nothing = chances[:, :labels], chances[:, labels:]
    most = min(MOST_PER_ITEM, labels)
    best = np.argpartition(of_labels, labels - most, axis=1)[:, labels - most :]
    found = np.take_along_axis(of_labels, best, axis=1)
    is_kept = found >= floor
    if of_nothing.size:
        is_kept &= found > of_nothing
    rows, places = np.nonzero(is_kept)
    return rows, best[rows, places], found[rows, places]


def clean(names: Sequence[str]) -> list[str]:
    """The names as they are kept: without spaces around them, empty ones, and all but the first of equal ones.

    Raises:
        AppError: one is too long, or there are too many.
    """
    kept: dict[str, str] = {}
    for name in names:
        name = " ".join(unicodedata.normalize("NFC", name).split())
        if len(name) > LONGEST_NAME:
            raise AppError(
                "This label is too long", f"“{name[:40]}…” has {len(name):,} characters; {LONGEST_NAME} are the most."
            )
        if name:
            kept.setdefault(name.casefold(), name)
    if len(kept) > MOST_LABELS:
        raise AppError("These are too many labels", f"There are {len(kept):,}; {MOST_LABELS:,} are the most.")
    return list(kept.values())
