"""What the window finds out about itself: how it is drawn, and whether it can play. The engine knows nothing of it."""

from __future__ import annotations

import importlib
from typing import Any

from PySide6.QtCore import QCoreApplication, qVersion
from PySide6.QtGui import QGuiApplication

from app.engine.checktypes import Finding, Verdict

MEDIA_MODULE = "PySide6.QtMultimedia"


def own_findings() -> tuple[Finding, ...]:
    """All of them; the first call imports QtMultimedia."""
    return drawing(), playing(MEDIA_MODULE)


def drawing() -> Finding:
    screens = QGuiApplication.screens()
    shown = ", ".join(
        f"{screen.size().width()} × {screen.size().height()} at {screen.devicePixelRatio():g}×" for screen in screens
    )
    sentence = _tr("Qt {0} draws by “{1}” on {2}.").format(qVersion(), QGuiApplication.platformName(), shown)
    return Finding("window", _tr("Window"), Verdict.FINE, sentence)


def playing(module: str) -> Finding:
    """Whether sounds and videos can be played: ``module`` is Qt Multimedia's, which needs libraries of the system."""
    title = _tr("Playing")
    try:
        media: Any = importlib.import_module(module)
        if not media.QMediaPlayer().isAvailable():
            raise ImportError(_tr("Qt's plug-in for it cannot be loaded"))
        silent = media.QMediaDevices.defaultAudioOutput().isNull()
    except ImportError as error:
        return Finding(
            "playing",
            title,
            Verdict.PROBLEM,
            _tr("Sounds and videos cannot be played here: {0}.").format(str(error).rstrip(".")),
            _tr("Install what is missing (Debian and Ubuntu: libpulse0, Fedora: pulseaudio-libs), then start again."),
        )
    if silent:
        sentence = _tr("Videos can be played, but no loudspeaker or headphones were found.")
        return Finding("playing", title, Verdict.NOTE, sentence, _tr("Connect some to hear sounds."))
    return Finding("playing", title, Verdict.FINE, _tr("Sounds and videos can be played."))


def _tr(words: str) -> str:
    return QCoreApplication.translate("windowchecks", words)
