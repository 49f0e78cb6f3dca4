"""What a person is told when a download fails. Imported by the process that fetches alone."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from urllib.request import getproxies, proxy_bypass

import httpx2
from huggingface_hub.errors import HfHubHTTPError

from app.engine.errors import AppError
from app.engine.installing.placing import disk_error

_KEPT = "What has arrived is kept, and the next try goes on from there."
_WITHOUT = "On a machine without a network, take in a pack, or put the files in place by hand."


def told(error: Exception, folder: Path) -> AppError | None:
    """``error``, of a download into ``folder``, in words; None for one that is no failure of network or disk."""
    if isinstance(error, HfHubHTTPError | httpx2.HTTPStatusError):
        return _refusal(error.response)
    if isinstance(error, httpx2.HTTPError | httpx2.InvalidURL):
        return _break(error)
    if isinstance(error, OSError):
        return disk_error(error, folder)
    return None


def _refusal(response: httpx2.Response) -> AppError:
    status, host = response.status_code, response.url.host
    if status in (401, 403):
        return AppError(
            "The source does not give this model to everybody",
            f"{host} answered {status}. Its licence may have to be accepted there first, in a browser and with an "
            "account: then put the files that you get in place by hand, or take in a pack. Or it has been withdrawn.",
        )
    if status in (404, 410):
        return AppError(
            "The source does not have this file",
            f"There is nothing at {response.url}. Try again later or from a mirror, take in a pack, or put the files "
            "in place by hand.",
        )
    if status == 407:
        return AppError("The proxy asks for a password", "Put it into the address in HTTPS_PROXY, and try again.")
    if status in (408, 429) or status >= 500:
        return AppError("The source is busy or broken", f"{host} answered {status}. Try again later. {_KEPT}")
    return AppError("The source refused", f"{host} answered {status} for {response.url}. Try a mirror or a pack.")


def _break(error: Exception) -> AppError:
    host, causes = _host(error), tuple(_causes(error))
    if any(isinstance(cause, ssl.SSLCertVerificationError) for cause in causes):
        return AppError(
            "The source cannot prove who it is",
            f"The certificate of {host} is not one that this machine trusts, and nothing was taken from it. Where a "
            "firewall of yours looks into connections, name its certificates in SSL_CERT_FILE.",
        )
    if any(isinstance(cause, socket.gaierror) for cause in causes):
        return AppError(
            "The source was not found",
            f"No address is known for {host}: there may be no network.{_proxied(host)} {_WITHOUT} {_KEPT}",
        )
    if isinstance(error, httpx2.ProxyError):
        return AppError("The proxy refuses", f"It says: {error}. Check HTTPS_PROXY, and try again. {_KEPT}")
    if isinstance(error, httpx2.TimeoutException):
        return AppError("The source does not answer", f"{host} was silent for too long. Try again later. {_KEPT}")
    if isinstance(error, httpx2.UnsupportedProtocol | httpx2.InvalidURL):
        return AppError("This is no address to fetch from", f"It must begin with https:// or http://. ({error})")
    if isinstance(error, httpx2.ConnectError):
        return AppError(
            f"No connection to {host}",
            f"It could not be reached: it may be down.{_proxied(host)} Try again later. {_KEPT} {_WITHOUT}",
        )
    return AppError("The connection broke", f"{host} hung up.{_proxied(host)} Try again. {_KEPT} {_WITHOUT}")


def _proxied(host: str) -> str:
    """A proxy that stands between here and there may be at fault, and its own address is in no error."""
    if not getproxies() or proxy_bypass(host):
        return ""
    return " Or it is the proxy that is not there: check HTTPS_PROXY, HTTP_PROXY and ALL_PROXY."


def _host(error: Exception) -> str:
    with suppress(AttributeError, RuntimeError):  # an error may have no request
        return str(error.request.url.host)  # type: ignore[attr-defined]  # httpx2's have one
    return "The source"


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error:
        yield error
        error = error.__cause__ or error.__context__
