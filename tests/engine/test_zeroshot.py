"""Which words are kept as labels, of any probabilities and any names."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from app.engine.evaluation.zeroshot import LONGEST_NAME, MOST_PER_ITEM, clean, likeliest

chances = arrays.arrays(
    np.float32, st.tuples(st.integers(1, 5), st.integers(2, 12)), elements=st.floats(0, 1, width=32)
)


@given(chances, st.booleans(), st.floats(0, 1))
def test_the_likeliest_labels_are_kept(of_all: np.ndarray, beside_nothing: bool, floor: float) -> None:
    labels = of_all.shape[1] - beside_nothing
    rows, columns, found = likeliest(of_all, labels, floor)
    np.testing.assert_array_equal(found, of_all[rows, columns])
    for row, chances_of in enumerate(of_all):
        least = max(floor, float(chances_of[labels]) if beside_nothing else 0.0)
        able = sorted((one for one in chances_of[:labels] if one >= floor), reverse=True)
        if beside_nothing:
            able = [one for one in able if one > chances_of[labels]]
        assert sorted(found[rows == row], reverse=True) == able[:MOST_PER_ITEM]
        assert all(one >= least for one in found[rows == row])
    assert len(set(zip(rows.tolist(), columns.tolist(), strict=True))) == len(rows)


@given(st.lists(st.text(max_size=LONGEST_NAME // 4)))
def test_cleaning_twice_changes_nothing_more(names: list[str]) -> None:
    kept = clean(names)
    assert clean(kept) == kept
    assert len({name.casefold() for name in kept}) == len(kept)
    assert all(name == " ".join(name.split()) and name for name in kept)


def test_equal_names_are_kept_once() -> None:
    assert clean(["Dog", "DOG", " dog"]) == ["Dog"]
