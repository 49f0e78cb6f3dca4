"""Small tokenizers of the kinds that the models' own are of, for models with seeded weights.

What they do with special tokens, padding and case is what the published ones do; of words they know a handful, and
spell the others.
"""

from __future__ import annotations

import json
import string
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors

_WORDS = ("a", "the", "of", "photo", "cat", "dog", "red", "ball", "cell", "chest", "schnee", "rouge")
_LETTERS = (*string.ascii_letters, *string.digits, *"äöüßéèç犬猫ねこкот", *string.punctuation)


def write_gemma(folder: Path, ends_texts: bool = True) -> None:
    """SigLIP 2's: bytes for what it cannot spell, and <eos> after the words, which either file may ask for."""
    special = ["<pad>", "<eos>", "<bos>", "<unk>", *(f"<0x{byte:02X}>" for byte in range(256))]
    pieces = [*special, "▁", *_LETTERS]
    merges: list[tuple[str, str]] = []
    for word in _WORDS:
        for length in range(len(word)):
            merges.append((f"▁{word[:length]}", word[length]))
            pieces.append(f"▁{word[: length + 1]}")
    vocabulary = {piece: number for number, piece in enumerate(dict.fromkeys(pieces))}
    tokenizer = Tokenizer(models.BPE(vocabulary, merges, unk_token="<unk>", fuse_unk=True, byte_fallback=True))  # noqa: S106 - no password
    tokenizer.add_special_tokens(special[:4])
    tokenizer.normalizer = normalizers.Replace(" ", "▁")
    tokenizer.pre_tokenizer = pre_tokenizers.Split("▁", "merged_with_next")
    if ends_texts:
        tokenizer.post_processor = processors.TemplateProcessing(single="$A <eos>", special_tokens=[("<eos>", 1)])
    names = {f"{name}_token": f"<{name}>" for name in ("pad", "eos", "bos", "unk")}
    facts = {"tokenizer_class": "GemmaTokenizer", "add_bos_token": False, "add_eos_token": True}
    _save(folder, tokenizer, {**names, **facts, "padding_side": "right"})


def write_t5(folder: Path) -> None:
    """SigLIP's: </s> after the words and in the rest of the line."""
    tokenizer = _unigram(("<pad>", "</s>", "<unk>"))
    tokenizer.post_processor = processors.TemplateProcessing(single="$A </s>", special_tokens=[("</s>", 1)])
    names = {"pad_token": "</s>", "eos_token": "</s>", "unk_token": "<unk>"}
    _save(folder, tokenizer, {**names, "tokenizer_class": "T5Tokenizer", "extra_ids": 0, "legacy": False})


def write_xlm_roberta(folder: Path) -> None:
    """That of the towers of XLM-RoBERTa: words between <s> and </s>."""
    tokenizer = _unigram(("<s>", "<pad>", "</s>", "<unk>"), ("<mask>",))
    special = [("<s>", 0), ("</s>", 2)]
    tokenizer.post_processor = processors.TemplateProcessing(single="<s> $A </s>", special_tokens=special)
    _save(folder, tokenizer)


def write_bert(folder: Path) -> None:
    """PubMedBERT's: a list of pieces in lower case, one a line."""
    letters = [letter for letter in _LETTERS if letter == letter.lower()]
    pieces = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *letters, *(f"##{letter}" for letter in letters), *_WORDS]
    (folder / "vocab.txt").write_text("\n".join(dict.fromkeys(pieces)) + "\n", "utf-8")


def _unigram(first: Sequence[str], last: Sequence[str] = ()) -> Tokenizer:
    """Pieces by their probability, as SentencePiece makes them; the unknown one is the last of ``first``."""
    words = (f"▁{word}" for word in _WORDS)
    scored = [*((piece, 0.0) for piece in first), ("▁", -2.0), *((word, -3.0) for word in words)]
    scored += [*((letter, -5.0) for letter in _LETTERS), *((piece, 0.0) for piece in last)]
    tokenizer = Tokenizer(models.Unigram(scored, unk_id=len(first) - 1))
    metaspace = pre_tokenizers.Metaspace(replacement="▁", prepend_scheme="always")
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.WhitespaceSplit(), metaspace])
    return tokenizer


def _save(folder: Path, tokenizer: Tokenizer, config: dict[str, Any] | None = None) -> None:
    tokenizer.save(str(folder / "tokenizer.json"))
    if config is not None:
        (folder / "tokenizer_config.json").write_text(json.dumps(config), "utf-8")
