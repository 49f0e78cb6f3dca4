"""What is frozen and what is left out, how large it is, and builds that are refused before they begin."""

from __future__ import annotations

import importlib
from importlib.metadata import distribution
from pathlib import Path
from types import ModuleType

import pytest

PACKAGING = Path(__file__).resolve().parents[2] / "packaging"


@pytest.fixture
def script(monkeypatch):
    """Imports a script: packaging/ is no package, and its scripts find each other when one of them is run."""
    monkeypatch.syspath_prepend(str(PACKAGING))

    def load(name: str) -> ModuleType:
        return importlib.import_module(name)

    return load


@pytest.mark.parametrize(
    "file",
    [
        "torch/lib/libtorch_cuda.so",
        "torch/lib/torch_cuda.dll",
        "nvidia/cu13/lib/libnvrtc-builtins.so.13.0",
        "nvidia/cudnn/lib/libcudnn_adv.so.9",
        "nvidia/cusparselt/lib/libcusparseLt.so.0",
        "PySide6/Qt/plugins/multimedia/libffmpegmediaplugin.so",
        "PySide6/Qt/plugins/platforms/libqxcb.so",
        "PySide6/Qt/plugins/platforms/libqoffscreen.so",
        "PySide6/Qt/lib/libQt6Quick.so.6",
        "open_clip/bpe_simple_vocab_16e6.txt.gz",
        "resources/report/report.html",
    ],
)
def test_what_the_program_reaches_is_frozen(script, file):
    assert script("contents").is_reached(file)


@pytest.mark.parametrize(
    "file",
    [
        "torch/bin/ptxas",
        "nvidia/cu13/lib/libcusolverMg.so.12",
        "nvidia/cu13/lib/libnvrtc.alt.so.13",
        "PySide6/Qt/translations/qtbase_de.qm",
        "PySide6\\translations\\qtbase_de.qm",
        "PySide6/Qt/plugins/platformthemes/libqgtk3.so",
        "pytest_xdist-3.8.0.dist-info/METADATA",
        "numpy/_core/include/numpy/arrayobject.h",
        "libstdc++.so.6",
    ],
)
def test_what_it_does_not_reach_is_left_out(script, file):
    assert not script("contents").is_reached(file)


def test_of_transformers_all_tokenizers_are_frozen_and_few_networks(script):
    left_out = set(script("contents").excluded_modules())
    kept = {"clap.modeling_clap", "bert.modeling_bert", "gemma.tokenization_gemma", "t5.configuration_t5"}
    assert not left_out & {f"transformers.models.{name}" for name in kept}
    assert {"transformers.models.gemma.modeling_gemma", "transformers.models.t5.modeling_t5"} <= left_out


def test_a_systems_library_goes_with_the_last_that_needs_it(script, tmp_path):
    own = ("PySide6/plugin.so", str(tmp_path / "plugin.so"), "BINARY")
    needed = ("libneeded.so.1", str(tmp_path / "libneeded.so.1"), "BINARY")
    orphan = ("liborphan.so.1", str(tmp_path / "liborphan.so.1"), "BINARY")
    linked = {own[1]: {Path(needed[1]).resolve()}}
    kept = script("contents").without_orphans([own, needed, orphan], lambda file: linked.get(file, set()))
    assert kept == [own, needed]


def test_a_link_goes_with_what_it_leads_to(script):
    file = ("nvidia/lib/liba.so.1.2", "/x/liba.so.1.2", "BINARY")
    kept = [("liba.so.1", "nvidia/lib/liba.so.1.2", "SYMLINK"), ("liba.so", "liba.so.1", "SYMLINK")]
    broken = [("libb.so.1", "nvidia/lib/libb.so.1", "SYMLINK"), ("libb.so", "libb.so.1", "SYMLINK")]
    assert script("contents").without_broken_links([file, *kept, *broken]) == [file, *kept]


def test_a_folder_is_as_large_as_its_files_and_its_large_parts_are_named(script, tmp_path):
    sizes = script("sizes")
    for name, size_bytes in {"torch/lib/a.so": 30 << 20, "PySide6/Qt/lib/b.so": 25 << 20, "app/c.py": 1000}.items():
        file = tmp_path / "_internal" / name
        file.parent.mkdir(parents=True)
        with file.open("wb") as sparse:
            sparse.truncate(size_bytes)
    (tmp_path / "_internal" / "link").symlink_to("torch/lib/a.so")
    assert sizes.folder_bytes(tmp_path) == (55 << 20) + 1000
    assert sizes.large_parts(tmp_path) == [("torch/lib", 30 << 20), ("PySide6/Qt/lib", 25 << 20)]


def test_what_pip_made_is_not_counted_to_a_wheel(script):
    found = distribution("filelock")
    compiled = [file for file in found.files or () if file.suffix == ".pyc"]
    assert script("sizes").wheels_bytes([found]) == sum(
        file.size for file in found.files if file not in compiled and file.hash
    )


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("missing.semblance-pack", None, "There is no file"),
        ("models.zip", b"PK", "is not called *.semblance-pack"),
        ("junk.semblance-pack", b"no pack", "cannot be carried"),
    ],
)
def test_a_pack_that_cannot_be_carried_stops_the_build_before_it_begins(script, tmp_path, capsys, name, content, told):
    if content is not None:
        (tmp_path / name).write_bytes(content)
    assert script("build").main(["--with-pack", str(tmp_path / name)]) == 2
    assert told in capsys.readouterr().err


def test_a_pack_is_carried_in_the_frozen_folder_and_not_in_the_checkout(script, tmp_path):
    build = script("build")
    pack = tmp_path / "models.semblance-pack"
    pack.write_bytes(b"models")
    folder = tmp_path / "semblance"
    (folder / "_internal" / "resources").mkdir(parents=True)
    build.furnish(folder, [pack])
    assert (folder / "_internal" / "resources" / "packs" / pack.name).read_bytes() == b"models"
    assert not (build.PROJECT / "resources" / "packs" / pack.name).exists()
    assert (folder / "LICENSE").is_file()
    assert "portable" in (folder / "README.txt").read_text(encoding="utf-8")


def test_a_flavour_that_the_installed_torch_is_not_is_refused(script, capsys):
    build = script("build")
    other = {"cpu": "gpu", "gpu": "cpu"}[build.installed_flavour()]
    assert build.main(["--flavour", other]) == 2
    assert "Install torch" in capsys.readouterr().err


def test_icons_are_written_for_windows_and_macos(script, tmp_path):
    from PIL import Image

    icons = script("icons")
    icons.write_ico(tmp_path / "a.ico")
    icons.write_icns(tmp_path / "a.icns")
    with Image.open(tmp_path / "a.ico") as ico, Image.open(tmp_path / "a.icns") as icns:
        assert {(16, 16), (256, 256)} <= ico.info["sizes"]
        assert max(size[0] for size in icns.info["sizes"]) >= 256
