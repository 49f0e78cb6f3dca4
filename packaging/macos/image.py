"""Make the disk image for macOS out of the application: ``python packaging/macos/image.py``.

    SEMBLANCE_SIGN_IDENTITY    the name of a "Developer ID Application" certificate in the keychain. Without one, the
                               application is signed ad hoc: it runs where it was built, and elsewhere only after the
                               person has allowed it in System Settings, under Privacy & Security.
    SEMBLANCE_NOTARY_PROFILE   the name under which ``xcrun notarytool store-credentials`` put Apple's in the keychain.
                               With it, the image is sent to Apple and the answer is stapled to it.

Not yet run on a Mac.
"""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
PROJECT = HERE.parents[1]
ENTITLEMENTS = HERE / "entitlements.plist"
AD_HOC = "-"
MACH_O = (b"\xcf\xfa\xed\xfe", b"\xca\xfe\xba\xbe")
"""The first bytes of a 64-bit file of Mach-O, and of one for several processors (Apple's mach-o/loader.h, fat.h)."""
BESIDE = ("LICENSE", "licences", "sbom.cdx.json")


def build(app: Path, folder: Path, out: Path) -> Path:
    """The image in ``out``, of the application ``app``, with what lies beside the program in the frozen ``folder``."""
    from app import __version__

    furnish(app, folder)
    identity = os.environ.get("SEMBLANCE_SIGN_IDENTITY", AD_HOC)
    for command in signing(app, identity):
        subprocess.run(command, check=True)
    subprocess.run(["codesign", "--verify", "--deep", "--strict", str(app)], check=True)
    image = out / f"semblance-{__version__}-macos-{platform.machine()}.dmg"
    _make_image(app, image)
    if identity != AD_HOC:
        subprocess.run(["codesign", "--force", "--timestamp", "--sign", identity, str(image)], check=True)
    if profile := os.environ.get("SEMBLANCE_NOTARY_PROFILE"):
        for command in notarising(image, profile):
            subprocess.run(command, check=True)
    return image


def furnish(app: Path, folder: Path) -> None:
    """Put the licences and the bill of materials where an application keeps such things."""
    resources = app / "Contents" / "Resources"
    for name in BESIDE:
        source, target = folder / name, resources / name
        if source.is_dir():
            shutil.copytree(source, target, dirs_exist_ok=True)
        elif source.is_file():
            shutil.copyfile(source, target)


def signing(app: Path, identity: str) -> list[list[str]]:
    """The commands that sign the application from the inside out, as a seal covers the seals that it holds."""
    command = ["codesign", "--force", "--sign", identity]
    if identity != AD_HOC:  # the hardened runtime, which notarisation wants, lets no ad hoc libraries be loaded
        command += ["--timestamp", "--options", "runtime"]
    frameworks = sorted((path for path in app.rglob("*.framework") if path.is_dir() and not path.is_symlink()), key=str)
    inner = [path for path in sorted(app.rglob("*")) if is_mach_o(path) and path.parent.name != "MacOS"]
    programs = [path for path in sorted((app / "Contents" / "MacOS").iterdir()) if is_mach_o(path)]
    rights = ["--entitlements", str(ENTITLEMENTS)]
    return [
        *([*command, str(path)] for path in sorted(inner, key=lambda path: -len(path.parts))),
        *([*command, str(path)] for path in reversed(frameworks)),
        *([*command, *rights, str(path)] for path in programs),
        [*command, *rights, str(app)],
    ]


def is_mach_o(path: Path) -> bool:
    """Whether it is a program or a library, and no link to one."""
    if path.is_symlink() or not path.is_file():
        return False
    with path.open("rb") as file:
        return file.read(4) in MACH_O


def notarising(image: Path, profile: str) -> list[list[str]]:
    return [
        ["xcrun", "notarytool", "submit", str(image), "--keychain-profile", profile, "--wait"],
        ["xcrun", "stapler", "staple", str(image)],
    ]


def _make_image(app: Path, image: Path) -> None:
    """An image with the application and a way to the folder of applications."""
    laid_out = image.with_suffix(".folder")
    shutil.rmtree(laid_out, ignore_errors=True)
    shutil.copytree(app, laid_out / app.name, symlinks=True)
    (laid_out / "Applications").symlink_to("/Applications")
    create = ["hdiutil", "create", "-volname", "Semblance", "-fs", "HFS+", "-format", "ULFO", "-ov"]
    subprocess.run([*create, "-srcfolder", str(laid_out), str(image)], check=True)
    shutil.rmtree(laid_out)


if __name__ == "__main__":
    sys.path.insert(0, str(PROJECT))
    dist = PROJECT / "dist"
    print(build(dist / "Semblance.app", dist / "semblance", dist))
