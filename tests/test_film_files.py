"""Films as files: clocks that start again, what containers hold and what is said of the rest, damage, marks."""

import importlib
import json
import os
from fractions import Fraction
from types import SimpleNamespace

import av
import numpy as np
import pytest
import torch
from av.stream import Disposition

from colorlib import cli
from colorlib.color.lab import rgb_to_lab
from colorlib.deployment import film, timeline
from colorlib.deployment.containers import open_film
from colorlib.deployment.film import colorize_film, plan_films
from colorlib.deployment.film_differences import FilmFacts, Track, describe, differences
from colorlib.deployment.loading import load_colorizer
from colorlib.deployment.muxing import read_film_mark
from colorlib.pictures import bounded

pytestmark = pytest.mark.slow

CLOCK = "It was written as mkv; Matroska's clock ticks in milliseconds."


@pytest.fixture(scope="module")
def faithful():
    return load_colorizer("faithful")


def wedge(index, size=(64, 48)):
    return np.tile(np.linspace(20, 190 + index, size[0]).astype(np.uint8), (size[1], 1))


def write(
    path, frames=8, size=(64, 48), codec="mpeg2video", pixels="yuv420p", sound="mp2", rate=48000, draw=wedge, start=0,
    prepare=lambda out, stream: None, format=None, **options
):  # fmt: skip
    """Write a grey film with a tone."""
    with av.open(str(path), "w", format=format, options={"avoid_negative_ts": "disabled"}) as out:
        stream = out.add_stream(codec, rate=25, options={"bf": "0", **options})
        stream.width, stream.height, stream.pix_fmt = *size, pixels
        audio = out.add_stream(sound, rate=rate) if sound else None
        prepare(out, stream)
        for index in range(frames):
            grey = draw(index, size)
            if pixels.startswith("gray"):
                frame = av.VideoFrame.from_ndarray(grey, pixels)
                frame.color_range = stream.codec_context.color_range
            else:
                frame = av.VideoFrame.from_ndarray(np.stack([grey] * 3, 2), "rgb24").reformat(format=pixels)
            frame.pts, frame.time_base = start + index, Fraction(1, 25)
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
        if audio:
            tone = (8000 * np.sin(np.arange(rate * frames // 25) / 20)).astype(np.int16)
            frame = av.AudioFrame.from_ndarray(tone[None], "s16", "mono")
            frame.sample_rate, frame.pts, frame.time_base = rate, start * rate // 25, Fraction(1, rate)
            resampler = av.AudioResampler(audio.codec_context.format, audio.codec_context.layout, rate)
            for part in (*resampler.resample(frame), *resampler.resample(None)):
                out.mux(audio.encode(part))
            out.mux(audio.encode(None))
    return path


def read(path):
    """Return the times of the frames, and of the packets of sound, in seconds."""
    with av.open(str(path)) as container:
        times = [float(frame.time) for frame in container.decode(video=0)]
    with av.open(str(path)) as container:
        sound = (
            [float(p.pts * p.time_base) for p in container.demux(audio=0) if p.size] if container.streams.audio else []
        )
    return np.array(times), np.array(sound)


# ---------------------------------------------------------------------------------------------------------- one clock


@pytest.mark.parametrize("ending", ["ts", "mpg"])
@pytest.mark.parametrize("sound", ["mp2", None])
def test_recordings_put_end_to_end_have_one_clock(tmp_path, ending, sound):
    one = write(tmp_path / f"one.{ending}", frames=20, sound=sound)
    both = tmp_path / f"both.{ending}"
    both.write_bytes(one.read_bytes() * 3)
    found = timeline.survey(both)
    assert len(found.seams) == 2 and not found.strays
    times, heard = {}, {}
    with open_film(both) as container:
        for packet in found.corrected(p for p in container.demux() if p.size):
            kept = times if packet.stream.type == "video" else heard
            kept.setdefault("pts", []).append(float(packet.pts * packet.time_base))
    shown = np.sort(times["pts"])
    assert len(shown) == 60 and np.diff(shown).max() < 0.1 and np.diff(shown).min() > 0.03
    if sound:
        third, apart = len(heard["pts"]) // 3, shown[0] - heard["pts"][0]
        for part in range(3):  # picture and sound begin as far from one another as they did
            assert shown[20 * part] - heard["pts"][third * part] == pytest.approx(apart, abs=0.001)


def packets(*streams):
    """Make packets (stream, place in the file, seconds) in the order in which a demuxer gives them."""
    made = []
    for stream, place, seconds in streams:
        ticks = round(seconds * 1000)
        made.append(
            SimpleNamespace(
                stream=SimpleNamespace(index=stream), pos=place, dts=ticks, pts=ticks, duration=40, size=9,
                time_base=Fraction(1, 1000),
            )
        )  # fmt: skip
    return made


def surveyed(monkeypatch, made, restarts=True):
    flag = av.format.Flags.ts_discont.value if restarts else 0
    monkeypatch.setattr(timeline, "_heard_and_seen", lambda container: iter(made))
    container = SimpleNamespace(format=SimpleNamespace(flags=flag))
    jumps, strays, streams = timeline._jumps(container)
    seams = timeline._seams(jumps, streams)
    found = timeline.Timeline(tuple(seams), tuple(timeline._offsets(container, seams, strays)), frozenset(strays))
    return found, [packet.pts for packet in found.corrected(made)]


def test_a_packet_of_the_old_clock_behind_one_of_the_new_stays_with_its_own(monkeypatch):
    old = [(s, 10 * i + s, 0.04 * i) for i in range(5) for s in (0, 1)]
    new = [(s, 100 + 10 * i + s, 0.04 * i) for i in range(5) for s in (0, 1)]
    order = [
        *old[:-2],
        old[-1],
        new[1],
        old[-2],
        *new[:1],
        *new[2:],
    ]  # sound 1 of the new part before picture 4 of the old
    found, times = surveyed(monkeypatch, packets(*order))
    assert found.seams == (100,)
    assert sorted(times) == sorted(40 * i for i in range(10) for _ in (0, 1))


def test_one_wrong_time_is_no_new_clock_and_a_jump_of_all_forwards_is(monkeypatch):
    steady = [(0, 10 * i, 0.04 * i) for i in range(6)]
    wrong = [*steady[:3], (0, 30, 500.0), *steady[4:]]
    found, times = surveyed(monkeypatch, packets(*wrong))
    assert found.seams == () and times == [0, 40, 80, 120, 160, 200]
    jump = [*steady[:3], *((0, place, seconds + 500) for _, place, seconds in steady[3:])]
    assert surveyed(monkeypatch, packets(*jump))[1] == [0, 40, 80, 120, 160, 200]
    assert surveyed(monkeypatch, packets(*jump), restarts=False)[0].seams == ()  # a pause of a kind that has none
    sounding = [
        *jump[:3],
        *((1, 5 + 10 * i, 0.04 * i) for i in range(3)),
        *jump[3:],
        *((1, 35 + 10 * i, 0.12 + 0.04 * i) for i in range(3)),
    ]
    assert surveyed(monkeypatch, packets(*sounding))[0].seams == ()  # sound goes on: the pictures pause


# ------------------------------------------------------------------------------------------------ what containers hold


def test_languages_roles_attachments_and_the_mark(tmp_path, faithful):
    source = tmp_path / "in.mkv"

    def prepare(out, stream):
        for language, role in (("deu", Disposition.default), ("eng", Disposition.comment)):
            track = out.add_stream("aac", rate=48000)
            track.metadata["language"], track.disposition = language, role
        out.add_attachment("Old.ttf", "application/x-truetype-font", b"\0\1\0\0" * 50)
        out.metadata["comment"] = "found in the attic"

    write(source, codec="libx264", sound="aac", prepare=prepare)
    outcome = colorize_film(faithful, source, tmp_path / "out" / "in.mkv")
    assert outcome.notes == []
    before, after = describe(source), describe(tmp_path / "out" / "in.mkv")
    assert (before.tracks, before.attachments) == (after.tracks, after.attachments) and after.attachments == ["Old.ttf"]
    assert read_film_mark(source) is None
    mark = read_film_mark(outcome.target)
    assert mark.model == "faithful" and len(mark.settings) == 12
    with av.open(str(outcome.target)) as container:
        assert container.metadata["COMMENT"].startswith("found in the attic; colorlib ")
        assert container.metadata["COMMENT"].endswith("compositeWithTrainedAlgorithmicMedia")


@pytest.mark.parametrize("name", ["a.mp4", "a.mov", "a.avi", "a.webm"])
def test_every_container_carries_the_mark_and_plays_widely(tmp_path, faithful, name):
    source = write(tmp_path / "a.mov", size=(63, 47), codec="prores_ks", pixels="yuv422p10le", sound="pcm_s16le")
    outcome = colorize_film(faithful, source, tmp_path / "out" / name)
    assert read_film_mark(outcome.target).model == "faithful"
    with av.open(str(outcome.target)) as container:
        stream = container.streams.video[0]
        assert stream.format.name == "yuv420p" and len(container.streams.audio) == 1
        size = (64, 48) if name in ("a.mp4", "a.mov") else (63, 47)
        assert (stream.width, stream.height) == size
        if size == (64, 48):
            assert stream.codec_context.profile == "High"
    said = " ".join(outcome.notes)
    assert "It has 10 bits; the coloured one has 8" in said
    assert ("Its 63×47 pixels became 64×48" in said) == (size == (64, 48))
    assert ("was encoded anew (opus)" in said) == (name == "a.webm")


def test_a_timecode_is_kept_and_sound_that_does_not_fit_is_encoded_anew(tmp_path, faithful):
    def prepare(out, stream):
        stream.metadata["timecode"] = "10:20:30:00"

    source = write(tmp_path / "tc.mov", codec="mpeg4", sound="pcm_mulaw", rate=8000, prepare=prepare, frames=20)
    outcome = colorize_film(faithful, source, tmp_path / "out" / "tc.mkv")
    assert outcome.notes == [CLOCK, "Its sound (pcm_mulaw) does not fit into .mkv files and was encoded anew (flac)."]
    assert describe(outcome.target).timecode == "10:20:30:00"
    with av.open(str(source)) as a, av.open(str(outcome.target)) as b:
        old, new = (np.concatenate([f.to_ndarray()[0] for f in c.decode(audio=0)]) for c in (a, b))
    assert np.array_equal(old, new)


def test_an_archive_loses_nothing(tmp_path, faithful):
    def prepare(out, stream):
        stream.codec_context.color_range = 2

    def draw(index, size):
        return np.tile(np.arange(300, 300 + size[0], dtype=np.uint16), (size[1], 1))

    source = write(
        tmp_path / "deep.avi", codec="ffv1", pixels="gray10le", sound="pcm_s16le", draw=draw, prepare=prepare
    )
    (job,) = plan_films([source], tmp_path / "out", archive=True)
    assert job.target.name == "deep.mkv"
    outcome = colorize_film(faithful, source, job.target, archive=True)
    assert outcome.notes == [CLOCK]
    with av.open(str(job.target)) as container:
        frame = next(container.decode(video=0))
        assert container.streams.video[0].codec_context.name == "ffv1"
        pixels = frame.reformat(format="rgb48le").to_ndarray()
    levels = np.stack([draw(0, (64, 48))] * 3)[None] / 1023
    expected = rgb_to_lab(torch.from_numpy(levels).float())
    found = rgb_to_lab(torch.from_numpy(pixels.astype(np.float32) / 65535).permute(2, 0, 1)[None])
    assert (found - expected)[:, 0].abs().max() < 0.03  # a level of ten bits is 0.1, one of eight 0.4
    assert found[:, 1:].norm(dim=1).mean() > 2
    with pytest.raises(ValueError, match="for an archive is written as .mkv"):
        colorize_film(faithful, source, tmp_path / "deep.mp4", archive=True)


@pytest.mark.parametrize(("codes", "white", "black"), [(1, 235, 16), (2, 255, 0)])
def test_grey_films_are_read_by_their_range(tmp_path, faithful, codes, white, black):
    def prepare(out, stream):
        stream.codec_context.color_range = codes

    def draw(index, size):
        return np.tile(np.linspace(black, white, size[0]).round().astype(np.uint8), (size[1], 1))

    source = write(tmp_path / "a.mkv", codec="ffv1", pixels="gray", sound=None, draw=draw, prepare=prepare)
    colorize_film(faithful, source, tmp_path / "out.mkv")
    with av.open(str(tmp_path / "out.mkv")) as container:
        frame = next(container.decode(video=0))
    assert frame.color_range == 1
    assert frame.to_ndarray()[24, [0, 63]].astype(int) == pytest.approx([16, 235], abs=4)


def test_fields_are_made_whole_frames(tmp_path, faithful):
    def comb(index, size):
        grey = np.full(size[::-1], 40, np.uint8)
        grey[0::2, 10 + 3 * index : 30 + 3 * index] = grey[1::2, 13 + 3 * index : 33 + 3 * index] = 220
        return grey

    fields = {"flags": "+ilme+ildct", "top": "1", "field_order": "tt", "b": "4M"}
    source = write(tmp_path / "in.mpg", sound=None, draw=comb, frames=10, **fields)
    outcome = colorize_film(faithful, source, tmp_path / "out.mkv")
    assert outcome.notes[0] == "It was interlaced (10 frames); their fields were made whole frames (bwdif)."
    (old, _), (new, _) = read(source), read(tmp_path / "out.mkv")
    assert np.allclose(old - old[0], new - new[0], atol=0.001) and len(new) == 10

    def combs(path):
        with av.open(str(path)) as container:
            grey = [f.to_ndarray(format="gray").astype(float) for f in container.decode(video=0)][5]
        return abs(grey[1:-1] - (grey[:-2] + grey[2:]) / 2).mean()

    assert combs(tmp_path / "out.mkv") < 0.3 * combs(source)


def test_another_size_in_the_midst_keeps_its_proportions(tmp_path, faithful):
    def circle(index, size):
        y, x = np.mgrid[: size[1], : size[0]]
        return np.where((x - size[0] / 2) ** 2 + (y - size[1] / 2) ** 2 < 15**2, 220, 40).astype(np.uint8)

    parts = [((96, 64), 0), ((64, 96), 8)]
    written = [
        write(tmp_path / f"{start}.ts", size=size, sound=None, draw=circle, start=start) for size, start in parts
    ]
    source = tmp_path / "in.ts"
    source.write_bytes(b"".join(path.read_bytes() for path in written))
    outcome = colorize_film(faithful, source, tmp_path / "out.mkv")
    assert "Its frames have 2 sizes or shapes; all were fitted whole into the 96×64 of the first." in outcome.notes
    with av.open(str(outcome.target)) as container:
        last = [frame.to_ndarray(format="gray") for frame in container.decode(video=0)][-1]
    high, wide = (np.ptp(np.nonzero((last > 130).any(axis))[0]) + 1 for axis in (1, 0))
    assert last.shape == (64, 96) and abs(high - wide) < 3 and high == pytest.approx(30 * 64 / 96, abs=3)


def test_what_a_result_lacks_is_said():
    tracks = [Track("audio", "aac", "deu", frozenset({"comment"})), Track("data", "klv", "", frozenset())]
    before = FilmFacts(
        ".mkv", (64, 48), Fraction(16, 15), 10, True, tracks,
        ["Old.ttf"], 3, {"title": "Harbour", "artist": "Anna"}, "10:20:30:00", captioned=4,
    )  # fmt: skip
    assert differences(before, before) == ["Its closed captions (4 frames) are lost."]
    after = FilmFacts(".avi", (64, 48), tracks=[Track("audio", "aac", "", frozenset())], titles={"title": "Harbour"})
    said = " ".join(differences(before, after))
    for words in (
        "pixels are not square (16/15)", "10 bits", "transparency", "data (klv)", "Old.ttf", "3 of its 3 chapters",
        "timecode (10:20:30:00)", "artist", "language of its sound (deu)", "sound as comment",
    ):  # fmt: skip
        assert words in said


# ------------------------------------------------------------------------------------------------------ damage and lies


def test_an_edit_list_is_no_damage(tmp_path, faithful):
    source = write(tmp_path / "trimmed.mp4", frames=20, codec="libx264", sound="aac", start=-8)
    outcome = colorize_film(faithful, source, tmp_path / "out" / "trimmed.mp4")
    assert outcome.frames == 12 and outcome.notes == []
    (old, heard), (new, sounding) = read(source), read(outcome.target)
    assert np.allclose(old, new, atol=0.001) and heard[0] - old[0] == pytest.approx(sounding[0] - new[0], abs=0.03)


def test_recordings_put_end_to_end_are_no_damage(tmp_path, faithful):
    source = write(tmp_path / "a.ts", frames=10, draw=lambda index, size: np.full(size[::-1], 80 + index, np.uint8))
    source.write_bytes(source.read_bytes() * 2)
    outcome = colorize_film(faithful, source, tmp_path / "out.mkv")
    assert outcome.frames == 20 and outcome.notes == [CLOCK]


def test_empty_packets_and_longer_sound_are_no_damage(tmp_path, faithful):
    source = write(tmp_path / "a.avi", codec="mjpeg", pixels="yuvj420p", sound="pcm_s16le", frames=10)
    content = bytearray(source.read_bytes())
    at = [i for i in range(len(content)) if content[i : i + 4] == b"00dc"][4]
    content[at : at + 4] = b"JUNK"  # a frame that the recorder dropped
    source.write_bytes(content)
    outcome = colorize_film(faithful, source, tmp_path / "out.avi")
    assert outcome.frames in (9, 10) and not any("could not be read" in note for note in outcome.notes)


@pytest.mark.parametrize("name", ["a.ts", "a.webm", "a.mkv", "a.avi"])
def test_a_true_loss_is_said(tmp_path, faithful, name):
    codecs = {"a.webm": ("libvpx-vp9", "libopus"), "a.mkv": ("libx264", "aac")}.get(name, ("mpeg2video", "mp2"))
    source = write(tmp_path / name, codec=codecs[0], sound=codecs[1], frames=16, draw=noise)
    whole = source.read_bytes()
    source.write_bytes(whole[: len(whole) * 2 // 3 - 77])
    outcome = colorize_film(faithful, source, tmp_path / "out.mkv")
    assert 3 < outcome.frames < 16
    assert any("cut short" in note for note in outcome.notes)


def noise(index, size):
    return np.random.default_rng(index).integers(60, 200, size[::-1]).astype(np.uint8)


def test_a_hole_is_said(tmp_path, faithful):
    source = write(tmp_path / "a.ts", frames=20, draw=noise, g="5")
    whole = source.read_bytes()
    source.write_bytes(whole[: len(whole) // 3 // 188 * 188] + whole[len(whole) // 2 // 188 * 188 :])
    outcome = colorize_film(faithful, source, tmp_path / "out.mkv")
    assert any(note.startswith("It is damaged") for note in outcome.notes)


# ----------------------------------------------------------------------------------------- never replaced, never stuck


def test_what_is_not_ours_is_never_replaced(tmp_path, faithful):
    source = write(tmp_path / "a.mp4", codec="libx264", sound=None)
    (tmp_path / "out").mkdir()
    mine = write(tmp_path / "out" / "a.mp4", codec="libx264", sound=None)
    kept = mine.read_bytes()
    with pytest.raises(ValueError, match="is no film that was coloured here"):
        colorize_film(faithful, source, mine)
    (job,) = plan_films([source], tmp_path / "out")
    assert job.target.name == "a-coloured.mp4"
    colorize_film(faithful, source, job.target)
    assert mine.read_bytes() == kept
    assert plan_films([source], tmp_path / "out") == [job]  # ours may be replaced
    assert colorize_film(faithful, source, job.target, resume=True).frames == 0
    assert colorize_film(faithful, source, job.target, resume=True, saturation=0.5).frames == 8
    (tmp_path / "out" / "a-coloured.mp4").unlink()
    (tmp_path / "out" / "a-coloured.mp4").mkdir()  # nor is a folder a place for a film
    again = tmp_path / "out" / ".." / "a.mp4"
    (job,) = plan_films([source, again, source], tmp_path / "out")
    assert job.target.name == "a-coloured-2.mp4"
    with pytest.raises(ValueError, match="is no film that was coloured here"):
        colorize_film(faithful, source, tmp_path / "out" / "a-coloured.mp4")


@pytest.mark.parametrize("left", ["clearing", "film.json", "state.safetensors", "segment"])
def test_a_killed_run_never_leaves_a_film_stuck(tmp_path, faithful, monkeypatch, left):
    source, target = write(tmp_path / "a.mp4", codec="libx264", sound=None), tmp_path / "out" / "a.mp4"
    work = target.with_name(".a.mp4.unfinished")

    def stopped(*arguments):
        raise KeyboardInterrupt

    monkeypatch.setattr(film._Video, "finish", stopped)
    with pytest.raises(KeyboardInterrupt):
        colorize_film(faithful, source, target)
    monkeypatch.undo()
    assert json.loads((work / "film.json").read_text())["saturation"] == 1
    if left == "clearing":
        (work / "film.json").unlink()
        (work / "000000.mkv").unlink()
    elif left == "segment":
        (work / "000000.mkv").unlink()
    else:
        (work / left).write_bytes(b"")
    outcome = colorize_film(faithful, source, target)
    assert (outcome.resumed_at, outcome.frames) == (0, 8) and len(read(target)[0]) == 8
    assert os.listdir(target.parent) == ["a.mp4"]


def test_pipes_long_names_and_one_bad_film_among_others(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    os.mkfifo("pipe.mp4")
    long = "映画" * 41 + ".mp4"
    write(long, codec="libx264", sound=None, frames=3)
    bad = write(tmp_path / "bad.ts", frames=4)
    bad.write_bytes(bad.read_bytes()[:500])
    os.symlink(long, "link.mp4")
    assert cli.main(["colorize", "pipe.mp4", "bad.ts", long, "link.mp4", "--out", "out"]) == 1
    said = capsys.readouterr().err
    assert "pipe.mp4 is no film but a pipe" in said and "bad.ts" in said
    assert sorted(os.listdir("out")) == ["link.mp4", long]


def test_a_film_that_takes_too_much_time_is_ended_before_it_is_believed(tmp_path, faithful, monkeypatch):
    source = write(tmp_path / "a.mp4", codec="mpeg4", sound=None)
    (tmp_path / "endless.py").write_text("import time\n\ndef decode(source):\n    time.sleep(600)\n")
    bounded.end_children()
    with monkeypatch.context() as patch:
        patch.setenv("PYTHONPATH", str(tmp_path))  # of the child
        patch.syspath_prepend(str(tmp_path))
        patch.setattr(film, "decode_through", importlib.import_module("endless").decode)
        patch.setattr(film, "TRIED_SECONDS", 0.1)
        with pytest.raises(ValueError, match=r"a\.mp4 cannot be read: decoding took more than 1 s\.$"):
            colorize_film(faithful, source, tmp_path / "out.mp4", quiet=True)
    assert not (tmp_path / "out.mp4").exists()
    assert colorize_film(faithful, source, tmp_path / "out.mp4", quiet=True).frames == 8


def test_whatever_one_film_raises_the_next_is_coloured(tmp_path, capsys, monkeypatch):
    first, second = (write(tmp_path / name, codec="mpeg4", sound=None) for name in ("a.mp4", "b.mp4"))

    def breaks(colorizer, source, *args, **options):
        return 1 / 0 if source.name == "a.mp4" else colorize_film(colorizer, source, *args, **options)

    monkeypatch.setattr(film, "colorize_film", breaks)
    assert cli.main(["colorize", str(first), str(second), "--out", str(tmp_path / "out"), "--model", "faithful"]) == 1
    assert (tmp_path / "out" / "b.mp4").exists()
    assert "a.mp4 cannot be coloured: division by zero." in capsys.readouterr().err
