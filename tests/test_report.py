"""The report: what it says must come from the run folders, and it must stand alone."""

import json
import re
import shutil

import numpy as np
import pandas as pd
import pytest
import torch

from colorlib import findings, report
from colorlib.color.lab import encode_lab8
from colorlib.files import write_json
from colorlib.metrics import METRICS
from colorlib.plots import LAWS
from colorlib.runs.run import begin, list_runs, write_pictures, write_table

IMAGES = 40


def write_run(folder, label, kind, error, vivid, objective=None, seed=0, model=None, laws=None, ids=None, cost=None):
    """A run as training and evaluation leave it: every photograph is as hard for all rows, plus noise of this one."""
    rng = np.random.default_rng(int.from_bytes(f"{label}{seed}".encode(), "big") % 2**32)
    hard = np.random.default_rng(7).normal(0, 2, IMAGES)
    delta_e = np.maximum(0.1, error + hard + rng.normal(0, 0.6, IMAGES))
    true = 40 + 4 * hard
    table = {"id": ids or [f"photo-{i:03}" for i in range(IMAGES)]}
    table |= {name: np.abs(rng.normal(delta_e / 20, 0.02)) for name in METRICS}
    table |= {"delta_e_2000": delta_e, "delta_e_76": 1.4 * delta_e, "mse_rgb": 1e-4 * delta_e**1.5}
    table |= {"psnr_rgb_db": 33 - delta_e, "psnr_ab_db": 34 - delta_e, "ssim_rgb_gauss11": 0.99 - delta_e / 300}
    table |= {"auc_raw": 98 - delta_e / 2, "auc_rebalanced": 70 + 20 * vivid - delta_e / 2}
    for name, scale in (("colorfulness_hs03", 1.0), ("colorfulness_abs", 0.9), ("mean_chroma", 0.5)):
        table |= {name: scale * vivid * true, f"{name}_error": scale * (vivid - 1) * true}
    for law, kept in zip(LAWS, laws or (), strict=False):
        table |= {f"share_{law}": np.full(IMAGES, 0.3), f"delta_e_76_{law}": delta_e * (1 + kept) / 2}
        table |= {f"mean_chroma_{law}": kept * true, f"mean_chroma_true_{law}": true}
    identity = {"name": folder.name, "label": label, "kind": kind, "model": model or label.split(" · ")[0]}
    identity |= {"objective": objective, "seed": seed, "data": "scenes", "data_fingerprint": "0011223344556677"}
    if kind == "network":
        identity |= {"images_seen": 10_000, "learning_rate": 1e-3}
        seen = np.arange(1, 11) * 1000
        write_table(
            folder / "history.csv",
            pd.DataFrame(
                {"images_seen": seen, "val_delta_e_76": 1.4 * error + 9 * np.exp(-seen / (2000 + 300 * seed))}
            ),
        )
    begin(folder, identity)
    write_table(folder / "per_image.csv", pd.DataFrame(table))
    write_json(
        folder / "cost.json",
        {"ms_per_image": 0.05, "threads": 1, "device": "cpu", "train_seconds": None} | (cost or {}),
    )
    if kind != "oracle":
        for name, size, count in (("bundled", (48, 64), 5), ("test", (32, 32), 6)):
            pictures = {f"{name}-{i}": _picture(i, size, vivid, 3.0 * error) for i in range(count)}
            write_pictures(folder, name, pictures)
    return folder


def _picture(number, size, vivid, noise):
    y, x = np.mgrid[0 : size[0], 0 : size[1]] / max(size)
    L = 55 + 30 * np.sin(5 * x + number) * np.cos(4 * y)
    ab = np.stack([45 * np.sin(3 * x + 2 * number), 45 * np.cos(2 * y + number)])
    wrong = vivid * ab + noise * np.sin(9 * x * (1 + number / 3))
    L8, ab8 = encode_lab8(torch.from_numpy(np.concatenate([L[None], wrong])).float()[None])
    _, ab8_true = encode_lab8(torch.from_numpy(np.concatenate([L[None], ab])).float()[None])
    return L8[0].numpy(), ab8[0].numpy(), ab8_true[0].numpy()


def network(seconds, parameters):
    return {"train_seconds": seconds, "ms_per_image": parameters / 2e5, "parameters": parameters} | {
        "macs_per_image": 80 * parameters, "images_seen": 10_000, "peak_memory_mb": 420.0,
    }  # fmt: skip


def write_study(folder, **changes):
    """Four networks (one of them twice, with two seeds), three trivial rows, four oracles and one failed row."""
    rows = {
        "grey": ("baseline", 13.0, 0.0, None, (0.0, 0.0, 0.0)),
        "mean_ab": ("baseline", 12.6, 0.15, None, (0.2, 0.2, 0.2)),
        "random_photo": ("baseline", 16.0, 0.9, None, (0.9, 0.9, 0.9)),
        "bayes_l2": ("oracle", 7.5, 0.6, None, (1.0, 0.6, 0.08)),
        "bayes_l1": ("oracle", 7.3, 0.62, None, (1.0, 0.7, 0.1)),
        "bayes_ce": ("oracle", 8.2, 0.95, None, (1.0, 0.9, 0.6)),
        "bayes_rebalanced_ce": ("oracle", 8.9, 0.99, None, (1.0, 0.95, 0.9)),
        "unet · l2": ("network", 9.4, 0.5, "l2", (0.8, 0.5, 0.12)),
        "unet · l1": ("network", 9.0, 0.55, "l1", (0.85, 0.55, 0.15)),
        "unet · rebalanced_ce": ("network", 10.2, 0.97, "rebalanced_ce", (0.9, 0.85, 0.7)),
        "plain_cnn · l1": ("network", 12.7, 0.2, "l1", (0.4, 0.3, 0.1)),
    } | changes.pop("rows", {})
    study = {
        "format": 1, "name": "tiny", "title": "A tiny study", "question": "Which loss colours best?",
        "data": {"name": "scenes", "splits": {"train": 400, "val": 60, "test": 60}, "flags": {"near_grey": 3}},
        "pictures": ["bundled", "test"], "margin": {"delta_e_2000": 0.5}, "versions": {"python": "3.12.1"},
        "machine": {"cores": 2}, "started": 1_700_000_000.0, "wall_seconds": 61.0, "rows": [],
    } | changes  # fmt: skip
    for label, (kind, error, vivid, objective, laws) in rows.items():
        for seed in (0, 1) if label == "unet · l1" else (0,):
            name = re.sub(r"\W+", "-", label) + f"-s{seed}"
            cost = network(30 + 2 * error, 700_000 if "unet" in label else 3_000) if kind == "network" else None
            if cost:
                cost["images_seen"] += 5 * seed  # as in equal seconds: the mean of two is no whole number
            write_run(folder / name, label, kind, error, vivid, objective, seed, None, laws, cost=cost)
            study["rows"].append(
                {"id": name, "folder": f"runs/tiny/{name}", "notebook": "n.ipynb", "parameters": {"SEED": seed}}
                | {
                    "status": "done",
                    "error": None,
                    "command": f"colorlib row {name}",
                    "seconds": 31.0,
                    "log": "n.ipynb",
                }
            )
    study["rows"].append(
        {"id": "eccv16-l1-s0", "folder": "runs/tiny/eccv16-l1-s0", "notebook": "n.ipynb", "parameters": {}}
        | {"status": "failed", "error": "ValueError: the loss is NaN at step 12 <b>", "command": "x", "seconds": 2.0}
    )
    write_json(folder / "study.json", study)
    return folder


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    return write_study(tmp_path_factory.mktemp("runs") / "tiny")


@pytest.fixture(scope="module")
def page(study, tmp_path_factory):
    return report.write_report(study, tmp_path_factory.mktemp("reports") / "tiny")


def comparison(folder):
    contents = json.loads((folder / "study.json").read_text())
    contents["rows"] = [report.OPTIONAL | row for row in contents["rows"]]
    return report.Comparison(contents, report.gather_rows(contents, folder))


def test_all_files_are_written(page):
    names = {str(path.relative_to(page.parent)) for path in page.parent.rglob("*") if path.is_file()}
    figures = "forest pareto laws_chroma laws_delta_e history pairwise pictures_bundled pictures_test".split()
    tables = ("index.html", "results.csv", "pairs.csv", "comparison.md")
    assert names == {*tables, *(f"figures/{name}.png" for name in figures)}
    assert page.stat().st_size < 4_000_000


def test_page_stands_alone(page):
    html = page.read_text()
    assert not re.search(r"""(src|href)=["'](?!data:|#)""", html)
    assert "<script" not in html and "@import" not in html and "url(" not in html


def test_answer_is_computed(study):
    means = {}
    for run in list_runs(study):
        means.setdefault(run.label, []).append(run.per_image["delta_e_2000"].mean())
    best, grey = np.mean(means["unet · l1"]), np.mean(means["grey"])
    first, second, third = report.answer(comparison(study))
    assert first.startswith("unet · l1 colours these photographs best") and f"{best:.2f}" in first
    assert "40 photographs, 2 trainings" in first
    assert f"{grey - best:.2f} below leaving every photograph grey" in second and "unet · l2" in second
    assert "unet · rebalanced_ce comes nearest" in third and "plain_cnn · l1 washes out most" in third
    assert "(97 %)" in third and "(20 %)" in third


def test_other_data_give_another_answer(tmp_path):
    rows = {"unet · l2": ("network", 6.0, 0.5, "l2", (0.8, 0.5, 0.4))}
    folder = write_study(tmp_path / "other", rows=rows)
    first, second, _ = report.answer(comparison(folder))
    assert first.startswith("unet · l2 colours") and "runner-up, unet · l1" in second


def test_honest_when_nothing_beats_grey(tmp_path):
    rows = {"grey": ("baseline", 5.0, 0.0, None, (0.0,) * 3)}
    c = comparison(write_study(tmp_path / "sad", rows=rows))
    first, second, _ = report.answer(c)
    assert first.startswith("No trained row comes first: grey") and "above leaving every photograph grey" in second
    assert "worse, p < 0.01 after Holm's correction" in second
    assert sum("is not shown to be better than" in sentence for sentence in findings.about_training(c)) == 4


def test_small_difference_is_called_small(tmp_path):
    c = comparison(write_study(tmp_path / "wide", margin={"delta_e_2000": 2.0}))
    assert "no difference larger than 2" in report.answer(c)[1]


def test_failures_are_named_and_escaped(page):
    html = page.read_text()
    assert "eccv16-l1-s0" in html and "the loss is NaN at step 12 &lt;b&gt;" in html
    assert "the loss is NaN at step 12" in (page.parent / "comparison.md").read_text()


def test_text_from_outside_is_escaped(tmp_path):
    rows = {"<script>alert(1)</script> | x": ("network", 8.0, 0.5, "l2", (0.8, 0.5, 0.4))}
    c = comparison(write_study(tmp_path / "rude", rows=rows, title="A & <i>B</i>"))
    html = report.to_html(c, {}, {})
    assert "<script" not in html and "&lt;script&gt;" in html and "<i>B" not in html
    tables = [part.splitlines() for part in report.to_markdown(c).split("\n\n") if part.startswith("|")]
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
    assert table["against_grey"]["unet · l2"] == "better" and table["against_best"]["random_photo"] == "worse"
    mse = pd.read_csv(study / "unet-l2-s0" / "per_image.csv")["mse_rgb"].mean()
    assert table["psnr_pooled_db"]["unet · l2"] == pytest.approx(-10 * np.log10(mse))


def test_law_table_weighs_pixels(tmp_path):
    folder = write_study(tmp_path / "laws")
    path = folder / "unet-l2-s0" / "per_image.csv"
    table = pd.read_csv(path)
    table.loc[0, ["share_free", "mean_chroma_free", "mean_chroma_true_free", "delta_e_76_free"]] = [0, *[np.nan] * 3]
    table.loc[1, "share_free"] = 1.0
    table.to_csv(path, index=False)
    weight = table["share_free"].to_numpy()[1:]
    kept = (weight @ table["mean_chroma_free"][1:]) / (weight @ table["mean_chroma_true_free"][1:])
    laws = comparison(folder).laws.set_index(["name", "law"])
    assert laws.loc[("unet · l2", "free"), "kept"] == pytest.approx(kept)
    assert laws.loc[("unet · l2", "free"), "oracle"] == "bayes_l2" and pd.isna(laws.loc[("grey", "free"), "oracle"])


def test_law_sentences(study):
    sentences = findings.about_laws(comparison(study))
    assert "keeps 8 % of the chroma: L2 turns brown" in sentences[0]
    l1, l2, rebalanced = sentences[1:]
    assert l2.startswith("Under l2, unet · l2 keeps 12 % of the chroma") and "stands 4 points of chroma" in l2
    assert "bayes_rebalanced_ce, keeps 90 %" in rebalanced and "stands 20 points" in rebalanced
    assert "plain_cnn · l1 10 % (" in l1 and "plain_cnn · l1 stands 0 points" in l1


def test_metrics_that_disagree_are_named(study):
    sentences = " ".join(report.about_crowns(comparison(study)))
    assert "would have crowned unet · rebalanced_ce" in sentences and "Rebalanced AuC" in sentences


def test_same_files_give_the_same_bytes(study, page, tmp_path):
    again = report.write_report(study, tmp_path / "again")
    for path in page.parent.rglob("*.*"):
        assert path.read_bytes() == (again.parent / path.relative_to(page.parent)).read_bytes(), path.name


def test_pictures_follow_the_rule_and_the_permission(study, tmp_path):
    c = comparison(study)
    samples = report.choose_samples(c, "bundled")
    assert [sample.reason.split(",")[0] for sample in samples] == ["best", "median", "worst", "most disputed"]
    assert list(samples[0].photos)[:3] == ["truth", "grey", "unet · l1"]
    scores = [float(sample.reason.split()[-1]) for sample in samples]
    assert scores[0] <= scores[1] <= scores[2]
    folder = tmp_path / "copy"
    shutil.copytree(study, folder)
    write_json(folder / "study.json", json.loads((folder / "study.json").read_text()) | {"pictures": ["bundled"]})
    earlier = tmp_path / "report" / "figures" / "pictures_test.png"
    earlier.parent.mkdir(parents=True)
    earlier.touch()
    page = report.write_report(folder, tmp_path / "report")
    assert not earlier.exists() and "test-0" not in page.read_text() and "bundled-0" in page.read_text()


def test_photographs_data_without_laws_or_optional_columns(tmp_path):
    folder = write_study(tmp_path / "plain")
    for path in folder.glob("*/per_image.csv"):
        pd.read_csv(path)[["id", "delta_e_2000", "ssim_rgb_gauss11"]].to_csv(path, index=False)
    for path in folder.glob("*/history.csv"):
        path.unlink()
    shutil.rmtree(folder / "grey-s0")
    shutil.rmtree(folder / "unet-l2-s0" / "pictures")
    html = report.write_report(folder, tmp_path / "report").read_text()
    assert "By law of colour" not in html and "Learning curves" not in html and "The comparison" in html


def test_nothing_finished(tmp_path):
    folder = write_study(tmp_path / "none")
    for path in folder.glob("*/per_image.csv"):
        path.unlink()
    html = report.write_report(folder, tmp_path / "report").read_text()
    assert "No row of this study has finished" in html and "the loss is NaN" in html


def test_only_baselines(tmp_path):
    folder = write_study(tmp_path / "base")
    for path in folder.glob("*cnn*/per_image.csv"):
        path.unlink()
    for path in folder.glob("unet*/per_image.csv"):
        path.unlink()
    c = comparison(folder)
    assert report.answer(c)[0].startswith("No network of this study has finished")
    assert "pareto" in report.draw_figures(c, {}) and "No network" in report.to_html(c, {}, {})


def test_rows_the_study_no_longer_holds_are_left_out_and_judged_ones_stay(tmp_path):
    folder = write_study(tmp_path / "stale")
    write_run(folder / "old-row", "old · l1", "network", 1.0, 0.9, "l1", cost=network(1, 10))
    write_run(folder / "judged" / "mine", "my pictures", "judged", 8.0, 0.9)
    table = comparison(folder).results
    assert "old · l1" not in table.index and table["group"]["my pictures"] == "judged"


def test_same_label_other_settings_are_two_rows(tmp_path):
    folder = write_study(tmp_path / "twice")
    path = folder / "unet-l1-s1" / "config.json"
    write_json(path, json.loads(path.read_text()) | {"images_seen": 5_000})
    labels = list(comparison(folder).by_label)
    assert "unet · l1" in labels and "unet · l1 (5,000 images)" in labels


def test_photographs_that_not_all_rows_judged_are_left_out(tmp_path):
    folder = write_study(tmp_path / "less")
    path = folder / "mean_ab-s0" / "per_image.csv"
    pd.read_csv(path)[:30].to_csv(path, index=False)
    c = comparison(folder)
    assert len(c.ids) == 30 and c.left_out == 10
    pd.read_csv(path).assign(id=[f"other-{i}" for i in range(30)]).to_csv(path, index=False)
    with pytest.raises(ValueError, match="none is common to all"):
        comparison(folder)


def test_missing_study(tmp_path):
    with pytest.raises(FileNotFoundError, match="no study.json"):
        report.write_report(tmp_path, tmp_path / "report")


@pytest.mark.parametrize(
    ("value", "text"), [(-1.5, "−1.50"), (1234.5, "1,234.50"), (-0.001, "0.00"), (None, "–"), (float("nan"), "–")]
)
def test_numbers(value, text):
    assert findings.number(value) == text


# ---- what only some studies have ---------------------------------------------------------------------------------


def change(run, **settings):
    """Change settings in a run's config.json."""
    path = run / "config.json"
    write_json(path, json.loads(path.read_text()) | settings)


@pytest.fixture
def special(tmp_path):
    """The tiny study, with a collapse, distances between sets, curves, and two rows with a budget of seconds."""
    rows = {
        f"{name} · l1 (timed)": ("network", error, 0.5, "l1", None) for name, error in (("unet", 9.5), ("vit", 9.2))
    }
    folder = write_study(tmp_path / "special", rows=rows)
    for name in ("unet", "vit"):
        run = folder / f"{name}-l1-timed--s0"
        change(run, label=f"{name} · l1", model=name, seconds=60.0, images_seen=1_000_000, model_options={})
    write_json(folder / "unet-l2-s0" / "collapse.json", {"why": "the critic is always right", "images_seen": 4_000})
    sets = {"n": 40, "subset": 20, "subsets": 100, "frechet_b": None, "frechet_b_needs": 384}
    for number, run in enumerate(sorted(folder.glob("*-s*"))):
        write_json(
            run / "sets.json", sets | {"kernel_b": 0.01 * number, "kernel_b_sd": 0.002, "fid": None, "kid": None}
        )
    curve = {"images": 40, "delta_e_76": 9.0, "psnr_rgb_db": 23.0}
    temperatures = [
        curve | {"temperature": t, "delta_e_2000": 10 - t, "colorfulness_hs03": 40 - 20 * t} for t in (0.1, 1)
    ]
    write_table(folder / "unet-rebalanced_ce-s0" / "temperature.csv", pd.DataFrame(temperatures))
    told = [
        curve | {"hints": n, "psnr_rgb_db": 23 + n, "psnr_rgb_db_low": 22 + n, "psnr_rgb_db_high": 24 + n}
        for n in (0, 5)
    ]
    write_table(folder / "vit-l1-timed--s0" / "hints.csv", pd.DataFrame(told))
    several = {"images": 40, "mean_of_k_chroma": 9.0}
    tries = [
        several | {"k": k, "diversity": 8.0, "mean_of_k_delta_e_76": 12.0, "best_of_k_delta_e_76": 12 - k}
        for k in (1, 4)
    ]
    write_table(folder / "unet-l1-s0" / "several.csv", pd.DataFrame(tries))
    return folder


def test_special_parts_stand_in_page_and_markdown(special, tmp_path):
    page = report.write_report(special, tmp_path / "report")
    html, markdown = page.read_text(), (page.parent / "comparison.md").read_text()
    for text in (html, markdown):
        for heading in ("Equal images, equal seconds", "What the variance goes with", "Colder and warmer", "Hints"):
            assert heading in text
        assert "Several answers" in text and "not measured" in text and "needs 384 pictures" in text
        assert "unet · l2, seed 0, collapsed after 4,000 photographs: the critic is always right" in text.replace(
            "\u00a0", " "
        )
    figures = {path.stem for path in (page.parent / "figures").glob("*.png")}
    assert {"temperature", "hints", "several"} <= figures


def test_rows_of_seconds_stand_apart_from_rows_of_images(special):
    c = comparison(special)
    assert {"unet · l1 (60 s)", "vit · l1 (60 s)", "unet · l1"} <= set(c.by_label)
    (images, by_images), (seconds, by_seconds) = c.budgets.items()
    assert str(images) == "10,000 images" and str(seconds) == "60 s"
    assert [row.short for row in by_seconds] == ["vit · l1", "unet · l1"] and len(by_images) == 4


def test_distances_between_sets_are_compared_only_where_they_were_measured_alike(special):
    path = special / "unet-l2-s0" / "sets.json"
    write_json(path, json.loads(path.read_text()) | {"n": 30})
    scores = comparison(special).sets["kernel_b"]
    assert not scores["unet · l2"].compared and scores["unet · l1"].compared and scores["unet · l1"].n == 40


def test_a_temperature_curve_passes_through_its_rows_own_point(special):
    c = comparison(special)
    curve = c.temperatures.sort_values("temperature")
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
    c = comparison(folder)
    assert {"l1", "l2", "huber", "ce"} <= set(c.by_label)
    assert findings.about_labels(c) == "The networks, in full: unet (width 8)."
    write_run(
        folder / "unet-width-8-l1" / "x", "vit (dim 96) · l1", "network", 8, 0.5, "l1", model="vit", cost=network(1, 9)
    )
    assert {"unet · l1", "vit · l1", "grey"} <= set(comparison(folder).by_label)


def test_costs_are_means_over_seeds_and_whole(study):
    results = comparison(study).results
    assert results.loc["unet · l1", "images_seen"] == 10_002 and results.loc["unet · l2", "images_seen"] == 10_000
    assert results["images_seen"].dtype == "Int64" and results.loc["grey", "images_seen"] is pd.NA


def test_many_rows_are_folded_and_not_lost(tmp_path):
    rows = {f"vit · l1 (delta {i})": ("network", 9 + i / 10, 0.5, "l1", None) for i in range(report.MANY)}
    folder = write_study(tmp_path / "many", rows=rows)
    html = report.write_report(folder, tmp_path / "report").read_text()
    c = comparison(folder)
    labels = [label for label in c.contestants if label != c.grey]
    assert len(labels) > report.MANY and all(f"bundled-0, {label}" in html for label in labels)
    assert f"{len(labels) + 2 - report.MANY} more rows" in html and "the numbers are in pairs.csv" in html
    pairs = pd.read_csv(tmp_path / "report" / "pairs.csv")
    assert len(pairs) == len(c.contestants) * (len(c.contestants) - 1) // 2 and (pairs["difference"] <= 0).all()
