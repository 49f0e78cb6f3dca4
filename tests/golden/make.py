"""Makes a golden library with the program that is on PYTHONPATH, which may be an old one. See README.md.

Writes ``schemaN.tar.gz`` (the library's folder) and ``schemaN.json`` (what was put in, and what that program answered).
It speaks to that program's own façade, so it knows the three shapes that has had; it runs on Linux, as root, because
the files it indexes must lie below a neutral folder.
"""

from __future__ import annotations

import gzip
import io
import json
import os
import shutil
import sqlite3
import sys
import tarfile
import tempfile
from contextlib import closing
from pathlib import Path
from typing import Any

from PIL import Image

from app.engine.session import Session
from app.engine.types import Modality, Query, QueryPart, SearchRequest

try:  # where it is since schema 3
    from app.engine.evaltypes import EvaluationRequest
except ImportError:
    from app.engine.types import EvaluationRequest

try:
    from app.engine.librarytypes import IndexRequest
except ImportError:  # where earlier programs have it
    from app.engine.types import IndexRequest

HERE = Path(__file__).resolve().parent
SAMPLE = HERE.parents[1] / "resources" / "sample"
MEDIA = Path("/media/photos")
MODELS = ("colour-texture", "timbre")
EXACT_UP_TO = 4
"""So small that the pictures' vectors go into a graph."""

PICTURE_PX = 96
DAY_S = 86_400
FIRST_DAY_S = 1_500_000_000
PICTURES = {
    "Île d'été/coucher de soleil.jpg": "sunset/sunset-over-calm-sea.jpg",
    "Île d'été/voilier.jpg": "sunset/sailing-boat-before-the-sun.jpg",
    "Île d'été/Strand in Ærø.jpg": "sunset/palms-at-sunset.jpg",
    "森/秋の森.jpg": "forest/autumn-wood.jpg",
    "森/birches 🌲.jpg": "forest/birches.jpg",
    "森/firs.jpg": "forest/firs-in-fog.jpg",
    "fruit/apples.jpg": "fruit/bowl-of-apples.jpg",
    "fruit/oranges.jpg": "fruit/bowl-of-oranges.jpg",
    "fruit/lemons.jpg": "fruit/lemons-on-a-table.jpg",
    "copies/the same apples.jpg": "fruit/bowl-of-apples.jpg",
}
CAPTIONED, CAPTION = "fruit/lemons.jpg", "Zitronen & Limetten, Küchentisch"
NOT_UTF_8 = b"fruit/p\xeache.jpg"


def write_media() -> None:
    """Small pictures of the sample library, its shortest film and two sounds, a copy, and two that cannot be read."""
    for name, source in PICTURES.items():
        path = MEDIA / name
        path.parent.mkdir(parents=True, exist_ok=True)
        exif = Image.Exif()
        if name == CAPTIONED:
            exif[0x010E] = CAPTION.encode()
        with Image.open(SAMPLE / "pictures" / source) as picture:
            picture.thumbnail((PICTURE_PX, PICTURE_PX))
            picture.save(path, quality=80, exif=exif)
    with Image.open(SAMPLE / "pictures" / "fruit" / "grapes-and-plums.jpg") as picture:
        picture.resize((64, 48)).save(os.fsdecode(os.path.join(os.fsencode(MEDIA), NOT_UTF_8)), quality=80)
    (MEDIA / "films and sounds").mkdir()
    shutil.copy(SAMPLE / "videos" / "bouncing-ball.webm", MEDIA / "films and sounds" / "míč.webm")
    for kind in ("bells", "drums"):
        source = min((SAMPLE / "sounds" / kind).iterdir())
        shutil.copy(source, MEDIA / "films and sounds" / f"{kind}{source.suffix}")
    (MEDIA / "broken.jpg").write_bytes(b"\xff\xd8\xff\xe0 no picture follows")
    (MEDIA / "silent.mp3").write_bytes(b"")
    for day, path in enumerate(sorted(path for path in MEDIA.rglob("*") if path.is_file())):
        os.utime(path, (FIRST_DAY_S + day * DAY_S,) * 2)


def queries() -> dict[str, Query]:
    """The test queries by title: words, a picture, a sound, a mix, words that are no Latin."""
    apples = QueryPart(Modality.IMAGE, path=str(MEDIA / "fruit/apples.jpg"))
    firs = QueryPart(Modality.IMAGE, path=str(MEDIA / "森/firs.jpg"), weight=-0.5)
    return {
        "lemons": Query.of_text("Zitronen"),
        "“秋” in a name": Query.of_text("秋の森"),
        "sunsets": Query.of_image(str(MEDIA / "Île d'été/voilier.jpg")),
        "apples, less wood": Query((apples, firs)),
        "bells": Query.of_sound(str(MEDIA / "films and sounds/bells.mp3")),
    }


def facade(session: Any) -> Any:
    """Where test queries and judgments are: their own façade since schema 3."""
    return getattr(session, "evaluations", session)


def judge(session: Any) -> None:
    """Judge the first results of every query: every third is relevant; of many, one is left out."""
    judging = facade(session)
    for title, query in queries().items():
        summary = judging.add_query(query, title)
        pool = judging.pool(getattr(summary, "id", summary.key), MODELS, 6)
        in_order = sorted(pool.items, key=lambda one: one.item.item_id)
        for at, one in enumerate(in_order[:5]):
            judging.judge(getattr(summary, "id", summary.key), one.item.item_id, int(at % 3 == 0))


def found(session: Session, query: Query) -> list[list[Any]]:
    """The first results: path, kind, start, cosine to two digits."""
    hits = session.search(SearchRequest(query, k=5)).hits
    return [
        [hit.path, str(hit.item_kind), hit.start_ms, None if hit.similarity is None else round(hit.similarity, 2)]
        for hit in hits
    ]


def answers(session: Any, database: Path) -> dict[str, Any]:
    """What a later program must find: the library's rows that a person can see, and what this one answers."""
    with closing(sqlite3.connect(database)) as rows:
        judged = rows.execute(
            "SELECT q.title, lower(hex(j.sha256)), j.kind, j.start_ms, j.grade, j.judged_at FROM judgments j "
            "JOIN queries q ON q.id = j.query_id ORDER BY 1, 2, 3, 4"
        ).fetchall()
        items = rows.execute(
            "SELECT lower(hex(c.sha256)), i.kind, i.start_ms, i.end_ms FROM items i JOIN contents c "
            "ON c.id = i.content_id ORDER BY 1, 2, 3"
        ).fetchall()
        files = rows.execute("SELECT path, size_bytes, failure IS NOT NULL FROM files ORDER BY path").fetchall()
        counts = {
            table: rows.execute(f"SELECT count(*) FROM {table}").fetchone()[0]
            for table in ("contents", "vectors", "thumbnails", "spaces", "roots")
        }
    evaluation = facade(session).evaluate(EvaluationRequest(MODELS, k=3))
    status = session.status()
    return {
        "roots": [root.path for root in status.roots],
        "models": status.models,
        "failures": sorted(failure.path for failure in status.failures),
        "files": [(os.fsdecode(path), size, bool(failed)) for path, size, failed in files],
        "items": items,
        "counts": counts,
        "queries": [
            {
                "key": summary.key,
                "title": summary.title,
                "parts": [(part.text, part.path, part.weight, part.content) for part in summary.query.parts],
            }
            for summary in facade(session).queries()
        ],
        "judgments": judged,
        "searches": {title: found(session, query) for title, query in queries().items()},
        "measures": {one.model: round(one.mean["P@3"], 4) for one in evaluation.models if one.mean},
    }


def make(out: Path) -> Path:
    """Index, judge, search and evaluate, and pack the closed library."""
    with tempfile.TemporaryDirectory() as folder:
        library = Path(folder) / "libraries" / "default"
        with Session.open(Path(folder), device="cpu", exact_up_to=EXACT_UP_TO) as session:
            session.index(IndexRequest((str(MEDIA),), MODELS))
            judge(session)
            known = answers(session, library / "library.sqlite")
        with closing(sqlite3.connect(library / "library.sqlite")) as rows:
            (schema,) = rows.execute("PRAGMA user_version").fetchone()
            known["schema"] = schema
        packed = io.BytesIO()
        with tarfile.open(fileobj=packed, mode="w") as archive:
            for path in sorted(path for path in library.rglob("*") if path.is_file() and path.name != "lock"):
                entry = tarfile.TarInfo(path.relative_to(library).as_posix())
                entry.size = path.stat().st_size
                with path.open("rb") as content:
                    archive.addfile(entry, content)
        (out / f"schema{schema}.tar.gz").write_bytes(gzip.compress(packed.getvalue(), 9, mtime=0))
        text = json.dumps(known, indent=1, ensure_ascii=True)
        (out / f"schema{schema}.json").write_text(text + "\n", encoding="utf-8")
    return out / f"schema{schema}.tar.gz"


if __name__ == "__main__":
    MEDIA.mkdir(parents=True)  # refused where there is one
    try:
        write_media()
        print(make(Path(sys.argv[1] if len(sys.argv) > 1 else HERE)))
    finally:
        shutil.rmtree(MEDIA)
