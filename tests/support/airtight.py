"""A process without a network that writes down every attempt to reach one, or to start a program that could.

Run it by `airtight.run`. Arguments: what to do, and what that needs. The last line on standard output is a document of
JSON.
"""

from __future__ import annotations

import contextlib
import importlib
import io
import json
import os
import pkgutil
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

WATCHED = (
    *("socket.connect", "socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr", "socket.sendto"),
    *("socket.sendmsg", "socket.bind", "urllib.Request", "http.client.connect", "ftplib.connect", "smtplib.connect"),
    *("subprocess.Popen", "os.system", "os.exec", "os.posix_spawn", "os.startfile", "webbrowser.open"),
)
KEPT = ("PATH", "PYTHONPATH", "TMPDIR", "LD_LIBRARY_PATH")
"""Of the environment. Nothing that keeps a package quiet: that is the program's own task."""
NAMESPACE = ("unshare", "--user", "--map-root-user", "--net")
_attempts: list[str] = []


class Attempt(Exception):
    """Nobody may go on after one, but many would catch an OSError."""


def run(home: Path, *arguments: str, wrapper: tuple[str, ...] = (), timeout_s: float = 800) -> dict[str, Any]:
    """Do something in a namespace without a network and with an empty ``home`` folder, which must stay empty: what it
    found, with ``attempts``. Where the system gives nobody such a namespace the test is skipped; where CI is set, it
    fails."""
    if not shutil.which("unshare") or subprocess.run([*NAMESPACE, "true"], check=False, capture_output=True).returncode:
        (pytest.fail if os.environ.get("CI") else pytest.skip)("this system gives nobody a network of their own")
    home.mkdir()
    kept = {name: os.environ[name] for name in KEPT if name in os.environ}
    done = subprocess.run(
        [*wrapper, *NAMESPACE, sys.executable, __file__, *arguments],
        env={**kept, "HOME": str(home), "QT_QPA_PLATFORM": "offscreen", "LANG": "C.UTF-8"},
        capture_output=True,
        text=True,
        timeout=timeout_s,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-4000:]
    assert list(home.iterdir()) == []
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def _watch(event: str, arguments: tuple[Any, ...]) -> None:
    if event in WATCHED and not _is_within_the_machine(event, arguments):
        _attempts.append(f"{event} {arguments[1:] if event.startswith('socket') else arguments[:1]!r}")
        raise Attempt(_attempts[-1])


def _is_within_the_machine(event: str, arguments: tuple[Any, ...]) -> bool:
    """A pipe between processes has a path, or on Linux an abstract name, for an address."""
    return event in ("socket.connect", "socket.bind") and isinstance(arguments[1], str | bytes)


def _encode(models_dir: str, *keys: str) -> dict[str, Any]:
    """Load models and encode what each accepts, the words through its tokenizer."""
    import numpy as np

    from app.engine.encoders.catalogue import Catalogue
    from app.engine.encoders.proof import samples_for

    catalogue = Catalogue(Path(models_dir), device="cpu")
    encoded = []
    for key in keys:
        encoder = catalogue.load(key)
        vectors = [encoder.encode(samples_for(encoder, modality)) for modality in encoder.spec.accepts]
        if all(np.isfinite(rows).all() and rows.shape == (2, encoder.spec.dim) for rows in vectors):
            encoded.append(key)
        catalogue.unload(key)
    return {"encoded": encoded}


def _import_everything() -> dict[str, Any]:
    import app

    names = [module.name for module in pkgutil.walk_packages(app.__path__, "app.") if module.name != "app.__main__"]
    for name in names:
        importlib.import_module(name)
    return {"imported": names}


def _command(*lines: str) -> dict[str, Any]:
    """Run commands, each a line of JSON: a list of words. Their documents, in order."""
    from app.__main__ import main

    answers = []
    for line in lines:
        sys.argv = ["semblance", *json.loads(line), "--json"]
        with contextlib.redirect_stdout(io.StringIO()) as written:
            status = main()
        answers.append([status, json.loads(written.getvalue())])
    return {"answers": answers}


def _misbehave() -> dict[str, Any]:
    """What the guard must catch."""
    import socket
    import urllib.request

    deeds: list[Callable[[], Any]] = [
        lambda: socket.create_connection(("127.0.0.1", 9), timeout=1),
        lambda: socket.getaddrinfo("localhost", 80),
        lambda: urllib.request.urlopen("http://127.0.0.1:9/"),
        lambda: subprocess.run(["true"], check=False),
        lambda: os.system("true"),
    ]
    for deed in deeds:
        with contextlib.suppress(Attempt):
            deed()
    return {"deeds": len(deeds)}


def _reach() -> dict[str, Any]:
    """What a connection gives here, without the guard."""
    import socket

    try:
        socket.create_connection(("127.0.0.1", 9), timeout=5)
    except OSError as error:
        return {"error": os.strerror(error.errno or 0)}
    return {"error": ""}


if __name__ == "__main__":
    deed, *rest = sys.argv[1:]
    if deed != "reach":
        sys.addaudithook(_watch)
    deeds = {
        "encode": _encode,
        "import-everything": _import_everything,
        "command": _command,
        "misbehave": _misbehave,
        "reach": _reach,
    }
    print(json.dumps({**deeds[deed](*rest), "attempts": _attempts}))
