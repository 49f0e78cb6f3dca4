"""Model files from anywhere execute nothing, fetch nothing, fill nothing up, and leave the models folder as it was.

Each goes in by both ways: offered to `add`, and put in place by hand in the folder of a model of the catalogue and
loaded from there. A canary is a file that a hostile one would write; `no_connections` refuses every socket.
"""

from __future__ import annotations

import codecs
import io
import json
import os
import pickle
import socket
import struct
import tarfile
import time
import zipfile
from collections import OrderedDict
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
import safetensors.torch
import torch
from offers import SMALL_CLIP, SMALL_TIMM, all_files, clip_folder, clip_tensors, timm_tensors, write_tokenizer

from app.cli.arguments import parser
from app.cli.run import run as run_command
from app.engine.encoders.catalogue import Catalogue
from app.engine.encoders.checkpoint import outline
from app.engine.errors import AppError
from app.engine.models import Models
from app.engine.modeltypes import AddRequest
from app.paths import models_dir

GROWTH_BYTES = 400 * 2**20
"""What a refusal may take: far below what the files here claim."""


class CallsOs:
    def __init__(self, canary: Path) -> None:
        self.canary = canary

    def __reduce__(self) -> Any:
        return os.system, (f"touch '{self.canary}'",)


class Opens:
    def __init__(self, canary: Path) -> None:
        self.canary = canary

    def __reduce__(self) -> Any:
        return open, (str(self.canary), "w")


class Evaluates:
    def __init__(self, canary: Path) -> None:
        self.canary = canary

    def __reduce__(self) -> Any:
        return eval, (f"__import__('pathlib').Path({str(self.canary)!r}).touch()",)


TRAPS = (CallsOs, Opens, Evaluates)


@pytest.fixture(autouse=True)
def no_connections(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    opened: list[object] = []

    def refuse(*arguments: object, **_: object) -> None:
        opened.append(arguments)
        raise OSError("no network here")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    yield
    assert not opened


@pytest.fixture
def canary(tmp_path: Path) -> Iterator[Path]:
    path = tmp_path / "canary"
    yield path
    assert not path.exists(), "a model file was executed"


Refused = Callable[..., str]


@pytest.fixture
def not_added(home: Path) -> Refused:
    """Offers a path; what was said. Nothing has changed."""

    def run(path: Path, **request: str) -> str:
        before, began_bytes = all_files(home), psutil.Process().memory_info().rss
        with pytest.raises(AppError) as caught:
            Models(home).add(AddRequest(str(path), key="mine", **request))
        assert all_files(home) == before
        assert not (models_dir(home) / "mine").exists()
        assert psutil.Process().memory_info().rss - began_bytes < GROWTH_BYTES
        return is_sentence(caught.value)

    return run


@pytest.fixture
def not_loaded(home: Path) -> Refused:
    """Loads a model whose folder was filled by hand; what was said. The folder is as it was, hashes apart."""

    def run(key: str) -> str:
        catalogue = Catalogue(models_dir(home), device="cpu")
        before = names(models_dir(home))
        assert key in [status.key for status in catalogue.statuses()]
        with pytest.raises(AppError) as caught:
            catalogue.load(key)
        assert names(models_dir(home)) - before <= {f"{key}/.sha256.json"}
        return is_sentence(caught.value)

    return run


def names(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*")}


def is_sentence(error: AppError) -> str:
    assert error.message[0].isupper() or error.message.startswith(("open_clip", "timm", "model", "tokenizer"))
    assert error.message.rstrip().endswith((".", "?"))
    assert "Traceback" not in error.message
    return error.message


def by_hand(home: Path, key: str) -> Path:
    folder = models_dir(home) / key
    folder.mkdir(parents=True)
    return folder


# --- pickles ---------------------------------------------------------------------------------------------------------


def plain_pickle(path: Path, content: Any) -> None:
    path.write_bytes(pickle.dumps(content))


def zipped_checkpoint(path: Path, content: Any) -> None:
    torch.save(content, path)


def legacy_checkpoint(path: Path, content: Any) -> None:
    torch.save(content, path, _use_new_zipfile_serialization=False)


def nested_checkpoint(path: Path, content: Any) -> None:
    torch.save({"epoch": 1, "state_dict": {"conv1.weight": torch.zeros(3), "deep": {"deeper": [content]}}}, path)


def tar_checkpoint(path: Path, content: Any) -> None:
    """As PyTorch wrote them before 0.1.10."""
    with tarfile.open(path, "w") as archive:
        for name in ("sys_info", "pickle", "storages", "tensors"):
            data = pickle.dumps(content)
            member = tarfile.TarInfo(name)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))


def torchscript_archive(path: Path, content: Any) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("archive/constants.pkl", pickle.dumps(content))
        archive.writestr("archive/data.pkl", pickle.dumps(content))
        archive.writestr("archive/version", "3")
        archive.writestr("archive/code/__torch__.py", "import os")


MAKERS = (
    plain_pickle,
    zipped_checkpoint,
    legacy_checkpoint,
    nested_checkpoint,
    tar_checkpoint,
    torchscript_archive,
)


@pytest.mark.parametrize("make", MAKERS)
@pytest.mark.parametrize("trap", TRAPS)
def test_a_trap_in_a_checkpoint_does_not_spring(
    home: Path, tmp_path: Path, canary: Path, not_added: Refused, not_loaded: Refused, make: Any, trap: Any
) -> None:
    for ending in ("pt", "bin", "pth", "ckpt", "safetensors"):
        path = tmp_path / f"weights.{ending}"
        make(path, trap(canary))
        assert "Copy or download it again" in (said := not_added(path)) or "run here" in said
    folder = by_hand(home, "resnet50")
    make(folder / "resnet50-11ad3fa6.pth", trap(canary))
    make(folder.parent / "x.safetensors", trap(canary))
    assert "Copy or download it again" in (said := not_loaded("resnet50")) or "run here" in said
    (folder / "resnet50-11ad3fa6.pth").unlink()
    (folder.parent / "x.safetensors").rename(folder / "model.safetensors")
    not_loaded("resnet50")


def test_the_traps_would_spring(tmp_path: Path) -> None:
    """Else the test above could not fail."""
    for number, trap in enumerate(TRAPS):
        path = tmp_path / f"canary{number}"
        made = pickle.loads(pickle.dumps(trap(path)))
        if isinstance(made, io.IOBase):
            made.close()
        assert path.exists()


def test_a_whole_pickled_network_is_refused(tmp_path: Path, not_added: Refused) -> None:
    torch.save(torch.nn.Linear(2, 2), tmp_path / "whole.pt")
    assert "program code, which is not run here" in not_added(tmp_path / "whole.pt")


def test_a_real_torchscript_program_is_refused(tmp_path: Path, not_added: Refused) -> None:
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("warnings.warn", lambda *_, **__: None)  # that TorchScript is deprecated
        torch.jit.save(torch.jit.script(torch.nn.ReLU()), str(tmp_path / "program.pt"))
    assert "programs are not run here" in not_added(tmp_path / "program.pt")


@pytest.mark.parametrize(
    "content",
    [
        {"state_dict": "text"},
        {"a": "text", "b": 3},
        [torch.ones(3)],
        {1: {2: torch.ones(2)}},
        torch.ones(2),
        None,
    ],
)
def test_a_checkpoint_of_other_things_is_refused(tmp_path: Path, not_added: Refused, content: Any) -> None:
    torch.save(content, tmp_path / "other.pt")
    not_added(tmp_path / "other.pt")


@pytest.mark.filterwarnings("ignore:Sparse invariant checks")
def test_a_tensor_that_is_not_plain_is_refused(tmp_path: Path, not_added: Refused) -> None:
    sparse = torch.sparse_coo_tensor(torch.tensor([[0]]), torch.ones(1), (2,))
    torch.save({"fc.weight": sparse}, tmp_path / "sparse.pt")
    not_added(tmp_path / "sparse.pt")


def test_a_checkpoint_that_holds_itself_is_refused(tmp_path: Path, not_added: Refused) -> None:
    ring: dict[str, Any] = {}
    ring["model"] = ring
    torch.save(ring, tmp_path / "ring.pt")
    assert "no network in it" in not_added(tmp_path / "ring.pt")


# --- sizes -----------------------------------------------------------------------------------------------------------


def safetensors_file(path: Path, header: Any, data: bytes = b"", header_bytes: int | None = None) -> Path:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text) if header_bytes is None else header_bytes) + text + data)
    return path


def claim(shape: list[int], end: int, dtype: str = "F32") -> dict[str, Any]:
    return {"fc.weight": {"dtype": dtype, "shape": shape, "data_offsets": [0, end]}}


@pytest.mark.parametrize(
    "make",
    [
        lambda path: safetensors_file(path, {}, header_bytes=2**62),
        lambda path: safetensors_file(path, {}, header_bytes=2**64 - 1),
        lambda path: safetensors_file(path, claim([2**40], 2**42)),
        lambda path: safetensors_file(path, claim([2**40], 8), b"\0" * 8),
        lambda path: safetensors_file(path, claim([2**33, 2**33], 16), b"\0" * 16),
        lambda path: safetensors_file(path, claim([-1, -2], 8), b"\0" * 8),
        lambda path: safetensors_file(path, claim([2], 8, "F128"), b"\0" * 8),
        lambda path: safetensors_file(path, b"[" * 100_000),
        lambda path: safetensors_file(path, b'{"a":' * 50_000 + b"1" + b"}" * 50_000),
        lambda path: safetensors_file(path, b" " * (17 * 2**20)),
        lambda path: safetensors_file(path, {}),
        lambda path: safetensors_file(
            path, {"../../up": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}}, b"\0" * 4
        ),
    ],
)
def test_a_safetensors_file_that_lies_is_refused(
    home: Path, tmp_path: Path, not_added: Refused, not_loaded: Refused, make: Any
) -> None:
    not_added(make(tmp_path / "weights.safetensors"))
    make(by_hand(home, "resnet50") / "model.safetensors")
    not_loaded("resnet50")


def bomb(path: Path) -> None:
    """A checkpoint whose pickle unpacks from a megabyte to a gigabyte."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        with archive.open("archive/data.pkl", "w", force_zip64=True) as member:
            for _ in range(1024):
                member.write(b"\0" * 2**20)
        archive.writestr("archive/version", "3")


def repeated(path: Path) -> None:
    """One number, and a tensor that says it is a million times a million of it."""
    torch.save({"fc.weight": torch.zeros(1).expand(10**6, 10**6)}, path)


def claimed(path: Path) -> None:
    """A storage of a terabyte in a file of a kilobyte."""
    torch.save({"fc.weight": torch.zeros(16)}, path, _use_new_zipfile_serialization=False)
    path.write_bytes(path.read_bytes().replace(b"K\x10", b"\x8a\x06" + (2**40).to_bytes(6, "little")))


class Calls:
    """Unpickled, what a function gives."""

    def __init__(self, function: Any, *arguments: Any) -> None:
        self.called = function, arguments

    def __reduce__(self) -> Any:
        return self.called


def filler(path: Path) -> None:
    """A gigabyte and a half, made by what PyTorch's own reader lets a pickle call."""
    torch.save({"fc.weight": torch.zeros(2), "x": Calls(bytearray, 1_500_000_000)}, path)


def old_filler(path: Path) -> None:
    """The same in the format from before 2020, with an archive behind it that holds nothing of the kind."""
    content = {"fc.weight": torch.zeros(2), "x": Calls(bytearray, 1_500_000_000)}
    torch.save(content, path, _use_new_zipfile_serialization=False)
    torch.save({"fc.weight": torch.zeros(2)}, plain := path.with_suffix(".plain"))
    path.write_bytes(path.read_bytes() + plain.read_bytes())
    plain.unlink()


def copier(path: Path) -> None:
    """A table of few bytes, copied again and again."""
    table = [(str(number), number) for number in range(20_000)]
    torch.save({"fc.weight": torch.zeros(2), "x": [Calls(OrderedDict, table) for _ in range(10_000)]}, path)


def doubler(path: Path) -> None:
    """Bytes whose writing as digits has twice as many, of which the digits are written, and so on."""
    digits = Calls(codecs.encode, "0" * 1000, "latin1")
    for _ in range(21):
        digits = Calls(codecs.encode, digits, "hex")
    torch.save({"fc.weight": torch.zeros(2), "x": digits}, path)


@pytest.mark.parametrize("make", [filler, old_filler, copier, doubler])
def test_a_checkpoint_that_calls_for_all_memory_is_refused(tmp_path: Path, not_added: Refused, make: Any) -> None:
    make(tmp_path / "weights.pt")
    began_s = time.process_time()
    assert "run here" in not_added(tmp_path / "weights.pt")
    assert time.process_time() - began_s < 10


def test_the_notes_of_training_programs_are_no_harm(tmp_path: Path) -> None:
    """As PyTorch's own schedulers and optimizers keep them."""
    first = torch.nn.Conv2d(3, 4, 3)
    network = torch.nn.Sequential(first, torch.nn.BatchNorm2d(4))
    network.register_parameter("tied", first.weight)
    optimizer = torch.optim.AdamW(network.parameters())
    network(torch.rand(2, 3, 8, 8)).sum().backward()
    optimizer.step()
    scheduler = torch.optim.lr_scheduler.MultiStepLR(optimizer, [1, 2, 2])
    notes = {"scheduler": scheduler.state_dict(), "on": torch.device("cpu"), "size": torch.Size((1, 2)), "seen": {3, 4}}
    content = {"state_dict": network.state_dict(), "optimizer": optimizer.state_dict(), **notes, "kind": torch.float16}
    for layout in (True, False):
        torch.save({**content, "tensor": first.weight}, tmp_path / "x.pt", _use_new_zipfile_serialization=layout)
        assert outline(tmp_path / "x.pt").keys() == network.state_dict().keys()


@pytest.mark.parametrize("make", [bomb, repeated, claimed])
def test_a_checkpoint_that_would_fill_the_memory_is_refused(
    home: Path, tmp_path: Path, not_added: Refused, not_loaded: Refused, make: Any
) -> None:
    make(tmp_path / "weights.pt")
    assert (tmp_path / "weights.pt").stat().st_size < 2 * 2**20
    not_added(tmp_path / "weights.pt")
    make(by_hand(home, "resnet50") / "weights.pth")
    not_loaded("resnet50")


def test_a_file_of_another_network_takes_no_memory(tmp_path: Path, not_added: Refused) -> None:
    """Its shapes are looked at; its numbers, which a sparse file has for nothing, are not."""
    size_bytes = 8 * 2**30
    safetensors_file(tmp_path / "large.safetensors", claim([2**31], size_bytes))
    with (tmp_path / "large.safetensors").open("r+b") as file:
        file.truncate(file.seek(0, io.SEEK_END) + size_bytes)
    assert "no model that can be added" in not_added(tmp_path / "large.safetensors")
    assert outline(tmp_path / "large.safetensors")["fc.weight"].numel() == 2**31


# --- configs ---------------------------------------------------------------------------------------------------------


def vision(**changes: Any) -> dict[str, Any]:
    return {**SMALL_CLIP, "vision_cfg": {**SMALL_CLIP["vision_cfg"], **changes}}


def text(**changes: Any) -> dict[str, Any]:
    return {**SMALL_CLIP, "text_cfg": {**SMALL_CLIP["text_cfg"], **changes}}


WORDS = text(hf_tokenizer_name="somebody/words")

STRANGE_CONFIGS = (
    text(hf_model_name="somebody/evil", hf_tokenizer_name="somebody/evil"),
    text(hf_model_name="../../../etc"),
    text(hf_model_name="/etc"),
    text(hf_model_name="http://example.org/evil"),
    text(hf_model_name="roberta-base", hf_model_pretrained=True),
    text(hf_tokenizer_name="somebody/evil", tokenizer_kwargs={"trust_remote_code": True}),
    text(tokenizer_kwargs={"bpe_path": "/etc/passwd"}),
    text(tokenizer_kwargs="text"),
    text(layers=10**9),
    text(width=10**8),
    text(vocab_size=-5),
    text(context_length=0),
    text(heads=0),
    vision(timm_model_name="hf-hub:somebody/evil"),
    vision(timm_model_name="hf_hub:somebody/evil"),
    vision(timm_model_name="local-dir:/tmp"),
    vision(timm_model_name="resnet18", timm_model_pretrained=True),
    vision(timm_model_name="no_such_network"),
    vision(patch_size=0),
    vision(patch_size=-1),
    vision(image_size=10**9),
    vision(image_size=[32, 64]),
    vision(layers="many"),
    vision(layers=[1, 2]),
    vision(width=2**20),
    vision(head_width=0),
    vision(no_such_setting=1),
    {**SMALL_CLIP, "embed_dim": 2**21},
    {**SMALL_CLIP, "embed_dim": -1},
    {**SMALL_CLIP, "embed_dim": "32"},
    {**SMALL_CLIP, "custom_text": True, "multimodal_cfg": {"layers": 2}},
    {**SMALL_CLIP, "vision_cfg": None},
    {**SMALL_CLIP, "text_cfg": []},
    [],
    "text",
)


@pytest.mark.parametrize("model_cfg", STRANGE_CONFIGS, ids=range(len(STRANGE_CONFIGS)))
def test_a_config_with_strange_values_is_refused(
    home: Path, tmp_path: Path, not_added: Refused, not_loaded: Refused, model_cfg: Any
) -> None:
    for folder in (tmp_path / "clip", models_dir(home) / "clip-vit-b-32"):
        write_tokenizer(clip_folder(folder, model_cfg))
    not_added(tmp_path / "clip")
    not_loaded("clip-vit-b-32")


def test_the_same_folders_are_taken_without_strange_values(home: Path, tmp_path: Path) -> None:
    """Else the test above could not fail."""
    for model_cfg in (SMALL_CLIP, WORDS):
        for folder in (tmp_path / "clip", models_dir(home) / "clip-vit-b-32"):
            write_tokenizer(clip_folder(folder, model_cfg))
        key = f"mine-{'tokenizer' if model_cfg is WORDS else 'plain'}"
        assert Models(home).add(AddRequest(str(tmp_path / "clip"), key=key)).ready
        assert Catalogue(models_dir(home), device="cpu").load("clip-vit-b-32").spec.dim == 32


def test_a_config_may_not_be_large_or_deep(home: Path, tmp_path: Path, not_added: Refused, not_loaded: Refused) -> None:
    folders = (clip_folder(tmp_path / "clip"), clip_folder(by_hand(home, "clip-vit-b-32")))
    for content in ("[" * 200_000, '{"model_cfg":' * 90_000, " " * 2**21, '{"model_cfg": 1e999}', "NaN", "\x00"):
        for folder in folders:
            (folder / "open_clip_config.json").write_text(content, "utf-8")
        not_added(folders[0])
        not_loaded("clip-vit-b-32")


@pytest.mark.parametrize(
    "architecture",
    ["hf-hub:somebody/evil", "hf_hub:somebody/evil", "local-dir:/tmp", "../resnet18", "/etc/passwd", "timm/resnet18"],
)
def test_a_name_that_timm_or_open_clip_would_fetch_is_refused(
    tmp_path: Path, not_added: Refused, architecture: str
) -> None:
    torch.save(timm_tensors(), tmp_path / "weights.pth")
    for family in ("timm", "open_clip", "panns"):
        not_added(tmp_path / "weights.pth", architecture=architecture, family=family)
    (tmp_path / "config.json").write_text(json.dumps({"architecture": architecture}), "utf-8")
    not_added(tmp_path)
    named = {"pretrained_cfg": {"architecture": architecture}}
    (tmp_path / "config.json").write_text(json.dumps(named), "utf-8")
    not_added(tmp_path)


# --- tokenizers ------------------------------------------------------------------------------------------------------


def siglip(home: Path) -> Path:
    """The folder of a model of the catalogue that needs a tokenizer, filled by hand."""
    return clip_folder(by_hand(home, "siglip2-b-16"), WORDS)


@pytest.mark.parametrize(
    "content",
    ["", "{", "null", "[" * 300_000, '{"a":' * 300_000, json.dumps({"version": "1.0", "model": {"type": "Evil"}})],
)
def test_a_broken_tokenizer_is_refused(
    home: Path, tmp_path: Path, not_added: Refused, not_loaded: Refused, content: str
) -> None:
    for folder in (clip_folder(tmp_path / "clip", WORDS), siglip(home)):
        write_tokenizer(folder)
        (folder / "tokenizer.json").write_text(content, "utf-8")
    not_added(tmp_path / "clip")
    not_loaded("siglip2-b-16")


def test_a_tokenizer_of_a_hundred_megabytes_is_refused_unread(
    home: Path, tmp_path: Path, not_added: Refused, not_loaded: Refused
) -> None:
    for folder in (clip_folder(tmp_path / "clip", WORDS), siglip(home)):
        write_tokenizer(folder)
        (folder / "tokenizer.json").write_bytes(b"[" * (100 * 2**20))
    assert "too large" in not_added(tmp_path / "clip")
    not_loaded("siglip2-b-16")


@pytest.mark.parametrize("file", ["tokenizer_config.json", "config.json"])
def test_code_beside_a_tokenizer_is_not_run(home: Path, tmp_path: Path, canary: Path, file: str) -> None:
    """What the files ask for is passed by: the model works, or is refused; the code is neither run nor copied."""
    for folder in (clip_folder(tmp_path / "clip", WORDS), siglip(home)):
        write_tokenizer(folder)
        (folder / "evil.py").write_text(f"open({str(canary)!r}, 'w')\nclass Evil: pass\n", "utf-8")
        said = json.loads((folder / file).read_text("utf-8")) if (folder / file).exists() else {"model_type": "evil"}
        auto_map = {"AutoTokenizer": ["evil.Evil", "evil.Evil"], "AutoConfig": "evil.Evil", "AutoModel": "evil.Evil"}
        changed = {**said, "auto_map": auto_map, "trust_remote_code": True, "tokenizer_class": "Evil"}
        (folder / file).write_text(json.dumps(changed), "utf-8")
    for attempt in (
        lambda: Models(home).add(AddRequest(str(tmp_path / "clip"), key="mine")),
        lambda: Catalogue(models_dir(home), device="cpu").load("siglip2-b-16"),
    ):
        try:
            attempt()
        except AppError as error:
            is_sentence(error)
    assert not (models_dir(home) / "mine" / "evil.py").exists()


# --- files that are none ---------------------------------------------------------------------------------------------


def test_what_is_no_file_is_refused_and_not_waited_for(
    home: Path, tmp_path: Path, not_added: Refused, not_loaded: Refused
) -> None:
    pipe, loop, nowhere, folder = (tmp_path / f"{name}.pth" for name in ("pipe", "loop", "nowhere", "folder"))
    os.mkfifo(pipe)
    loop.symlink_to(loop)
    nowhere.symlink_to(tmp_path / "not-there")
    folder.mkdir()
    device = tmp_path / "device.pth"
    device.symlink_to("/dev/zero")
    for path in (pipe, loop, nowhere, folder, device):
        not_added(path, architecture="resnet18")
        holder = tmp_path / f"{path.stem}-folder"
        holder.mkdir()
        (holder / path.name).symlink_to(path)
        not_added(holder)
        by_hand_folder = models_dir(home) / "resnet50"
        by_hand_folder.mkdir(parents=True, exist_ok=True)
        (by_hand_folder / path.name).symlink_to(path)
    assert "Put resnet50-11ad3fa6.pth" in not_loaded("resnet50")


def test_a_link_to_a_secret_is_not_copied(home: Path, tmp_path: Path, not_added: Refused) -> None:
    secret = tmp_path / "secret"
    secret.write_text("a key", "utf-8")
    folder = clip_folder(tmp_path / "clip", WORDS)
    write_tokenizer(folder)
    for name in ("tokenizer.json", "tokenizer_config.json", "open_clip_config.json", "open_clip_model.safetensors"):
        kept = (folder / name).read_bytes()
        (folder / name).unlink()
        (folder / name).symlink_to(secret)
        not_added(folder)
        (folder / name).unlink()
        (folder / name).write_bytes(kept)
    Models(home).add(AddRequest(str(folder), key="mine"))


def test_a_cache_of_links_can_be_added(home: Path, tmp_path: Path) -> None:
    """A hub's cache holds the files elsewhere."""
    folder = clip_folder(tmp_path / "blobs")
    cache = tmp_path / "snapshot"
    cache.mkdir()
    for path in folder.iterdir():
        (cache / path.name).symlink_to(path)
    assert Models(home).add(AddRequest(str(cache))).key == "snapshot"
    assert not any(path.is_symlink() for path in models_dir(home).rglob("*"))


def test_names_lead_nowhere(home: Path, tmp_path: Path) -> None:
    """Nothing of a model's folder but known names is copied, and under the program's own."""
    folder = clip_folder(tmp_path / "..evil ..%2f")
    (folder / "sitecustomize.py").write_text("raise SystemExit", "utf-8")
    (folder / "open_clip_model.safetensors").rename(folder / "a..%2f..%2fup.safetensors")
    status = Models(home).add(AddRequest(str(folder)))
    assert status.key == "a-2f-2fup"
    kept = {path.name for path in (models_dir(home) / status.key).iterdir()}
    assert kept == {"model.safetensors", "open_clip_config.json", "installed.json", ".sha256.json"}


def test_a_file_that_changes_while_it_is_added_is_tried_as_it_was_copied(
    home: Path, tmp_path: Path, canary: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from app.engine.installing import adding

    torch.save(clip_tensors(), tmp_path / "weights.pt")
    looked_at = adding._recognised

    def then_exchanged(*arguments: Any) -> Any:
        found = looked_at(*arguments)
        torch.save({"x": CallsOs(canary)}, tmp_path / "weights.pt")
        return found

    monkeypatch.setattr(adding, "_recognised", then_exchanged)
    config = clip_folder(tmp_path / "clip") / "open_clip_config.json"
    config.rename(tmp_path / "open_clip_config.json")
    (tmp_path / "clip" / "open_clip_model.safetensors").unlink()
    with pytest.raises(AppError, match="not run here"):
        Models(home).add(AddRequest(str(tmp_path), key="mine"))
    assert not all_files(home)


@pytest.mark.parametrize(
    "change",
    [
        {"family": "evil"},
        {"family": "clap"},
        {"files": ["../resnet50/*"]},
        {"files": ["/etc/*"]},
        {"files": []},
        {"companions": ["../../secret"]},
        {"key": "other"},
        {"origin": "built-in"},
        {"accepts": ["smell"]},
        {"picture": {"size_px": 3}},
        {"model_cfg": {**SMALL_CLIP, "vision_cfg": {**SMALL_CLIP["vision_cfg"], "layers": 8000}}},
        {"model_cfg": {**SMALL_CLIP, "text_cfg": {**SMALL_CLIP["text_cfg"], "tokenizer_kwargs": {"x": "evil.py"}}}},
        {"no_such_field": 1},
    ],
)
def test_a_strange_record_is_no_model(home: Path, tmp_path: Path, change: dict[str, Any]) -> None:
    Models(home).add(AddRequest(str(clip_folder(tmp_path / "clip"))))
    record = models_dir(home) / "clip" / "installed.json"
    table = json.loads(record.read_text("utf-8"))
    record.write_text(json.dumps({**table, "entry": {**table["entry"], **change}}), "utf-8")
    assert "clip" not in Catalogue(models_dir(home)).keys()
    for content in ("", "[" * 200_000, "[]", '{"format": 1}', '{"format": 2}'):
        record.write_text(content, "utf-8")
        assert "clip" not in Catalogue(models_dir(home)).keys()


# --- the command line ------------------------------------------------------------------------------------------------


def test_the_command_line_says_the_same(
    home: Path, tmp_path: Path, canary: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def add(path: Path, *options: str) -> tuple[int, Any]:
        line = ["--home", str(home), "models", "add", "--json", str(path), *options]
        return run_command(parser().parse_args(line)), json.loads(capsys.readouterr().out)

    zipped_checkpoint(tmp_path / "evil.pt", CallsOs(canary))
    safetensors.torch.save_file(timm_tensors(), tmp_path / "birds.safetensors")
    status, refused = add(tmp_path / "evil.pt")
    assert status == 1
    assert "not run here" in refused["error"]["message"]
    status, document = add(tmp_path / "birds.safetensors", "--architecture", SMALL_TIMM, "--licence", "MIT")
    (model,) = document["models"]
    assert (status, model["key"], model["ready"], model["licence"]) == (0, "birds", True, "MIT")
