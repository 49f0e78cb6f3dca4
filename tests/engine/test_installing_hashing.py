"""Checksums in the forms in which they are published."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.engine.encoders.hashing import hashed


@given(data=st.binary(max_size=3000), flipped=st.booleans())
def test_a_file_has_its_checksums_and_another_has_not(
    data: bytes, flipped: bool, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.getbasetemp() / "hashed"
    path.write_bytes(data + b"!" if flipped else data)
    sha256 = hashlib.sha256(data).hexdigest()
    git_sha1 = hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()
    for checksum in (
        f"sha256:{sha256}",
        f"sha256:{sha256.upper()}",
        f"sha256-prefix:{sha256[:8]}",
        f"md5:{hashlib.md5(data).hexdigest()}",
        f"git-sha1:{git_sha1}",
    ):
        digest, is_right = hashed(path, checksum)
        assert is_right is not flipped
        assert digest == hashlib.sha256(path.read_bytes()).hexdigest()


def test_gits_own_name_of_a_known_content(tmp_path: Path) -> None:
    path = tmp_path / "hello"
    path.write_bytes(b"hello world\n")
    assert hashed(path, "git-sha1:3b18e512dba79e4c8300dd08aeb37f8e728b8dad")[1]


def test_what_is_no_checksum_is_a_mistake_of_the_catalogue(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"")
    assert hashed(path)[1]
    with pytest.raises(ValueError, match="crc32"):
        hashed(path, "crc32:00000000")
