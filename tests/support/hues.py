"""Photos of three colours, and the judgment that the same colour is relevant."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from app.engine.session import Session
from app.engine.types import Query

MODEL = "colour-texture"
HUES = {"red": (200, 40, 40), "green": (40, 200, 40), "blue": (40, 40, 200)}


def coloured(folder: Path, name: str, hue: str, seed: int) -> Path:
    """A photo of one colour with a grain of its own."""
    folder.mkdir(parents=True, exist_ok=True)
    grain = np.random.default_rng([seed, *HUES[hue]]).integers(-40, 40, (48, 48, 3))
    pixels = np.clip(np.array(HUES[hue]) + grain, 0, 255).astype(np.uint8)
    Image.fromarray(pixels).save(folder / name)
    return folder / name


def judge_all(session: Session, photo: Path, hue: str) -> int:
    """Judge everything that is found for a photo, whose test query's id is returned."""
    query = session.evaluations.add_query(Query.of_image(str(photo)))
    for one in session.evaluations.pool(query.id, (MODEL,), depth=100).items:
        session.evaluations.judge(query.id, one.item.item_id, int(Path(one.item.path).name.startswith(hue)))
    return query.id
