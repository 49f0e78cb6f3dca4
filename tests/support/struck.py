"""A process that is struck: it loads the engine once and forks a child for each request, which opens a library and
indexes (unless there are no folders), or puts its copy back (``"restore"``), until the shim (``tests/faults/shim.c``,
preloaded) kills it or has the disk fail.

Requests and answers are lines of JSON: ``{"home", "folders", "restore", "mode", "at", "error"}`` and
``{"killed", "calls", "encoded", "said", "bug"}``, where each character of ``calls`` is the kind of one counted call.
"""

from __future__ import annotations

import ctypes
import json
import mmap
import os
import signal
import sys
import traceback
from pathlib import Path
from typing import Any

import faulty

from app.engine.errors import AppError
from app.engine.libraries import restore

COUNT, KILL_BEFORE, KILL_HALFWAY, KILL_AFTER, FAIL_FROM, FAIL_SYNCS = range(6)


def main() -> None:
    shim = ctypes.CDLL(None)
    shim.arm.argtypes = (ctypes.c_int, ctypes.c_long, ctypes.c_int)
    shim.disarm.restype = ctypes.c_char_p
    shared = mmap.mmap(-1, mmap.PAGESIZE)
    counter = memoryview(shared).cast("q")
    for line in sys.stdin:
        request = json.loads(line)
        counter[0] = 0
        receiving, sending = os.pipe()
        child = os.fork()
        if child == 0:
            os.close(receiving)
            os.write(sending, json.dumps(_strike(shim, request, counter)).encode())
            os._exit(0)
        os.close(sending)
        with os.fdopen(receiving, "rb") as stream:
            told = stream.read()
        _, status = os.waitpid(child, 0)
        killed = os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL
        answer = {
            "killed": killed,
            "calls": "",
            "said": "",
            "bug": "",
            **json.loads(told or "{}"),
            "encoded": counter[0],
        }
        print(json.dumps(answer), flush=True)


def _strike(shim: Any, request: dict[str, Any], counter: Any) -> dict[str, Any]:
    told: dict[str, Any] = {}
    shim.arm(request["mode"], request["at"], request.get("error", 0))
    try:
        if request.get("restore"):
            restore(Path(request["home"]), "default")
            return told
        with faulty.opened(Path(request["home"]), counter) as session:
            if request["folders"]:
                faulty.index(session, *map(Path, request["folders"]))
    except AppError as error:
        told["said"] = str(error)
    except BaseException:
        told["bug"] = traceback.format_exc()
    finally:
        told["calls"] = shim.disarm().decode()
    return told


if __name__ == "__main__":
    main()
