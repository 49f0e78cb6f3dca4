"""Whether an encoder keeps the contract of `app.engine.encoders.base`: for authors of plug-ins, and for our own.

    python -m app.engine.encoders.contract MODULE:CLASS [--json]
    python -m app.engine.encoders.contract KEY --home DIR

``MODULE:CLASS`` is a plug-in, as an entry point names it; ``KEY`` a model of the catalogue. One line for each promise;
the exit status is 0 if all are kept, 1 if not, 2 if there is no such encoder. It is loaded three times.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from app.engine.encoders.base import Encoder
from app.engine.encoders.contract_checks import CHECKS, Broken, Case, Finding, Probe, samples_of
from app.engine.errors import AppError

KEPT, BROKEN, USAGE = 0, 1, 2
PROBE_TIMEOUT_S = 600


def findings(make: Callable[[], Encoder], probe: Callable[[], Probe], plugin: Any = None) -> tuple[Finding, ...]:
    """All checks of one encoder, in order.

    Args:
        make: gives the encoder, loaded anew at every call.
        probe: gives what was seen of it in another process.
        plugin: what an entry point names, None for an encoder that is no plug-in.
    """
    try:
        case = Case(make(), make(), probe, plugin)
    except (Exception, SystemExit) as error:  # code of somebody else
        return (Finding("it can be loaded", f"{type(error).__name__}: {error}"),)
    return tuple(_finding(title, check, case) for title, check in CHECKS.items())


def _finding(title: str, check: Callable[[Case], None], case: Case) -> Finding:
    try:
        check(case)
    except Broken as broken:
        return Finding(title, str(broken))
    except Exception as error:  # code of somebody else
        return Finding(title, f"{type(error).__name__}: {error}")
    return Finding(title)


def maker(target: str, home: str) -> Callable[[], Encoder]:
    """What makes the encoder that ``target`` names.

    Raises:
        AppError: there is none.
    """
    module, colon, attribute = target.partition(":")
    if not colon:
        from app.engine.encoders.catalogue import Catalogue
        from app.paths import data_home, models_dir

        folder = models_dir(data_home(home or None))
        Catalogue(folder).entry(target)
        return lambda: Catalogue(folder, device="cpu").load(target)
    try:
        found = importlib.import_module(module)
        for name in attribute.split("."):
            found = getattr(found, name)
    except Exception as error:  # code of somebody else
        raise AppError("There is no such encoder", f"{target}: {type(error).__name__}: {error}") from error
    if not callable(found):
        raise AppError("This is no encoder", f"{target} cannot be called to make one.")
    return found


def probed(target: str, home: str) -> Probe:
    """Load the encoder and use it once in a process of its own, which watches what it opens and prints."""
    with tempfile.TemporaryDirectory() as folder:
        answer = Path(folder, "answer")
        run = subprocess.run(
            [sys.executable, "-m", "app.engine.encoders.contract", target, "--home", home, "--probe", answer],
            capture_output=True,
            timeout=PROBE_TIMEOUT_S,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
            check=False,
        )
        if run.returncode:
            lines = run.stderr.decode(errors="replace").strip().splitlines() or [f"exit status {run.returncode}"]
            raise Broken(f"it fails in another process: {lines[-1]}")
        told = json.loads(answer.read_text("utf-8"))
        return Probe(told["fingerprint"], tuple(told["connections"]), run.stdout.decode(errors="replace"))


def _probe(target: str, home: str, answer: Path) -> None:
    """The other process: what it finds goes into a file, since the encoder may print."""
    connections: list[str] = []

    def watch(event: str, facts: tuple[Any, ...]) -> None:
        is_local = event == "socket.connect" and not isinstance(facts[1], tuple)  # of processes of one machine
        if event in ("socket.connect", "socket.getaddrinfo", "socket.gethostbyname", "socket.sendto") and not is_local:
            connections.append(f"{event} {facts[-1] if event == 'socket.connect' else facts[0]}")

    sys.addaudithook(watch)
    encoder = maker(target, home)()
    for modality in sorted(encoder.spec.accepts):
        encoder.encode(samples_of(encoder.spec, modality)[:1])
    answer.write_text(json.dumps({"fingerprint": encoder.fingerprint, "connections": connections}), "utf-8")


def main(arguments: list[str] | None = None) -> int:
    """Returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m app.engine.encoders.contract", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("target", metavar="MODULE:CLASS", help="what makes the encoder, or a model's key")
    parser.add_argument("--home", metavar="DIR", default="", help="the data home of a model named by its key")
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    parser.add_argument("--probe", metavar="FILE", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    try:
        if options.probe:
            _probe(options.target, options.home, options.probe)
            return KEPT
        with contextlib.redirect_stdout(sys.stderr):  # what an encoder prints is no answer of ours
            make = maker(options.target, options.home)
            plugin = make if ":" in options.target else None
            found = findings(make, lambda: probed(options.target, options.home), plugin)
    except AppError as error:
        sys.stderr.write(f"{error}\n")
        return USAGE
    if options.json:
        print(json.dumps({"encoder": options.target, "checks": [asdict(finding) for finding in found]}, indent=1))
    else:
        for finding in found:
            print(f"BROKEN {finding.title}: {finding.problem}" if finding.problem else f"kept   {finding.title}")
    return BROKEN if any(finding.problem for finding in found) else KEPT


if __name__ == "__main__":
    sys.exit(main())
