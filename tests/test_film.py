"""Films: colours that hold still without being dulled, cuts, timing and sound kept, interruptions, bad files."""

import math
import re
import shutil
import sys
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
import torch
import torch.nn.functional as F
from PIL import Image

from colorlib import cli
from colorlib.color.lab import rgb_to_lab
from colorlib.data.bundled import bundled_photographs
from colorlib.deployment import film, video
from colorlib.deployment import frames as film_frames
from colorlib.deployment.film import colorize_film, plan_films
from colorlib.deployment.loading import load_colorizer
from colorlib.deployment.steadiness import agreement, flicker, motion, steady, warp
from colorlib.pictures.reading import read_picture

pytestmark = pytest.mark.slow

SIZE = 128, 172  # of small copies: what ships colours at a short side of 128
INSIDE = (..., slice(4, -4), slice(4, -4))  # what neither frame lacks


@pytest.fixture(scope="module")
def faithful():
    return load_colorizer("faithful")


@pytest.fixture(autouse=True)
def small_steps(monkeypatch):
    """Segments of eight frames: short films have several."""
    monkeypatch.setattr(video, "SEGMENT_FRAMES", 8)


def pan(rgb, frames, size, step=1.0, zoom=0.004, turn=0.003):
    """Move over a photograph; return rgb (N, 3, H, W) in [0, 1], and the true flow (N - 1, 2, H, W) in pixels.

    ``step`` is in pixels of ``size``.
    """
    photograph = torch.from_numpy(rgb).permute(2, 0, 1)[None] / 255
    (h, w), (H, W) = photograph.shape[-2:], size
    scale = 0.75 * min(h / H, w / W)
    y, x = torch.meshgrid(torch.arange(H) - (H - 1) / 2, torch.arange(W) - (W - 1) / 2, indexing="ij")
    here = torch.stack([x, y, torch.ones_like(x)])
    places, shown = [], []
    for t in np.arange(frames) - (frames - 1) / 2:
        grown, angle = scale * math.exp(zoom * t), turn * t
        c, s = grown * math.cos(angle), grown * math.sin(angle)
        places.append(np.array([[c, -s, w / 2 + scale * step * t], [s, c, h / 2 + 0.4 * scale * step * t], [0, 0, 1]]))
        at = torch.einsum("ij,jhw->ihw", torch.from_numpy(places[-1]).float(), here)[:2]
        grid = torch.stack([at[0] * 2 / w - 1, at[1] * 2 / h - 1], -1)[None]
        shown.append(F.grid_sample(photograph, grid, "bicubic", "reflection", align_corners=False).clamp(0, 1))
    back = [np.linalg.inv(a) @ b for a, b in zip(places, places[1:], strict=False)]
    flow = torch.stack([torch.einsum("ij,jhw->ihw", torch.from_numpy(m).float(), here)[:2] - here[:2] for m in back])
    return torch.cat(shown), flow


def with_grain(L, amount, seed=0):
    return (L + amount * torch.randn(L.shape, generator=torch.Generator().manual_seed(seed))).clamp(0, 100)


@pytest.fixture(scope="module")
def moving():
    """Films of known truth at the small size: (L with grain, true ab, true flow) of each bundled photograph."""
    films = []
    for photograph in bundled_photographs(max_side=256):
        rgb, flow = pan(photograph.rgb, 16, SIZE)
        lab = rgb_to_lab(rgb)
        films.append((with_grain(lab[:, :1], 2.0), lab[:, 1:], flow))
    return films


def trembling(ab, flow):
    """The mean ΔE76 between neighbours along the true motion, which the library does not know."""
    return float((warp(ab[:-1], flow, "bicubic") - ab[1:]).norm(dim=1)[INSIDE].mean())


# -------------------------------------------------------------------------------------------------------- steadiness


def test_motion_is_found_also_when_brightness_changes(moving):
    for L, _, flow in moving:
        slope = torch.stack(torch.gradient(L[1:, 0], dim=(1, 2))).norm(dim=0)[INSIDE]
        for later in (L, 0.8 * L + 10):
            error = (motion(L[:-1], later[1:]) - flow).norm(dim=1)[INSIDE]
            assert error[slope > 5].median() < 0.35 and flow.norm(dim=1).mean() > 1  # an even sky tells nothing
    L = moving[0][0]
    assert motion(L, L).abs().max() < 1e-4


@pytest.mark.parametrize("name", ["faithful", "vivid"])
def test_colours_hold_still_and_are_neither_greyed_nor_worse(moving, name):
    colorizer = load_colorizer(name)
    before, after = [], []
    for L, truth, flow in moving:
        alone = colorizer(L)
        held, _ = steady(L, alone)
        for rows, ab in ((before, alone), (after, held)):
            lab = torch.cat([L, ab], 1)
            rows.append([trembling(ab, flow), flicker(lab), (ab - truth).norm(dim=1).mean(), ab.norm(dim=1).mean()])
    (tremble, measured, error, chroma), (tremble_held, measured_held, error_held, chroma_held) = (
        np.mean(rows, 0) for rows in (before, after)
    )
    assert tremble_held < tremble / 2 and measured_held < measured / 2
    assert error_held < 1.01 * error and chroma_held > 0.98 * chroma


def test_averaging_comes_nearer_to_the_truth(moving):
    """A network that is right but for an error that changes with every frame; and one that is right."""
    sharpness = []
    generator = torch.Generator().manual_seed(1)
    for L, truth, flow in moving:
        error = F.interpolate(torch.randn(len(L), 2, 8, 11, generator=generator), size=SIZE, mode="bicubic")
        alone = truth + 8 * error
        held, _ = steady(L, alone)
        assert trembling(held, flow) < trembling(alone, flow) / 3
        assert (held - truth)[8:].norm(dim=1).mean() < 0.5 * (alone - truth)[8:].norm(dim=1).mean()
        exact, _ = steady(L, truth)
        slope, true_slope = ((ab[8:, :, :, 1:] - ab[8:, :, :, :-1]).abs().mean() for ab in (exact, truth))
        sharpness.append(float(slope / true_slope))
    assert np.mean(sharpness) > 0.7


def test_at_a_cut_nothing_is_carried_over_and_a_flash_is_none(moving, faithful):
    for (L, *_), (other, *_) in zip(moving, moving[1:], strict=False):
        joined = torch.cat([L[:10], other[:6]])
        alone = faithful(joined)
        held, _ = steady(joined, alone)
        torch.testing.assert_close(held[10], alone[10])
        assert (held[9] - alone[9]).abs().max() > 0.01
    for L, _, flow in moving:
        L = L[:12].clone()
        L[6] = (1.3 * L[6] + 8).clamp(max=100)
        assert agreement(L[5:6], L[6:7], flow[5:6]).mean() > 0.2
        held, _ = steady(L, alone := faithful(L))
        flashing = slice(5, 7)  # into the flash and out of it
        assert trembling(held[5:8], flow[flashing]) < 0.4 * trembling(alone[5:8], flow[flashing])


def test_a_fade_keeps_up(moving):
    """Colours that darken with the film are followed, and not held where they were."""
    for L, ab, _ in moving:
        light = torch.linspace(1, 0.1, len(L)).view(-1, 1, 1, 1)
        held, _ = steady(L * light, ab * light)
        chroma = (ab * light).norm(dim=1).mean((1, 2))
        assert (held.norm(dim=1).mean((1, 2)) - chroma).abs().max() < 0.25 * chroma[0]


def test_in_pieces_it_is_the_same(moving):
    L, ab, _ = moving[0]
    whole, memory = steady(L, ab)
    first, between = steady(L[:10], ab[:10])
    second, end = steady(L[10:], ab[10:], between)
    torch.testing.assert_close(torch.cat([first, second]), whole)
    torch.testing.assert_close(end, memory)
    assert torch.equal(steady(L[:, :, :30], ab[:, :, :30], memory)[0][0], ab[0, :, :30])  # of another size: begins anew
    assert steady(torch.full((2, 1, 1, 1), 40.0), torch.ones(2, 2, 1, 1))[0].shape == (2, 2, 1, 1)


def test_flicker_is_the_difference_between_neighbours(moving):
    L, ab, _ = moving[0]
    still = torch.cat([L[:1], ab[:1]], 1).repeat(6, 1, 1, 1)
    assert flicker(still) < 1e-3
    shift = torch.tensor([0.0, 3.0, -4.0]).view(1, 3, 1, 1)
    assert flicker(still + shift * (torch.arange(6) % 2).view(-1, 1, 1, 1)) == pytest.approx(5, abs=0.01)
    assert math.isnan(flicker(torch.cat([still[:1], torch.cat([moving[1][0][:1], ab[:1]], 1)])))  # a cut alone


# ------------------------------------------------------------------------------------------------------------ videos


def write_film(
    path, frames=20, size=(48, 64), codec="libx264", pixels="yuv420p", clock=None, times=None, sound="aac", rotation=0,
    shape=None, color=False, **options
):  # fmt: skip
    """Write a film of two scenes, grey unless ``colour``, with a tone and a title."""
    rate = Fraction(24)
    astronaut, _, coffee, *_ = bundled_photographs(max_side=128)
    rgb = torch.cat([pan(p.rgb, frames // 2, size)[0] for p in (astronaut, coffee)]).permute(0, 2, 3, 1).numpy()
    if not color:
        rgb = np.repeat(rgb @ np.float32([[0.299], [0.587], [0.114]]), 3, 3)
    with av.open(str(path), "w") as out:
        stream = out.add_stream(codec, rate=rate, options=options)
        stream.height, stream.width, stream.pix_fmt = *size, pixels
        if clock:
            stream.codec_context.time_base = clock
        if shape:
            stream.codec_context.sample_aspect_ratio = shape
        if rotation:
            stream.set_display_rotation(rotation)
        out.metadata["title"] = "Harbour, 1912"
        audio = out.add_stream(sound, rate=48000) if sound else None
        for index, picture in enumerate((rgb * 255 + 0.5).astype(np.uint8)):
            frame = av.VideoFrame.from_ndarray(picture, "rgb24").reformat(format=pixels)
            frame.pts, frame.time_base = times[index] if times else index, clock or 1 / rate
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
        if audio:
            tone = (8000 * np.sin(np.arange(48000 * frames // 24) / 20)).astype(np.int16)
            frame = av.AudioFrame.from_ndarray(tone[None], "s16", "mono")
            frame.sample_rate, frame.pts = 48000, 0
            out.mux(audio.encode(frame))
            out.mux(audio.encode(None))
    return path


def read_film(path):
    """Return the exact times, the lab of every frame (N, 3, H, W), and the sound's packets."""
    with av.open(str(path)) as container:
        frames = list(container.decode(video=0))
        times = [frame.pts * frame.time_base for frame in frames]
        exactly = 0x4 | 0x2000 | 0x4000 | 0x40000  # libswscale's own default darkens colours by a level
        pixels = np.stack([frame.to_ndarray(format="rgb24", interpolation=exactly) for frame in frames])
        title = container.metadata.get("title") or container.metadata.get("TITLE")
    with av.open(str(path)) as container:
        sound = [(float(p.pts * p.time_base), bytes(p)) for p in container.demux(audio=0) if p.size]
    return times, rgb_to_lab(torch.from_numpy(pixels).permute(0, 3, 1, 2) / 255), sound, title


UNEVEN = np.cumsum([1234] + [3000, 3001, 7007, 60000, 1, 4000, 900] * 3).tolist()[:20]


@pytest.mark.parametrize(
    ("name", "options", "written"),
    [
        ("uneven.mp4", {"clock": Fraction(1, 90000), "times": UNEVEN, "bf": "0"}, "yuv420p"),
        ("uneven.mkv", {"clock": Fraction(1, 1000), "times": UNEVEN, "bf": "0", "sound": "flac"}, "yuv420p"),
        ("square.mov", {"pixels": "yuv444p", "sound": "pcm_s16le"}, "yuv420p"),
        ("wide.mkv", {"shape": Fraction(16, 15)}, "yuv420p"),
        ("odd.webm", {"size": (47, 63), "codec": "libvpx-vp9", "sound": "libopus"}, "yuv420p"),
        ("old.avi", {"codec": "mjpeg", "pixels": "yuvj420p", "sound": "mp2"}, "yuv420p"),
        ("broadcast.ts", {"codec": "mpeg2video", "sound": "mp2"}, "yuv420p"),
    ],
)
def test_size_times_sound_and_lightness_are_kept(tmp_path, faithful, name, options, written):
    source = write_film(tmp_path / name, **options)
    target = plan_films([source], tmp_path / "out")[0].target
    outcome = colorize_film(faithful, source, target)
    assert outcome.frames == 20 and not list(target.parent.glob(".*"))
    assert target.suffix == {".ts": ".mkv"}.get(source.suffix, source.suffix)
    assert [note for note in outcome.notes if "Matroska" not in note] == []
    (times, lab, sound, title), (new_times, new_lab, new_sound, new_title) = read_film(source), read_film(target)
    assert len(new_times) == 20
    exact = 0.0005 if source.suffix == ".ts" else 0  # Matroska has no finer clock
    assert all(abs(new - old) <= exact for new, old in zip(new_times, times, strict=True))
    assert [body for _, body in new_sound] == [body for _, body in sound] and sound
    assert np.allclose([time for time, _ in new_sound], [time for time, _ in sound], atol=0.0006)
    assert new_title == title
    assert new_lab.shape == lab.shape
    assert (new_lab - lab)[:, 0].abs().mean() < 2.5  # of a lossy film encoded once more; 8-bit rounding alone is 0.2
    assert new_lab[:, 1:].norm(dim=1).mean() > 5
    with av.open(str(target)) as container:
        stream = container.streams.video[0]
        assert stream.format.name == written
        assert (stream.sample_aspect_ratio or 1) == options.get("shape", 1)


def test_what_the_photograph_would_get_the_frame_gets(tmp_path, faithful):
    """The first frame after a cut has no past: it is the photograph of it, coloured, up to the encoder's loss."""
    source = write_film(tmp_path / "a.mkv", codec="ffv1", pixels="gray", sound=None)
    colorize_film(faithful, source, tmp_path / "b.mkv")
    with av.open(str(source)) as container:
        frame = list(container.decode(video=0))[10].to_ndarray()
    expected = rgb_to_lab(torch.from_numpy(faithful.colorize(frame)).permute(2, 0, 1)[None] / 255)
    found = read_film_frame(tmp_path / "b.mkv", 10)
    assert (found - expected).norm(dim=1).mean() < min(2.5, 0.5 * expected[:, 1:].norm(dim=1).mean())


def read_film_frame(path, index):
    with av.open(str(path)) as container:
        frame = list(container.decode(video=0))[index].to_ndarray(format="rgb24", interpolation=0x4 | 0x46000)
    return rgb_to_lab(torch.from_numpy(frame).permute(2, 0, 1)[None] / 255)


def test_a_film_on_its_side_is_turned_upright(tmp_path, faithful):
    lying = write_film(tmp_path / "lying.mp4", rotation=90, shape=Fraction(16, 15))
    colorize_film(faithful, lying, tmp_path / "upright.mp4")
    with av.open(str(tmp_path / "upright.mp4")) as container:
        frame = next(container.decode(video=0))
        assert (frame.width, frame.height, frame.rotation) == (48, 64, 0)
        assert container.streams.video[0].sample_aspect_ratio == Fraction(15, 16)
    L = read_film_frame(lying, 0)[:, :1]
    assert (read_film_frame(tmp_path / "upright.mp4", 0)[:, :1] - torch.rot90(L, 1, (2, 3))).abs().mean() < 2.5


def test_subtitles_and_chapters_are_kept(tmp_path, faithful):
    (tmp_path / "words.srt").write_text(
        "1\n00:00:00,100 --> 00:00:00,400\nThe harbour\n\n2\n00:00:00,500 --> 00:00:00,800\nat noon\n"
    )
    spans = [(0, 400, "Arrival"), (400, 833, "Coffee")]
    source = tmp_path / "talk.mkv"
    with (
        av.open(str(write_film(tmp_path / "silent.mkv", sound=None))) as moving,
        av.open(str(tmp_path / "words.srt")) as words,
        av.open(str(source), "w") as out,
    ):
        streams = [out.add_stream_from_template(part.streams[0]) for part in (moving, words)]
        out.set_chapters(
            [
                {"id": i, "start": a, "end": b, "time_base": Fraction(1, 1000), "metadata": {"title": title}}
                for i, (a, b, title) in enumerate(spans)
            ]
        )
        for part, stream in zip((moving, words), streams, strict=True):
            for packet in part.demux():
                if packet.size:
                    packet.stream = stream
                    out.mux_one(packet)
    outcome = colorize_film(faithful, source, tmp_path / "coloured.mkv")
    assert outcome.frames == 20 and outcome.notes == []
    with av.open(str(tmp_path / "coloured.mkv")) as film:
        assert [
            (c["start"] * c["time_base"] * 1000, c["end"] * c["time_base"] * 1000, c["metadata"]["title"])
            for c in film.chapters()
        ] == spans
        said = [
            (float(p.pts * p.time_base), float(p.duration * p.time_base), bytes(p))
            for p in film.demux(subtitles=0)
            if p.size
        ]
    assert said == [(0.1, 0.3, b"The harbour"), (0.5, 0.3, b"at noon")]


# ----------------------------------------------------------------------------------------------- stopping and going on


@pytest.mark.parametrize(
    ("when", "ending"),
    [
        ("000001.mkv", KeyboardInterrupt()),
        ("state.safetensors", OSError(28, "No space left on device")),
        ("film", KeyboardInterrupt()),
    ],
)
def test_an_interrupted_film_goes_on_and_is_the_same(tmp_path, faithful, monkeypatch, ending, when):
    source = write_film(tmp_path / "a.mp4")
    colorize_film(faithful, source, tmp_path / "whole" / "a.mp4")
    begun = []

    def breaking(path, real=video.atomic_path):
        if Path(path).name == when and len(begun) == (when == "state.safetensors"):
            raise ending
        begun.extend([path] * (Path(path).name == when))
        return real(path)

    def breaking_at_the_end(*arguments, real=video.join):
        real(*arguments)
        if when == "film":
            raise ending

    monkeypatch.setattr(video, "atomic_path", breaking)
    monkeypatch.setattr(film, "atomic_path", breaking)
    monkeypatch.setattr(video, "join", breaking_at_the_end)
    target = tmp_path / "out" / "a.mp4"
    with pytest.raises(type(ending)) as raised:
        colorize_film(faithful, source, target)
    kept = 20 if when == "film" else 8
    if isinstance(ending, OSError):
        assert f"(No space left on device): {kept} frames are done and kept" in str(raised.value)
    assert not target.exists()
    for path in (tmp_path / "out" / ".a.mp4.unfinished").glob("0*.mkv"):
        with av.open(str(path)) as container:
            assert len(list(container.decode(video=0))) == 8 or path.name == "000002.mkv"
    with pytest.raises(ValueError, match="holds this film half done"):
        colorize_film(faithful, source, target, saturation=0.5)
    monkeypatch.undo()
    monkeypatch.setattr(video, "SEGMENT_FRAMES", 8)
    outcome = colorize_film(faithful, source, target, resume=True)
    assert (outcome.resumed_at, outcome.frames) == (kept, 20)
    assert target.read_bytes() == (tmp_path / "whole" / "a.mp4").read_bytes()
    assert [path.name for path in target.parent.iterdir()] == ["a.mp4"]
    assert colorize_film(faithful, source, target, resume=True).frames == 0


# --------------------------------------------------------------------------------------------------- folders of frames


@pytest.fixture
def frames(tmp_path):
    """Twelve frames of 16 bits, named without leading zeros."""
    folder = tmp_path / "frames"
    folder.mkdir()
    rgb, _ = pan(bundled_photographs(max_side=128)[0].rgb, 12, (48, 64))
    for index, grey in enumerate(rgb.mean(1).numpy()):
        Image.fromarray((grey * 65535).astype(np.uint16)).save(folder / f"f{index}.png")
    return folder


def test_a_folder_is_coloured_in_the_order_of_its_numbers(tmp_path, frames, faithful, monkeypatch):
    (frames / "f7.png").write_bytes((frames / "f7.png").read_bytes()[:200])
    outcome = colorize_film(faithful, frames, tmp_path / "out")
    assert outcome.frames == 12 and [path.name for path, _ in outcome.failed] == ["f7.png"]
    kept = [index for index in range(12) if index != 7]
    pictures = [read_picture(frames / f"f{index}.png") for index in kept]
    L = torch.cat([faithful.small_copy(picture)[:, :1] for picture in pictures])
    held, _ = steady(L[:7], faithful(L[:7]))
    result = read_picture(tmp_path / "out" / "f6.png")
    assert result.pixels.dtype == np.uint16
    assert (result.lab()[:, 1:] - held[6:7]).abs().median() < 0.01  # so f10 did not come between f1 and f2
    assert {path.name for path in (tmp_path / "out").iterdir()} == {f"f{index}.png" for index in kept}

    def breaking(path, *picture, real=film_frames.write_picture):
        if path.name == "f10.png":
            raise KeyboardInterrupt
        real(path, *picture)

    monkeypatch.setattr(film_frames, "write_picture", breaking)
    with pytest.raises(KeyboardInterrupt):
        colorize_film(faithful, frames, tmp_path / "again")
    monkeypatch.undo()
    assert colorize_film(faithful, frames, tmp_path / "again").resumed_at == 8
    for index in kept:
        name = f"f{index}.png"
        assert (tmp_path / "again" / name).read_bytes() == (tmp_path / "out" / name).read_bytes()


# ----------------------------------------------------------------------------------------------------------- bad films


def only_sound(path):
    with av.open(str(path), "w") as out:
        stream = out.add_stream("aac", rate=48000)
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 4800), np.int16), "s16", "mono")
        frame.sample_rate = 48000
        out.mux(stream.encode(frame))
        out.mux(stream.encode(None))


def frameless(path):
    with av.open(str(path), "w") as out:
        stream = out.add_stream("mpeg4", rate=24)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        out.start_encoding()


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda path: path.write_bytes(b"%PDF-1.4\n1 0 obj"), "cannot be read: it is damaged, cut short or no film"),
        (lambda path: path.write_bytes(b""), "cannot be read"),
        (only_sound, "holds no moving pictures, only sound"),
        (frameless, "cannot be read|holds no frame|holds no moving"),
        (lambda path: write_film(path, color=True), "is in colour already .* --force colours it anew"),
        (lambda path: None, "there is no film"),
    ],
    ids=["pdf", "empty", "sound", "frameless", "colour", "missing"],
)
def test_bad_films_are_one_sentence(tmp_path, make, message, capsys):
    make(tmp_path / "bad.mp4")
    assert cli.main(["colorize", str(tmp_path / "bad.mp4"), "--out", str(tmp_path / "out")]) == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1 and said.startswith("colorlib: ")
    assert re.search(message, said)
    assert not (tmp_path / "out").exists()


def test_a_film_cut_short_is_coloured_as_far_as_it_goes(tmp_path, faithful):
    whole = write_film(tmp_path / "whole.avi", codec="mjpeg", pixels="yuvj420p", sound=None)
    (tmp_path / "cut.avi").write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
    outcome = colorize_film(faithful, tmp_path / "cut.avi", tmp_path / "out.avi")
    assert 3 < outcome.frames < 17
    assert outcome.notes == [f"It is damaged or cut short: {20 - outcome.frames} of its 20 frames could not be read."]
    assert len(read_times(tmp_path / "out.avi")) == outcome.frames


def read_times(path):
    with av.open(str(path)) as container:
        return [frame.pts for frame in container.decode(video=0)]


def test_without_pyav_it_says_what_to_install(tmp_path, monkeypatch, capsys):
    write_film(tmp_path / "a.mp4")
    monkeypatch.setitem(sys.modules, "av", None)
    assert cli.main(["colorize", str(tmp_path / "a.mp4"), "--out", str(tmp_path / "out")]) == 2
    assert "pip install 'colorlib[film]'" in capsys.readouterr().err


def test_films_never_meet(tmp_path):
    for folder in ("one", "two"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "a.mpg").write_bytes(b"")
    planned = plan_films([tmp_path / "one" / "a.mpg", tmp_path / "two" / "a.mpg"], tmp_path / "out")
    assert [job.target.name for job in planned] == ["a.mkv", "a-coloured.mkv"]
    shutil.move(tmp_path / "one" / "a.mpg", tmp_path / "one" / "a.mp4")
    assert plan_films([tmp_path / "one" / "a.mp4"], tmp_path / "one")[0].target.name == "a-coloured.mp4"


def test_the_command(tmp_path, frames, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_film("a.mp4")
    Path("b.mp4").write_bytes(b"nothing")
    Image.fromarray(np.full((20, 30), 99, np.uint8)).save("photo.png")
    assert cli.main(["colorize", "a.mp4", "b.mp4", "photo.png", "--out", "out", "--model", "faithful"]) == 1
    said = capsys.readouterr()
    assert "out/a.mp4: 20 frames coloured.\n" in said.out and "out: 1 coloured.\n" in said.out
    assert "colorlib: b.mp4 cannot be read" in said.err
    assert cli.main(["colorize", "a.mp4", "frames", "--film", "--out", "out", "--resume"]) == 0
    said = capsys.readouterr().out
    assert "out/a.mp4: it was there already." in said and "out/frames: 12 frames coloured." in said
    for options, message in (
        (["--hint", "1,1,#ff0000"], "for photographs, and a.mp4 is a film"),
        (["--compare"], "--compare is for photographs, and a.mp4 is a film"),
        (["--model", "vivid", "--temperature", "0"], "the temperature must be above zero"),
    ):
        assert cli.main(["colorize", "a.mp4", "--out", "out", *options]) == 2
        assert message in capsys.readouterr().err
