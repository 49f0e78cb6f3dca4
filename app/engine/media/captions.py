"""The words and the date that a picture carries inside it: EXIF, IPTC, XMP and the text of PNG, JPEG and GIF.

All of it is a bonus: a broken field is left out and never costs the picture.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import suppress
from datetime import datetime
from xml.etree import ElementTree

from PIL import ExifTags, IptcImagePlugin
from PIL.ImageFile import ImageFile

MAX_CAPTION_CHARS = 2000

_IPTC_HEADLINE, _IPTC_CAPTION, _IPTC_KEYWORDS = (2, 105), (2, 120), (2, 25)  # IIM 4.2: record and data set
_DUBLIN_CORE = "{http://purl.org/dc/elements/1.1/}"
_RDF_ITEM = "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}li"
_TIFF_XMP_TAG = 700
_WINDOWS_TAGS = (ExifTags.Base.XPTitle, ExifTags.Base.XPComment, ExifTags.Base.XPKeywords)
_TEXT_KEYS = ("Title", "Description", "Comment", "comment")


def joined(texts: Iterable[str]) -> str:
    """Join the distinct, non-empty ``texts`` (one space for any run of blanks), at most MAX_CAPTION_CHARS long."""
    cleaned = (" ".join(text.replace("\0", " ").split()) for text in texts)
    return "; ".join(dict.fromkeys(text for text in cleaned if text))[:MAX_CAPTION_CHARS]


def picture_caption(image: ImageFile) -> str:
    """Every caption, title and keyword in ``image``, joined. The image must have been loaded."""
    texts: list[str] = []
    for source in (_exif_texts, _iptc_texts, _xmp_texts, _text_chunks):
        with suppress(Exception):  # whatever a broken block makes its parser raise
            texts.extend(source(image))
    return joined(texts)


def picture_taken_ms(image: ImageFile) -> int | None:
    """When the shutter was released, in ms since 1970 UTC; without an offset it is taken as local time."""
    with suppress(Exception):
        exif = image.getexif()
        details = exif.get_ifd(ExifTags.IFD.Exif)
        base = ExifTags.Base
        for fields, moment, fraction, offset in (
            (details, base.DateTimeOriginal, base.SubsecTimeOriginal, base.OffsetTimeOriginal),
            (details, base.DateTimeDigitized, base.SubsecTimeDigitized, base.OffsetTimeDigitized),
            (exif, base.DateTime, base.SubsecTime, base.OffsetTime),
        ):
            text = str(fields.get(moment, "")).strip("\0 ")
            taken_ms = _exif_time_ms(text, str(details.get(fraction, "")), str(details.get(offset, "")))
            if taken_ms is not None:
                return taken_ms
    return None


def time_ms(moment: datetime) -> int | None:
    """``moment`` in ms since 1970 UTC; one without an offset is taken as this machine's local time, as the days are
    that a person asks for. None for the zero dates of clocks that were never set."""
    return round(moment.timestamp() * 1000) if moment.year > 1970 else None


def _exif_time_ms(text: str, fraction: str, offset: str) -> int | None:
    with suppress(ValueError):
        moment = datetime.strptime(text, "%Y:%m:%d %H:%M:%S")  # noqa: DTZ007 - most cameras tell no offset
        with suppress(ValueError):
            moment = moment.replace(tzinfo=datetime.strptime(offset.strip("\0 "), "%z").tzinfo)
        taken_ms = time_ms(moment)
        if taken_ms is None:
            return None
        digits = fraction.strip("\0 ")
        return taken_ms + (int(digits[:3].ljust(3, "0")) if digits.isdecimal() else 0)
    return None


def _exif_texts(image: ImageFile) -> Iterator[str]:
    exif = image.getexif()
    # Pillow reads ASCII fields as Latin-1; what programs write into them is mostly UTF-8.
    yield _decoded(str(exif.get(ExifTags.Base.ImageDescription, "")).encode("latin-1", "replace"))
    for tag in _WINDOWS_TAGS:
        yield bytes(exif.get(tag, b"")).decode("utf-16-le", "ignore")


def _iptc_texts(image: ImageFile) -> Iterator[str]:
    fields = IptcImagePlugin.getiptcinfo(image) or {}
    for key in (_IPTC_HEADLINE, _IPTC_CAPTION, _IPTC_KEYWORDS):
        value = fields.get(key, [])
        yield from map(_decoded, value if isinstance(value, list) else [value])


def _xmp_texts(image: ImageFile) -> Iterator[str]:
    packet = image.info.get("xmp") or image.getexif().get(_TIFF_XMP_TAG) or b""
    xml = bytes(packet, "utf-8") if isinstance(packet, str) else bytes(packet)
    if not xml or b"<!DOCTYPE" in xml or b"<!ENTITY" in xml:  # XMP has neither; without them no entity can expand
        return
    root = ElementTree.fromstring(xml.strip(b"\0 \r\n\t"))  # noqa: S314 - see the line above
    for name in ("title", "description", "subject"):
        for element in root.iter(_DUBLIN_CORE + name):
            yield from (item.text or "" for item in element.iter(_RDF_ITEM))


def _text_chunks(image: ImageFile) -> Iterator[str]:
    for key in _TEXT_KEYS:
        value = image.info.get(key, "")
        yield _decoded(value) if isinstance(value, bytes) else str(value)


def _decoded(text: bytes) -> str:
    """Old programs wrote Latin-1 and new ones UTF-8, mostly without saying so."""
    try:
        return text.decode("utf-8")
    except UnicodeDecodeError:
        return text.decode("latin-1")
