"""Files of captions say the same after a round trip, whatever program wrote them."""

from __future__ import annotations

import csv
import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.engine.errors import AppError
from app.engine.evaluation.captions import Caption, read_captions

words = st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=1).map(lambda text: " ".join(text.split()))
said = words.filter(bool)
captions = st.builds(Caption, said, said, st.dictionaries(st.sampled_from(["de", "fr", "pt-BR"]), said, max_size=3))


def write_captions(kept: list[Caption]) -> str:
    languages = list(dict.fromkeys(language for caption in kept for language in caption.translations))
    out = io.StringIO()
    table = csv.writer(out)
    table.writerow(["file", "caption", *(f"caption:{language}" for language in languages)])
    for caption in kept:
        table.writerow([caption.file, caption.text, *(caption.translations.get(one, "") for one in languages)])
    return out.getvalue()


@given(st.lists(captions, min_size=1))
def test_captions_survive_the_file(kept: list[Caption]) -> None:
    assert read_captions(write_captions(kept).encode(), "captions.csv") == kept


@pytest.mark.parametrize(
    ("header", "row"),
    [
        ("image,caption", "a.jpg,a red car"),
        ("\ufeffFilename;Text", "a.jpg;a red car"),
        ("id\tpath\tdescription", "7\ta.jpg\ta red car"),
        ("caption|image", "a red car|a.jpg"),
        ("Caption,File Name", '"a red  car",a.jpg'),
    ],
)
def test_columns_are_known_by_their_usual_names(header: str, row: str) -> None:
    assert read_captions(f"{header}\r\n{row}\r\n".encode(), "x.csv") == [Caption("a.jpg", "a red car")]


def test_commas_within_captions_mislead_nobody() -> None:
    table = "file\tcaption\na.jpg\tred, green, and blue; all of them\n"
    assert read_captions(table.encode(), "x.tsv")[0].text == "red, green, and blue; all of them"


def test_columns_of_other_languages_are_translations() -> None:
    table = "file,caption,caption_de,caption:id,caption_id\na.jpg,a dog,ein Hund,seekor anjing,17\n"
    assert read_captions(table.encode(), "x.csv")[0].translations == {"de": "ein Hund", "id": "seekor anjing"}


def test_rows_without_a_caption_do_not_count() -> None:
    table = "file,caption\na.jpg,\nb.jpg,a dog\n,a cat\n"
    assert read_captions(table.encode(), "x.csv") == [Caption("b.jpg", "a dog")]


def test_lines_of_json_and_coco_are_taken_too() -> None:
    lines = '{"file": "a.jpg", "caption": "a dog"}\n\n{"file": "b.jpg", "caption": "a cat"}\n'
    coco = {"images": [{"id": 3, "file_name": "a.jpg"}], "annotations": [{"image_id": 3, "caption": "a dog"}]}
    assert [one.file for one in read_captions(lines.encode(), "x.jsonl")] == ["a.jpg", "b.jpg"]
    assert read_captions(json.dumps(coco).encode(), "x.json") == [Caption("a.jpg", "a dog")]


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"file,caption\na.jpg,caf\xe9\n", "not in UTF-8"),
        (b"name of it,what\na.jpg,b\n", "Its first line should name a column of files"),
        (b"", "Its first line"),
        (b"file,caption\na.jpg,\n", "no row with a caption"),
        (b'{"file": "a.jpg"}\n', "one has not"),
        (b'{"file": "a.jpg", "caption": "x"}\n{oh', "Line 2 is no JSON"),
        (b'{"images": [], "annotations": [{}]}', "looks like COCO's"),
        (b'file,caption\na.jpg,"' + b"x" * 200_000, "Line"),
    ],
)
def test_what_cannot_be_read_is_said_in_a_sentence(data: bytes, sentence: str) -> None:
    with pytest.raises(AppError, match=sentence):
        read_captions(data, "x.csv")


@pytest.mark.parametrize(
    "data",
    [b"[" * 200_000, b'{"a": 1}\n' + b"[" * 200_000, b"file" * 50_000 + b",caption\na.jpg,a car\n"],
    ids=["deep", "a deep line", "a long header"],
)
def test_a_file_that_is_none_of_these_is_refused_in_a_sentence(data: bytes) -> None:
    with pytest.raises(AppError):
        read_captions(data, "x")


def test_half_a_surrogate_pair_is_no_letter() -> None:
    (one,) = read_captions(rb'[{"file": "a.jpg", "caption": "car \ud800", "caption:de": "Auto \ud83d\ude97"}]', "x")
    assert (one.text, one.translations) == ("car ?", {"de": "Auto 🚗"})
