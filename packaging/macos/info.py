"""The application's Info.plist, for PyInstaller's BUNDLE; keys are Apple's (Information Property List)."""

from __future__ import annotations

from typing import Any

IDENTIFIER = "org.semblance.Semblance"
OLDEST_MACOS = "14.0"
"""That for which the wheels of NumPy and SciPy are built which pip chooses on the system that releases are built on."""
WHY = "Semblance reads the pictures, videos and sounds in the folders that you choose. They stay on this Mac."
PLACES = ("DesktopFolder", "DocumentsFolder", "DownloadsFolder", "RemovableVolumes", "NetworkVolumes", "PhotoLibrary")
TYPES = (("Picture", "public.image"), ("Sound", "public.audio"), ("Video", "public.movie"))


def info_plist(version: str) -> dict[str, Any]:
    """What macOS is told. Files may be opened with Semblance, which never becomes the one that opens them."""
    return {
        "CFBundleName": "Semblance",
        "CFBundleDisplayName": "Semblance",
        "CFBundleExecutable": "semblance-window",
        "CFBundleShortVersionString": version,
        "CFBundleVersion": version,
        "CFBundleDocumentTypes": [
            {
                "CFBundleTypeName": name,
                "CFBundleTypeRole": "Viewer",
                "LSHandlerRank": "Alternate",
                "LSItemContentTypes": [kind],
            }
            for name, kind in TYPES
        ],
        "LSBackgroundOnly": False,  # which PyInstaller sets where one of the executables is for a terminal
        "LSApplicationCategoryType": "public.app-category.photography",
        "LSMinimumSystemVersion": OLDEST_MACOS,
        "NSHighResolutionCapable": True,
        "NSHumanReadableCopyright": "Under the MIT licence",
        "NSRequiresAquaSystemAppearance": False,
        **{f"NS{place}UsageDescription": WHY for place in PLACES},
    }
