"""Split what a release cannot carry whole: ``python packaging/split.py [FOLDER]`` (by default ``dist``).

A file on a release of GitHub's may have less than 2 GiB. A larger one becomes NAME.part1, NAME.part2 ..., which
``cat NAME.part* > NAME`` joins, or ``copy /b NAME.part1 + NAME.part2 NAME`` on Windows. The sum of the whole is written
to NAME.sha256, and the whole is removed. Standard library only.
"""

from __future__ import annotations

import sys
from pathlib import Path

from parts.hashes import sha256

DIST = Path(__file__).resolve().parent.parent / "dist"
LARGEST_BYTES = 2_000_000_000
BLOCK_BYTES = 1 << 20


def split(path: Path, largest_bytes: int = LARGEST_BYTES) -> list[Path]:
    """The file itself where it is small enough, else its parts and the sum of the whole."""
    size_bytes = path.stat().st_size
    if size_bytes <= largest_bytes:
        return [path]
    count = -(-size_bytes // largest_bytes)
    parts = [path.with_name(f"{path.name}.part{number:0{len(str(count))}}") for number in range(1, count + 1)]
    with path.open("rb") as whole:
        for part in parts:
            with part.open("wb") as file:
                left = largest_bytes
                while left and (block := whole.read(min(BLOCK_BYTES, left))):
                    left -= file.write(block)
    sums = path.with_name(f"{path.name}.sha256")
    sums.write_text(f"{sha256(path)}  {path.name}\n", encoding="utf-8", newline="\n")
    path.unlink()
    return [*parts, sums]


if __name__ == "__main__":
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else DIST
    for found in sorted(file for file in folder.iterdir() if file.is_file()):
        print("\n".join(piece.name for piece in split(found)))
