"""Make the sample library again: ``python packaging/make_sample.py [FOLDER]``.

Draws the pictures, plays the sounds, animates the videos, and writes captions.csv and qrels.txt beside them, into
``sample`` of the folder, by default the project's resources; and the program's icon as PNGs into ``icons``. Takes about
a minute. The same versions of the libraries give the same bytes.
"""

from __future__ import annotations

import csv
import sys
from pathlib import Path

from rich.progress import track
from sample.encode import write_picture, write_sound, write_video
from sample.icon import write_icons
from sample.judgments import qrels
from sample.pictures import PICTURES
from sample.sound_list import SOUNDS
from sample.videos import VIDEOS

RESOURCES_DIR = Path(__file__).resolve().parent.parent / "resources"


def make(folder: Path) -> None:
    """Write every file of the sample library below ``folder``."""
    captions = {work.file: work.caption for works in (PICTURES, SOUNDS, VIDEOS) for work in works}
    for file in captions:
        (folder / file).parent.mkdir(parents=True, exist_ok=True)
    for picture in track(PICTURES, "Drawing pictures"):
        write_picture(folder / picture.file, picture.pixels(), picture.caption)
    for sound in track(SOUNDS, "Playing sounds"):
        write_sound(folder / sound.file, sound.samples(), sound.caption)
    for video in track(VIDEOS, "Animating videos"):
        write_video(folder / video.file, video)
    with (folder / "captions.csv").open("w", newline="", encoding="utf-8") as table:
        rows = csv.writer(table, lineterminator="\n")
        rows.writerow(("file", "caption"))
        rows.writerows(captions.items())
    (folder / "qrels.txt").write_text(qrels(), encoding="utf-8")


if __name__ == "__main__":
    resources = Path(sys.argv[1]) if len(sys.argv) > 1 else RESOURCES_DIR
    make(resources / "sample")
    write_icons(resources / "icons")
