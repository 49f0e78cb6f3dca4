"""The frozen window as a person meets it, on a machine that has nothing."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from dataclasses import replace

import pytest
from desktop import Desktop, wait_for
from frozen import COMMAND_S, INSTALLED, SAMPLE, Machine, Things
from person import Person
from PIL import Image, ImageChops

pytestmark = [pytest.mark.package, pytest.mark.timeout(1800)]

DIFFERENT_COLOURS = 500
"""A frame of the sample's films has thousands; an empty canvas has a handful."""


def on(desktop: Desktop, machine: Machine) -> Machine:
    return replace(machine, session=desktop.environment, mounts=desktop.mounts)


def test_a_first_visit_from_the_empty_window_to_the_measures(
    machine: Machine, desktop: Desktop, open_window: Callable[..., Person]
) -> None:
    person = open_window(on(desktop, machine))
    person.reads("Welcome to Semblance")
    desktop.look("welcome")
    index_the_sample(person)
    search_by_words(person)
    search_by_a_picture(person)
    search_by_a_sound(person)
    play_a_video(person)
    judge_what_is_like_a_picture(person)
    read_the_measures(person)
    assert person.close() == 0
    assert "Traceback" not in person.output.read_text(errors="replace")


def index_the_sample(person: Person) -> None:
    person.press("Try the sample library")
    person.reads("88 new")
    person.reads("60 photos", "10 video frames", "27 pieces of sound")
    person.desktop.look("indexed")


def search_by_words(person: Person) -> None:
    person.search_words("lighthouse")
    person.reads("1 result ·", "names, folders and captions")
    assert person.result().startswith("red-sail-by-the-lighthouse.jpg, photo")
    person.reads("640 × 480 px")
    person.desktop.look("found-by-words")


def search_by_a_picture(person: Person) -> None:
    person.search_file("Choose a picture…", SAMPLE / "pictures" / "snow" / "snowman.jpg")
    person.reads("results · Colour & texture")
    first = person.result()
    assert ", photo, similarity 0." in first
    assert "snowman.jpg" not in first
    person.desktop.look("found-by-picture")


def search_by_a_sound(person: Person) -> None:
    """The sound is decoded to be heard, as far as that goes on a machine without a loudspeaker."""
    person.search_file("Choose a sound…", SAMPLE / "sounds" / "bells" / "church-bell.flac")
    person.reads("results · Timbre")
    assert ", sound, at 0:00" in person.result()
    person.find("push button", "Play")
    person.desktop.press("space")
    person.reads("No loudspeaker or headphones were found.")
    person.desktop.look("found-by-sound")


def play_a_video(person: Person) -> None:
    person.search_words("bouncing ball")
    person.reads("1 result ·", "names, folders and captions")
    assert person.result().startswith("bouncing-ball.webm, video")
    length = person.find("label", "0:00 / 0:06")
    left, top, width, height = person.find("filler", "bouncing-ball.webm, video", starts=True).box

    def canvas(name: str) -> Image.Image:
        return person.desktop.look(name).crop((left, top, left + width, top + height))

    before = canvas("film-found")
    person.desktop.press("space")
    wait_for("the film goes on", lambda: length.name in ("0:02 / 0:06", "0:03 / 0:06", "0:04 / 0:06"))
    playing = canvas("film-playing")
    assert len(playing.getcolors(maxcolors=1 << 24)) > DIFFERENT_COLOURS
    assert ImageChops.difference(before, playing).getbbox()
    wait_for("the film ends", lambda: length.name == "0:00 / 0:06")


def judge_what_is_like_a_picture(person: Person) -> None:
    person.search_file("Choose a picture…", SAMPLE / "pictures" / "sunset" / "palms-at-sunset.jpg")
    person.reads("results · Colour & texture")
    person.press("Judge these results")
    person.reads("Is this like the picture on the left?")
    before = person.reads(" results judged")
    person.desktop.look("judging")
    person.desktop.press("f", "f", "j", "f", "j", "j")
    done, of = int(before.split()[0]), before.split()[2]
    person.reads(f"{done + 6} of {of} results judged")
    person.desktop.look("judged")


def read_the_measures(person: Person) -> None:
    person.tick("Results")
    precision = "Precision at 10: "
    cells = wait_for("the measures", lambda: [cell for cell in person.cells() if cell.startswith(precision)])
    assert len(cells) == 2  # of the pictures' model and the sounds'
    assert all(0 < float(cell.removeprefix(precision).split()[0]) < 1 for cell in cells)
    assert any(cell.startswith("Colour & texture, 11 queries") for cell in person.cells())
    person.desktop.look("measures")


def test_files_from_the_file_manager_are_searched_by_at_once_and_by_a_window_that_is_open(
    machine: Machine, desktop: Desktop, open_window: Callable[..., Person], things: Things
) -> None:
    machine.answer("index", SAMPLE)
    person = open_window(on(desktop, machine), things.picture)
    person.reads("results · Colour & texture")
    person.find("push button", f"Take {things.picture.name} out of the query")
    desktop.look("opened-with-a-picture")
    again = on(desktop, machine).command(INSTALLED / "semblance-window", things.sound)
    assert subprocess.run(again, check=False, timeout=COMMAND_S).returncode == 0
    person.reads("results · Timbre")
    desktop.look("handed-a-sound")
    assert person.close() == 0
