"""What is in the frozen program that is others' work, under which licences, with their texts and a bill of materials.

    python packaging/inventory.py FOLDER WORK    write licences/ and sbom.cdx.json into FOLDER (dist/semblance), from
                                                 PyInstaller's work folder WORK (build/semblance)
    ... --release                                and fail where a part may not be handed on, or nobody knows its licence

What no file says of itself is written down in ``parts/known.toml``.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
from importlib.metadata import Distribution
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from parts import frozen, licensing
from parts.bill import bill
from parts.gather import Inventory, Part, gather


class NotToBeReleased(Exception):
    """The folder holds what a release must not; the message names every such part and what to do."""


def included(work: Path) -> list[Distribution]:
    """The installed distributions of which PyInstaller took code or data, by name; ``work`` is its work folder.

    Raises FileNotFoundError where nothing was built there.
    """
    return [owner for owner, _ in frozen.by_distribution(frozen.taken(work), frozen.Owners()).values()]


def write(folder: Path, work: Path, *, release: bool = False) -> None:
    """Put ``licences/`` and ``sbom.cdx.json`` into the frozen folder.

    What is wrong with a licence is printed; with ``release`` it raises NotToBeReleased, after all has been written.
    """
    inventory = gather(work)
    licences = folder / "licences"
    shutil.rmtree(licences, ignore_errors=True)
    pages = {part: _write_texts(part, licences) for part in inventory.parts}
    _write_index(licences, pages)
    made_at = os.environ.get("SOURCE_DATE_EPOCH")
    text = bill(inventory.parts, _version(), folder, int(made_at) if made_at else None)
    (folder / "sbom.cdx.json").write_text(text, encoding="utf-8", newline="\n")
    faults = problems(inventory, {part for part, texts in pages.items() if not texts})
    if faults and release:
        raise NotToBeReleased("\n".join(faults))
    for fault in faults:
        print(f"Not fit for a release: {fault}", file=sys.stderr)
    print(f"{len(inventory.parts)} parts of others, their licences and the bill of materials are in {folder}")


def problems(inventory: Inventory, without_text: set[Part]) -> list[str]:
    """What stands against handing the folder on, each as a sentence."""
    known = "packaging/parts/known.toml"
    faults = [f"Nobody knows whose {file} is. Enter it in {known}." for file in inventory.unknown]
    for part in inventory.parts:
        if not part.licence:
            faults.append(f"The licence of {part.title} is not known. Enter it in {known}.")
        elif licensing.needs_gpl(part.licence):
            files = ", ".join(part.files[:3])
            faults.append(f"{part.title} is under {part.licence}: leave it out of the build. {files}".strip())
        elif part in without_text:
            faults.append(f"There is no text of the licence of {part.title} ({part.licence}).")
        faults += _linked_faults(part)
    return faults


def _linked_faults(part: Part) -> list[str]:
    """What is under the GPL in what the part itself says is linked into it."""
    return [
        f"{entry['name']}, which is linked into {part.title}, is under {licence}: leave {part.name} out of the build."
        for entry in licensing.linked(part.bills)
        for licence in licensing.licences_said(entry)
        if licensing.is_expression(licence) and licensing.needs_gpl(licence)
    ]


def _write_texts(part: Part, licences: Path) -> list[str]:
    """Copy the texts; returns their paths below ``licences``, none where what is there does not say all."""
    texts = dict(part.texts)
    if part.licence:
        texts |= dict(licensing.general_texts(part.licence))
    for name, path in texts.items():
        target = licences / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(path.read_bytes())
    return list(texts) if part.texts or (part.licence and licensing.is_general(part.licence)) else []


def _write_index(licences: Path, pages: dict[Part, list[str]]) -> None:
    licences.mkdir(parents=True, exist_ok=True)
    templates = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "parts"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    page = templates.get_template("index.html.jinja").render(version=_version(), pages=pages)
    (licences / "index.html").write_text(page, encoding="utf-8", newline="\n")


def _version() -> str:
    from app import __version__

    return __version__


def main() -> int:
    parser = argparse.ArgumentParser(description="Write the licences and the bill of materials of a frozen folder.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("work", type=Path)
    parser.add_argument("--release", action="store_true")
    options = parser.parse_args()
    try:
        write(options.folder, options.work, release=options.release)
    except NotToBeReleased as refusal:
        print(refusal, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
