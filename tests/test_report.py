"""The report as a whole: what it says must come from the run folders, and its folder must stand alone."""

import dataclasses
import json
import math
import re
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from fake_study import network, write_run, write_study
from matplotlib.figure import Figure
from scipy.stats import kendalltau

from colorlib.files import write_json
from colorlib.metrics import METRICS
from colorlib.reports import answer, compare, comparison, draw_figures, to_html, to_markdown, write_report
from colorlib.reports.findings import about_seeds, about_training
from colorlib.reports.rows import gather_rows
from colorlib.reports.sections import SECTIONS, Chart, Section
from colorlib.reports.words import number
from colorlib.runs.run import list_runs
from colorlib.statistics import Difference, attribute_variance, holm
from colorlib.statistics.best import may_be_best
from colorlib.statistics.intervals import half_width, seed_variances, two_sided_p

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    return write_study(tmp_path_factory.mktemp("runs") / "tiny")


@pytest.fixture(scope="module")
def seeded(tmp_path_factory):
    return write_study(tmp_path_factory.mktemp("runs") / "seeded", seeds=3)


@pytest.fixture(scope="module")
def page(study, tmp_path_factory):
    return write_report(study, tmp_path_factory.mktemp("reports") / "tiny")


def test_all_files_are_written(page):
    names = {str(path.relative_to(page.parent)) for path in page.parent.rglob("*") if path.is_file()}
    figures = "forest pareto laws_chroma laws_delta_e history pairwise".split()
    tables = (
        "index.html",
        "comparison.md",
        *(f"{name}.csv" for name in "results pairs seeds laws histories attribution runs".split()),
    )
    pictures = {
        f"figures/{name}/{i}-{j:02}.jpg" for name in ("bundled", "test") for i in range(1, 5) for j in range(1, 9)
    }
    assert names == {*tables, *(f"figures/{name}.png" for name in figures), *pictures}
    assert sum((page.parent / name).stat().st_size for name in names) < 4_000_000


def test_the_folder_stands_alone_and_holds_each_picture_once(page):
    html = page.read_text()
    sources = re.findall(r"""(?:src|href)=["'](?!#)([^"']*)""", html)
    figures = {path.relative_to(page.parent).as_posix() for path in (page.parent / "figures").rglob("*.*")}
    assert set(sources) == figures and len(sources) == len(figures) and page.stat().st_size < 200_000
    assert "<script" not in html and "@import" not in html and "url(" not in html


def test_answer_is_computed(seeded):
    means = {}
    for run in list_runs(seeded):
        means.setdefault(run.label, []).append(run.per_image["delta_e_2000"].mean())
    best, grey = np.mean(means["unet · l1"]), np.mean(means["grey"])
    first, second, _, third = answer(compare(seeded))
    assert first.startswith("unet · l1 colours these photographs best") and f"{best:.2f}" in first
    assert "40 photographs, 3 trainings" in first
    assert f"{grey - best:.2f} below leaving every photograph grey" in second and "unet · l2" in second
    assert "unet · rebalanced_ce comes nearest" in third and "plain_cnn · l1 washes out most" in third
    assert "(97 %)" in third and "(20 %)" in third


def test_other_data_give_another_answer(tmp_path):
    rows = {"unet · l2": ("network", 6.0, 0.5, "l2", (0.8, 0.5, 0.4))}
    folder = write_study(tmp_path / "other", rows=rows, seeds=3)
    first, second, *_ = answer(compare(folder))
    assert first.startswith("unet · l2 colours") and "the next, unet · l1" in second


def test_best_is_said_of_no_row_that_others_cannot_be_told_from(tmp_path):
    rows = {"unet · l2": ("network", 9.0, 0.5, "l2", (0.8, 0.5, 0.4))}
    c = compare(write_study(tmp_path / "close", rows=rows, seeds=3))
    assert set(c.contenders(c.trained)) == {"unet · l1", "unet · l2"}
    low, high = sorted(c.mean("delta_e_2000", label) for label in c.contenders(c.trained))
    first = answer(c)[0]
    assert first.startswith("No row is shown to be the best: of 4 rows, 2 may be it (")
    assert c.results["may_be_best"][c.trained].tolist() == ["yes", "yes", "no", "no"]
    assert f"from {low:.2f} to {high:.2f}, a spread of {high - low:.2f} (40 photographs" in first


def test_a_row_beyond_grey_that_may_be_the_best_is_explained(tmp_path):
    folder = write_study(tmp_path / "wild", seeds=3)
    for shift, path in zip((-2, 4, 9), sorted(folder.glob("plain_cnn-l1-s*/per_image.csv")), strict=True):
        table = pd.read_csv(path)
        table.assign(delta_e_2000=table["delta_e_2000"] + shift).to_csv(path, index=False)
    c = compare(folder)
    values = c.seeds.loc["plain_cnn · l1", "delta_e_2000"]
    assert answer(c)[0].endswith(
        "1 of them errs more than grey photographs on average and cannot be ruled out, for trainings so far apart "
        f"decide little: the 3 of plain_cnn · l1 score from {values.min():.2f} to {values.max():.2f}."
    )


def test_rows_that_were_trained_once_are_never_better_and_the_report_says_why(study, page):
    c = compare(study)
    once = [label for label in c.trained if len(c.by_label[label].runs) == 1]
    assert len(once) == 3 and set(c.contenders(c.trained)) == set(c.trained)
    assert {c.verdict(label, other) for label in once for other in c.contestants if other != label} == {
        "no verdict: one training"
    }
    assert "3 of them trained once, which decides nothing" in answer(c)[0]
    assert "nobody has measured there, so no verdict and no p-value is given" in page.read_text()
    pairs = pd.read_csv(page.parent / "pairs.csv")
    assert (
        pairs["p_holm"].isna().equals(pairs["verdict"].eq("no verdict: one training")) and pairs["p_holm"].notna().any()
    )


def test_a_row_that_learned_by_the_metric_that_ranks_it_is_marked_everywhere(tmp_path):
    rows = {
        "unet · ciede2000": ("network", 6.0, 0.5, "ciede2000", (0.8, 0.5, 0.4)),
        "unet · sum": ("network", 11.0, 0.5, {"l1": 1, "ciede2000": 0.5}, (0.8, 0.5, 0.4)),
    }
    c = compare(write_study(tmp_path / "taught", rows=rows, seeds=3))
    assert c.taught_to_the_test == {"unet · ciede2000", "unet · sum"}
    assert answer(c)[0].startswith("unet · ciede2000 (trained on ΔE 2000 itself) colours these photographs best")
    assert "| unet · ciede2000 ‡ |" in to_markdown(c) and "‡ Trained on ΔE 2000 itself" in to_markdown(c)
    assert to_html(c).count('title="trained on the metric that ranks it"') >= 4
    assert c.results["trained_on_primary"].sum() == 2
    assert not compare(write_study(tmp_path / "not")).taught_to_the_test


def test_what_decides_stands_near_the_top(seeded):
    c = compare(seeded)
    shares = next(section for section in c.sections if hasattr(section, "shares")).shares["delta_e_2000"]
    sentence = answer(c)[2]
    assert sentence.startswith("Of the differences in ΔE 2000 between the trained runs, the network decides")
    for name, words in (("architecture", "the network decides"), ("objective", "the loss"), ("seed", "the seed")):
        if shares[name].share >= 0.005:
            assert f"{words} {100 * shares[name].share:.0f} % ({100 * shares[name].low:.0f} to" in sentence


WORDS = ["no verdict: one training", "no difference larger than", "better", "worse"]


def numbers_again(folder, margin):
    """Compute a report's means, intervals, differences, verdicts, ranks and shares from its csv files alone."""
    results, seeds = pd.read_csv(folder / "results.csv", index_col="label"), pd.read_csv(folder / "seeds.csv")
    names = [name.removesuffix("_photographs_se") for name in results.columns if name.endswith("_photographs_se")]
    N = int(results["images"].iloc[0])
    own = dict(list(seeds.groupby("label")))
    for name in names:
        labels = results.index[results[name].notna()]
        by_seed = [own[label][name].to_numpy() for label in labels]
        variances, freedom = seed_variances(by_seed)
        found = np.array([values.mean() for values in by_seed])
        parts = np.stack([results[f"{name}_photographs_se"][labels] ** 2, variances], -1)
        half = half_width(parts, np.stack([np.full(len(labels), N - 1.0), freedom], -1))
        digits = 1e-8 * max(np.abs(values).max() for values in by_seed)  # nine of them are written
        np.testing.assert_allclose(results[name][labels], found, rtol=1e-6, atol=digits)
        np.testing.assert_allclose(results[f"{name}_high"][labels] - found, half, rtol=1e-3, atol=1e-6)
    pairs = pd.read_csv(folder / "pairs.csv")
    contestants = results.index[~results["group"].isin(["oracle", "slip"])]
    by_seed = [own[label]["delta_e_2000"].to_numpy() for label in contestants]
    variances, freedom = (dict(zip(contestants, values, strict=True)) for values in seed_variances(by_seed))
    mean = dict(zip(contestants, map(np.mean, by_seed), strict=True))
    p, p_large = [], []
    for _, pair in pairs.iterrows():
        parts = [pair["photographs_se"] ** 2, variances[pair["row"]], variances[pair["other"]]]
        known = [N - 1.0, freedom[pair["row"]], freedom[pair["other"]]]
        gap = mean[pair["row"]] - mean[pair["other"]]
        half = half_width(parts, known)
        assert [pair["difference"], pair["high"], pair["low"]] == pytest.approx([gap, gap + half, gap - half], abs=1e-6)
        once = pair["verdict"].startswith("no verdict")
        p.append(np.nan if once else float(two_sided_p(gap, parts, known)))
        inside = margin - abs(gap)
        p_large.append(np.nan if once else float(two_sided_p(inside, parts, known)) / 2 if inside > 0 else 1.0)
    trained = set(results.index[results["group"].isin(["trained", "judged"])])
    grey = set(results.index[(results["group"] == "trivial") & (results["model"] == "grey")])
    with_grey = [bool(two & grey and two & trained) for two in map(set, zip(pairs["row"], pairs["other"], strict=True))]
    assert with_grey == (pairs["question"] == "against grey").tolist()
    tested = pairs["question"][np.isfinite(p)].value_counts()  # a question's pairs share one part of the level
    parts = {"against grey": 2, "in one setting": 1, "any pair": 1 + ("in one setting" not in tested)}
    weights = [parts[question] / tested.get(question, 1) for question in pairs["question"]]
    np.testing.assert_allclose(pairs["p_holm"], holm(p, weights), rtol=1e-3, atol=1e-9)
    np.testing.assert_allclose(pairs["p_large_holm"], holm(p_large, weights), rtol=1e-3, atol=1e-9)
    ends, gaps = zip(pairs["row"], pairs["other"], strict=True), pairs["difference"]
    found = {pair: Difference(gap, gap, gap, q, 1, (2, 2)) for pair, gap, q in zip(ends, gaps, p, strict=True)}
    field = [label for label in results.index if label in trained]
    said = results["may_be_best"][field]
    assert said[said == "yes"].index.tolist() == [
        label for label in may_be_best(field, found, higher_is_better=False) if results["seeds"][label] > 1
    ]
    sure = pairs["p_holm"] < 0.05
    small = pairs["p_large_holm"] < 0.05
    wanted = np.select([np.isnan(p), small, sure & (gaps < 0), sure], WORDS, "undecided")
    assert pairs["verdict"].str.replace(f" {margin:g}", "").tolist() == wanted.tolist()
    for label in contestants:
        own = np.r_[gaps[pairs["row"] == label], -gaps[pairs["other"] == label]]
        known = np.r_[sure[pairs["row"] == label], sure[pairs["other"] == label]]
        rank = 1 + (own > 0).sum(), 1 + (known & (own > 0)).sum(), len(contestants) - (known & (own < 0)).sum()
        assert results.loc[label, ["rank", "rank_low", "rank_high"]].tolist() == [*rank]
    if (folder / "attribution.csv").exists():
        shares, runs = pd.read_csv(folder / "attribution.csv"), pd.read_csv(folder / "runs.csv")
        for metric, table in shares.groupby("metric"):
            values = runs.merge(seeds, on=["label", "seed"])[metric]
            factors = {name: runs[name].tolist() for name in runs.columns[2:]}
            again = attribute_variance(values, factors, runs["label"].tolist(), n_resamples=1)
            assert table.set_index("source")["share"].to_dict() == pytest.approx(
                {name: share.share for name, share in again.items()}, abs=1e-6
            )


def sentences_again(folder):
    """Find what a report says of tint, hints, several answers and budgets in its csv files; return how much it says."""
    text, results = (folder / "comparison.md").read_text(), pd.read_csv(folder / "results.csv", index_col="label")

    def rounded(*values, decimals=2):
        return [number(value, decimals) for value in values]

    found = {"hints": re.findall(r"^- (.+): mean PSNR (\S+) dB with (\d+) hints? and (\S+) dB with (\d+) ", text, re.M)}
    for label, first, least, last, most in found["hints"]:
        curve = pd.read_csv(folder / "hints.csv").groupby(["label", "hints"])["psnr_rgb_db"].mean()[label]
        assert rounded(curve[int(least)], curve[int(most)]) == [first, last]
    pattern = r"^- (.+): (\d+) answers .+ lie (\S+) ΔE .+ average is (\S+), and .+ choose, (\S+)\.$"
    found["several"] = re.findall(pattern, text, re.M)
    for label, k, *said in found["several"]:
        line = pd.read_csv(folder / "several.csv", index_col=["label", "k"]).loc[label, int(k)]
        scores = rounded(line["mean_of_k_delta_e_76"], line["best_of_k_delta_e_76"])
        assert said == rounded(line["diversity"], decimals=1) + scores
    tints = re.search(r"\| row \| mean a\* .+\n.+\n((?:\|.+\n)+)", text)
    found["tint"] = [re.split(r" \| ", line[2:-2]) for line in tints[1].splitlines()[1:]] if tints else []
    for label, a, b, hue, chroma, _ in found["tint"]:
        mean = results.loc[label.replace("\\", ""), ["mean_a", "mean_b"]].astype(float)
        assert [a, b, chroma] == rounded(*mean, np.hypot(*mean), decimals=1)
        assert hue == "–" or hue == number(np.degrees(np.arctan2(*mean[::-1])) % 360, 0)
    runs = pd.read_csv(folder / "runs.csv").drop_duplicates("label").set_index("label")
    runs = runs[~runs.index.str.contains("schedule cosine")].join(results["delta_e_2000"])
    orders = re.search(r"^- Kendall's τ .+ of (\d+) designs at (\S+) and at (\S+) photographs is ([^;]+);", text, re.M)
    found["orders"] = orders.groups() if orders else ()
    if orders:
        budgets = runs.pivot_table("delta_e_2000", ["architecture", "pretraining"], "budget")
        ends = budgets[[f"{budget} images" for budget in orders.group(2, 3)]].dropna()
        assert [f"{len(ends)}", *rounded(kendalltau(*ends.to_numpy().T).statistic)] == [orders[1], orders[4]]
    return {name for name, said in found.items() if said}


def test_every_number_follows_from_committed_files(page, seeded, tmp_path):
    numbers_again(page.parent, 0.5)
    report = write_report(seeded, tmp_path / "seeded").parent
    assert (report / "attribution.csv").exists()
    numbers_again(report, 0.5)


@pytest.mark.parametrize(
    ("name", "special"),
    [
        ("architectures", {"hints", "several"}),
        ("objectives", {"tint"}),
        ("origin", {"hints", "tint"}),
        ("budgets", {"hints", "orders"}),
        ("pretraining", {"hints"}),
    ],
)
def test_every_number_of_a_committed_report_follows_from_its_files(name, special):
    root = Path(__file__).parents[1]
    study = yaml.safe_load((root / "notebooks" / "studies" / f"{name}.yml").read_text())
    numbers_again(root / "reports" / name, study["margin"]["delta_e_2000"])
    assert sentences_again(root / "reports" / name) == special


def test_honest_when_nothing_beats_grey(tmp_path):
    rows = {"grey": ("baseline", 5.0, 0.0, None, (0.0,) * 3)}
    c = compare(write_study(tmp_path / "sad", rows=rows, seeds=3))
    first, _, second, *_ = answer(c)
    assert first.startswith("No trained row comes first: grey") and "above leaving every photograph grey" in second
    assert "worse, p < 0.001 after Holm's correction" in second
    assert sum("is not shown to be better than" in sentence for sentence in about_training(c)) == 4


def test_small_difference_is_called_small(tmp_path):
    c = compare(write_study(tmp_path / "wide", margin={"delta_e_2000": 2.0}, seeds=3))
    assert "no difference larger than 2" in answer(c)[1]


def test_failures_are_named_and_escaped(page):
    html = page.read_text()
    assert "eccv16-l1-s0" in html and "the loss is NaN at step 12 &lt;b&gt;" in html
    assert "the loss is NaN at step 12" in (page.parent / "comparison.md").read_text()


def test_pairs_that_differ_in_one_setting_have_a_part_of_the_level(tmp_path):
    """And one verdict each, in every part of the report."""
    c = compare(write_study(tmp_path / "study", seeds=3))
    before, (pair, other) = c.differences, [pair for pair, found in c.differences.items() if 0 < found.p < 1][:2]
    plain = compare(write_study(tmp_path / "again", seeds=3))
    planning = Section(plain)
    planning.planned = [pair]
    plain.sections = [planning]
    assert set(plain.pairs["question"]) == {"against grey", "in one setting", "any pair"}
    assert pair in plain.asked["in one setting"] and pair[::-1] in plain.asked["in one setting"]
    assert plain.differences[pair].p < before[pair].p and plain.differences[pair][:3] == before[pair][:3]
    assert plain.differences[other].p >= before[other].p  # a half of the half that others had


def test_a_row_that_may_be_the_best_and_loses_a_pair_is_explained(seeded, monkeypatch):
    c = compare(seeded)
    assert "and yet" not in about_seeds(c)
    monkeypatch.setattr(type(c), "may_be_best", lambda self, label: "yes")
    assert "plain_cnn · l1" in about_seeds(c).partition("may be it. ")[2].partition(" may be it and yet are worse")[0]


def test_many_failures_of_one_kind_are_told_in_one_line(tmp_path):
    folder = write_study(tmp_path / "study")
    study = json.loads((folder / "study.json").read_text())
    failed = study["rows"][-1]
    study["rows"] += [failed | {"id": f"late-{number}", "error": "no time was left."} for number in range(40)]
    write_json(folder / "study.json", study)
    c = compare(folder)
    html, markdown = to_html(c), to_markdown(c)
    warning = html[html.index("rows did not finish") :].split("</section>")[0]
    assert "41 of" in html and "late-" not in warning and "See the failures" in warning and "All 41 of them" in html
    assert markdown.count("no time was left.") == 2 and "Failed: no time was left. 40 rows</summary>" in markdown
    assert all(f"`late-{number}`" in markdown for number in range(40)) and "`eccv16-l1-s0`" in markdown


def test_text_from_outside_is_escaped(tmp_path):
    rows = {"<script>alert(1)</script> | wide_net": ("network", 8.0, 0.5, "l2", (0.8, 0.5, 0.4))}
    c = compare(write_study(tmp_path / "rude", rows=rows, title="A & <i>B</i>"))
    html = to_html(c)
    assert "<script" not in html and "&lt;script&gt;" in html and "<i>B" not in html
    assert "| wide_<wbr>net" in html  # where a narrow column may break it
    tables = [part.splitlines() for part in to_markdown(c).split("\n\n") if part.startswith("|")]
    assert len(tables) > 1
    for lines in tables:
        assert len({len(re.findall(r"(?<!\\)\|", line)) for line in lines}) == 1


def test_results_table(page, study):
    table = pd.read_csv(page.parent / "results.csv", index_col="label")
    assert table.columns[:5].tolist() == ["group", "model", "objective", "seeds", "images"]
    times = ["train_seconds", "seconds_per_1000_training_images", "ms_per_image", "peak_memory_mb"]
    assert table.columns[-4:].tolist() == times
    assert {"delta_e_2000", "delta_e_2000_low", "delta_e_2000_high", "psnr_pooled_db"} <= set(table.columns)
    assert table["delta_e_2000"].is_monotonic_increasing and table["seeds"]["unet · l1"] == 2
    assert (table["delta_e_2000_low"] < table["delta_e_2000"]).all()
    assert table["rank"]["unet · l1"] == 1 and np.isnan(table["rank"]["bayes_l2"])
    assert table["against_grey"]["unet · l1"] == "better" and table["may_be_best"]["unet · l1"] == "yes"
    assert table["against_grey"]["unet · l2"] == "no verdict: one training"
    mse = pd.read_csv(study / "unet-l2-s0" / "per_image.csv")["mse_rgb"].mean()
    assert table["psnr_pooled_db"]["unet · l2"] == pytest.approx(-10 * np.log10(mse))


def test_same_files_give_the_same_bytes_also_where_an_earlier_report_is(study, page, tmp_path):
    earlier = shutil.copytree(page.parent, tmp_path / "earlier")
    for path in earlier.rglob("*.*"):
        path.write_text("of an earlier report")
    again = write_report(study, earlier)
    for path in page.parent.rglob("*.*"):
        assert path.read_bytes() == (again.parent / path.relative_to(page.parent)).read_bytes(), path.name


def test_photographs_data_without_laws_or_optional_columns(tmp_path):
    folder = write_study(tmp_path / "plain")
    for path in folder.glob("*/per_image.csv"):
        pd.read_csv(path)[["id", "delta_e_2000", "ssim_rgb_gauss11"]].to_csv(path, index=False)
    for path in folder.glob("*/history.csv"):
        path.unlink()
    shutil.rmtree(folder / "grey-s0")
    shutil.rmtree(folder / "unet-l2-s0" / "pictures")
    html = to_html(compare(folder))
    assert "By law of colour" not in html and "Learning curves" not in html and "The comparison" in html


def test_nothing_finished(tmp_path):
    folder = write_study(tmp_path / "none")
    for path in folder.glob("*/per_image.csv"):
        path.unlink()
    html = write_report(folder, tmp_path / "report").read_text()
    assert "No row of this study has finished" in html and "the loss is NaN" in html


def test_only_baselines(tmp_path):
    folder = write_study(tmp_path / "base")
    for path in folder.glob("*cnn*/per_image.csv"):
        path.unlink()
    for path in folder.glob("unet*/per_image.csv"):
        path.unlink()
    c = compare(folder)
    assert answer(c)[0].startswith("No network of this study has finished")
    assert "pareto" not in draw_figures(c) and "No network" in to_html(c)  # what needs no network computes nothing


def test_every_run_in_the_folder_is_a_row_or_named_with_the_reason(page, tmp_path):
    folder = write_study(tmp_path / "stale")
    write_run(folder / "old-row" / "run", "old · l1", "network", 1.0, 0.9, "l1", cost=network(1, 10))
    write_json(folder / "old-row" / "done.json", {"seconds": 1.0})
    write_run(folder / "judged" / "mine", "my pictures", "judged", 8.0, 0.9)
    write_run(folder / "mine-20251126", "mine · l1", "network", 9.0, 0.5, "l1", model="mine", cost=network(1, 10))
    others = [f"elsewhere-{i}" for i in range(40)]
    write_run(folder / "elsewhere", "elsewhere · l1", "network", 1.0, 0.9, "l1", ids=others, cost=network(1, 10))
    write_run(folder / "half", "half · l1", "network", 1.0, 0.9, "l1", cost=network(1, 10))
    (folder / "half" / "per_image.csv").unlink()
    c = compare(folder)
    assert "old · l1" not in c.results.index and c.results["group"]["my pictures"] == "judged"
    assert c.results["group"]["mine · l1"] == "trained" and len(c.ids) == 40
    assert c.unshown == {
        "old-row": "the study no longer has this row",
        "elsewhere": "it was judged on other photographs",
        "half": "it is not finished",
    }
    for text in (to_html(c), to_markdown(c)):
        assert "old-row (the study no longer has this row)" in text and "half (it is not finished)" in text
    assert "Left out of this report" not in (page.parent / "comparison.md").read_text()


def test_same_label_other_settings_are_two_rows(tmp_path):
    folder = write_study(tmp_path / "twice")
    path = folder / "unet-l1-s1" / "config.json"
    write_json(path, json.loads(path.read_text()) | {"images_seen": 5_000})
    labels = list(compare(folder).by_label)
    assert "unet · l1" in labels and "unet · l1 (5,000 images)" in labels


def test_photographs_that_not_all_rows_judged_are_left_out(tmp_path):
    folder = write_study(tmp_path / "less")
    path = folder / "mean_ab-s0" / "per_image.csv"
    pd.read_csv(path)[:30].to_csv(path, index=False)
    c = compare(folder)
    assert len(c.ids) == 30 and c.left_out == 10
    assert answer(c)[0] == "Of 40 photographs, 10 are left out: not every run has a score of them."
    pd.read_csv(path).assign(id=[f"other-{i}" for i in range(30)]).to_csv(path, index=False)
    with pytest.raises(ValueError, match="none is common to all"):
        compare(folder)


def test_photographs_without_a_number_are_left_out_of_everything(tmp_path):
    folder = write_study(tmp_path / "holes")
    path = folder / "unet-l1-s0" / "per_image.csv"
    table = pd.read_csv(path)
    table.loc[:3, "delta_e_2000"], table.loc[4, "delta_e_2000"] = math.nan, math.inf
    table.to_csv(path, index=False)
    c = compare(folder)
    assert (
        len(c.ids) == 35 and c.left_out == 5 and c.best == "unet · l1" and "of 40 photographs" in to_markdown(c).lower()
    )
    assert list(c.ranks)[0] and [c.ranks[label].rank for label in c.contestants] == list(range(1, len(c.ranks) + 1))
    table.assign(delta_e_2000=math.nan).to_csv(path, index=False)
    with pytest.raises(ValueError, match="unet-l1-s0 has no delta_e_2000 of any photograph.*judge it again"):
        compare(folder)


@pytest.mark.parametrize("fault", ["cut off", "no line", "twice", "a word"])
def test_a_table_of_scores_that_is_not_whole_is_called_damaged(tmp_path, fault):
    folder = write_study(tmp_path / "damaged")
    path = folder / "grey-s0" / "per_image.csv"
    first, *lines = path.read_text().splitlines(keepends=True)
    if fault == "cut off":
        lines[-1] = lines[-1][:-9]
    elif fault == "twice":
        lines[-1] = lines[-2]
    elif fault == "a word":
        lines[-1] = lines[-1].replace(",", ",oops,", 1)
        lines[-1] = lines[-1][: lines[-1].rindex(",")] + "\n"
    path.write_text(first + "".join(lines if fault != "no line" else []))
    with pytest.raises(ValueError, match=r"grey-s0/per_image.csv is damaged; move"):
        compare(folder)


def test_one_photograph_decides_nothing(tmp_path):
    folder = write_study(tmp_path / "one", seeds=2)
    for path in folder.rglob("per_image.csv"):
        pd.read_csv(path)[:1].to_csv(path, index=False)
    c = compare(folder)
    assert answer(c)[0].startswith("No row is shown to be the best") and set(c.pairs["verdict"]) == {
        "no verdict: one photograph"
    }


def test_the_same_seed_twice_is_one_training(tmp_path):
    folder = write_study(tmp_path / "copied")
    shutil.copytree(folder / "unet-l2-s0", folder / "backup")
    c = compare(folder)
    assert len(c.by_label["unet · l2"].runs) == 1 and c.verdict("unet · l2", "grey") == "no verdict: one training"
    assert c.unshown == {"backup": "it is the training of unet-l2-s0 once more, with the same seed"}


def test_an_alias_of_one_seed_is_that_of_the_row(tmp_path):
    folder = write_study(tmp_path / "alias")
    study = json.loads((folder / "study.json").read_text())
    next(row for row in study["rows"] if row["id"] == "unet-l1-s1")["alias"] = "ours"
    write_json(folder / "study.json", study)
    c = compare(folder)
    assert len(c.by_label["ours"].runs) == 2 and "unet · l1" not in c.by_label


def test_a_folder_with_other_files_is_no_place_for_a_report(study, tmp_path):
    (tmp_path / "mine" / "figures").mkdir(parents=True)
    (tmp_path / "mine" / "measurements.csv").write_text("a\n1\n")
    with pytest.raises(FileExistsError, match="holds files and no report: choose a new folder"):
        write_report(study, tmp_path / "mine")
    assert (tmp_path / "mine" / "measurements.csv").read_text() == "a\n1\n"


def test_missing_study(tmp_path):
    with pytest.raises(FileNotFoundError, match="no study.json"):
        write_report(tmp_path, tmp_path / "report")


@pytest.mark.parametrize(
    ("value", "text"), [(-1.5, "−1.50"), (1234.5, "1,234.50"), (-0.001, "0.00"), (None, "–"), (float("nan"), "–")]
)
def test_numbers(value, text):
    assert number(value) == text


def test_times_of_another_device_are_no_times_of_the_study(tmp_path):
    for name, seed, seconds, device in (
        ("a", 0, 2, "cuda:0"), ("a", 1, 4, "cuda:1"), ("a", 2, 60, "cpu"), ("b", 0, 70, "cpu"), ("c", 0, 3, "cuda:0")
    ):  # fmt: skip
        cost = network(seconds, 10) | {"device": device}
        write_run(tmp_path / f"{name}{seed}", f"{name} · l1", "network", 9.0, 0.5, "l1", seed, cost=cost)
    rows = {row.label: row for row in gather_rows({"rows": [], "name": "mixed"}, tmp_path)}
    assert rows["a · l1"].cost("train_seconds") == 3 and math.isnan(rows["b · l1"].cost("train_seconds"))
    assert rows["b · l1"].cost("parameters") == 10 and rows["c · l1"].cost("train_seconds") == 3


def test_costs_are_means_over_seeds_and_whole(study):
    results = compare(study).results
    assert results.loc["unet · l1", "images_seen"] == 10_002 and results.loc["unet · l2", "images_seen"] == 10_000
    assert results["images_seen"].dtype == "Int64" and results.loc["grey", "images_seen"] is pd.NA


@pytest.mark.parametrize("name", ["architectures", "budgets", "gan", "objectives", "origin", "pretraining"])
def test_committed_reports_hold_each_picture_once(name):
    folder = Path(__file__).parents[1] / "reports" / name
    sources = re.findall(r'src="([^"]*)"', (folder / "index.html").read_text(encoding="utf-8"))
    figures = {path.relative_to(folder).as_posix() for path in (folder / "figures").rglob("*.*")}
    assert set(sources) == figures and len(sources) == len(figures)


class Letters(Section):
    """A section that a test adds."""

    heading = "Letters in names"

    @property
    def sentences(self):
        return [f"{len(self.c.best)} letters."]

    @property
    def charts(self):
        figure = Figure(figsize=(1, 1))
        return {"letters": Chart(figure, "a blank", "Nothing to see.")}

    @property
    def table(self):
        return [["row", "letters"]] + [[row.label, str(len(row.label))] for row in self.c.rows]

    def results(self, label):
        return {"letters": len(label)}


def test_a_section_is_one_class_and_one_place_in_the_order(study, tmp_path, monkeypatch):
    monkeypatch.setattr(comparison, "SECTIONS", (SECTIONS[0], Letters, SECTIONS[-1]))
    page = write_report(study, tmp_path / "report")
    html, markdown = page.read_text(), (page.parent / "comparison.md").read_text()
    headings = re.findall("<h2.*?>(.*?)</h2>", html)
    assert headings == ["The comparison", "Letters in names", "How sure verdicts are", "Failures", "Protocol"]
    assert "<li>9 letters.</li>" in html and "Nothing to see." in html and 'src="figures/letters.png"' in html
    section = markdown.partition("## Letters in names\n\n- 9 letters.\n\n")[2]
    assert section.startswith('<img src="figures/letters.png" width="620" alt="a blank">\n\nNothing to see.')
    assert "\n| row | letters |\n" in section
    assert (page.parent / "figures" / "letters.png").exists()
    table = pd.read_csv(page.parent / "results.csv", index_col="label")
    assert table["letters"]["unet · l1"] == 9 and "chroma_kept_free" not in table


@pytest.mark.parametrize("section", SECTIONS, ids=lambda section: section.__name__)
def test_nothing_but_the_order_knows_a_section(section):
    room = Path(comparison.__file__).parent
    home = room / "sections" / f"{section.__module__.rpartition('.')[2]}.py"
    texts = {path: path.read_text(encoding="utf-8") for path in room.rglob("*.*") if path.suffix in (".py", ".html")}
    knowing = {path for path, text in texts.items() if section.__module__ in text or section.heading in text}
    assert home in texts and knowing <= {home, room / "sections" / "__init__.py"}


def test_a_metrics_entry_is_all_that_the_tables_need(tmp_path, monkeypatch):
    monkeypatch.setitem(METRICS, "ab_max", dataclasses.replace(METRICS["ab_mae"], title="Largest ab", unit="ab units"))
    c = compare(write_study(tmp_path / "study"))
    html = to_html(c)
    assert "<th>Largest ab&nbsp;↓<small>ab units</small>" in html and "<code>ab_max</code>" in html
    assert c.results["ab_max"].notna().all()
