"""What servers say of the files that are to be fetched. For the process that fetches alone: see `downloading`."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace

from app import __version__
from app.engine.errors import AppError
from app.engine.installing.orders import Found, Order, Wanted

NOT_FOUND, NO_HEAD = 404, (405, 501)
HEADERS = {"User-Agent": f"semblance/{__version__}", "Accept-Encoding": "identity"}
"""Compressed bytes have another length than the file, and cannot be resumed."""


def look_up(order: Order) -> tuple[Found, ...]:
    """Ask for what is said of the files, at one commit of each repository."""
    commits: dict[str, str] = {}
    found = []
    for file in order.files:
        if file.repo:
            known = _ask_for_one(file, commits.get(file.repo, file.revision), order.endpoint)
            commits[file.repo] = known.commit or file.revision
        else:
            known = _ask_server(file)
        found.append(_sized(known, file))
    return tuple(found)


def _sized(found: Found, wanted: Wanted) -> Found:
    """``found`` with the size that the file must have.

    Raises:
        AppError: its server says that it has another.
    """
    if wanted.size_bytes is None or found.size_bytes == wanted.size_bytes:
        return found
    if found.size_bytes is None:
        return replace(found, size_bytes=wanted.size_bytes)
    raise AppError(
        "The source has another file",
        f"{found.url} has {found.size_bytes:,} bytes, and the file of this model has {wanted.size_bytes:,}. Try again "
        "later or from a mirror, or take in a pack.",
    )


def _ask_for_one(file: Wanted, revision: str, endpoint: str) -> Found:
    """Ask for a file by its name, and if the repository has none of that name, by its other ones."""
    from huggingface_hub.errors import HfHubHTTPError

    try:
        return _ask_hub(file, revision, endpoint)
    except HfHubHTTPError as error:
        if error.response.status_code != NOT_FOUND:
            raise
        for name in file.others:
            with suppress(HfHubHTTPError):
                return _ask_hub(replace(file, name=name, path=name), revision, endpoint)
        raise


def _ask_hub(file: Wanted, revision: str, endpoint: str) -> Found:
    from huggingface_hub.file_download import get_hf_file_metadata, hf_hub_url

    def address(at: str) -> str:
        return hf_hub_url(file.repo, file.path, revision=at, endpoint=endpoint)

    meta = get_hf_file_metadata(address(revision), token=False, headers=HEADERS, endpoint=endpoint)
    commit = meta.commit_hash or ""
    return Found(
        name=file.name,
        url=address(commit or revision),
        size_bytes=meta.size,
        version=meta.etag or "",
        checksum=_hub_checksum(meta.etag or ""),
        repo=file.repo,
        commit=commit,
    )


def _hub_checksum(etag: str) -> str:
    """A hub's ETag is the SHA-256 of a large file, and git's own SHA-1 of a small one."""
    kind = {64: "sha256", 40: "git-sha1"}.get(len(etag))
    return f"{kind}:{etag}" if kind and set(etag) <= set("0123456789abcdef") else ""


def _ask_server(file: Wanted) -> Found:
    from huggingface_hub import constants, get_session

    url = f"{file.url.rstrip('/')}/{file.path}"
    answer = get_session().head(url, headers=HEADERS, timeout=constants.HF_HUB_ETAG_TIMEOUT)
    if answer.status_code in NO_HEAD:  # it answers no HEAD, but may well give the file
        return Found(file.name, url, None)
    answer.raise_for_status()
    etag = answer.headers.get("ETag", "")
    size = answer.headers.get("Content-Length", "")
    validator = etag if etag.startswith('"') else answer.headers.get("Last-Modified", "")
    version = f"{url} {validator}" if validator else ""
    return Found(file.name, url, int(size) if size.isdecimal() else None, version, validator)
