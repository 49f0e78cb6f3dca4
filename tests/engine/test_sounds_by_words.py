"""Sounds found by words, from files on disk to hits, with CLAP in its real size.

Its weights are drawn from a seed, but for the last layer of its words: that is set so that three captions mean three
sounds. So what is found is right or wrong.
"""

from __future__ import annotations

import json
import sys
import wave
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import numpy.typing as npt
import pytest
import safetensors.torch
import torch
from fidelity import entry, refuse_connections, waves
from transformers import ClapConfig, ClapFeatureExtractor, ClapModel

from app.__main__ import main
from app.bench.models import install_seeded, write_roberta_tokenizer
from app.engine.encoders import clap
from app.engine.librarytypes import IndexRequest
from app.engine.session import Session
from app.engine.types import Filters, FoundBy, ItemKind, MediaKind, Query, SearchRequest

CLAP = "clap-htsat"
RATE_HZ = 48_000
CAPTIONS = ("a steady tone", "rushing noise", "a throbbing buzz")

Wave = npt.NDArray[np.float32]


def teach(folder: Path, sounds: list[Wave]) -> None:
    """Set the layer that projects words so that each caption's vector is that of its sound."""
    weights = folder / "model.safetensors"
    network = ClapModel(ClapConfig()).eval()
    network.load_state_dict(safetensors.torch.load_file(weights))
    ids, mask = clap.read_tokenizer(folder / clap.TOKENIZER_FILE, entry(CLAP))(list(CAPTIONS))
    heard = ClapFeatureExtractor(truncation="rand_trunc")(sounds, sampling_rate=RATE_HZ, return_tensors="pt")
    with torch.inference_mode():
        pooled = network.text_model(input_ids=ids, attention_mask=mask).pooler_output
        hidden = network.text_projection.linear1(pooled).relu()
        meant = network.audio_projection(network.audio_model(heard["input_features"]).pooler_output)
        network.text_projection.linear2.weight.copy_((torch.linalg.pinv(hidden) @ meant).T)
        network.text_projection.linear2.bias.zero_()
    safetensors.torch.save_file(network.state_dict(), weights)


def write_wave(path: Path, samples: Wave) -> None:
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE_HZ)
        file.writeframes((samples * 32_000).astype("<i2").tobytes())


def write_film(path: Path, samples: Wave) -> None:
    with av.open(str(path), "w") as container:
        picture = container.add_stream("mpeg4", rate=10)
        picture.width, picture.height, picture.pix_fmt = 64, 48, "yuv420p"
        sound = container.add_stream("pcm_s16le", rate=RATE_HZ, layout="mono")
        for _ in range(10 * len(samples) // RATE_HZ):
            container.mux(picture.encode(av.VideoFrame.from_ndarray(np.zeros((48, 64, 3), np.uint8), "rgb24")))
        container.mux(picture.encode(None))
        frame = av.AudioFrame.from_ndarray((samples[None] * 32_000).astype(np.int16), "s16", "mono")
        frame.sample_rate, frame.time_base, frame.pts = RATE_HZ, Fraction(1, RATE_HZ), 0
        container.mux(sound.encode(frame))
        container.mux(sound.encode(None))


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A data home with the taught model, and beside it the folder ``media`` with files whose names say nothing."""
    home = tmp_path_factory.mktemp("home")
    install_seeded(home, [CLAP])
    folder = home / "models" / CLAP
    write_roberta_tokenizer(folder, CAPTIONS)
    tone, noise, buzz = waves(RATE_HZ, 4)
    teach(folder, [tone, noise, buzz])
    media = home / "media"
    media.mkdir()
    write_wave(media / "1.wav", tone)
    write_wave(media / "2.wav", np.concatenate([waves(RATE_HZ, 10)[0], noise]))
    write_film(media / "3.mkv", buzz)
    yield home
    (folder / "model.safetensors").unlink()


@pytest.fixture(autouse=True)
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    refuse_connections(monkeypatch)


def found(session: Session, query: Query, **options: Any) -> list[tuple[str, int | None]]:
    reply = session.search(SearchRequest(query, **options))
    assert reply.models == (CLAP,)
    assert {hit.item_kind for hit in reply.hits} == {ItemKind.AUDIO}
    assert {hit.found_by for hit in reply.hits} == {(FoundBy.MEANING,)}
    return [(Path(hit.path).name, hit.start_ms) for hit in reply.hits]


def test_sounds_and_sound_tracks_are_found_by_words_and_by_a_sound(home: Path, tmp_path: Path) -> None:
    with Session.open(home, device="cpu") as session:
        report = session.index(IndexRequest((str(home / "media"),), (CLAP,)))
        assert report.failures == ()
        assert report.encoded[CLAP] == report.items[ItemKind.AUDIO] == 4

        first = {caption: found(session, Query.of_text(caption), model=CLAP)[0] for caption in CAPTIONS}
        assert first[CAPTIONS[0]] in {("1.wav", 0), ("2.wav", 0)}
        assert first[CAPTIONS[1]] == ("2.wav", 10_000)
        assert first[CAPTIONS[2]] == ("3.mkv", 0)
        films = Filters(kinds=frozenset({MediaKind.VIDEO}))
        assert found(session, Query.of_text(CAPTIONS[0]), filters=films) == [("3.mkv", 0)]

        write_wave(tmp_path / "quieter.wav", waves(RATE_HZ, 3)[2] * 0.9)
        by_sound = found(session, Query.of_sound(str(tmp_path / "quieter.wav")), model=CLAP)
        assert by_sound[0] == ("3.mkv", 0)


def test_the_command_line_finds_sounds_by_words_and_by_a_sound(
    home: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def run(*arguments: str) -> Any:
        options = ["--home", str(home), "--library", "commands", "--json"]
        monkeypatch.setattr(sys, "argv", ["semblance", *arguments, *options])
        assert main() == 0
        return json.loads(capsys.readouterr().out)

    report = run("index", str(home / "media"), "--models", CLAP)
    assert report["spaces"][CLAP]["items"] == 4
    reply = run("search", "--text", CAPTIONS[1], "--model", CLAP, "-k", "1")
    (hit,) = reply["hits"]
    assert (Path(hit["path"]).name, hit["kind"], hit["start_ms"], hit["found_by"]) == (
        *("2.wav", "audio", 10_000, ["meaning"]),
    )
    reply = run("search", "--audio", str(home / "media" / "1.wav"), "--model", CLAP, "-k", "1")
    assert [(Path(hit["path"]).name, hit["start_ms"]) for hit in reply["hits"]] == [("2.wav", 0)]
