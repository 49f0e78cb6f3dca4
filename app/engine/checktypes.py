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
    def condensed(self) -> tuple[Finding, ...]:
        """For people to read: the worst first, and what is fine of one group ("Pictures: JPEG", "Pictures: PNG")
        together."""
        fine: dict[str, list[Finding]] = {}
        for finding in self.findings:
            if finding.verdict is Verdict.FINE:
                fine.setdefault(finding.title.partition(": ")[0], []).append(finding)
        wrong = [finding for finding in self.findings if finding.verdict is not Verdict.FINE]
        wrong.sort(key=lambda finding: finding.verdict is not Verdict.PROBLEM)
        return (*wrong, *(_together(group, findings) for group, findings in fine.items()))

    @property
    def text(self) -> str:
        """All of it as lines that can be pasted into a message."""
        lines = [f"Semblance {self.program}", self.system]
        for finding in self.findings:
            lines.append(f"[{finding.verdict}] {finding.title}: {finding.sentence}")
            if finding.remedy:
                lines.append(f"    {finding.remedy}")
        return "\n".join(lines)


def _together(group: str, findings: list[Finding]) -> Finding:
    if len(findings) == 1:
        return findings[0]
    names = ", ".join(finding.title.partition(": ")[2] or finding.title for finding in findings)
    return Finding(findings[0].key.partition(".")[0], group, Verdict.FINE, f"All is as it should be: {names}.")
