"""Packed files: what is in them comes in, each by its name, and a small file never becomes a large one unseen."""

from __future__ import annotations

import gzip
import io
import json
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from django.core.management import call_command

from rating.models import ImportStatus, UsageImport, UsageRecord
from rating.services.imports import counts, import_file, import_files
from rating.services.receiving import receive_all
from rating.usage import packed
from tests.cast import ACTOR
from tests.rating.calls_help import Call, many, write
from tiers.errors import Invalid

if TYPE_CHECKING:
    from tests.cast import Cast

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def media(settings: Any, tmp_path: Path) -> Path:
    settings.MEDIA_ROOT = str(tmp_path / "media")
    return tmp_path / "media" / "usage"


def zipped(path: Path, files: Mapping[str, bytes], how: int = zipfile.ZIP_DEFLATED) -> Path:
    with zipfile.ZipFile(path, "w", how) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return path


def monday(tmp_path: Path, prefix: str = "c") -> bytes:
    return write(tmp_path / "plain.csv", many(10, prefix=prefix)).read_bytes()


def test_a_gz_is_read_like_the_file_in_it(cast: Cast, tmp_path: Path, media: Path) -> None:
    path = tmp_path / "monday.csv.gz"
    path.write_bytes(gzip.compress(monday(tmp_path)))
    found = import_file(path, cast.source(), actor=ACTOR)
    assert counts(found)["read"] == 10
    assert (found.name, found.archive) == ("monday.csv.gz", "monday.csv.gz")
    assert [one.name for one in media.iterdir()] == [str(found.pk)], "what was packed is not kept beside it"


def test_a_gz_of_several_parts_one_behind_the_other(cast: Cast, tmp_path: Path) -> None:
    whole = monday(tmp_path)
    path = tmp_path / "joined.gz"
    path.write_bytes(gzip.compress(whole[:300]) + gzip.compress(whole[300:]))
    assert counts(import_file(path, cast.source(), actor=ACTOR))["read"] == 10


def test_every_file_of_a_zip_is_an_import_of_its_own_name_and_format(cast: Cast, tmp_path: Path) -> None:
    freepbx = (Path(__file__).parent / "fixtures/usage/asterisk_standard.csv").read_bytes()
    path = zipped(
        tmp_path / "week.zip",
        {
            "mon/calls.csv": monday(tmp_path),
            "tue/calls.csv": monday(tmp_path, "d"),
            "Master.csv": freepbx,
            "readme.pdf": b"%PDF-1.4 not calls",
            "__MACOSX/._calls.csv": b"litter",
            "mon/.DS_Store": b"litter",
        },
    )
    done = import_files(path, cast.source(), actor=ACTOR)
    assert [one.name for one in done] == ["mon/calls.csv", "tue/calls.csv", "Master.csv", "readme.pdf"]
    assert {one.archive for one in done} == {"week.zip"}
    assert len({one.archive_id for one in done}) == 1
    assert [one.format for one in done[:3]] == ["generic", "generic", "asterisk"]
    assert [one.status for one in done][2:] == [ImportStatus.DONE, ImportStatus.FAILED]
    assert counts(done[1])["read"] == 10


def test_the_command_tells_of_each_file(cast: Cast, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = zipped(tmp_path / "week.zip", {"a.csv": monday(tmp_path), "b.csv": monday(tmp_path, "d")})
    call_command("import_usage", str(path), "--source", "switch", "--json")
    told = json.loads(capsys.readouterr().out)
    assert (told["read"], [one["file"] for one in told["files"]]) == (20, ["a.csv", "b.csv"])


def test_the_same_calls_packed_and_unpacked_are_the_same_calls(cast: Cast, tmp_path: Path) -> None:
    plain = write(tmp_path / "plain.csv", many(10))
    import_file(plain, cast.source(), actor=ACTOR)
    path = zipped(tmp_path / "again.zip", {"x.csv": plain.read_bytes()})
    assert counts(import_file(path, cast.source(), actor=ACTOR))["duplicate"] == 10


def bomb() -> bytes:
    return gzip.compress(b"0" * 40_000_000)


def nested(tmp_path: Path) -> bytes:
    return zipped(tmp_path / "inner.zip", {"a.csv": b"a,b,c\n"}).read_bytes()


def lying_zip() -> bytes:
    """A zip that claims its file has ten bytes."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.csv", b"0" * 3_000_000)
    size = (3_000_000).to_bytes(4, "little")
    return file.getvalue().replace(size, (10).to_bytes(4, "little"))


@pytest.mark.parametrize(
    ("make", "code"),
    [
        (lambda at: bomb(), "unpacked_too_large"),
        (lambda at: gzip.compress(b"a" * 9_000_000, 0), "unpacked_too_large"),
        (lambda at: zipped(at / "z", {"bomb.csv": b"0" * 40_000_000}).read_bytes(), "unpacked_too_large"),
        (lambda at: gzip.compress(nested(at)), "nested_archive"),
        (lambda at: zipped(at / "z", {"in.zip": nested(at)}).read_bytes(), "nested_archive"),
        (lambda at: zipped(at / "z", {f"{n}.csv": b"x" for n in range(6)}).read_bytes(), "too_many_files"),
        (lambda at: zipped(at / "z", {"__MACOSX/a": b"x"}).read_bytes(), "empty"),
        (lambda at: bomb()[:2000], "broken_archive"),
        (lambda at: gzip.compress(b"a,b,c\n")[:-4], "broken_archive"),
        (lambda at: lying_zip(), "broken_archive"),
    ],
    ids=[
        *("bomb", "too large", "bomb in zip", "zip in gz", "zip in zip", "too many", "empty", "cut", "checksum"),
        "lying",
    ],
)
def test_what_is_not_to_be_unpacked_is_refused_and_leaves_nothing(
    cast: Cast, tmp_path: Path, media: Path, settings: Any, make: Any, code: str
) -> None:
    settings.UNPACKED_MAX_BYTES, settings.UNPACKED_MAX_FILES = 8_000_000, 5
    data = make(tmp_path)
    with pytest.raises(Invalid) as refused:
        receive_all(cast.source(), [data], "packed", actor=ACTOR)
    assert refused.value.code == code
    assert list(media.iterdir()) == []
    assert not UsageImport.objects.exists()


def test_the_ratio_is_bounded_before_the_size_is(cast: Cast, settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.UNPACKED_MAX_RATIO = 50
    monkeypatch.setattr(packed, "RATIO_FROM_BYTES", 1_000_000)
    with pytest.raises(Invalid) as refused:
        receive_all(cast.source(), [gzip.compress(b"0" * 3_000_000)], "small.gz", actor=ACTOR)
    assert refused.value.code == "unpacked_too_large"


def test_an_encrypted_zip_is_refused(cast: Cast, tmp_path: Path) -> None:
    data = bytearray(zipped(tmp_path / "z", {"a.csv": b"a,b,c\n"}).read_bytes())
    for mark, at in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        data[data.index(mark) + at] |= 1
    with pytest.raises(Invalid) as refused:
        receive_all(cast.source(), [bytes(data)], "secret.zip", actor=ACTOR)
    assert refused.value.code == "encrypted"


def test_a_workbook_is_no_archive_of_calls(cast: Cast, tmp_path: Path) -> None:
    path = zipped(tmp_path / "calls.xlsx", {"[Content_Types].xml": b"<x/>", "xl/workbook.xml": b"<x/>"})
    with pytest.raises(Invalid) as refused:
        import_file(path, cast.source(), actor=ACTOR)
    assert refused.value.code == "not_text"
    assert not UsageRecord.objects.exists()


def test_names_in_an_archive_are_shown_and_never_paths(cast: Cast, tmp_path: Path, media: Path) -> None:
    data = write(tmp_path / "p.csv", [Call("c1")]).read_bytes()
    path = zipped(tmp_path / "evil.zip", {"../../../../tmp/evil.csv": data})
    (found,) = import_files(path, cast.source(), actor=ACTOR)
    assert found.name == "../../../../tmp/evil.csv"
    assert [one.name for one in media.iterdir()] == [str(found.pk)]
