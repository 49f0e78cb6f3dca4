"""What goes into the frozen program, and what is left out of it because nothing in the program reaches it.

PyInstaller follows imports by itself and takes whole packages where it cannot know better. This is what it has to be
told: what is imported by a name that only turns up at run time, and what is never imported at all.
"""

from __future__ import annotations

import importlib.util
import posixpath
import sysconfig
from collections.abc import Callable, Iterable, Mapping, Sequence
from fnmatch import fnmatch
from pathlib import Path

Entry = tuple[str, str, str]
"""What PyInstaller collects: a name in the program, a file (of a link: what it points at), the type of it."""

TOWERS = ("auto", "bert", "clap", "encoder_decoder", "roberta", "xlm_roberta")
"""What is used of transformers' models as a network. Of all others only the tokenizer and its configuration are: a
folder of a model of open_clip's may name any."""

_TOKENIZERS = ("__init__", "configuration_*", "tokenization_*")

UNREACHED_MODULES = (
    # Other people's tests, tools and windows.
    *("IPython", "_pytest", "fastapi", "hypothesis", "mypy", "pip", "py", "pytest", "setuptools", "tkinter", "typer"),
    *("gradio", "matplotlib.testing", "matplotlib.tests", "networkx", "numpy.distutils", "pycparser"),
    *("pydantic", "readline", "pyqtgraph.examples", "pyqtgraph.jupyter", "pyqtgraph.opengl", "tensorboard", "wheel"),
    # What only our tests take from: the makers of PANNs and what they need.
    *("audioread", "joblib", "librosa", "llvmlite", "msgpack", "numba", "panns_inference", "pooch", "sklearn"),
    *("soundfile", "soxr", "torchlibrosa"),
    # Compiling networks. None is compiled: each runs as it is, on a GPU too.
    *("cuda", "torch._inductor.codegen", "torch._inductor.fx_passes", "torch._inductor.kernel", "triton"),
    *("torch.utils._strobelight.examples", "torch.utils.benchmark", "torch.utils.hipify", "torch.utils.tensorboard"),
    # torch's own tests; a few modules that stand among them are none, and are loaded.
    *("torch.testing._internal.common_methods_invocations", "torch.testing._internal.generated"),
    *("torch.testing._internal.opinfo", "torch.testing._internal.optests"),
    *(f"torch.testing._internal.distributed.{part}" for part in ("_shard", "_tensor", "distributed_test", "rpc")),
    # Parts of Qt that the window is not made of.
    *(f"PySide6.Qt{part}" for part in ("Designer", "Pdf", "Qml", "Quick", "Sql", "Test", "WebEngineCore")),
)

UNREACHED_FILES = (
    # Qt: its sentences in other languages, plug-ins for parts that are not there, and GTK's theme, which would bring
    # a GTK to live beside the system's own. (Of QML the libraries stay: Qt Multimedia's plug-in is linked to them.)
    *("PySide6/Qt/translations/*", "PySide6/translations/*", "PySide6/Qt/qml/*", "PySide6/qml/*"),
    *("PySide6/Qt/plugins/platformthemes/libqgtk3*", "PySide6/*plugins/imageformats/*qpdf*"),
    *("PySide6/*plugins/platforminputcontexts/*virtualkeyboard*", "PySide6/Qt/plugins/egldeviceintegrations/*"),
    *(f"PySide6/Qt/plugins/platforms/libq{name}*" for name in ("eglfs", "linuxfb", "minimal", "vkkhrdisplay", "vnc")),
    *(f"PySide6/Qt/lib/libQt6{name}*" for name in ("EglFS", "EglFs", "Pdf", "Test", "VirtualKeyboard")),
    *(f"PySide6/Qt6{name}*.dll" for name in ("Pdf", "Test", "VirtualKeyboard")),
    # To build with, not to run: headers, linkers' archives, compilers.
    *("*.a", "*.lib", "*.h", "*.hpp", "*.cuh", "*.pxd", "*.pyx", "*.pyi", "nvidia/*.bc", "*/__pycache__/*"),
    *("torch/bin/protoc*", "torch/bin/ptxas*", "torch/bin/nvdisasm*"),
    "matplotlib/mpl-data/sample_data/*",
    # A part of the C library that reads the insides of the rest, which is the system's and may be of another version.
    "libmvec.so.*",
    # GCC's runtimes: a desktop's OpenGL drivers are loaded into the program, and may ask for later ones than these.
    *("libgcc_s.so.*", "libstdc++.so.*"),
    # Where a wheel of our own lay on this machine, and the sums that this changes.
    *("*.dist-info/direct_url.json", "av-*.dist-info/RECORD"),
    # Facts about distributions of which nothing else is taken.
    *(f"{name}-*.dist-info/*" for name in ("hypothesis", "librosa", "pluggy", "pydantic", "pytest*", "scikit_learn")),
    *(f"{name}-*.dist-info/*" for name in ("setuptools", "soundfile", "soxr", "typer")),
    # CUDA: what torch neither links nor names, nor anything that it links. Found with readelf and strings in the
    # wheels of torch 2.11 for CUDA 13: solving over several GPUs, other interfaces to BLAS and FFTW, the compiler's
    # variant, profilers, and the ways between machines, which need a cluster's own libraries.
    *(f"nvidia/*/lib/lib{name}*" for name in ("cusolverMg", "nvblas", "cufftw", "nvrtc.alt", "nvrtc-builtins.alt")),
    *(f"nvidia/*/lib/lib{name}*" for name in ("nvperf_target", "checkpoint", "pcsamplingutil", "nvtx3interop")),
    *("nvidia/*/lib/nvshmem_bootstrap_*", "nvidia/*/lib/nvshmem_transport_*", "nvidia/*/lib/libcufile_rdma*"),
)

UNWANTED_HOOKS = ("pyi_rth_mplconfig",)
"""Run-time hooks of PyInstaller's: this one gives each process a new folder for matplotlib's list of fonts, which the
program keeps in its data home."""


def hidden_modules() -> list[str]:
    """What is imported by a name made at run time."""
    from PyInstaller.utils.hooks import collect_submodules

    return [
        *collect_submodules("app"),  # encoder families on first use, the window by the entrance
        *collect_submodules("ir_measures"),  # measures by provider
        "pytrec_eval",
        *(module for module in _modules_of_transformers() if _is_reached(module)),
    ]


def excluded_modules() -> list[str]:
    """Those of `UNREACHED_MODULES`, and transformers' networks but for a few."""
    return [*UNREACHED_MODULES, *(module for module in _modules_of_transformers() if not _is_reached(module))]


def is_reached(path: str) -> bool:
    """Whether a file of the frozen folder is wanted.

    Args:
        path: within ``_internal``, with either kind of slash.
    """
    name = path.replace("\\", "/")
    return not any(fnmatch(name, pattern) for pattern in UNREACHED_FILES)


def without_orphans(binaries: Sequence[Entry], needs: Callable[[str], set[Path]]) -> list[Entry]:
    """Binaries without the system's own libraries that nothing needs any more.

    Args:
        binaries: each its name in the program, its file and PyInstaller's type of it.
        needs: the files of all libraries that one is linked to, directly or not.
    """
    site_packages = Path(sysconfig.get_path("platlib")).resolve()

    def is_systems(entry: Entry) -> bool:
        name, file, kind = entry
        on_top = "/" not in name and kind != "SYMLINK" and not name.startswith("libpython")
        return on_top and not Path(file).resolve().is_relative_to(site_packages)

    own = [file for name, file, kind in binaries if kind != "SYMLINK" and not is_systems((name, file, kind))]
    needed = {path for file in own for path in needs(file)}
    return [entry for entry in binaries if not is_systems(entry) or Path(entry[1]).resolve() in needed]


def without_broken_links(entries: Sequence[Entry]) -> list[Entry]:
    """All but links to what is left out."""
    targets = {name: target for name, target, kind in entries if kind == "SYMLINK"}
    there = {name for name, _, kind in entries if kind != "SYMLINK"}
    return [entry for entry in entries if entry[2] != "SYMLINK" or _end_of(entry[0], targets) in there]


def _end_of(name: str, targets: Mapping[str, str]) -> str:
    """Where a link leads in the end."""
    while name in targets:
        name = posixpath.normpath(posixpath.join(posixpath.dirname(name), targets[name]))
    return name


def cuda_libraries() -> list[tuple[str, str]]:
    """The libraries of NVIDIA's packages, each with its folder in the program: torch opens many by name only. Empty
    where torch brings them itself or has none."""
    spec = importlib.util.find_spec("nvidia")
    places = [Path(place) for place in spec.submodule_search_locations or ()] if spec else []
    found = [(file, file.relative_to(place.parent)) for place in places for file in sorted(place.glob("*/lib/*.so*"))]
    return [(str(file), str(path.parent)) for file, path in found]


def _modules_of_transformers() -> list[str]:
    """All in ``transformers.models``, without importing them."""
    spec = importlib.util.find_spec("transformers")
    (folder,) = spec.submodule_search_locations if spec and spec.submodule_search_locations else ()
    models = Path(folder) / "models"
    return [f"transformers.models.{file.parent.name}.{file.stem}" for file in sorted(models.glob("*/*.py"))]


def _is_reached(module: str) -> bool:
    model, part = module.split(".")[2:]
    return model in TOWERS or _any_match(part, _TOKENIZERS)


def _any_match(name: str, patterns: Iterable[str]) -> bool:
    return any(fnmatch(name, pattern) for pattern in patterns)
