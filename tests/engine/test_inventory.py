"""The licences and the bill of materials that go into a frozen folder, and the sums beside the installers."""

from __future__ import annotations

import hashlib
import json
import sys
from importlib import metadata
from pathlib import Path
from types import SimpleNamespace

import pytest

PACKAGING = Path(__file__).resolve().parents[2] / "packaging"


@pytest.fixture(scope="module")
def tools():
    """The scripts as modules: packaging/ is no package."""
    before = list(sys.path)
    sys.path.insert(0, str(PACKAGING))
    try:
        import checksums
        import inventory
        import qt_notices
        import split
        from parts import gather, licensing

        return SimpleNamespace(
            inventory=inventory,
            gather=gather,
            licensing=licensing,
            checksums=checksums,
            qt_notices=qt_notices,
            split=split,
        )
    finally:
        sys.path[:] = before


def installed(distribution: str, ending: str) -> Path:
    files = metadata.files(distribution) or []
    return next(Path(str(file.locate())) for file in files if file.name.endswith(ending))


def lists_of(work: Path, collected: list[tuple[str, str, str]], modules: list[tuple[str, str, str]]) -> Path:
    """A work folder with PyInstaller's lists as it writes them: nested literals, the triples somewhere inside."""
    work.mkdir()
    (work / "COLLECT-00.toc").write_text(repr((collected, "a name", {"BINARY": True}, [("x", "y")])), "utf-8")
    (work / "PYZ-00.toc").write_text(repr(("PYZ-00.pyz", modules)), "utf-8")
    (work / "EXE-00.toc").write_text(repr((str(work / "program"), True, None)), "utf-8")
    return work


@pytest.fixture(scope="module")
def built(tmp_path_factory, tools):
    """A folder with three files, of which one is Pillow's own, one is in its wheel, and one is nobody's."""
    root = tmp_path_factory.mktemp("built")
    libraries = root / "elsewhere"
    libraries.mkdir()
    (libraries / "libmystery.so.3").write_bytes(b"mystery")
    (libraries / "libcrypto.so.3").write_bytes(b"an OpenSSL of one's own")
    imaging = installed("pillow", "Image.py").parent
    extension = next(path for path in imaging.glob("_imaging.*") if path.suffix in (".so", ".pyd"))
    work = lists_of(
        root / "work",
        [
            (f"PIL/{extension.name}", str(extension), "EXTENSION"),
            ("libmystery.so.3", str(libraries / "libmystery.so.3"), "BINARY"),
            ("libcrypto.so.3", str(libraries / "libcrypto.so.3"), "BINARY"),
            ("libcrypto.so", "libcrypto.so.3", "SYMLINK"),
            ("numpy-1.dist-info/METADATA", str(installed("numpy", "METADATA")), "DATA"),
        ],
        [("PIL.Image", str(imaging / "Image.py"), "PYMODULE"), ("h11", str(installed("h11", ".py")), "PYMODULE")],
    )
    folder = root / "folder"
    (folder / "_internal" / "PIL").mkdir(parents=True)
    (folder / "_internal" / "PIL" / extension.name).write_bytes(b"an extension module")
    (folder / "_internal" / "libcrypto.so.3").write_bytes(b"an OpenSSL of one's own")
    with pytest.raises(tools.inventory.NotToBeReleased) as refusal:
        tools.inventory.write(folder, work, release=True)
    return SimpleNamespace(work=work, folder=folder, extension=extension.name, refusal=str(refusal.value))


def test_a_distribution_is_included_where_its_code_was_taken_and_not_where_only_its_description_was(built, tools):
    assert [found.name for found in tools.inventory.included(built.work)] == ["h11", "pillow"]


def test_a_folder_without_a_build_says_what_to_do(tmp_path, tools):
    with pytest.raises(FileNotFoundError, match="build the program first"):
        tools.inventory.included(tmp_path)


def test_every_part_has_its_texts_and_a_line_in_the_index(built):
    licences = built.folder / "licences"
    pillow = licences / f"pillow-{metadata.version('pillow')}" / "LICENSE"
    assert pillow.read_bytes() == installed("pillow", "LICENSE").read_bytes()
    index = (licences / "index.html").read_text("utf-8")
    for name in ("Python", "pyinstaller", "pillow", "h11", "OpenSSL"):
        assert f"<td>{name}\n" in index
    for link in index.split('<td>\n<a href="')[1:]:
        assert (licences / link.split('"')[0]).is_file()
    assert (licences / "general" / "Apache-2.0.txt").is_file()


def test_the_bill_of_materials_names_them_with_licence_address_and_hash(built):
    bill = json.loads((built.folder / "sbom.cdx.json").read_text("utf-8"))
    parts = {part["name"]: part for part in bill["components"]}
    assert parts["pillow"]["purl"] == f"pkg:pypi/pillow@{metadata.version('pillow')}"
    assert parts["pillow"]["licenses"] == [{"license": {"id": "MIT-CMU"}}]
    (file,) = parts["OpenSSL"]["components"]
    assert file["hashes"] == [{"alg": "SHA-256", "content": hashlib.sha256(b"an OpenSSL of one's own").hexdigest()}]
    assert f"PIL/{built.extension}" in [file["name"] for file in parts["pillow"]["components"]]
    assert bill["metadata"]["component"]["name"] == "semblance"


def test_the_same_parts_give_the_same_bill_and_a_date_only_where_one_is_set(built, tools, tmp_path, monkeypatch):
    first = (built.folder / "sbom.cdx.json").read_text("utf-8")
    assert "timestamp" not in json.loads(first)["metadata"]
    part = tools.gather.Part("x264", "165", "GPL-2.0-or-later", "library", "av", ("libx264.so",))
    texts = [tools.inventory.bill([part], "1.0", tmp_path, made_at_s) for made_at_s in (0, 0, 1_700_000_000)]
    assert texts[0] == texts[1]
    assert json.loads(texts[0])["metadata"]["timestamp"].startswith("1970-01-01T00:00:00")
    assert json.loads(texts[2])["serialNumber"] != json.loads(texts[0])["serialNumber"]


@pytest.mark.parametrize(("package", "licence"), [("libuuid1", "BSD-3-Clause"), ("libmount1", "LGPL-2.1-or-later")])
def test_packages_of_one_source_may_have_licences_of_their_own(tools, package, licence):
    assert tools.licensing.known_system_package(package, "util-linux") == licence


def test_a_release_is_refused_with_a_sentence_for_a_file_that_nobody_knows(built):
    assert "Nobody knows whose libmystery.so.3" in built.refusal
    assert "known.toml" in built.refusal
    assert "pillow" not in built.refusal


@pytest.mark.parametrize(
    ("licence", "refused"),
    [
        ("GPL-2.0-or-later", True),
        ("MIT AND GPL-3.0-only", True),
        ("AGPL-3.0-only", True),
        ("LGPL-3.0-only", False),
        ("LGPL-3.0-only OR GPL-2.0-only", False),
        ("GPL-2.0-or-later WITH Bootloader-exception", False),
        ("GPL-3.0-or-later WITH GCC-exception-3.1", False),
        ("LicenseRef-NVIDIA-Proprietary", False),
    ],
)
def test_the_gpl_without_an_exception_is_refused_where_there_is_no_other_choice(tools, licence, refused):
    part = tools.gather.Part("thing", "1", licence, "library", "wheel", ("thing.so",))
    faults = tools.inventory.problems(tools.gather.Inventory([part], []), set())
    assert bool(faults) == refused
    assert not refused or "thing 1 (in wheel)" in faults[0]


@pytest.mark.parametrize(
    ("file", "name"),
    [
        ("libx264-d6533a8d.so.165", "x264"),
        ("avcodec-62-4f2a.dll", "FFmpeg"),
        ("libavutil.60.dylib", "FFmpeg"),
        ("libQt6VirtualKeyboard.so.6", "Qt modules under the GPL"),
        ("QtCharts.abi3.so", "Qt modules under the GPL"),
        ("Qt6Core.dll", "Qt"),
        ("QtWidgets", "Qt"),
        ("libgomp-e985bcbb.so.1.0.0", "GCC runtime libraries"),
        ("libcrypto-81259c47.so.1.1.1k", "OpenSSL 1.1.1"),
        ("libcrypto.so.3", "OpenSSL"),
        ("VCRUNTIME140_1.dll", "Intel and Microsoft runtimes of Windows"),
        ("libtorch_cpu.so", None),
        ("QtCore.abi3.so", None),
    ],
)
def test_a_library_is_known_by_its_name_on_every_system(tools, file, name):
    known = tools.licensing.known_library(file)
    assert (known and known.name) == name


def test_every_licence_that_is_written_down_is_one_of_spdx_or_named_as_ours(tools):
    table = tools.licensing._table()
    written = [entry["licence"] for entry in table["distributions"].values()]
    written += [entry["licence"] for entry in table["libraries"]] + list(table["debian"].values())
    assert [licence for licence in written if not tools.licensing.is_expression(licence)] == []
    notices = [entry["text"] for entry in table["libraries"] if "text" in entry]
    assert [notice for notice in notices if not (tools.licensing.TEXTS / notice).is_file()] == []


def test_what_is_built_into_qt_is_told_with_its_notice(tools):
    assert tools.licensing.known_library("libQt6Gui.so.6").text == "Qt.txt"
    told = (tools.licensing.TEXTS / "Qt.txt").read_text("utf-8")
    assert all(name in told for name in ("LibPNG (", "HarfBuzz-NG (", "PCRE2 (", "(libtiff) (", "XSVG ("))


def test_the_notices_are_read_from_the_sources_of_qt(tmp_path, tools):
    """Each licence once, from beside its part or from the folder of licences; what only builds or tests is no part."""
    parts = [
        {"Name": "A", "QDocModule": "qtgui", "LicenseId": "MIT", "LicenseFile": "TEXT", "Copyright": "of A"},
        {"Name": "B", "QDocModule": "qtcore", "LicenseId": "CC0-1.0 OR Zlib"},
        {"Name": "C", "QDocModule": "qtgui", "LicenseId": "MIT", "LicenseFiles": ["TEXT"], "Copyright": ["of C"]},
        {"Name": "D", "QDocModule": "qttestlib", "LicenseId": "GPL-2.0-only"},
        {"Name": "E", "QDocModule": "qtcore", "QtParts": ["tools"], "LicenseId": "GPL-2.0-only"},
    ]
    (tmp_path / "LICENSES").mkdir()
    (tmp_path / "qt_attribution.json").write_text(json.dumps(parts), "utf-8")
    (tmp_path / "TEXT").write_text("Permission is granted.\n", "utf-8")
    for key in ("CC0-1.0", "Zlib"):
        (tmp_path / "LICENSES" / f"{key}.txt").write_text(f"The text of {key}.\n", "utf-8")
    blocks = tools.qt_notices.notices([tmp_path]).split(tools.qt_notices.RULE)
    under_mit, under_either = ([line for line in block.splitlines() if line] for block in blocks[1:])
    assert under_mit == ["A (MIT)", "of A", "C (MIT)", "of C", "-" * 100, "Permission is granted."]
    assert under_either == ["B (CC0-1.0 OR Zlib)", "-" * 100, "The text of CC0-1.0.", "The text of Zlib."]


def test_all_that_the_program_asks_for_has_a_known_licence(tools):
    from packaging.requirements import Requirement

    named = [Requirement(line) for line in metadata.requires("semblance") or []]
    wanted = [each.name for each in named if each.marker is None]
    assert len(wanted) > 20
    assert [name for name in wanted if not tools.licensing.licence_of(metadata.distribution(name))] == []


def test_sums_are_in_the_form_of_sha256sum(tmp_path, tools):
    (tmp_path / "b.deb").write_bytes(b"b")
    (tmp_path / "a.tar.gz").write_bytes(b"a")
    (tmp_path / "of-an-earlier-version.deb").write_bytes(b"old")
    sums = tools.checksums.write(tmp_path, [tmp_path / "b.deb", tmp_path / "a.tar.gz"])
    assert sums.read_text("utf-8") == (
        f"{hashlib.sha256(b'a').hexdigest()}  a.tar.gz\n{hashlib.sha256(b'b').hexdigest()}  b.deb\n"
    )


def test_what_is_too_large_is_split_and_joined_again_it_is_the_same(tmp_path, tools):
    whole = tmp_path / "program.tar.gz"
    whole.write_bytes(bytes(range(256)) * 10)
    *parts, sums = tools.split.split(whole, 1000)
    assert [part.name for part in parts] == [f"program.tar.gz.part{number}" for number in (1, 2, 3)]
    joined = b"".join(part.read_bytes() for part in parts)
    assert joined == bytes(range(256)) * 10
    assert sums.read_text("utf-8") == f"{hashlib.sha256(joined).hexdigest()}  program.tar.gz\n"
    assert tools.split.split(parts[0], 1000) == [parts[0]]


def test_what_a_wheel_says_is_linked_into_it_is_taken_over(tmp_path, tools):
    told = {
        "components": [
            {"name": "ahash", "version": "0.8", "licenses": [{"expression": "MIT OR Apache-2.0"}]},
            {"name": "ahash", "version": "0.8", "licenses": [{"expression": "MIT OR Apache-2.0"}]},
            {"name": "wheel", "version": "1"},
            {"name": "quant", "scope": "optional", "licenses": [{"license": {"id": "GPL-3.0-or-later"}}]},
            {"name": "local", "purl": "pkg:cargo/local@1?download_url=file:///home/someone"},
        ]
    }
    (tmp_path / "bill.json").write_text(json.dumps(told), "utf-8")
    part = tools.gather.Part("wheel", "1", "MIT", "distribution", bills=(tmp_path / "bill.json",))
    (component,) = json.loads(tools.inventory.bill([part], "1.0", tmp_path, None))["components"]
    assert [inner["name"] for inner in component["components"]] == ["ahash", "local"]
    assert component["components"][0]["licenses"] == [{"expression": "MIT OR Apache-2.0"}]
    assert component["components"][1]["purl"] == "pkg:cargo/local@1"
    assert tools.inventory.problems(tools.gather.Inventory([part], []), set()) == []


def test_the_gpl_is_refused_in_what_is_linked_into_a_wheel(tmp_path, tools):
    told = {"components": [{"name": "quant", "licenses": [{"license": {"id": "GPL-3.0-or-later"}}]}]}
    (tmp_path / "bill.json").write_text(json.dumps(told), "utf-8")
    part = tools.gather.Part("wheel", "1", "MIT", "distribution", bills=(tmp_path / "bill.json",))
    (fault,) = tools.inventory.problems(tools.gather.Inventory([part], []), set())
    assert fault.startswith("quant, which is linked into wheel 1, is under GPL-3.0-or-later")
