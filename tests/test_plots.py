"""Figures: they show what they were given, leave nothing open, and come out the same each time."""

import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
import torch
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from matplotlib.path import Path as MplPath
from matplotlib.text import Text

from colorlib import plots
from colorlib.color import gamut
from colorlib.plots.labels import label_points, settle, spread
from colorlib.plots.style import inches_of

ROWS = ["unet · l1", "unet · l2", "grey", "bayes_l2"]
TABLE = pd.DataFrame(
    {"mean": [8.0, 9.0, 12.0, 7.0], "low": [7.5, 8.6, 11.5, 6.6], "high": [8.5, 9.4, 12.5, 7.4]}
    | {"group": ["trained", "trained", "trivial", "oracle"], "ms": [3.0, 3.1, np.nan, 0.0], "s": [40.0, 900.0, 0, 0]},
    index=ROWS,
)


def laws():
    lines = [
        {"name": name, "law": law, "value": 0.5, "oracle": 0.4 if group == "trained" else np.nan, "group": group}
        for name, group in TABLE["group"].items()
        for law in ("free", "determined")
    ]
    return pd.DataFrame(lines)


def square(value):
    return pd.DataFrame(value, ROWS, ROWS)


HISTORY = pd.DataFrame({"images_seen": [100, 200, 300], "val_delta_e_76": [20.0, np.nan, 15.0]})
CURVE = pd.DataFrame({"x": [9.0, 8.0, 7.5], "y": [40.0, 30.0, 20.0], "mark": [0.1, 0.38, 1.0], "name": "unet · l2"})
POINTS = pd.DataFrame(
    {"x": [8.0, 8.0, 12.3], "y": [15.0, 30.0, 8.0], "group": ["trained", "trained", "trivial"]},
    index=["unet · l1", "unet · l2", "mean_ab"],
)
HINTS = pd.DataFrame({"hints": [0, 1, 5], "psnr_rgb_db": [23.0, 24.0, 25.0]})
HINTS = HINTS.assign(psnr_rgb_db_low=HINTS["psnr_rgb_db"] - 1, psnr_rgb_db_high=HINTS["psnr_rgb_db"] + 1)
SEVERAL = pd.DataFrame(
    {
        "name": "diffusion",
        "k": [1, 4, 8],
        "diversity": [np.nan, 9.0, 9.1],
        "mean": [15.0, 13.0, 12.0],
        "best": [15.0, 12, 11],
    }
)
SIZES = pd.DataFrame({"photographs": [1000, 4000], "mean": [12.0, 11.0], "low": [11.5, 10.6], "high": [12.5, 11.4]})
RNG = np.random.default_rng(0)
PRIOR = RNG.dirichlet(np.full(313, 0.2))
AB = RNG.normal(0, 20, (500, 2))
FIGURES = {
    "photos": lambda: plots.show_photos([[RNG.random((8, 12, 3)), None], [np.zeros((9, 9), np.uint8)]], ["a", "b"]),
    "forest": lambda: plots.plot_forest(TABLE, "ΔE 2000", "lower is better", "grey"),
    "history": lambda: plots.plot_history({"unet · l1": [HISTORY, HISTORY], "unet · l2": [HISTORY]}),
    "forests": lambda: plots.plot_forests({"equal images": TABLE, "equal seconds": TABLE[1:]}, "ΔE 2000", "", "grey"),
    "history_rows": lambda: plots.plot_history_rows({"unet · l1": [HISTORY, HISTORY], "unet · l2": [HISTORY]}),
    "plane": lambda: plots.plot_plane(POINTS, {"unet · l2": CURVE}, "ΔE", "colourfulness", ("grey", 12), ("true", 42)),
    "training_sizes": lambda: plots.plot_training_sizes({"none": SIZES, "tuned": SIZES - 1}, "ΔE 2000"),
    "hints": lambda: plots.plot_hints({"siggraph17": [HINTS, HINTS]}, ("the authors'", {0: 24.0, 10: 28.0})),
    "several": lambda: plots.plot_several(SEVERAL, ("unet", 12.5)),
    "pareto": lambda: plots.plot_pareto(
        TABLE, {"ms": "colouring [ms]", "s": "training [s]"}, "ΔE", reference=("grey", 12)
    ),
    "laws": lambda: plots.plot_laws(laws(), "chroma kept", 1),
    "pairwise": lambda: plots.plot_pairwise(square(1), "a title"),
    "ab_histogram": lambda: plots.plot_ab_histogram({"scenes": AB, "b": np.zeros((1, 2, 4, 4))}),
    "gamut": lambda: plots.plot_gamut(PRIOR),
    "prior": lambda: plots.plot_prior(PRIOR, PRIOR, PRIOR),
}


def texts(figure):
    return [text.get_text() for axes in figure.axes for text in axes.texts]


@pytest.mark.parametrize("name", FIGURES)
def test_is_a_figure_that_pyplot_does_not_know(name):
    pyplot = sys.modules.get("matplotlib.pyplot")  # another test of this process may have drawn with it
    known = pyplot and pyplot.get_fignums()
    figure = FIGURES[name]()
    assert isinstance(figure, Figure) and figure._repr_png_().startswith(b"\x89PNG")
    assert sys.modules.get("matplotlib.pyplot") is pyplot and (pyplot and pyplot.get_fignums()) == known


def test_same_bytes_each_time():
    for kind in ("png", "svg"):
        first, second = (plots.figure_bytes(FIGURES["forest"](), kind) for _ in range(2))
        assert first == second


def test_style_ends_with_its_block():
    import matplotlib as mpl

    before = mpl.rcParams["axes.spines.top"]
    with plots.style():
        assert not mpl.rcParams["axes.spines.top"]
    assert mpl.rcParams["axes.spines.top"] == before


def test_importing_leaves_the_style_of_others_alone():
    """seaborn has a style of its own; a notebook that imports these figures keeps what it has set."""
    code = "import matplotlib as mpl; before = dict(mpl.rcParams); import colorlib.plots, sys; "
    code += "assert dict(mpl.rcParams) == before and 'seaborn' in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize("name", ["ab_histogram", "forests", "hints", "history", "laws", "pairwise", "pareto"])
def test_nothing_is_drawn_at_random(name):
    """Neither the figure nor the generator that others use may change: seaborn resamples unless told not to."""
    _, key, *place = np.random.get_state()
    first, second = (plots.figure_bytes(FIGURES[name](), dpi=40) for _ in range(2))
    _, key_after, *place_after = np.random.get_state()
    assert first == second and (key_after == key).all() and place_after == place


def test_forest_draws_the_very_intervals_it_was_given():
    table = TABLE.assign(mean=[8.0, 9.0, 12.0, 7.4])  # a mean may lie on an end
    axes = plots.plot_forest(table, "ΔE 2000").axes[0]
    bars = {tuple(line.get_xdata()): line.get_ydata()[0] for line in axes.lines if line.get_marker() == "None"}
    heights = dict(zip([tick.get_text() for tick in axes.get_yticklabels()], axes.get_yticks(), strict=True))
    assert bars == {(row["low"], row["high"]): heights[name] for name, row in table.iterrows()}
    points = {x for line in axes.lines if line.get_marker() == "o" for x in line.get_xdata()}
    assert points == set(table["mean"])


def test_forest_of_many_rows_draws_no_bar_to_an_arrow():
    axes = plots.plot_forest(many(), "ΔE").axes[0]
    ends = {end for line in axes.lines if line.get_marker() == "None" for end in line.get_xdata()}
    assert ends == set(many()["low"]) | set(many()["high"])


def test_forest_is_in_the_order_of_the_table():
    axes = FIGURES["forest"]().axes[0]
    ticks = dict(zip([t.get_text() for t in axes.get_yticklabels()], axes.get_yticks(), strict=True))
    assert sorted(ticks, key=ticks.get, reverse=True) == ROWS
    assert [t for t in texts(axes.figure) if t[0].isdigit()] == ["8.00", "9.00", "12.00", "7.00"]


def many(count=30):
    """A table of so many trained rows between ΔE 8 and 9, and an oracle and a trivial row far away."""
    means = [*np.linspace(8, 9, count), 1.0, 18.0]
    groups = ["trained"] * count + ["oracle", "trivial"]
    table = pd.DataFrame({"mean": means, "group": groups, "ms": np.linspace(1, 9, len(means))})
    return table.assign(low=table["mean"] - 0.1, high=table["mean"] + 0.1).set_axis([f"row {i}" for i in table.index])


@pytest.mark.parametrize("count", [4, 30])
def test_forest_is_not_squeezed_by_rows_far_away(count):
    axes = plots.plot_forest(many(count), "ΔE").axes[0]
    assert 7.5 < axes.get_xlim()[0] < 7.95 and 9.05 < axes.get_xlim()[1] < 9.5
    assert [line.get_marker() for line in axes.lines if line.get_marker() in "<>"] == ["<", ">"]
    assert {"1.00", "18.00"} <= set(texts(axes.figure))


def led(higher=False):
    """Rows close together but for a leader, a trained row that is as far out at the bad end, and grey beyond it."""
    means = np.array([10.0, *np.linspace(11.0, 11.5, 20), 13.0, 16.0])
    table = pd.DataFrame({"mean": -means if higher else means, "group": ["trained"] * 22 + ["trivial"], "ms": 1.0})
    return table.assign(low=table["mean"] - 0.1, high=table["mean"] + 0.1).set_axis(
        ["leader", *(f"row {i}" for i in range(20)), "last", "grey"]
    )


@pytest.mark.parametrize("higher", [False, True])
def test_the_leader_is_on_the_axis_however_far_out(higher):
    """Tukey's fences cut both sides; on an axis of scores only the bad one may be cut."""
    table = led(higher)
    trained = table[:-1]
    axes = plots.plot_forest(trained, "ΔE", higher_is_better=higher).axes[0]
    marks = [line.get_marker() for line in axes.lines if line.get_marker() in "<>"]
    dots = {x for line in axes.lines if line.get_marker() == "o" for x in line.get_xdata()}
    assert marks == ["<" if higher else ">"] and dots == set(trained["mean"][:-1])
    pareto = plots.plot_pareto(trained, {"ms": "ms"}, "ΔE", higher)
    assert {"1 more below" if higher else "1 more above", "leader"} <= set(texts(pareto))
    for low, high in (axes.get_xlim(), pareto.axes[0].get_ylim()):
        assert low < table["low"]["leader"] < table["high"]["leader"] < high < low + 2.2


def test_what_is_left_grey_is_on_the_axis_however_far_out():
    table = led()
    axes = plots.plot_forest(table, "ΔE", reference="grey").axes[0]
    pareto = plots.plot_pareto(table[:-1], {"ms": "ms"}, "ΔE", reference=("left grey", 16.0))
    assert axes.get_xlim()[0] < 9.9 and axes.get_xlim()[1] > 16.1
    assert pareto.axes[0].get_ylim()[1] > 16 and "left grey" in texts(pareto)


@pytest.mark.parametrize("row", ["leader", "row 10"])
def test_a_wide_interval_does_not_stretch_the_axis(row):
    wide = led()[:-1]
    wide.loc[row, ["low", "high"]] = wide.loc[row, "mean"] + np.array([-3, 3])
    axes = plots.plot_forest(wide, "ΔE").axes[0]
    for low, high in (axes.get_xlim(), plots.plot_pareto(wide, {"ms": "ms"}, "ΔE").axes[0].get_ylim()):
        assert 9.5 < low < 10 and 11.5 < high < 12
    assert any(tuple(line.get_xdata()) == tuple(wide.loc[row, ["low", "high"]]) for line in axes.lines)


def test_arrows_at_the_edge_are_drawn_whole():
    figure = plots.plot_forests({"one": many(), "another": many()}, "ΔE")
    arrows = [line for axes in figure.axes for line in axes.lines if line.get_marker() in "<>"]
    assert len(arrows) == 4 and not any(arrow.get_clip_on() for arrow in arrows)


def test_forests_put_a_name_at_one_height_in_all_panels():
    left, right = FIGURES["forests"]().axes
    heights = [
        {x: y for line in axes.lines if line.get_marker() == "o" for x, y in zip(*line.get_data(), strict=True)}
        for axes in (left, right)
    ]
    assert heights[0][9.0] == heights[1][9.0] and 8.0 in heights[0] and 8.0 not in heights[1]


def test_pareto_of_many_rows_names_the_frontier_and_counts_those_beyond_its_axis():
    figure = plots.plot_pareto(many(), {"ms": "ms"}, "ΔE")
    assert [text for text in texts(figure) if text] == ["1 more below, 1 more above", "row 0"]
    said = figure.axes[0].texts[0]
    assert drawn(figure)[said].y0 > figure.axes[0].bbox.y1  # it covers no point
    faster = many().assign(ms=many()["ms"].to_numpy()[::-1])
    assert {f"row {i}" for i in (0, 10, 20)} <= set(texts(plots.plot_pareto(faster[:30][::10], {"ms": "ms"}, "ΔE")))


def test_history_of_many_rows_names_the_first_and_cuts_off_what_went_astray():
    astray = HISTORY.assign(val_delta_e_76=[20.0, 30.0, 900.0])
    histories = {f"row {i}": [HISTORY] for i in range(14)} | {"astray": [astray]}
    axes = plots.plot_history(histories, named=3).axes[0]
    assert [text for text in texts(axes.figure) if text.startswith("row")] == ["row 0", "row 1", "row 2"]
    assert 10 < axes.get_ylim()[0] < axes.get_ylim()[1] < 100 and "up to 900, cut off" in texts(axes.figure)
    assert sum(line.get_color() == plots.RULE for line in axes.lines) == 12


def test_a_curve_in_the_plane_is_named_once_with_its_ends():
    found = texts(FIGURES["plane"]())
    assert found.count("unet · l2: 0.1") == 1 and "unet · l2" not in found
    assert {"1", "unet · l1", "mean_ab", "grey", "true"} <= set(found)


def test_one_answer_alone_has_no_diversity_to_be_drawn_at():
    found = texts(FIGURES["several"]())
    assert {"4", "8"} <= set(found) and "1" not in found and found.count("diffusion") == 1


def test_pareto_leaves_out_rows_without_the_cost_and_writes_apart():
    figure = FIGURES["pareto"]()
    left, right = figure.axes
    assert [t.get_text() for t in left.texts] == ["grey", "unet · l1", "unet · l2"]
    assert left.get_xscale() == "linear" and right.get_xscale() == "log"
    close = TABLE.assign(mean=[8.0, 8.1, 8.2, 8.3], low=8.0, high=8.2, ms=[3.0, 3.0, 3.0, 3.1])
    figure = plots.plot_pareto(close, {"ms": "ms"}, "ΔE")
    assert set(ROWS) <= set(texts(figure)) and not overlapping(figure)


def drawn(figure):
    """The texts of a figure with the boxes in which they are drawn; ticks beyond an axis are not."""
    figure.draw_without_rendering()
    beyond = []
    for axes in figure.axes:
        for axis in (axes.xaxis, axes.yaxis):
            low, high = sorted(axis.get_view_interval())
            ticks = zip(axis.get_ticklocs(), axis.get_ticklabels(), strict=False)  # inner axes have no labels
            beyond += [text for at, text in ticks if not low <= at <= high or not axes.axison]
            beyond += axis.get_ticklabels(minor=True)
    texts = [text for text in figure.findobj(Text) if text.get_text().strip() and text not in beyond]
    boxes = {text: Text.get_window_extent(text) for text in texts if text.get_visible()}
    return {text: box for text, box in boxes.items() if box.width}


def overlapping(figure):
    """Pairs of texts of a figure that lie over one another."""
    boxes = [(text.get_text(), box.padded(-1)) for text, box in drawn(figure).items()]
    return [(a, b) for i, (a, one) in enumerate(boxes) for b, other in boxes[:i] if one.overlaps(other)]


LONG = [
    f"network_{i} · {0.01 * i:g} perceptual + l1 + gan_hinge (critic_width 16, space oklab, {i} s)" for i in range(40)
]
FORTY = pd.DataFrame({"mean": 11.6 + np.sort(RNG.exponential(0.5, 40)), "ms": RNG.lognormal(1, 1, 40)}, LONG)
FORTY = FORTY.assign(low=FORTY["mean"] - 0.3, high=FORTY["mean"] + 0.3, group=["trained"] * 36 + ["trivial"] * 4)
CURVES = {
    name: [HISTORY.assign(val_delta_e_76=[30.0 * mean, np.nan, mean + seed / 9]) for seed in range(3)]
    for name, mean in FORTY["mean"].items()
}
PLANE = FORTY.assign(x=FORTY["mean"], y=RNG.uniform(5, 40, 40))
REPORTED = {
    "forest": lambda: plots.plot_forest(FORTY, "mean ΔE 2000 [ΔE]", "lower is better", LONG[36], "A title " * 12),
    "forests": lambda: plots.plot_forests(
        {"equal images": FORTY, "equal computing: 330 GMACs": FORTY[9:]}, "ΔE", title="a"
    ),
    "history": lambda: plots.plot_history(CURVES, title="A title " * 12),
    "history_rows": lambda: plots.plot_history_rows(CURVES, title="A title " * 12),
    "pairwise": lambda: plots.plot_pairwise(pd.DataFrame(0, LONG, LONG), "A title " * 12),
    "pareto": lambda: plots.plot_pareto(FORTY, {"ms": "colouring [ms]"}, "ΔE", False, ("left grey", 12.2), "a title"),
    "plane": lambda: plots.plot_plane(
        PLANE, {LONG[3]: CURVE.assign(x=CURVE["x"] + 4)}, "ΔE 2000", "colourfulness", ("grey", 12.2), ("true", 43)
    ),
    "training_sizes": lambda: plots.plot_training_sizes({name: SIZES for name in LONG[:3]}, "ΔE 2000", "a title"),
    "hints": lambda: plots.plot_hints({name: [HINTS] for name in LONG[:6]}, ("the authors'", {0: 24.0, 10: 28.0})),
    "several": lambda: plots.plot_several(SEVERAL.assign(name=LONG[2]), (LONG[0], 12.5)),
    "laws": lambda: plots.plot_laws(
        laws().assign(name=lambda t: t["name"].map(lambda name: LONG[ROWS.index(name)])), "chroma kept", 1, "a title"
    ),
}


@pytest.mark.parametrize("name", REPORTED)
def test_on_a_telephone_forty_rows_of_long_names_are_read_and_nothing_lies_over_another(name):
    """A figure that is shown 390 pixels wide has no letters below nine, and none beyond its edge."""
    figure = REPORTED[name]()
    assert figure.get_figwidth() == plots.WIDTH and not overlapping(figure)
    for text, box in drawn(figure).items():
        assert text.get_fontsize() / 72 * 390 / plots.WIDTH >= 9, text
        assert box.x0 >= -1 and box.x1 <= figure.bbox.x1 + 1, text


@pytest.mark.parametrize(("columns", "lines"), [(2, 1), (8, 1), (8, 5), (30, 2)])
def test_letters_beside_and_above_photographs_grow_with_the_grid(columns, lines):
    photo = np.zeros((8, 12, 3))
    rows, above = ["\n".join(["of words"] * lines)] * 2, [f"no {j}" for j in range(columns)]
    figure = plots.show_photos([[photo] * columns] * 2, rows, above)
    assert not overlapping(figure)
    for text, box in drawn(figure).items():
        telephone = text.get_fontsize() / 72 * 390 / figure.get_figwidth()
        crowded = columns == 30 or (lines > 1 and text.get_text() in rows)
        assert telephone >= 9 or crowded, text
        assert box.x0 >= -1 and box.x1 <= figure.bbox.x1 + 1, text


def test_strengths_darken_by_decades_and_below_the_floor_nothing_is_told_apart():
    photo = plots.strengths_to_photo(torch.tensor([[100.0, 1.0], [0.01, 0.0]]), 1e-4)
    ends = plots.DENSITY([1.0, 0.5, 0.0, 0.0])[:, :3]
    assert photo.shape == (2, 2, 3) and np.allclose(photo.reshape(4, 3), ends, atol=0.01)


@pytest.mark.parametrize("rows", [1, 2])
@pytest.mark.parametrize("count, size", [(2, 2.4), (5, 1.35), (8, 1.35)])
def test_names_of_several_lines_above_photographs_are_not_cut_off(count, size, rows):
    figure = plots.show_photos(
        [[np.zeros((64, 64, 3))] * count] * rows,
        columns=["a name of more words than are read in a line of it"] * count,
        size=size,
    )
    for text, box in drawn(figure).items():
        assert "\n" in text.get_text() and box.y1 <= figure.bbox.y1, text


def test_names_beside_points_cover_no_point_and_their_lines_cross_no_name():
    figure, grid = plots.new_figure(4)
    axes, count = grid[0, 0], 40
    axes.set(xlim=(0, 1), ylim=(0, 1))
    settle(figure)
    points = pd.DataFrame({"x": RNG.uniform(0.3, 0.5, count), "y": RNG.uniform(0.3, 0.5, count), "color": "k"})
    label_points(axes, points.assign(text=[f"row {i}" for i in range(count)]), range(12))
    figure.draw_without_rendering()  # until then a text does not know its place
    written = [text for text in axes.texts if text.get_text()]
    marks = axes.transData.transform(points[["x", "y"]])
    boxes = [Text.get_window_extent(text) for text in written]
    assert len(written) == 12 and not overlapping(figure)
    assert not any(box.contains(*mark) for box in boxes for mark in marks)
    ties = [text for text in axes.texts if not text.get_text()]
    for tie in ties:
        line = MplPath([axes.transData.transform(tie.xy), Text.get_window_extent(tie).p0])
        own = [box for text, box in zip(written, boxes, strict=True) if text.xy == tie.xy]
        assert not any(line.intersects_bbox(box) for box in boxes if box not in own)
    assert ties


@pytest.mark.parametrize("gap", [0, 3, 6])
def test_two_names_in_one_line_are_not_read_as_one(gap):
    figure, grid = plots.new_figure(4)
    axes = grid[0, 0]
    axes.set(xlim=(0, 1), ylim=(0, 1))
    settle(figure)
    right = axes.bbox.x1 - 5  # where only the left of a point has room for its name
    left = right - figure.dpi * (14 / 72 + 2 * inches_of("a name")) - gap  # pixels
    x = axes.transData.inverted().transform([(left, 0), (right, 0)])[:, 0]
    label_points(axes, pd.DataFrame({"x": x, "y": 0.5, "text": "a name", "color": "k"}), range(2))
    figure.draw_without_rendering()
    one, other = (Text.get_window_extent(text) for text in axes.texts if text.get_text())
    assert not one.padded(4, 0).overlaps(other)


def test_history_skips_empty_values_and_names_lines():
    axes = FIGURES["history"]().axes[0]
    assert all(line.get_xdata().tolist() == [100, 300] for line in axes.lines)
    assert texts(axes.figure) == ["unet · l1", "unet · l2"] and len(axes.lines) == 3


def test_history_draws_a_line_for_each_seed_of_the_rows_that_it_names():
    axes = plots.plot_history({f"row {i}": [HISTORY, HISTORY + 1] for i in range(10)}).axes[0]
    colors = [line.get_color() for line in axes.lines]
    assert not axes.collections  # no bands over seeds
    assert all(colors.count(color) == 2 for color in plots.LINES[: plots.NAMED])
    assert colors.count(plots.RULE) == 10 - plots.NAMED


def test_history_rows_has_a_panel_for_each_and_says_where_one_is_that_lies_above():
    far = HISTORY.assign(val_delta_e_76=[990.0, np.nan, 900.0])
    figure = plots.plot_history_rows({f"row {i}": [HISTORY] for i in range(12)} | {"far": [far]})
    assert [axes.get_title(loc="left") for axes in figure.axes[:13]] == [*(f"row {i}" for i in range(12)), "far"]
    assert figure.axes[0].get_ylim()[1] < 100 and texts(figure) == ["above, at 900"]


def test_history_of_a_row_without_values_is_left_out():
    empty = HISTORY.assign(val_delta_e_76=np.nan)
    axes = plots.plot_history({"unet · l1": [empty], "unet · l2": [HISTORY]}).axes[0]
    assert texts(axes.figure) == ["unet · l2"] and len(axes.lines) == 1
    assert not plots.plot_history({"unet · l1": [empty]}).axes[0].lines


def test_of_many_rows_with_hints_those_that_end_highest_have_names():
    curves = {f"row {i}": [HINTS.assign(psnr_rgb_db=HINTS["psnr_rgb_db"] + i)] for i in range(plots.NAMED + 2)}
    axes = plots.plot_hints(curves, ("the authors'", {0: 24.0, 10: 28.0})).axes[0]
    named = {text.get_text() for text in axes.texts}
    assert {f"row {i}" for i in range(2, plots.NAMED + 2)} <= named and not {"row 0", "row 1"} & named


def test_hints_draw_the_very_intervals_and_none_where_none_is_known():
    unknown = HINTS.assign(psnr_rgb_db_low=np.nan, psnr_rgb_db_high=np.nan)
    axes = plots.plot_hints({"siggraph17": [HINTS], "vit": [unknown]}, ("the authors'", {0: 24.0, 10: 28.0})).axes[0]
    band, none = (
        np.concatenate([path.vertices for path in area.get_paths() or []] or [[]]) for area in axes.collections
    )
    assert {tuple(point) for point in band} >= {
        (hints, psnr + by) for hints, psnr in HINTS[["hints", "psnr_rgb_db"]].itertuples(index=False) for by in (-1, 1)
    }
    assert not len(none)


def test_laws_tie_a_row_to_its_own_oracle():
    axes = FIGURES["laws"]().axes[0]
    ties = [(*line.get_xdata(), line.get_ydata()[0]) for line in axes.lines if np.isfinite(line.get_xdata()).all()]
    heights = dict(zip([tick.get_text() for tick in axes.get_yticklabels()], axes.get_yticks(), strict=True))
    assert {(0.4, 0.5, heights[name]) for name in ROWS[:2]} <= set(ties)
    assert all(tick.get_visible() for tick in axes.get_xgridlines())


def test_laws_of_rows_without_an_oracle_have_no_ties():
    axes = plots.plot_laws(laws().assign(oracle=np.nan), "chroma kept").axes[0]
    assert sum(np.isfinite(line.get_xdata()).sum() for line in axes.lines) == len(ROWS)


def test_pareto_with_a_cost_that_no_row_has_is_an_empty_panel():
    left, right = plots.plot_pareto(TABLE.assign(none=np.nan), {"none": "none", "ms": "ms"}, "ΔE").axes
    assert not left.texts and {text.get_text() for text in right.texts} == {"unet · l1", "unet · l2"}


def test_laws_come_in_their_own_order():
    figure = FIGURES["laws"]()
    assert [axes.get_title(loc="left") for axes in figure.axes] == ["determined,\none hue", "free,\nany hue"]


def test_pairwise_shows_each_verdict_at_its_place():
    verdicts = square(0)
    verdicts.iloc[0, 1], verdicts.iloc[1, 0] = 1, -1
    axes = plots.plot_pairwise(verdicts).axes[0]
    mesh = axes.collections[0]
    cells = np.ma.filled(np.ma.masked_invalid(np.reshape(mesh.get_array(), (4, 4))), 9)
    assert cells[0, 1] == 1 and cells[1, 0] == -1 and (np.diag(cells) == 9).all()
    colors = [to_hex(mesh.cmap(mesh.norm(sign))) for sign in (1, 0, -1)]
    legend = axes.get_legend()
    assert [to_hex(patch.get_facecolor()) for patch in legend.get_patches()] == colors
    assert [text.get_text() for text in legend.get_texts()] == ["better", "not told apart", "worse"]
    assert [tick.get_text() for tick in axes.get_yticklabels()] == [f"{name}  {i}" for i, name in enumerate(ROWS, 1)]
    assert axes.yaxis_inverted()


@pytest.mark.parametrize("gap", [0.5, 1.0, 3.0])
def test_spread_keeps_the_order_and_the_gap(gap):
    positions = np.array([5.0, 1.0, 1.1, 9.0, 1.05])
    moved = spread(positions, gap)
    assert (np.argsort(moved) == np.argsort(positions)).all()
    assert np.diff(np.sort(moved)).min() >= gap - 1e-9
    assert moved.mean() == pytest.approx(positions.mean(), abs=gap)
    assert spread(np.array([0.0, 10.0]), 1.0).tolist() == [0.0, 10.0]
    raised = spread(positions, gap, lowest=1.0)  # the ones that lie too low move up, and push no more than they must
    assert raised.min() >= 1.0 - 1e-9 and np.diff(np.sort(raised)).min() >= gap - 1e-9
    assert np.allclose(raised[moved.argsort()], np.maximum(np.sort(moved), 1.0 + gap * np.arange(5)))
    lowered = spread(-positions, gap, highest=-1.0)
    assert np.allclose(np.sort(lowered), np.sort(-raised))


def test_names_of_lines_that_end_at_the_top_are_not_cut_off():
    top = pd.DataFrame({"images_seen": [1_000, 9_000], "percent": [60.0, 100.0]})
    figure = plots.plot_history({f"row {i}": [top] for i in range(5)}, "percent", "told apart [%]")
    names = [text.get_window_extent() for text in figure.axes[0].texts]
    assert len(names) == 5 and all(figure.bbox.y0 <= name.y0 and name.y1 <= figure.bbox.y1 for name in names)


def test_a_name_stays_at_its_line_when_the_axes_change_afterwards():
    axes = plots.plot_history({"unet · l1": [HISTORY]}).axes[0]
    axes.set_ylim(0, 90)
    name, end = axes.texts[0].get_window_extent(), axes.transData.transform((300, 15.0))
    assert name.y0 < end[1] < name.y1


def test_histogram_counts_what_it_was_given():
    ab = torch.tensor([[30.0, 40.0], [30.5, 40.5], [-60.0, 10.0], [0.0, 0.0]])
    flat = plots.plot_ab_histogram({"x": ab}, step=2.0).axes[0].collections[0].get_array()
    image = plots.plot_ab_histogram({"x": ab.T.reshape(1, 2, 2, 2)}, step=2.0).axes[0].collections[0].get_array()
    assert flat.compressed().sum() == pytest.approx(1) and sorted(flat.compressed()) == [0.25, 0.25, 0.5]
    assert np.ma.allequal(flat, image)
    row, column = np.unravel_index(flat.argmax(), flat.shape)
    assert (row, column) == ((40 + 118) // 2, (30 + 118) // 2)


def test_histogram_of_nothing_is_the_outline_alone():
    empty, one = plots.plot_ab_histogram({"none": np.zeros((0, 2)), "one": np.ones((1, 2))}).axes[:2]
    assert len(empty.collections) == 1 and len(one.collections) == 2


def test_gamut_fills_what_srgb_can_show():
    figure = plots.plot_gamut(lightness=[50])
    filled, rings = figure.axes[0].collections[:2]
    assert len(filled.get_offsets()) + len(rings.get_offsets()) == len(gamut.bin_centres()) == 313
    chroma = [np.linalg.norm(marks.get_offsets(), axis=1).mean() for marks in (filled, rings)]
    assert chroma[0] < chroma[1]


def test_prior_is_drawn_commonest_first():
    bars = plots.plot_prior(PRIOR).axes[0].patches
    heights = [bar.get_height() + bar.get_y() for bar in bars]
    assert heights == sorted(heights, reverse=True) and heights[0] == pytest.approx(PRIOR.max())


def test_bad_input_is_named():
    with pytest.raises(ValueError, match="at least one photograph"):
        plots.show_photos([])
    with pytest.raises(ValueError, match="2 columns; give as many names"):
        plots.show_photos([[np.zeros((2, 2)), None]], columns=["one"])
    with pytest.raises(ValueError, match="one per bin"):
        plots.plot_gamut(np.ones(5))
    for kept in ({}, {"unet": {}, "vit": kept_pictures("a")}):
        with pytest.raises(ValueError, match="the first run kept no pictures"):
            plots.show_kept(kept)


def kept_pictures(*ids):
    """What ``Run.pictures`` returns: L8, ab8 and the true ab8 of each photograph; colours turn with the identity."""
    L8, ab8 = np.full((4, 6), 128, np.uint8), np.full((4, 6, 2), 128, np.uint8)
    return {i: (L8, ab8 + np.uint8(ord(i) % 7), ab8 + np.uint8(40)) for i in ids}


def test_kept_pictures_are_the_truth_and_then_each_run():
    figure = plots.show_kept({"unet": kept_pictures("a", "b", "c"), "vit": kept_pictures("b")}, count=2)
    grid = np.reshape(figure.axes, (3, 2))  # truth, unet, vit; "c" is one too many
    assert [axes.get_ylabel() for axes in grid[:, 0]] == ["truth", "unet", "vit"]
    shown = [[axes.images[0].get_array() if axes.images else None for axes in line] for line in grid]
    L8, ab8, true8 = kept_pictures("b")["b"]
    assert np.array_equal(shown[0][1], plots.lab8_to_photo(L8, true8))
    assert np.array_equal(shown[1][1], plots.lab8_to_photo(L8, ab8)) and np.array_equal(shown[2][1], shown[1][1])
    assert shown[2][0] is None and texts(grid[2, 0].figure) == ["–"]
