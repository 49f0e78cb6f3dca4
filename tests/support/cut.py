"""A process that decodes files cut short. Arguments: every how many bytes a file is cut, above which size it is cut
at a few places only, and the files. A line of JSON for each: ``[path, cuts decoded, cuts refused with a sentence, what
else was raised]``."""

from __future__ import annotations

import collections
import json
import os
import sys
import tempfile
from pathlib import Path

from app.engine.encoders.weights import read_weights
from app.engine.errors import AppError
from app.engine.media import child, decode
from app.engine.samples import PictureInput, SoundInput

FEW = 12
SMALL = PictureInput(32, 32)
WEIGHTS = (".th", ".pth", ".pt", ".safetensors")


def main() -> None:
    child._limit_memory()
    step_bytes, large_bytes = map(int, sys.argv[1:3])
    with tempfile.TemporaryDirectory() as folder:
        for name in sys.argv[3:]:
            cut = Path(folder) / f"cut{Path(name).suffix}"
            content = Path(name).read_bytes()
            counts: collections.Counter[str] = collections.Counter()
            sizes = range(0, len(content), step_bytes)
            for size_bytes in sizes if len(content) <= large_bytes else sizes[:: len(sizes) // FEW]:
                cut.write_bytes(content[:size_bytes])
                counts[_outcome(cut)] += 1
            others = {what: count for what, count in counts.items() if what not in ("decoded", "refused")}
            print(json.dumps([name, counts["decoded"], counts["refused"], others]), flush=True)


def _outcome(path: Path) -> str:
    try:
        if path.suffix in WEIGHTS:
            read_weights(path)
        else:
            decode.decode(decode.DecodeRequest(os.fsencode(path), (SMALL,), (SoundInput(16_000),)))
    except AppError as error:
        return "refused" if error.message.strip().endswith(".") else f"no sentence: {error}"
    except Exception as error:
        return repr(error)
    return "decoded"


if __name__ == "__main__":
    main()
