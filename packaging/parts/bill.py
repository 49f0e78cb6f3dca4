"""The bill of materials: what is in the folder, in CycloneDX's words."""

from __future__ import annotations

import json
import sys
import uuid
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cyclonedx.contrib.license.factories import LicenseFactory
from cyclonedx.model import ExternalReference, ExternalReferenceType, HashAlgorithm, HashType, Property, XsUri
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.model.license import License, LicenseExpression
from cyclonedx.output.json import JsonV1Dot6
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from packageurl import PackageURL

from . import licensing
from .gather import Part
from .hashes import sha256

OURS = "semblance"
KINDS = {"python": ComponentType.PLATFORM}


def bill(parts: Iterable[Part], version: str, folder: Path, made_at_s: int | None) -> str:
    """The text of ``sbom.cdx.json``; the same parts give the same text.

    ``folder`` is where the frozen files lie, for their hashes. ``made_at_s``: seconds since 1970 (SOURCE_DATE_EPOCH);
    without it the bill has no date. Raises ValueError where the text is not CycloneDX 1.6.
    """
    bom = Bom(components=[_component(part, folder) for part in parts])
    program = Component(
        name=OURS,
        version=version,
        type=ComponentType.APPLICATION,
        bom_ref=OURS,
        licenses=[LicenseFactory().make_from_string("MIT")],
        purl=PackageURL("generic", None, OURS, version),
    )
    bom.metadata.component = program
    bom.register_dependency(program, bom.components)
    if made_at_s is not None:
        bom.metadata.timestamp = datetime.fromtimestamp(made_at_s, UTC)
    content = json.loads(JsonV1Dot6(bom).output_as_string())
    if made_at_s is None:
        del content["metadata"]["timestamp"]
    del content["serialNumber"]
    content["serialNumber"] = uuid.uuid5(uuid.NAMESPACE_URL, json.dumps(content, sort_keys=True)).urn
    text = json.dumps(content, indent=1, sort_keys=True, ensure_ascii=False) + "\n"
    if fault := JsonStrictValidator(SchemaVersion.V1_6).validate_str(text):
        raise ValueError(f"The bill of materials is not CycloneDX 1.6: {fault}")
    return text


def _component(part: Part, folder: Path) -> Component:
    ref = ":".join(filter(None, (part.kind, part.holder, part.name, part.version)))
    inner = [_file(place, folder) for place in part.files] + _linked(part, ref)
    return Component(
        name=part.name,
        version=part.version or None,
        type=KINDS.get(part.kind, ComponentType.LIBRARY),
        bom_ref=ref,
        licenses=[LicenseFactory().make_from_string(part.licence)] if part.licence else [],
        purl=PackageURL.from_string(part.purl) if part.purl else None,
        external_references=_references(part),
        properties=[Property(name=f"{OURS}:inside", value=part.holder)] if part.holder else [],
        components=[component for component in inner if component],
        description=part.note or None,
    )


def _linked(part: Part, ref: str) -> list[Component | None]:
    return [
        Component(
            name=entry["name"],
            version=entry.get("version"),
            type=ComponentType.LIBRARY,
            bom_ref=f"{ref}:{entry['name']}:{entry.get('version', '')}",
            licenses=_licences(entry),
            purl=_purl(entry),
        )
        for entry in licensing.linked(part.bills)
        if entry["name"].lower() != part.name.lower()
    ]


def _licences(entry: dict[str, Any]) -> list[License]:
    """Where there are several, none may be an expression in CycloneDX."""
    made = [LicenseFactory().make_from_string(text) for text in licensing.licences_said(entry)]
    return made if len(made) == 1 else [one for one in made if not isinstance(one, LicenseExpression)]


def _purl(entry: dict[str, Any]) -> PackageURL | None:
    """Its address, without where on the builder's disk it lay."""
    if not (text := entry.get("purl")):
        return None
    address = PackageURL.from_string(text)
    return PackageURL(address.type, address.namespace, address.name, address.version)


def _references(part: Part) -> list[ExternalReference]:
    if not part.source.startswith(("http://", "https://")):
        return []
    return [ExternalReference(type=ExternalReferenceType.SOURCE_DISTRIBUTION, url=XsUri(part.source))]


def _file(place: str, folder: Path) -> Component | None:
    """A library's file with its hash; on a Mac without one, as it is signed there later, which changes it."""
    path = next((path for path in (folder / "_internal" / place, folder / place) if path.is_file()), None)
    if path is None:
        return None
    return Component(
        name=place,
        type=ComponentType.FILE,
        bom_ref=f"file:{place}",
        hashes=[] if sys.platform == "darwin" else [HashType(alg=HashAlgorithm.SHA_256, content=sha256(path))],
    )
