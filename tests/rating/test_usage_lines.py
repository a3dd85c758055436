"""Files of any size and any hand: no line may spoil the next, and chunks cover a file exactly once."""

from __future__ import annotations

import itertools
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rating.usage import lines
from rating.usage.lines import plan_chunks, read_chunk
from rating.usage.record import BadRow


def everything(path: Path, per_chunk: int = 2) -> list[tuple[int, str] | BadRow]:
    chunks = plan_chunks(path, per_chunk)
    for before, after in itertools.pairwise(chunks):
        assert before.byte_to == after.byte_from
        assert before.first_line + before.lines == after.first_line
    if chunks:
        assert chunks[-1].byte_to == path.stat().st_size
    read = [list(read_chunk(path, chunk)) for chunk in chunks]
    assert [len(part) for part in read] == [chunk.lines for chunk in chunks]
    return [item for part in read for item in part]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("last", ["", "end"])
def test_encodings_and_line_ends(tmp_path: Path, encoding: str, newline: str, last: str) -> None:
    path = tmp_path / "calls.csv"
    texts = ["to,from,seconds", "Zürich,李,1", "", "a,b,c", "d,e,f"]
    path.write_bytes((newline.join(texts) + newline + last).encode(encoding))
    expected = [*texts, last] if last else texts
    assert everything(path) == list(enumerate(expected, 1))


def test_a_windows_code_page_is_read_line_by_line(tmp_path: Path) -> None:
    path = tmp_path / "calls.csv"
    path.write_bytes("Zürich\n".encode("cp1252") + "Genève\n".encode() + b"\x81\x8d\n" + b"plain\n")
    first, second, third, fourth = everything(path)
    assert (first, second, fourth) == ((1, "Zürich"), (2, "Genève"), (4, "plain"))
    assert isinstance(third, BadRow)
    assert (third.line, third.code) == (3, "encoding")


def test_bad_bytes_far_down_a_utf8_file_cost_one_row(tmp_path: Path) -> None:
    path = tmp_path / "calls.csv"
    path.write_bytes("Zürich\n".encode() * 10_000 + b"Z\xfcrich\n" + b"next\n")
    found = everything(path, 4_000)
    broken = found[10_000]
    assert isinstance(broken, BadRow)
    assert (broken.line, broken.code, broken.text) == (10_001, "encoding", "Z\\xfcrich")
    assert found[10_001] == (10_002, "next")


def test_zero_bytes_cost_one_row_and_can_be_stored(tmp_path: Path) -> None:
    path = tmp_path / "calls.csv"
    path.write_bytes(b"a,b,c\n1,\x002,3\n4,5,6\n")
    _first, broken, last = everything(path)
    assert isinstance(broken, BadRow)
    assert broken.code == "nul_byte"
    assert "\0" not in broken.text
    assert last == (3, "4,5,6")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_a_line_without_end_is_one_bad_row_read_in_little_memory(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "calls.csv"
    path.write_bytes(("first\n" + "x" * 30_000_000 + "\nlast\n" + "y" * 70_000 + "\nvery last").encode(encoding))
    tracemalloc.start()
    found = everything(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert [item.code if isinstance(item, BadRow) else item for item in found] == [
        (1, "first"),
        "line_too_long",
        (3, "last"),
        "line_too_long",
        (5, "very last"),
    ]
    assert all(len(item.text) < 3_000 for item in found if isinstance(item, BadRow))
    assert peak < 16_000_000


def test_a_line_of_exactly_the_limit_is_still_read(tmp_path: Path) -> None:
    path = tmp_path / "calls.csv"
    path.write_bytes(b"x" * 65_536 + b"\n" + b"y" * 65_537 + b"\nz")
    first, second, third = everything(path)
    assert first == (1, "x" * 65_536)
    assert isinstance(second, BadRow)
    assert third == (3, "z")


def test_an_empty_file_has_no_chunks(tmp_path: Path) -> None:
    path = tmp_path / "empty.csv"
    path.touch()
    assert plan_chunks(path) == []


@given(
    texts=st.lists(st.text(st.sampled_from('ab,"é'), max_size=9), max_size=30),
    newline=st.sampled_from(["\n", "\r\n", "\r"]),
    encoding=st.sampled_from(["utf-8", "utf-16-le", "utf-16-be"]),
    per_chunk=st.integers(1, 7),
    block=st.sampled_from([2, 4, 6, 64]),
    closed=st.booleans(),
)
def test_chunks_and_blocks_never_lose_or_double_a_line(
    tmp_path_factory: pytest.TempPathFactory,
    texts: list[str],
    newline: str,
    encoding: str,
    per_chunk: int,
    block: int,
    closed: bool,
) -> None:
    body = newline.join(texts) + (newline if closed and texts else "")
    bom = "\ufeff" if encoding != "utf-8" else ""
    path = tmp_path_factory.mktemp("lines") / "calls.csv"
    path.write_bytes((bom + body).encode(encoding))
    wanted = body.split(newline)
    if not wanted[-1]:
        wanted.pop()
    before = lines.BLOCK_BYTES
    lines.BLOCK_BYTES = block
    try:
        found = everything(path, per_chunk)
    finally:
        lines.BLOCK_BYTES = before
    assert [item[1] if isinstance(item, tuple) else item for item in found] == wanted
