"""What the wheel tells about the libraries in it: their licences, and a bill of materials as PEP 770 asks for."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from pathlib import Path

from sources import SOURCES, Source


def add(metadata: Path, unpacked: Mapping[str, Path]) -> None:
    """Put them into a wheel's ``.dist-info`` folder; ``unpacked`` has the folder of each source by its name."""
    for source in SOURCES:
        folder = metadata / "licenses" / f"{source.name}-{source.version}"
        folder.mkdir(parents=True)
        for name in source.licence_files:
            shutil.copy(unpacked[source.name] / name, folder)
    bill = {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "components": [_component(source) for source in SOURCES],
    }
    (metadata / "sboms").mkdir(exist_ok=True)
    (metadata / "sboms" / "ffmpeg.cdx.json").write_text(json.dumps(bill, indent=1) + "\n", encoding="utf-8")


def _component(source: Source) -> dict[str, object]:
    """Its hash is that of the source archive: who gets the program can ask for just these sources."""
    archive = {
        "type": "source-distribution",
        "url": source.url,
        "hashes": [{"alg": "SHA-256", "content": source.sha256}],
    }
    return {
        "type": "library",
        "bom-ref": f"{source.name}-{source.version}",
        "name": source.name,
        "version": source.version,
        "licenses": [{"license": {"id": source.licence}}],
        "externalReferences": [archive],
    }
