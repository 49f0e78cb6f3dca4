"""What a look at the machine says: frozen values that the doctor, the bridge, the command line and the window share."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Verdict(StrEnum):
    """Of one thing that was looked at. With a `NOTE` all works, though less well than it could; a `PROBLEM` is in the
    way of something a person wants."""

    FINE = "fine"
    NOTE = "note"
    PROBLEM = "problem"


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at.

    ``key`` names it for programs ("decoder.jpeg", "index", "encoder.open_clip", "gpu", "home", "disk");
    ``title`` for people; ``sentence`` says what was found, ``remedy`` what to do about it where something can be done.
    """

    key: str
    title: str
    verdict: Verdict
    sentence: str
    remedy: str = ""


@dataclass(frozen=True)
class CheckUp:
    """All that was looked at on this machine.

    ``program`` is the version with its kind ("0.6.0, packaged"), ``system`` the operating system and processor.
    """

    program: str
    system: str
    findings: tuple[Finding, ...]

    @property
    def worst(self) -> Verdict:
        found = {finding.verdict for finding in self.findings}
        return next((one for one in (Verdict.PROBLEM, Verdict.NOTE) if one in found), Verdict.FINE)

    @property
    def text(self) -> str:
        """All of it as lines that can be pasted into a message."""
        lines = [f"Semblance {self.program}", self.system]
        for finding in self.findings:
            lines.append(f"[{finding.verdict}] {finding.title}: {finding.sentence}")
            if finding.remedy:
                lines.append(f"    {finding.remedy}")
        return "\n".join(lines)
