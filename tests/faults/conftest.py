"""No fault may make the program reach for the network; and a process that the system itself strikes down."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
COMPILERS = ("cc", "c++", "g++", "gcc", "clang")

_armed = False


def _refuse_network(event: str, arguments: tuple[Any, ...]) -> None:
    if not _armed:
        return
    if event in ("socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr"):
        raise AssertionError(f"{event} {arguments}: nothing here may ask the network")
    if event in ("socket.connect", "socket.bind", "socket.sendto") and arguments[0].family != socket.AF_UNIX:
        raise AssertionError(f"{event} {arguments}: nothing here may use the network")


sys.addaudithook(_refuse_network)


@pytest.fixture(autouse=True)
def no_network() -> Iterator[None]:
    """Any socket that is not local fails the test."""
    global _armed
    _armed = True
    yield
    _armed = False


@pytest.fixture(scope="session")
def shim(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The library that strikes; see shim.c."""
    compiler = next(filter(None, map(shutil.which, COMPILERS)), None)
    if sys.platform != "linux" or compiler is None:
        pytest.skip("faults of the system are provoked with a preloaded C library, on Linux")
    built = tmp_path_factory.mktemp("shim") / "shim.so"
    source = Path(__file__).with_name("shim.c")
    subprocess.run([compiler, "-x", "c", "-shared", "-fPIC", "-O1", "-o", built, source, "-ldl"], check=True)
    return built


@pytest.fixture(scope="session")
def environment() -> dict[str, str]:
    """For a Python process of this checkout with the tests' own helpers."""
    path = os.pathsep.join(map(str, (REPOSITORY, REPOSITORY / "tests" / "support")))
    return {**os.environ, "PYTHONPATH": path, "PYTHONWARNINGS": "ignore"}


Strike = Callable[..., dict[str, Any]]


@pytest.fixture(scope="module")
def strike(shim: Path, environment: dict[str, str]) -> Iterator[Strike]:
    """Indexes in a process that is struck; see tests/support/struck.py for the request and the answer."""
    process = subprocess.Popen(
        [sys.executable, REPOSITORY / "tests" / "support" / "struck.py"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**environment, "LD_PRELOAD": str(shim)},
        text=True,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    stdin, stdout = process.stdin, process.stdout

    def ask(**request: Any) -> dict[str, Any]:
        stdin.write(json.dumps(request) + "\n")
        stdin.flush()
        answer: dict[str, Any] = json.loads(stdout.readline())
        return answer

    with process:
        yield ask
        stdin.close()
