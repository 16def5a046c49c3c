"""What lies in a folder or archive: every photograph once, the rest counted or named; nothing hangs or fills memory."""

import bz2
import gzip
import io
import lzma
import os
import resource
import socket
import tarfile
import zipfile
from pathlib import Path

import pytest

from colorlib.pictures import archives
from colorlib.pictures.archives import MAX_HEADER_BYTES, MIN_BOUND
from colorlib.pictures.kinds import in_words
from colorlib.pictures.listing import list_photographs, printable

JPEG = b"\xff\xd8\xff\xe0\0\x10JFIF\0 and so on"


def names(source: Path) -> list[str]:
    return [name for name, _ in list_photographs(source).members]


def write_tar(path: Path, members: dict[str, bytes]) -> Path:
    with tarfile.open(path, "w:gz" if path.suffix == ".gz" else "w") as archive:
        for name, data in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return path


def test_what_is_no_photograph_is_counted_by_kind(tmp_path):
    for name in (
        "a.jpg",
        "b.tif",
        "film.MP4",
        "IMG_1.JXL",
        "cam.dng",
        "notes.txt",
        ".DS_Store",
        "Thumbs.db",
        "odd.zzz",
    ):
        (tmp_path / name).write_bytes(b"\1\2\3\4")
    (tmp_path / "scan").write_bytes(JPEG)  # no ending: told by its content
    (tmp_path / "old.jpg_original").write_bytes(JPEG)
    (tmp_path / "README").write_bytes(b"to be read")
    listing = list_photographs(tmp_path)
    assert [name for name, _ in listing.members] == ["a.jpg", "b.tif", "scan"]
    assert listing.ignored == {
        "JPEG XL photograph": 1,
        "document": 1,
        "film": 1,
        "hidden file": 2,
        "other file": 2,
        "oddly named photograph": 1,
        "raw photograph": 1,
    }
    assert in_words(listing.ignored).startswith("1 JPEG XL photograph, 1 document, 1 film, 2 hidden files, 1 oddly")
    assert not listing.problems


def test_what_cannot_be_read_is_named_and_nothing_hangs(tmp_path):
    folder = tmp_path / "in"
    (folder / "sub").mkdir(parents=True)
    (folder / "sub/a.jpg").write_bytes(JPEG)
    (folder / "link.jpg").symlink_to(folder / "sub/a.jpg")
    (folder / "gone.jpg").symlink_to("/nowhere")
    (folder / "gone.txt").symlink_to("/nowhere")
    (folder / "round.jpg").symlink_to(folder / "round.jpg")
    (folder / "up").symlink_to(tmp_path)
    os.mkfifo(folder / "pipe.jpg")
    os.mkfifo(folder / "pipe")
    with socket.socket(socket.AF_UNIX) as open_socket:
        open_socket.bind(os.path.relpath(folder / "s.png"))
    listing = list_photographs(folder)
    assert [name for name, _ in listing.members] == ["link.jpg", "sub/a.jpg"]
    reasons = dict(listing.problems)
    assert list(reasons) == ["gone.jpg", "pipe.jpg", "round.jpg", "s.png", "up"]
    assert "broken link" in reasons["gone.jpg"] and "pipe" in reasons["pipe.jpg"]
    assert listing.ignored == {"broken link": 1, "pipe, socket or device": 1}


def test_a_folder_that_may_not_be_entered_is_named(tmp_path, monkeypatch):
    (tmp_path / "closed").mkdir()
    (tmp_path / "a.jpg").write_bytes(JPEG)
    scandir = os.scandir

    def refusing(folder):
        if Path(folder).name == "closed":
            raise PermissionError(13, "Permission denied")
        return scandir(folder)

    monkeypatch.setattr(os, "scandir", refusing)  # root may enter any
    listing = list_photographs(tmp_path)
    assert listing.problems == [("closed", "may not be entered (Permission denied)")]
    (tmp_path / "a.jpg").unlink()
    with pytest.raises(ValueError, match="0 other files; closed may not be entered"):
        list_photographs(tmp_path)


def test_a_replaced_file_of_equal_length_changes_the_digest(tmp_path):
    path = tmp_path / "in/a.jpg"
    path.parent.mkdir()
    path.write_bytes(JPEG)
    before = list_photographs(path.parent).digest
    assert list_photographs(path.parent).digest == before
    path.write_bytes(JPEG[::-1])
    os.utime(path, (1, 1))
    assert list_photographs(path.parent).digest != before
    digests = []
    for data in (JPEG, JPEG[::-1]):
        with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
            archive.writestr(zipfile.ZipInfo("a.jpg"), data)  # of 1980, both
        digests.append(list_photographs(tmp_path / "a.zip").digest)
    assert digests[0] != digests[1]


def test_names_in_archives_lead_nowhere_and_none_is_lost(tmp_path):
    members = [("a.jpg", b"1"), ("../a.jpg", b"2"), ("/abs/b.jpg", b"3"), ("C:\\win\\c.jpg", b"4"), ("a.jpg", b"5")]
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive, pytest.warns(UserWarning, match="Duplicate"):
        for name, data in [*members, ("__MACOSX\\._a.jpg", b"6")]:
            archive.writestr(name, data)
    listing = list_photographs(tmp_path / "a.zip")
    got = [(member.name, member.open().read()) for member in listing.read(0)]
    assert got == [("a.jpg", b"1"), ("a.jpg", b"2"), ("a.jpg", b"5"), ("abs/b.jpg", b"3"), ("win/c.jpg", b"4")]
    assert listing.ignored == {"hidden file": 1}


@pytest.mark.parametrize("ending", ["tar", "tar.gz"])
def test_links_in_a_tar_are_named(tmp_path, ending):
    path = write_tar(tmp_path / f"a.{ending}", {"a.jpg": JPEG})
    with tarfile.open(path, "w:gz" if ending == "tar.gz" else "w") as archive:
        for name, kind in (
            ("soft.jpg", tarfile.SYMTYPE),
            ("hard.jpg", tarfile.LNKTYPE),
            ("fifo.jpg", tarfile.FIFOTYPE),
        ):
            info = tarfile.TarInfo(name)
            info.type, info.linkname = kind, "a.jpg"
            archive.addfile(info)
        info = tarfile.TarInfo("caf\udce9")
        info.size = len(JPEG)
        archive.addfile(info, io.BytesIO(JPEG))
    listing = list_photographs(path)
    assert [name for name, _ in listing.problems] == ["fifo.jpg", "hard.jpg", "soft.jpg"]
    assert [(printable(m.name), m.open().read()) for m in listing.read(0)] == [(r"caf\xe9", JPEG)]


def test_a_tar_with_a_broken_header_in_its_middle_does_not_end_there(tmp_path):
    path = write_tar(tmp_path / "a.tar", {"a.jpg": JPEG, "b.jpg": JPEG})
    data = bytearray(path.read_bytes())
    data[1024 + 148] ^= 1  # the second header's checksum
    path.write_bytes(data)
    with pytest.raises(ValueError, match=r"a.tar is damaged or no archive \(a header in its middle is none"):
        list_photographs(path)


def long_name() -> tarfile.TarInfo:
    info = tarfile.TarInfo("././@LongLink")
    info.type, info.size = tarfile.GNUTYPE_LONGNAME, 6 << 30
    return info


@pytest.mark.parametrize("pack", [gzip.open, bz2.open, lzma.open])
def test_a_bomb_in_a_tar_is_refused_early(tmp_path, pack):
    """A name of 6 GiB, declared; then small members whose packed lengths say that they cannot be photographs."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    path = tmp_path / "a.tar.gz"
    with pack(path, "wb") as file:
        file.write(long_name().tobuf(tarfile.GNU_FORMAT) + bytes(2 * MAX_HEADER_BYTES))
    with pytest.raises(ValueError, match="a name of 6,442,450,944 bytes"):
        list_photographs(path)
    huge = tarfile.TarInfo("a.jpg")
    huge.size = MIN_BOUND
    with pack(path, "wb") as file:
        file.write(huge.tobuf(tarfile.GNU_FORMAT))
        file.write(bytes(1024))
    with pytest.raises(ValueError, match="unpacks to more than 268,435,456 bytes: it is a bomb"):
        list_photographs(path)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < (1 << 20)  # KiB


def test_a_bomb_in_a_zip_is_refused_when_it_is_opened(tmp_path, monkeypatch):
    monkeypatch.setattr(archives, "MIN_BOUND", 1 << 20)
    with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.jpg", JPEG)
        archive.writestr("b.tif", bytes((1 << 20) + 1))
    small, bomb = list_photographs(tmp_path / "a.zip").read(0)
    assert small.open().read() == JPEG
    with pytest.raises(ValueError, match="a bomb"):
        bomb.open()


def test_a_pipe_called_an_archive_is_none(tmp_path):
    os.mkfifo(tmp_path / "a.zip")
    with pytest.raises(ValueError, match="neither a folder nor an archive"):
        list_photographs(tmp_path / "a.zip")
