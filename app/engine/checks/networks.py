"""What computes: the networks of every family, and torch on every device. Each function imports torch, and runs in a
child process."""

from __future__ import annotations

import os
import platform
import re
import sys
import warnings
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np

from app.engine.checks import known
from app.engine.checks.names import GRAPHICS, PROCESSOR, titles
from app.engine.checks.telling import again, detail, fine, note, problem
from app.engine.checktypes import Finding
from app.engine.encoders.base import Encoder
from app.engine.encoders.entries import Entry, read_entries
from app.engine.errors import CatalogueDamaged
from app.engine.samples import Picture, Sample, Sound
from app.engine.sizes import in_words

_NVIDIA = "0x10de"
_DISPLAYS = ("0x0300", "0x0302")
"""PCI's classes of display controllers, with and without an outlet."""
_LITTLE_MEMORY_BYTES = 2 * 10**9
_NO_VECTORS = "DEFAULT"
"""What torch calls a processor without instructions that compute several numbers at once."""
_NO_CARD = "Networks run on the processor."


def processor() -> Finding:
    """Whether torch computes rightly on the processor."""
    import torch

    wrong = known.wrong_on("cpu", torch.float32)
    if wrong:
        return problem("processor", PROCESSOR, f"torch {torch.__version__} computes wrongly: {wrong}.", again())
    instructions, threads = torch.backends.cpu.get_cpu_capability(), torch.get_num_threads()
    with_what = "" if instructions == _NO_VECTORS else f" with {instructions}"
    sentence = f"torch {torch.__version__} computes rightly{with_what} on {threads} thread{'s' * (threads != 1)}."
    if instructions == _NO_VECTORS and platform.machine().lower() in ("x86_64", "amd64"):
        return note("processor", PROCESSOR, f"{sentence} It has no AVX2, so that networks are slow on it.")
    return fine("processor", PROCESSOR, sentence)


# --- families of encoders ---


def family(name: str, resources: Path) -> tuple[Finding, ...]:
    """Whether the networks of a family can be built: all that the catalogue has, as outlines that take no memory. Where
    the catalogue cannot be read, `installed.look` says so, once for all families."""
    try:
        entries = [entry for entry in read_entries(resources / "models.toml") if entry.family == name]
    except CatalogueDamaged:
        return ()
    return (_family(name, entries),)


def _family(name: str, entries: Sequence[Entry]) -> Finding:
    key, title = f"encoder.{name}", dict(titles())[name]
    try:
        count = _BUILDERS[name](entries)
    except Exception as error:  # whatever a library raises, of its code or of a file of it that is missing
        sentence = f"Models of this family cannot be used here ({detail(error)})."
        return problem(key, title, sentence, again())
    return fine(key, title, "It computes." if name in _BUILT_IN else _built(count))


def _built(count: int) -> str:
    return "Its network can be built." if count == 1 else f"{count} networks can be built."


def _built_in(entries: Sequence[Entry]) -> int:
    for entry in entries:
        encoder, sample = _own(entry)
        row = encoder.encode([sample])[0]
        if not np.isfinite(row).all() or abs(float(np.linalg.norm(row)) - 1) > 1e-3:
            raise ValueError(f"{entry.key} gives no unit vector")
    return len(entries)


def _own(entry: Entry) -> tuple[Encoder, Sample]:
    ramp = np.linspace(0, 255, entry.picture.size_px if entry.picture else 1).astype(np.uint8)
    if entry.family == "colour-texture":
        from app.engine.encoders.builtin_picture import ColourTexture

        pixels = np.stack(np.broadcast_arrays(ramp[:, None], ramp[None], ramp[::-1, None]), axis=2)
        return ColourTexture(entry.spec, "checkup"), Picture(np.ascontiguousarray(pixels))
    from app.engine.encoders.builtin_sound import Timbre

    rate_hz = entry.sound.sample_rate_hz if entry.sound else 1
    wave = np.sin(2 * np.pi * 440 * np.arange(rate_hz) / rate_hz).astype(np.float32)
    return Timbre(entry.spec, "checkup"), Sound(wave)


def _open_clip(entries: Sequence[Entry]) -> int:
    import torch

    from app.engine.encoders import openclip
    from app.engine.encoders.weights import Uninitialised

    own = [entry for entry in entries if not entry.variant_of]
    nowhere = Path("checkup")
    for entry in own:
        with torch.device("meta"), Uninitialised():
            openclip.build(entry, nowhere)
    worded = next(entry for entry in own if not entry.companions)  # its tokens come from a file of open_clip's own
    tokens = openclip.tokenizer_of(worded, nowhere)(["a photo of snow"])
    if int((tokens != 0).sum()) < 4:
        raise ValueError("its tokenizer finds no words")
    return len(own)


def _timm(entries: Sequence[Entry]) -> int:
    import torch

    from app.engine.encoders import timm_backbone

    for entry in entries:
        with torch.device("meta"):
            timm_backbone.build(entry.architecture, entry.picture.size_px if entry.picture else None)
    return len(entries)


def _resnet50(entries: Sequence[Entry]) -> int:
    import torch
    import torchvision

    with torch.device("meta"):
        torchvision.models.resnet50(weights=None)
    return len(entries)


def _panns(entries: Sequence[Entry]) -> int:
    import torch

    from app.engine.encoders.panns_network import ARCHITECTURES, build
    from app.engine.encoders.weights import Uninitialised

    smallest = min(entries, key=lambda entry: entry.parameters)
    with Uninitialised():  # it computes its filters while it is built, which "meta" has no numbers for
        network = build(ARCHITECTURES[smallest.architecture]).eval()
    seconds = torch.zeros(1, 32_000)
    with torch.inference_mode():
        if tuple(network(seconds).shape) != (1, smallest.dim):
            raise ValueError(f"{smallest.key} gives a vector of another size")
    return len(entries)


def _clap(entries: Sequence[Entry]) -> int:
    import torch
    from transformers import ClapFeatureExtractor, ClapModel

    from app.engine.encoders import clap

    with torch.device("meta"):
        ClapModel(clap.CONFIG)
    second = np.zeros(clap.SAMPLE_RATE_HZ, np.float32)
    features_of = ClapFeatureExtractor(truncation="rand_trunc")
    prepared = features_of([second], sampling_rate=clap.SAMPLE_RATE_HZ, return_tensors="pt")
    if not torch.isfinite(prepared["input_features"]).all():
        raise ValueError("its spectrum is no number")
    return len(entries)


_BUILDERS: dict[str, Callable[[Sequence[Entry]], int]] = {
    "colour-texture": _built_in,
    "timbre": _built_in,
    "open_clip": _open_clip,
    "timm": _timm,
    "resnet50": _resnet50,
    "panns": _panns,
    "clap": _clap,
}
_BUILT_IN = ("colour-texture", "timbre")

# --- graphics cards ---


def graphics(wanted: str) -> tuple[Finding, ...]:
    """Each graphics card that torch can compute on, or why there is none. ``wanted`` is "auto" or a device that is to
    be there."""
    import torch

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch warns of what is said here in plainer words
        found = _cards(torch)
    kind = wanted.split(":")[0]
    if kind in ("cuda", "mps") and all(finding.key == "gpu" for finding in found):
        sentence = f"“{wanted}” is asked for and not there. {found[0].sentence}"
        return (problem("gpu", GRAPHICS, sentence, found[0].remedy),)
    return found


def _cards(torch: Any) -> tuple[Finding, ...]:
    if torch.backends.mps.is_available():
        return (_card(torch, "mps", "Apple's graphics unit", "gpu.mps"),)
    if torch.version.cuda is None and torch.version.hip is None:
        return (_processor_alone(torch),)
    if not torch.cuda.is_available():
        return (why_no_card(_complaint(torch), has_nvidia()),)
    return tuple(_cuda_card(torch, number) for number in range(torch.cuda.device_count()))


def _processor_alone(torch: Any) -> Finding:
    """The parts for graphics cards are not in this torch. On a Mac there is nothing to leave out."""
    if sys.platform != "darwin" and has_nvidia():
        sentence = f"There is one by NVIDIA, and this is the flavour for the processor (torch {torch.__version__})."
        return note("gpu", GRAPHICS, sentence, "To use the card, install the flavour for graphics cards.")
    return fine("gpu", GRAPHICS, f"None that could be used. {_NO_CARD}")


def _complaint(torch: Any) -> str:
    """Why torch finds no card, in its own words."""
    try:
        torch.cuda.init()
    except Exception as error:  # RuntimeError and AssertionError, by release
        return " ".join(str(error).split())
    return ""


def why_no_card(complaint: str, has_card: bool) -> Finding:
    """What is said where torch could use a card and finds none. ``complaint`` is torch's own, ``has_card`` whether the
    system knows of one by NVIDIA."""
    if old := re.search(r"too old \(found version (\d+)\)", complaint):
        version = f"{int(old[1]) // 1000}.{int(old[1]) % 1000 // 10}"
        sentence = f"Its driver is too old: it is for CUDA {version}. {_NO_CARD}"
        return note("gpu", GRAPHICS, sentence, "Install the newest driver of your card, then start again.")
    if "no NVIDIA driver" in complaint or not complaint:
        if not has_card:
            return fine("gpu", GRAPHICS, f"None that could be used. {_NO_CARD}")
        sentence = f"There is one by NVIDIA, and its driver is not there. {_NO_CARD}"
        return note("gpu", GRAPHICS, sentence, "Install NVIDIA's own driver, then start again.")
    if "No CUDA GPUs" in complaint:
        sentence = f"There is a driver, and no card that it shows to this program. {_NO_CARD}"
        remedy = "If there is a card, look whether the variable CUDA_VISIBLE_DEVICES hides it."
        return note("gpu", GRAPHICS, sentence, remedy)
    sentence = f"It cannot be used ({complaint[:200].rstrip('.')}). {_NO_CARD}"
    return note("gpu", GRAPHICS, sentence, "Install the newest driver of your card and start the machine again.")


def has_nvidia() -> bool:
    """Whether the system knows of a graphics card by NVIDIA: on Linux by its bus, on Windows by its driver."""
    if sys.platform == "win32":
        return Path(os.environ.get("SYSTEMROOT", r"C:\Windows"), "System32", "nvcuda.dll").is_file()
    for device in Path("/sys/bus/pci/devices").glob("*"):
        with suppress(OSError):
            maker, kind = ((device / name).read_text().strip() for name in ("vendor", "class"))
            if maker == _NVIDIA and kind.startswith(_DISPLAYS):
                return True
    return False


def _cuda_card(torch: Any, number: int) -> Finding:
    device = f"cuda:{number}"
    key = f"gpu.{number}"
    try:
        facts = torch.cuda.get_device_properties(number)
        free_bytes, total_bytes = torch.cuda.mem_get_info(number)
    except Exception as error:
        return _cannot_compute(key, device, detail(error))
    made_for = f"CUDA {torch.version.cuda}" if torch.version.cuda else f"ROCm {torch.version.hip}"
    about = (
        f"{facts.name}, {in_words(total_bytes)} of memory, {in_words(free_bytes)} free, "
        f"{_driver(torch)}torch {torch.__version__} for {made_for}"
    )
    found = _card(torch, device, about, key)
    if free_bytes < _LITTLE_MEMORY_BYTES and not found.remedy:
        remedy = "Close other programs that use the card. What does not fit there is computed on the processor."
        return note(key, GRAPHICS, found.sentence, remedy)
    return found


def _driver(torch: Any) -> str:
    """The driver's version where the system or torch tells it: torch has no documented call for it."""
    with suppress(OSError, IndexError):
        words = Path("/proc/driver/nvidia/version").read_text().split("Kernel Module", 1)[1]
        if version := re.search(r"\d+\.\d+(\.\d+)?", words):
            return f"driver {version[0]}, "
    version_of = getattr(torch._C, "_cuda_getDriverVersion", None)
    known_version = version_of() if version_of and torch.version.cuda else 0
    return f"a driver for CUDA {known_version // 1000}.{known_version % 1000 // 10}, " if known_version else ""


def _card(torch: Any, device: str, about: str, key: str) -> Finding:
    try:
        wrong = known.wrong_on(device, torch.float32)
    except Exception as error:  # RuntimeError mostly: a card too old for this torch, a driver that fails
        return _cannot_compute(key, about, detail(error))
    if wrong:
        return _cannot_compute(key, about, f"wrong results: {wrong}")
    try:
        half = known.wrong_on(device, torch.float16)
    except Exception as error:
        half = detail(error)
    if half:
        sentence = f"{about}. It computes rightly, but not in half precision ({half})."
        return note(
            key, GRAPHICS, sentence, "Models take more time and memory on it than they could; nothing is wrong."
        )
    return fine(key, GRAPHICS, f"{about}. It computes rightly, in half precision too.")


def _cannot_compute(key: str, about: str, why: str) -> Finding:
    remedy = (
        "Install the newest driver of the card. If it is too old for this program, hide it: set the variable "
        "CUDA_VISIBLE_DEVICES to -1 before the start, and the processor computes."
    )
    return problem(key, GRAPHICS, f"{about}: networks fail on it ({why}).", remedy)
