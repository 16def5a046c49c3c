"""The sections of the report, one by one."""

import json
import re
import shutil

import numpy as np
import pandas as pd
import pytest
from fake_study import change, network, write_run, write_special, write_study

from colorlib.files import write_json
from colorlib.reports import choose_samples, compare, show_samples, to_html, to_markdown, write_report
from colorlib.reports.rows import MANY, by_budget, short_names
from colorlib.reports.sections.attribution import Attribution
from colorlib.reports.sections.critics import Critics
from colorlib.reports.sections.crowns import Crowns
from colorlib.reports.sections.laws import Laws
from colorlib.reports.sections.pretraining import Pretraining, about_worth, photographs_needed
from colorlib.reports.sections.ranking import Ranking
from colorlib.reports.sections.rates import Rates
from colorlib.reports.sections.recognised import Recognised
from colorlib.reports.sections.scaling import Scaling
from colorlib.reports.sections.settings import Settings
from colorlib.reports.sections.slips import Slips
from colorlib.reports.sections.temperatures import Temperatures
from colorlib.reports.sections.tint import Tint
from colorlib.reports.words import number
from colorlib.runs.run import list_runs

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    return write_study(tmp_path_factory.mktemp("runs") / "tiny")


@pytest.fixture(scope="module")
def special(tmp_path_factory):
    return write_special(tmp_path_factory.mktemp("runs") / "special")


@pytest.fixture(scope="module")
def special_page(special, tmp_path_factory):
    return write_report(special, tmp_path_factory.mktemp("reports") / "special")


def test_law_table_weighs_pixels(tmp_path):
    folder = write_study(tmp_path / "laws")
    path = folder / "unet-l2-s0" / "per_image.csv"
    table = pd.read_csv(path)
    table.loc[0, ["share_free", "mean_chroma_free", "mean_chroma_true_free", "delta_e_76_free"]] = [0, *[np.nan] * 3]
    table.loc[1, "share_free"] = 1.0
    table.to_csv(path, index=False)
    weight = table["share_free"].to_numpy()[1:]
    kept = (weight @ table["mean_chroma_free"][1:]) / (weight @ table["mean_chroma_true_free"][1:])
    laws = Laws(compare(folder)).by_law.set_index(["name", "law"])
    assert laws.loc[("unet · l2", "free"), "kept"] == pytest.approx(kept)
    assert laws.loc[("unet · l2", "free"), "oracle"] == "bayes_l2" and pd.isna(laws.loc[("grey", "free"), "oracle"])


def test_law_sentences(study):
    sentences = Laws(compare(study)).sentences
    assert "keeps 8 % of the chroma: L2 turns brown" in sentences[0]
    l1, l2, rebalanced = sentences[1:]
    assert (
        l2.startswith("Under l2, unet · l2 keeps 12 % of the chroma")
        and "the network minus its oracle is +4 points of chroma" in l2
    )
    assert "bayes_rebalanced_ce, keeps 90 %" in rebalanced and "minus its oracle is −20 points of chroma" in rebalanced
    assert "plain_cnn · l1 10 % (" in l1 and "plain_cnn · l1 minus its oracle is 0 points" in l1


def test_metrics_that_disagree_are_named(study):
    sentences = " ".join(Crowns(compare(study)).sentences)
    assert "would have crowned unet · rebalanced_ce" in sentences and "Rebalanced AuC" in sentences


def test_agreement_of_orders_counts_pairs_and_leaves_out_ties(tmp_path):
    folder = write_study(tmp_path / "ties")
    for path in folder.glob("*/per_image.csv"):
        pd.read_csv(path).assign(ssim_rgb_gauss11=lambda t: t["ssim_rgb_gauss11"].mean().round(1), ab_rmse=1.0).to_csv(
            path, index=False
        )
    c = compare(folder)
    tau = {crown["metric"]: crown["tau"] for crown in Crowns(c).crowns}
    assert tau["delta_e_2000"] == 1 and np.isnan(tau["ab_rmse"])
    table = c.results.loc[c.contestants]
    assert table["ssim_rgb_gauss11"].nunique() == 2
    for metric in ("ssim_rgb_gauss11", "auc_rebalanced", "psnr_pooled_db"):
        a, b = table["delta_e_2000"].to_numpy(), table[metric].to_numpy()
        i, j = np.triu_indices(len(a), 1)
        first, second = np.sign(a[i] - a[j]), -np.sign(b[i] - b[j])  # of these a higher value is better
        untied = np.count_nonzero(first) * np.count_nonzero(second)
        assert tau[metric] == pytest.approx((first * second).sum() / np.sqrt(untied), abs=1e-12)


def test_pictures_follow_the_rule_and_the_permission(study, tmp_path):
    c = compare(study)
    samples = choose_samples(c, "bundled")
    assert [sample.reason.split(",")[0] for sample in samples] == ["best", "median", "worst", "most disputed"]
    assert list(samples[0].photos)[:3] == ["truth", "grey", "unet · l1"]
    scores = [float(sample.reason.split()[-1]) for sample in samples]
    assert scores[0] <= scores[1] <= scores[2]
    shown = show_samples(samples)
    assert shown.get_figwidth() < 7
    assert [axes.get_ylabel() for axes in shown.axes[:: len(samples)]][:3] == ["truth", "grey", "unet · l1"]
    folder = tmp_path / "copy"
    shutil.copytree(study, folder)
    write_json(folder / "study.json", json.loads((folder / "study.json").read_text()) | {"pictures": ["bundled"]})
    earlier = [tmp_path / "report" / "figures" / name for name in ("pictures_test.png", "test/1-01.jpg")]
    earlier[1].parent.mkdir(parents=True)
    for path in (*earlier, tmp_path / "report" / "comparison.md"):
        path.touch()
    page = write_report(folder, tmp_path / "report")
    assert not any(path.exists() for path in earlier)
    assert "test-0" not in page.read_text() and "bundled-0" in page.read_text()


def test_special_parts_stand_in_page_and_markdown(special_page):
    html, markdown = special_page.read_text(), (special_page.parent / "comparison.md").read_text()
    for text in (html, markdown):
        for heading in ("Equal images, equal computing", "What the variance goes with", "Colder and warmer", "Hints"):
            assert heading in text
        assert "Several answers" in text and "not measured" in text and "needs 704 pictures" in text
        assert "unet · l2, seed 0, collapsed after 4,000 photographs: the critic is always right" in text.replace(
            "\u00a0", " "
        )
    figures = {path.stem for path in (special_page.parent / "figures").glob("*.png")}
    assert {"temperature", "hints", "several"} <= figures
    sweep = pd.read_csv(special_page.parent / "sweep.csv")  # of two seeds, which share it
    assert sweep["learning_rate"].tolist() == [1e-3, 4e-3] and sweep["chosen"].tolist() == [0, 1]


def test_the_report_says_which_weights_of_a_training_with_a_critic_were_judged(special, tmp_path):
    rule = "Judged are, of a training with a critic, the last weights that have not left the photographs"
    folder = shutil.copytree(special, tmp_path / "copy")
    c = compare(folder)
    assert rule not in to_html(c) and rule not in to_markdown(c)
    path = folder / "unet-l2-s0" / "history.csv"
    pd.read_csv(path).assign(critic_loss=0.5).to_csv(path, index=False)
    c = compare(folder)
    assert rule in to_html(c) and rule in to_markdown(c)


def test_rows_of_equal_computing_stand_apart_from_rows_of_images(special):
    c = compare(special)
    assert {"unet · l1 (300 GMACs)", "vit · l1 (300 GMACs)", "unet · l1"} <= set(c.by_label)
    (images, by_images), (computing, by_computing) = by_budget(c.rows).items()
    assert str(images) == "10,000 images" and str(computing) == "300 GMACs"
    assert [row.short for row in by_computing] == ["vit · l1", "unet · l1"] and len(by_images) == 4


def test_distances_between_sets_are_compared_only_where_they_were_measured_alike(special, tmp_path):
    folder = shutil.copytree(special, tmp_path / "copy")
    path = folder / "unet-l2-s0" / "sets.json"
    write_json(path, json.loads(path.read_text()) | {"n_lite2": 30})
    scores = compare(folder).sets["kernel_lite2"]
    assert not scores["unet · l2"].compared and scores["unet · l1"].compared and scores["unet · l1"].n == 40


def test_the_share_of_the_gap_has_an_interval_and_is_said(study, tmp_path):
    folder = shutil.copytree(study, tmp_path / "copy")
    shares = {"grey": 0.0, "unet · l2": 0.5, "unet · l1": 0.25}
    spread = np.linspace(-0.1, 0.1, 40)
    for run in list_runs(folder):
        table, share = run.per_image, shares.get(run.label, -0.2)
        table["log_probability_lite2_gain"] = 2 * share + spread * (share != 0)
        table["log_probability_lite2_error"] = table["log_probability_lite2_gain"] - 2
        table.loc[30:, [name for name in table if "log_probability" in name]] = np.nan  # Lite2 did not look at them
        table.to_csv(run.folder / "per_image.csv", index=False)
    c = compare(folder)
    found = c.pooled["log_probability_lite2_share"]
    kept = 50 * spread[:30].mean()
    assert found["grey"] == (0, 0, 0) and found["unet · l2"].mean == pytest.approx(50 + kept)
    low, high = found["unet · l2"][1:]
    half = 1.96 * 50 * spread[:30].std() / np.sqrt(30)
    assert (high - low) / 2 == pytest.approx(half, rel=0.1) and low < 50 + kept < high
    line = c.results.loc["unet · l2"]
    assert line[[f"log_probability_lite2_share{end}" for end in ("", "_low", "_high")]].tolist() == list(
        found["unet · l2"]
    )
    said = " ".join(Recognised(c).sentences)
    assert "What is recognised is of 30 photographs whose class ImageNet has." in said
    assert "of the trained rows unet · l2 recovers the most: 49 % (95 % interval 48 to 50)" in said
    assert "Gap recovered (Lite2) [%] ↑" in to_markdown(c)


def test_a_training_judged_without_the_extra_takes_recognition_from_its_own_row_alone(tmp_path):
    folder = write_study(tmp_path / "study", seeds=3)
    whole = compare(folder)
    run = next(run for run in list_runs(folder) if run.label == "unet · l1")
    seen = [name for name in run.per_image if "_lite2" in name]
    run.per_image.assign(**dict.fromkeys(seen, np.nan)).to_csv(run.folder / "per_image.csv", index=False)
    c = compare(folder)
    assert "class_agreement_lite2" in seen and "unet · l1" in whole.intervals["class_agreement_lite2"]
    assert set(whole.intervals["class_agreement_lite2"]) - set(c.intervals["class_agreement_lite2"]) == {"unet · l1"}
    assert c.intervals["delta_e_2000"] == whole.intervals["delta_e_2000"]
    assert "unet · l1" in to_html(c) and "unet · l1" in to_markdown(c)


def test_columns_that_are_no_metric_any_more_are_left_out_with_a_line(study, tmp_path):
    folder = shutil.copytree(study, tmp_path / "copy")
    for run in list_runs(folder):
        table = run.per_image.drop(columns=[name for name in run.per_image if "_lite2" in name])
        table.assign(recognised_b=0.5, perceptual_b=0.1).to_csv(run.folder / "per_image.csv", index=False)
    c = compare(folder)
    assert c.unknown == ["perceptual_b", "recognised_b"] and compare(study).unknown == []
    assert not any("recognised" in name for name in (*c.results, *c.pooled))
    assert "columns that are no metric of this version of colorlib: perceptual_b and recognised_b" in to_html(c)


def test_a_temperature_curve_passes_through_its_rows_own_point(special):
    c = compare(special)
    curve = Temperatures(c).curves.sort_values("temperature")
    own = np.interp(0.38, curve["temperature"], curve["delta_e_2000_moved"])
    assert own == pytest.approx(c.mean("delta_e_2000", "unet · rebalanced_ce"))
    assert curve["colorfulness_hs03_moved"].diff().iloc[-1] == pytest.approx(-18)


def test_names_leave_out_what_all_networks_share(tmp_path):
    rows = {
        f"unet (width 8) · {o}": ("network", 9 + i, 0.5, o, None) for i, o in enumerate(("l1", "l2", "huber", "ce"))
    }
    folder = write_study(tmp_path / "one")
    for run in list_runs(folder):
        if run.config["kind"] == "network":
            shutil.rmtree(run.folder)
    study = json.loads((folder / "study.json").read_text())
    for label, (kind, error, vivid, objective, _) in rows.items():
        name = re.sub(r"\W+", "-", label)
        write_run(folder / name, label, kind, error, vivid, objective, model="unet", cost=network(1, 10))
        study["rows"].append({"id": name, "folder": f"runs/one/{name}", "notebook": "n", "status": "done"})
    write_json(folder / "study.json", study)
    c = compare(folder)
    assert {"l1", "l2", "huber", "ce"} <= set(c.by_label)
    assert ["l2", "unet (width 8) · l2, trained for 10,000 images"] in Ranking(c).table
    write_run(
        folder / "unet-width-8-l1" / "x", "vit (dim 96) · l1", "network", 8, 0.5, "l1", model="vit", cost=network(1, 9)
    )
    assert {"unet · l1", "vit · l1", "grey"} <= set(compare(folder).by_label)


def test_rows_are_called_by_their_alias_and_told_apart_where_two_share_one(tmp_path):
    folder = write_study(tmp_path / "aliases")
    study = json.loads((folder / "study.json").read_text())
    aliases = {"unet-l1-s0": "U", "unet-l1-s1": "U", "plain_cnn-l1-s0": "U", "unet-l2-s0": "brown"}
    rows = [row | ({"alias": aliases[row["id"]]} if row["id"] in aliases else {}) for row in study["rows"]]
    write_json(folder / "study.json", study | {"rows": rows})
    c = compare(folder)
    assert {"brown", "U (model unet)", "U (model plain_cnn)", "unet · rebalanced_ce", "grey"} <= set(c.by_label)
    assert len(c.by_label["U (model unet)"].runs) == 2 and c.by_label["brown"].full.startswith("unet · l2, trained for")


@pytest.mark.parametrize(
    ("labels", "names"),
    [
        (["unet (width 8) · l1", "unet (width 8) · l2"], ["unet (width 8) · l1", "unet (width 8) · l2"]),
        (
            [
                "a (w 1) · l1",
                "a (w 2) · l1 (9 photographs)",
                "b (d 3) · l1 (k 1)",
                "b (d 3) · l1 (k 1) (9 photographs)",
            ],
            ["a (w 1)", "a (w 2, 9 photographs)", "b", "b (9 photographs)"],
        ),
        (
            ["u · 100 l1 + g (c 1)", "u · 10 l1 + g (c 1)", "u · 0.5 p + q (c 1)", "u · l1"],
            ["100 l1 + g", "10 l1 + g", "p + q", "l1"],
        ),
        (
            ["a · l1", "a · l2 (s x)", "b · l2 (s x)", "b · l2 (s y)"],
            ["a · l1", "a · l2", "b · l2 (s x)", "b · l2 (s y)"],
        ),
    ],
)
def test_short_names_drop_what_is_shared_and_keep_what_tells_apart(labels, names):
    assert list(short_names(labels).values()) == names


def test_the_first_table_is_narrow_and_no_column_is_empty(special_page, study, tmp_path):
    for page in (special_page, write_report(study, tmp_path / "report")):
        html, markdown = page.read_text(), (page.parent / "comparison.md").read_text()
        tables = [part.splitlines() for part in markdown.split("\n\n") if part.startswith("| ")]
        assert len(tables[0][0].split(" | ")) <= 9
        for head, _, *lines in tables:
            columns = zip(*(line[2:-2].split(" | ") for line in (head, *lines)), strict=True)
            assert not [name for name, *cells in columns if {*cells} <= {"–", "not measured", "needs 704 pictures"}]
        figures = {path.name for path in (page.parent / "figures").glob("*.png")}
        assert set(re.findall(r'src="figures/(\w+\.png)"', markdown)) == figures
        assert set(re.findall(r'src="figures/(\w+\.png)"', html)) == figures


def test_many_rows_are_folded_and_not_lost(tmp_path):
    rows = {f"vit · l1 (delta {i})": ("network", 9 + i / 10, 0.5, "l1", None) for i in range(MANY)}
    folder = write_study(tmp_path / "many", rows=rows)
    c = compare(folder)
    html = to_html(c)
    labels = [label for label in c.contestants if label != c.grey]
    assert len(labels) > MANY and all(f"bundled-0, {label}" in html for label in labels)
    assert f"{len(labels) + 2 - MANY} more rows" in html and "the numbers are in pairs.csv" in html
    assert "history_rows" in html
    assert len(c.pairs) == len(c.contestants) * (len(c.contestants) - 1) // 2 and (c.pairs["difference"] <= 0).all()


# ----------------------------------------------------------------------------------------------------- pretraining


def test_photographs_that_a_curve_needs_for_an_error():
    counts, errors = [16_000, 1_000, 4_000], [10.0, 12.0, 11.0]  # in any order
    assert photographs_needed(counts, errors, 11.0) == 4_000
    assert photographs_needed(counts, errors, 10.5) == pytest.approx(8_000)  # the geometric middle
    assert photographs_needed(counts, errors, 11.75) == pytest.approx(1_000 * 4**0.25)
    assert photographs_needed(counts, errors, 13.0) == 1_000 and photographs_needed(counts, errors, 9.9) == np.inf
    assert photographs_needed([100, 200, 400], [5.0, 7.0, 3.0], 6.0) == 100  # it got worse in between
    assert photographs_needed([100, 200, 400], [5.0, 7.0, 3.0], 4.0) == pytest.approx(200 * 2**0.75)
    for counts, errors in (([], []), ([1, 2], [3.0])):
        with pytest.raises(ValueError, match="an error for each"):
            photographs_needed(counts, errors, 1.0)


@pytest.fixture(scope="module")
def pretrained(tmp_path_factory):
    """effunet and deoldify, none against tuned, over two numbers of photographs."""
    settings = {}
    for model, more in (("effunet", 0.0), ("deoldify", 1.0)):
        for pretraining, gain in (("none", 0.0), ("tuned", 3.0)):
            for count in (1_000, 4_000):
                label = f"{model} (encoder lite0, pretraining {pretraining}) · l1 ({count:,} photographs)"
                settings[label] = (model, pretraining, count, 12 + more - gain - (2 if count > 1_000 else 0))
    rows = {label: ("network", error, 0.5, "l1", None) for label, (*_, error) in settings.items()}
    folder = write_study(tmp_path_factory.mktemp("runs") / "pretraining", rows=rows)
    for row in json.loads((folder / "study.json").read_text())["rows"]:
        run = folder / row["id"]
        if run.exists() and (found := settings.get(json.loads((run / "config.json").read_text())["label"])):
            model, pretraining, count, _ = found
            options = {"encoder": "lite0", "pretraining": pretraining}
            if model == "effunet":  # its defaults are not written
                options = {} if pretraining == "tuned" else {"pretraining": "none"}
            change(run, model=model, model_options=options, photographs=count)
        elif run.exists() and "network" in (run / "config.json").read_text():
            shutil.rmtree(run)
    return folder


def test_pretraining_is_a_source_of_variance(pretrained):
    """Two networks, 1 apart, with and without pretraining, 3 apart: shares are as 1² to 3², what is left aside."""
    shares = Attribution(compare(pretrained)).shares["delta_e_2000"]
    assert {"architecture", "pretraining"} < set(shares) and "encoder" not in shares
    assert shares["architecture"].levels == shares["pretraining"].levels == 2
    assert shares["pretraining"].share / shares["architecture"].share == pytest.approx(9, rel=0.25)


def test_an_encoder_is_a_source_of_variance_where_rows_differ_in_it(pretrained, tmp_path):
    folder = shutil.copytree(pretrained, tmp_path / "copy")
    for path in folder.glob("*deoldify*none*/config.json"):
        change(path.parent, model_options={})  # its own encoder
    assert Attribution(compare(folder)).shares["delta_e_2000"]["encoder"].levels == 2
    assert "encoder" not in Attribution(compare(write_study(tmp_path / "plain"))).shares.get("delta_e_2000", {})


def test_what_pretraining_is_worth_is_said_in_photographs(pretrained, study):
    section = Pretraining(compare(pretrained))
    assert {name: list(curves) for name, curves in section.curves.items()} == {
        name: ["none", "tuned"] for name in ("effunet", "deoldify")
    }
    curve = section.curves["effunet"]["none"]
    assert curve["photographs"].tolist() == [1_000, 4_000]
    assert curve["mean"].diff().iloc[1] == pytest.approx(-2, abs=0.5) and (curve["low"] < curve["mean"]).all()
    assert len(section.sentences) == 2 and all("more than 3,000 on top of 1,000" in line for line in section.sentences)
    none, tuned = (section.curves["deoldify"][name] for name in ("none", "tuned"))
    assert "is worth, in photographs, nothing on top of 1,000 (" in about_worth(tuned, none)
    halfway = tuned.assign(mean=none["mean"].mean())  # reached at the geometric middle of 1,000 and 4,000
    assert "photographs, about 1,000 on top of 1,000 (" in about_worth(none, halfway)
    assert len(section.charts) == 2 and not Pretraining(compare(study)).present
    assert "## What pretraining is worth" in section.markdown()


def test_each_setting_is_told_beside_the_row_without_it_and_nothing_else(pretrained, study, tmp_path):
    folder = shutil.copytree(pretrained, tmp_path / "copy")
    for path in folder.rglob("config.json"):
        if "deoldify (encoder lite0, pretraining tuned) · l1 (4,000" in json.loads(path.read_text())["label"]:
            change(path.parent, ema=0.99, photographs=1_000, label="deoldify averaged")
    section = Settings(compare(folder))
    *pretraining, (setting, averaged, plain) = section.pairs
    assert len(pretraining) == 3 and {name for name, *_ in pretraining} == {"pretraining"}
    assert all(without == label.replace("tuned", "none") for _, label, without in pretraining)
    assert setting == "ema" and averaged.startswith("deoldify averaged") and "tuned" in plain and "1,000" in plain
    found = section.c.differences[averaged, plain]
    assert found.mean == pytest.approx(-2, abs=0.5)
    told = next(line for line in section.sentences if "Averaged weights" in line)
    assert number(found.mean) in told and averaged in told
    assert len(section.sentences) == 2 and not Settings(compare(study)).present


@pytest.fixture(scope="module")
def tinted(tmp_path_factory):
    """One network in two spaces and two sizes, whose mean colours are known, and a row with slips."""
    folder, rows = tmp_path_factory.mktemp("runs") / "tinted", {"a slip": ("judged", 20.0, 0.1, None, None)}
    tints = {("lab", 8): (1.0, 9.0), ("lab", 16): (2.0, 9.0), ("hsl", 8): (-15.0, 16.0), ("hsl", 16): (-15.0, 18.0)}
    rows |= {f"plain_cnn {size} · l2 ({space})": ("network", 12.0, 0.3, "l2", None) for space, size in tints}
    write_study(folder, rows=rows)
    for run in list_runs(folder):
        table = run.per_image.assign(mean_a=0.0, mean_b=0.0, mean_a_error=-2.0, mean_b_error=-8.0)
        for (space, size), (a, b) in tints.items():
            if run.label == f"plain_cnn {size} · l2 ({space})":
                settings = {"model_options": {"filters": size}, "objective_options": {"space": space}}
                change(run.folder, model="plain_cnn", **settings)
                table = table.assign(mean_a=a, mean_b=b, mean_a_error=a - 2.0, mean_b_error=b - 8.0)
        table.to_csv(run.folder / "per_image.csv", index=False)
        if run.label == "a slip":
            slips = table[["id"]].assign(mse=0.4, mse_right=0.01, delta_e=18.0, delta_e_right=18.0)
            slips.to_csv(run.folder / "slips.csv", index=False)
    return compare(folder)


def test_tint_says_where_brown_and_green_come_from(tinted):
    section = Tint(tinted)
    own, spaces, apart, brown, green, slips = section.sentences
    assert "brown (hue 76°, chroma 8.2)" in own
    assert "in lab is brown (hue 81°, chroma 9.1)" in spaces and "hsl is green (hue 131°, chroma 22.7)" in spaces
    assert "up to 19.2 ab units apart between colour spaces" in apart and "2.0 between sizes" in apart
    assert apart.endswith("the tint comes with the space.")
    assert brown.startswith("The brown in lab is the photographs' own mean")
    assert green.startswith("The green in hsl is no colour of the photographs: their mean is 19.2 ab units away")
    assert slips == "The slips bring no tint of their own."
    assert apart in section.headline
    assert tinted.by_label["a slip"].group == "slip" and "a slip" not in [*tinted.contestants, *tinted.trained]
    tints = {line[0]: line[-1] for line in section.table}
    assert tints["the photographs"] == "brown" and tints["a slip"] == "no tint"


def test_tint_is_for_rows_that_differ_in_their_space(study):
    assert not Tint(compare(study)).present and not Slips(compare(study)).present


def test_slips_are_told_with_and_without(tinted):
    section = Slips(tinted)
    assert section.sentences == ["a slip: takes the mean squared error from 0.0100 to 0.4000."]
    assert section.headline == (
        "a slip has a mean squared error of 0.4000 and a ΔE 76 of 18.00, where 0.3865 and 0.60 were published of the "
        "CWGAN; measured rightly, the same network has 0.0100 and 18.00."
    )
    assert section.table[1] == ["a slip", "0.0100", "0.4000", "18.000", "18.000"]


@pytest.fixture(scope="module")
def budgets(tmp_path_factory):
    """Three designs at four budgets, whose errors are known power laws, and one row trained separately."""
    folder = tmp_path_factory.mktemp("budgets") / "budgets"
    designs = {"small": (8, 10.0, 60.0, 1e5), "wide": (16, 9.0, 90.0, 4e5), "other": (None, 12.0, 10.0, 3e3)}
    rows = []
    for name, (width, floor, scale, parameters) in designs.items():
        for images in (2_000, 8_000, 32_000, 128_000):
            for seed in range(3):
                label = f"unet (width {width}) · l1" if width else "plain_cnn · l1"
                cost = network(30, parameters) | {"images_seen": images, "training_macs": 1e3 * parameters * images}
                error = floor + scale * images**-0.4
                run = write_run(
                    folder / f"{name}-{images}-s{seed}", label, "network", error, 0.5, "l1", seed, cost=cost
                )
                options = {"width": width} if width else {}
                model = "unet" if width else "plain_cnn"
                change(run, images_seen=images, schedule="constant", model=model, model_options=options)
                rows.append(run)
    run = write_run(folder / "separate", "plain_cnn · l1", "network", 12.3, 0.5, "l1", 0, cost=network(30, 3e3))
    change(run, images_seen=8_000, schedule="cosine", learning_rate=0.5, model="plain_cnn", model_options={})
    sweep = pd.DataFrame(
        {"learning_rate": [1e-3, 4e-3], "images_seen": 2_000, "val_loss": [3.0, 2.0], "chosen": [0, 1]}
    )
    for seed in range(3):
        sweep.to_csv(folder / f"small-2000-s{seed}" / "sweep.csv", index=False)
    rows = [{"id": run.name, "folder": f"runs/budgets/{run.name}", "status": "done"} for run in [*rows, run]]
    study = {"format": 1, "name": "budgets", "title": "Budgets", "pictures": [], "data": {}, "rows": rows}
    write_json(folder / "study.json", study)
    return folder


def test_budgets_are_an_axis(budgets):
    section = next(section for section in compare(budgets).sections if isinstance(section, Scaling))
    assert [curve.name for curve in section.curves] == ["unet (width 16) · l1", "unet (width 8) · l1", "plain_cnn · l1"]
    assert section.budgets == [2_000, 8_000, 32_000, 128_000]
    assert section.agreement.loc[2_000, 128_000] == pytest.approx(-1) and section.agreement.loc[32_000, 128_000] == 1
    found = {(line.then, line.ahead): line.images for line in section.crossings.itertuples()}
    small, wide, other = "unet (width 8) · l1", "unet (width 16) · l1", "plain_cnn · l1"
    crossed = {(wide, small): 30**2.5, (small, other): 25**2.5, (wide, other): (80 / 3) ** 2.5}  # of the laws
    assert found.keys() == crossed.keys()
    assert all(found[pair] == pytest.approx(images, rel=0.35) for pair, images in crossed.items())
    line = section.exchange.set_index("images").loc[32_000]
    assert (line["small"], line["large"], len(section.exchange)) == (small, wide, 3)
    by_images = 60 * (32_000**-0.4 - 128_000**-0.4)
    by_weights = 1 - 30 * 32_000**-0.4
    assert line["by_images"] == pytest.approx(by_images, abs=0.15) and line["by_weights"] == pytest.approx(
        by_weights, abs=0.15
    )
    assert line["difference"] == pytest.approx(line["by_images"] - line["by_weights"])
    told = section.forecasts
    assert told["exponent"].tolist() == pytest.approx([0.4] * 3, abs=1e-3)
    assert told.loc[small, "floor"] - told.loc[wide, "floor"] == pytest.approx(1, abs=1e-3)
    assert told["forecast"].tolist() == pytest.approx(told["came"].tolist(), abs=1e-3)
    (separate,) = section.separate.itertuples()
    assert (separate.name, separate.images) == (other, 8_000) and separate.separate == pytest.approx(12.3, abs=1.0)
    assert not separate.equal and "…" in separate.difference  # trained once, so nothing is shown
    assert section.headline.startswith(
        "Of 1 design with one of four times its weights, four times the photographs change"
    )
    text = "\n".join(section.markdown())
    assert "## More photographs" in text and "Kendall's τ between the orders of 3 designs" in text
    assert list(section.charts) == ["scaling_images", "scaling_macs"] and section.table[0][-1] == "came minus forecast"


def test_a_rate_at_the_end_of_what_was_tried_is_named(budgets):
    section = next(section for section in compare(budgets).sections if isinstance(section, Rates))
    small = "unet (width 8) · l1 (2,000 images)"
    assert section.at_an_end == [small] and section.data["sweep.csv"]["label"].tolist() == [small] * 2
    chosen, ends, given = section.sentences
    assert chosen == "For 1 row the learning rate was chosen from 2 by the loss on val after 2,000 photographs."
    assert ends.startswith("Of 1 of them it is the lowest or the highest") and ends.endswith(f"shows: {small}.")
    assert given.startswith("12 rows learned at") and section.table[1] == [small, "0.001: 3", "0.004: 2 (chosen)"]


# --------------------------------------------------------------------------------------------------------- critics


def test_a_critic_stands_beside_the_same_network_without_it(study, tmp_path):
    rows = {
        "unet · l1 + gan": ("network", 10.4, 0.9, {"l1": 1, "gan_hinge": 0.02}, None),
        "unet · pix2pix": ("network", 9.0, 0.9, "pix2pix", None),  # l1, however heavy, is its other term
        "unet · l2 + gan": ("network", 9.0, 0.9, {"l2": 1, "perceptual": 1, "gan_hinge": 1}, None),  # nowhere without
        "vit · l1 + gan": ("network", 9.0, 0.9, {"l1": 1, "gan_projected": 1}, None),  # another network
    }
    folder = write_study(tmp_path / "critics", rows=rows, seeds=3)
    for run in folder.glob("unet-l1-gan-s*"):
        change(run, objective_options={"critic": "unet", "critic_rate": 1e-4})
    write_json(folder / "unet-l1-gan-s1" / "collapse.json", {"why": "it left the photographs", "images_seen": 5_000})
    section = Critics(compare(folder))
    assert section.pairs == dict.fromkeys(["unet · pix2pix", "unet · l1 + gan"], "unet · l1")
    assert "Of 2 rows with a critic" in section.headline and "0 are shown to be lower" in section.headline
    assert (
        section.headline.endswith("and 1 higher.")
        and "with the critic 2 of 2 are more colourful" in section.sentences[1]
    )
    assert section.sentences[-1] == "1 of their 6 trainings collapsed."
    line = next(line for line in section.table if line[0] == "unet · l1 + gan")
    assert line[1].startswith("+1.") and line[2] == "worse" and line[-2:] == ["1 of 3", "unet · l1"]
    assert "## What critics buy" in section.markdown() and "| collapsed |" in "\n".join(section.markdown())
    assert not Critics(compare(study)).present and not Critics(compare(study)).markdown()
