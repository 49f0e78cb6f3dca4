"""The program's icon in the form that an executable of Windows or macOS takes, made from the PNGs in ``resources``."""

from __future__ import annotations

import sys
from pathlib import Path

from PIL import Image

ICONS_DIR = Path(__file__).resolve().parent.parent / "resources" / "icons"
SIZES_PX = (16, 24, 32, 48, 64, 128, 256)
"""What the ICO format can hold; macOS takes the 512 px as well and fills in the rest."""


def write_ico(path: Path) -> None:
    """An icon for Windows: each size as it was drawn, none scaled."""
    drawn = [_drawn(size_px) for size_px in SIZES_PX]
    drawn[-1].save(path, sizes=[image.size for image in drawn], append_images=drawn[:-1])


def write_icns(path: Path) -> None:
    """An icon for macOS."""
    drawn = [_drawn(size_px) for size_px in (*SIZES_PX, 512)]
    drawn[-1].save(path, append_images=drawn[:-1])


def for_this_system(folder: Path) -> Path | None:
    """Write the icon that an executable of this system carries; None where executables carry none."""
    writers = {"win32": ("semblance.ico", write_ico), "darwin": ("semblance.icns", write_icns)}
    if sys.platform not in writers:
        return None
    name, write = writers[sys.platform]
    write(folder / name)
    return folder / name


def _drawn(size_px: int) -> Image.Image:
    with Image.open(ICONS_DIR / f"semblance-{size_px}.png") as image:
        return image.copy()
