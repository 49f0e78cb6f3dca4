"""The catalogue: what it knows without loading anything, and what it promises of every encoder."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import threading
from fnmatch import fnmatch
from pathlib import Path

import pytest
import tinyclip

from app.engine.encoders.base import EncoderSource
from app.engine.encoders.catalogue import Catalogue
from app.engine.encoders.entries import Entry, read_entries
from app.engine.encoders.record import RECORD_FILE, write_record
from app.engine.errors import AppError
from app.engine.models import Models
from app.engine.modeltypes import Installation, ModelStatus
from app.engine.samples import PictureInput, SoundInput
from app.engine.types import Modality
from app.paths import models_dir, resources_dir

NEURAL = (
    *("siglip2-so400m-14", "siglip2-b-16", "siglip-b-16", "mobileclip-s2", "clip-xlm-roberta-b-32"),
    *("clip-vit-b-32-laion", "clip-vit-l-14", "clip-vit-b-32", "biomedclip"),
    *("dinov2-vit-b-14", "dinov2-vit-s-14", "resnet50"),
    *("panns-cnn14", "clap-htsat", "panns-cnn10"),
)
BUILT_IN = ("colour-texture", "timbre")
PROJECT_DIR = Path(__file__).resolve().parents[2]


@pytest.fixture
def catalogue(tmp_path: Path) -> EncoderSource:
    return Catalogue(tmp_path / "models", device="cpu")


def run_python(code: str, **environment: str) -> str:
    finished = subprocess.run(
        [sys.executable, "-c", code],
        cwd=PROJECT_DIR,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=True,
    )
    return finished.stdout.strip()


def test_the_best_model_for_words_comes_first_and_the_built_in_ones_last(catalogue: EncoderSource) -> None:
    own = tuple(status.key for status in catalogue.statuses() if not status.variant_of)
    assert own == NEURAL + BUILT_IN


def test_an_empty_machine_has_the_built_in_models_and_says_what_the_others_miss(catalogue: EncoderSource) -> None:
    statuses = catalogue.statuses()
    assert tuple(status.key for status in statuses) == catalogue.keys()
    assert tuple(status.key for status in statuses if status.ready) == BUILT_IN
    for status in statuses:
        assert status.summary
        assert status.licence
        assert bool(status.problem) is not status.ready
        if not status.ready:
            assert status.folder in status.problem
            assert status.files[0] in status.problem


def test_a_model_that_is_not_here_is_not_a_damaged_one(tmp_path: Path) -> None:
    catalogue = Catalogue(tmp_path)
    folder = tmp_path / "resnet50"
    folder.mkdir()

    def damaged() -> bool:
        return next(status.damaged for status in catalogue.statuses() if status.key == "resnet50")

    assert not damaged()
    write_record(folder, Installation("here", "", "2026-01-01T00:00:00Z", ()))
    assert damaged()  # installed once, and its weights are gone
    (folder / "resnet50-11ad3fa6.pth").touch()
    assert not damaged()
    (folder / RECORD_FILE).write_text("{")
    assert damaged()


def test_the_specs_say_what_the_models_were_made_for(catalogue: EncoderSource) -> None:
    specs = {key: catalogue.spec(key) for key in NEURAL + BUILT_IN}
    assert specs["clip-vit-b-32"].picture == PictureInput(224, 224, "crop", "bicubic")
    assert specs["siglip2-b-16"].picture == PictureInput(224, 224, "squash", "bicubic")
    assert specs["mobileclip-s2"].picture == PictureInput(256, 256, "crop", "bilinear")
    assert specs["resnet50"].picture == PictureInput(224, 232, "crop", "bilinear")
    assert specs["dinov2-vit-s-14"].picture == specs["clip-vit-b-32"].picture
    assert specs["panns-cnn14"].sound == specs["timbre"].sound == SoundInput(32000)
    assert specs["clap-htsat"].sound == SoundInput(48000)
    for spec in specs.values():
        assert (Modality.IMAGE in spec.accepts) is (spec.picture is not None)
        assert (Modality.AUDIO in spec.accepts) is (spec.sound is not None)


@pytest.mark.parametrize(
    "key", ["dinov2-vit-b-14", "dinov2-vit-s-14", "resnet50", "panns-cnn14", "clap-htsat", "panns-cnn10"]
)
def test_a_model_says_what_it_costs_where_it_is_published_and_what_one_may_do_with_it(key: str) -> None:
    entry = {entry.key: entry for entry in read_entries(resources_dir() / "models.toml")}[key]
    assert entry.source is not None
    published = [file.name for file in entry.source.files]
    assert any(fnmatch(name, pattern) for name in published for pattern in entry.files)
    assert set(entry.companions) <= set(published)
    assert bool(entry.source.repo) is not bool(entry.source.url)
    assert not entry.source.repo or re.fullmatch("[0-9a-f]{40}", entry.source.revision)
    assert entry.parameters * 3 < (entry.download_bytes or 0) < entry.memory_bytes
    assert entry.gflops > 0
    assert entry.commercial is True
    assert bool(entry.languages) is (Modality.TEXT in entry.accepts)
    assert entry.paper.startswith("https://arxiv.org/abs/")


def test_what_is_known_of_the_published_files_is_exact() -> None:
    """Checksums that the makers publish, and none that they do not."""
    entries = {entry.key: entry for entry in read_entries(resources_dir() / "models.toml")}
    known = {
        "panns-cnn14": ("Cnn14_mAP=0.431.pth", 327_428_481, "md5:541141fa2ee191a88f24a3219fff024e"),
        "panns-cnn10": ("Cnn10_mAP=0.380.pth", 25_237_595, "md5:bfb1f1f9968938fa8ef4012b8471f5f6"),
        "resnet50": ("resnet50-11ad3fa6.pth", None, "sha256-prefix:11ad3fa6"),
    }
    for key, facts in known.items():
        (file,) = entries[key].source.files
        assert (file.name, file.size_bytes, file.checksum) == facts
    assert {file.checksum for key in ("clap-htsat", "dinov2-vit-b-14") for file in entries[key].source.files} == {""}


def test_an_unknown_model_is_answered_with_the_known_ones(catalogue: EncoderSource) -> None:
    for ask in (catalogue.load, catalogue.spec, catalogue.fingerprint):
        with pytest.raises(AppError, match=r"no model “gpt”.*siglip2-so400m-14, siglip2-b-16"):
            ask("gpt")


def test_asking_what_there_is_imports_no_torch() -> None:
    code = """
import sys
from pathlib import Path
from app.engine.encoders.catalogue import Catalogue
catalogue = Catalogue(Path("nowhere"))
catalogue.statuses(), [catalogue.spec(key) for key in catalogue.keys()], catalogue.fingerprint("timbre")
catalogue.load("colour-texture")
print([name for name in ("torch", "open_clip", "transformers", "torchaudio") if name in sys.modules])
"""
    assert run_python(code) == "[]"


def test_the_hub_is_told_to_stay_offline() -> None:
    code = """
import app.engine.encoders
import huggingface_hub.constants as hub
print(hub.HF_HUB_OFFLINE)
"""
    assert run_python(code) == "True"


@pytest.mark.parametrize("key", BUILT_IN)
def test_an_encoder_is_loaded_once_and_keeps_the_promised_fingerprint(catalogue: EncoderSource, key: str) -> None:
    loaded = []
    threads = [threading.Thread(target=lambda: loaded.append(catalogue.load(key))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({id(encoder) for encoder in loaded}) == 1
    assert loaded[0].fingerprint == catalogue.fingerprint(key)
    assert loaded[0].spec == catalogue.spec(key)
    assert loaded[0].device == "cpu"


def test_no_two_models_share_a_fingerprint(catalogue: EncoderSource) -> None:
    assert catalogue.fingerprint("timbre") != catalogue.fingerprint("colour-texture")


def test_a_fingerprint_is_the_same_on_every_machine_and_in_every_run(tmp_path: Path) -> None:
    here = Catalogue(tmp_path / "a").fingerprint("timbre")
    code = """
from pathlib import Path
from app.engine.encoders.catalogue import Catalogue
print(Catalogue(Path("elsewhere"), device="cpu").fingerprint("timbre"))
"""
    assert run_python(code, PYTHONHASHSEED="7") == here


def test_a_model_that_is_removed_while_they_are_listed_stops_no_listing(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tinyclip.add(models_dir(home), "mine")
    models = Models(home)
    status = Catalogue._status

    def then_removed(self: Catalogue, entry: Entry) -> ModelStatus:
        if (models_dir(home) / "mine").exists():
            models.remove("mine")
        return status(self, entry)

    monkeypatch.setattr(Catalogue, "_status", then_removed)
    listed = {each.key: each.ready for each in models.statuses()}
    assert listed["mine"] is False
    assert "mine" not in {each.key for each in models.statuses()}
