"""All pictures of the sample library."""

from __future__ import annotations

from sample.made import MADE
from sample.nature import NATURE
from sample.picture import Picture

PICTURES: list[Picture] = [*NATURE, *MADE]
