"""The frozen folder as a tar.gz, with a script that puts it into a person's own menus; nobody needs to be root."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

from linux import staging
from linux.staging import HERE, VERSION


def build(folder: Path, out: Path, scratch: Path) -> Path:
    """Make ``semblance-VERSION-linux-MACHINE.tar.gz`` in ``out``; ``scratch`` is an empty folder.

    The bytes depend on the compressor: pigz where there is one, as it takes all cores, else gzip.
    """
    name = f"semblance-{VERSION}-linux-{staging.MACHINE}"
    staging.link_tree(folder, scratch / name)
    staging.add_share(scratch / name / "share")
    staging.write(scratch / name / "install.sh", (HERE / "install.sh").read_bytes(), staging.BINARY_MODE)
    staging.finish(scratch)
    package = out / f"{name}.tar.gz"
    order = ["tar", "--create", "--format=gnu", "--sort=name", "--owner=0", "--group=0", "--numeric-owner"]
    order += ["--hard-dereference", f"--use-compress-program={compressor()}", f"--file={package}"]
    subprocess.run([*order, f"--directory={scratch}", name], check=True, env={**os.environ, "LC_ALL": "C"})
    return package


def compressor() -> str:
    """pigz with at least two threads: with one it makes other bytes."""
    return f"pigz -n -p {max(2, os.cpu_count() or 2)}" if shutil.which("pigz") else "gzip -n"
