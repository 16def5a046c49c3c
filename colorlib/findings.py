"""What a comparison found, in sentences: each is made from its numbers and names, and none is typed."""

import itertools
import math
import re
from collections.abc import Iterable

import numpy as np
import pandas as pd

from colorlib.comparison import PRIMARY, Comparison, own_oracle, shortened, usual_budget
from colorlib.objectives import describe_objective
from colorlib.runs.run import Run
from colorlib.statistics import bootstrap as statistics
from colorlib.statistics.variance import Share

HEADS = {
    "delta_e_2000": "ΔE 2000",
    "delta_e_76": "ΔE 76",
    "psnr_rgb_db": "Mean PSNR",
    "psnr_pooled_db": "Pooled PSNR",
    "ssim_rgb_gauss11": "SSIM",
    "auc_raw": "AuC",
    "auc_rebalanced": "Rebalanced AuC",
    "colorfulness_hs03": "Colourfulness",
    "mean_chroma": "Mean chroma",
    "out_of_gamut_share": "Out of gamut",
}
SEEN = {  # by networks rather than by pixels
    "recognised_b": "Recognised (b)",
    "class_agreement_b": "Same class (b)",
    "perceptual_b": "Perceptual (b)",
    "lpips_alex": "LPIPS",
    "frechet_b": "Fréchet (b)",
    "kernel_b": "Kernel (b)",
    "fid": "FID",
    "kid": "KID",
}
NAMES = (
    HEADS
    | SEEN
    | {
        "recognised_b_error": "Recognised (b), signed error",
        "psnr_ab_db": "PSNR of ab",
        "mse_rgb": "MSE",
        "ab_mae": "MAE of ab",
        "ab_rmse": "RMSE of ab",
        "auc_rebalanced_pooled": "Pooled rebalanced AuC",
        "ab_histogram_distance": "ab histogram distance",
        "colorfulness_hs03_error": "Colourfulness, signed error",
        "colorfulness_hs03_gap": "Colourfulness gap",
        "colorfulness_hs03_mae": "Colourfulness error",
        "colorfulness_abs": "Colourfulness (abs.)",
        "colorfulness_abs_error": "Colourfulness (abs.), signed error",
        "colorfulness_abs_gap": "Colourfulness gap (abs.)",
        "colorfulness_abs_mae": "Colourfulness error (abs.)",
        "mean_chroma_error": "Mean chroma, signed error",
    }
)


# ---- numbers and names -------------------------------------------------------------------------------------------


def number(value: float | None, decimals: int = 2) -> str:
    """Write a number with a real minus sign and a comma between thousands; – where there is none."""
    if value is None or pd.isna(value):
        return "–"
    text = f"{value:,.{decimals}f}"
    if not float(text.replace(",", "")):
        text = text.lstrip("-")
    return text.replace("-", "−")


def signed(value: float) -> str:
    return ("+" if value > 0 else "") + number(value)


def short(value: float | None) -> str:
    """Write a large number shortly: 1.2 M."""
    if value is None or pd.isna(value):
        return "–"
    for size, letter in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if value >= size:
            return f"{value / size:.3g} {letter}"
    return f"{value:.3g}" if value >= 0.01 or not value else "< 0.01"


def percent(value: float) -> str:
    return f"{number(100 * value, 0)} %"


def tidy(text: str) -> str:
    """Keep numbers on one line with their sign."""
    return re.sub(r"(?<=\d) (?=%|ΔE)|(?<=p) (?=[<=])|(?<=[<=]) (?=\d)|(?<=95 %) |(?<=ΔE) ", "\u00a0", text)


def listed(names: Iterable[str]) -> str:
    names = list(names)
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)


def plural(count: int, noun: str) -> str:
    return f"{count:,} {noun}" + ("" if count == 1 else "s")


def head(metric: str) -> str:
    return NAMES.get(metric, metric)


# ---- sentences ---------------------------------------------------------------------------------------------------


def describe_run(run: Run) -> str:
    """Say in Markdown what a trained run reached and what it cost: the sentence that ends every network's notebook."""
    error, cost = statistics.mean_interval(run.per_image["delta_e_76"]), run.cost
    chroma = run.per_image[["mean_chroma", "mean_chroma_error"]].mean()
    kept = chroma["mean_chroma"] / (chroma["mean_chroma"] - chroma["mean_chroma_error"])
    return (
        f"**{run.label}** after {cost['images_seen']:,} photographs and {cost['train_seconds']:,.0f} s of training: "
        f"mean ΔE76 {error.mean:.1f} ({error.low:.1f} to {error.high:.1f}) on {len(run.per_image):,} test photographs, "
        f"with {kept:.0%} of their chroma. It has {cost['parameters']:,} weights and takes "
        f"{cost['macs_per_image'] / 1e6:,.0f} million MACs and {cost['ms_per_image']:.1f} ms for one photograph "
        f"({cost['device']}, threads: {cost['threads']})."
    )


def _about_difference(comparison: Comparison, other: str, name: str) -> str:
    """Say how the best row stands to another, from the other's side of the comparison: size, interval, certainty."""
    difference = comparison.differences[comparison.best, other]
    verdict = comparison.verdict(comparison.best, other)
    size = f"{number(abs(difference.mean))} {'below' if difference.mean < 0 else 'above'} {name}"
    if difference.low * difference.high > 0:
        low, high = sorted((abs(difference.low), abs(difference.high)))
        interval = f"95 % interval {number(low)} to {number(high)}"
    else:
        interval = f"95 % interval of the difference {number(difference.low)} to {number(difference.high)}"
    if not verdict.startswith("no difference"):
        p = next((f"p < {bound}" for bound in (0.001, 0.01) if difference.p < bound), f"p = {difference.p:.2f}")
        verdict += f", {p} after Holm's correction"
    return f"{size} ({interval}; {verdict})"


def answer(comparison: Comparison) -> list[str]:
    """Answer the study's question in three sentences made from the data."""
    c = comparison
    if not c.contestants:
        return ["No row of this study has finished, so there is nothing to compare yet; the failures below say why."]
    best = c.intervals[PRIMARY][c.best]
    seeds = len(c.by_label[c.best].runs)
    scored = (
        f"with a mean {head(PRIMARY)} of {number(best.mean)} (95 % interval {number(best.low)} to "
        f"{number(best.high)}; {plural(len(c.ids), 'photograph')}, {plural(seeds, 'training')}; lower is better)"
    )
    if not c.trained:
        sentences = [
            f"No network of this study has finished; of the rows that need no training, {c.best} is best, {scored}."
        ]
    elif c.contestants[0] != c.best:
        above = listed(label for label in c.contestants[: c.contestants.index(c.best)])
        sentences = [
            f"No trained row comes first: {above}, without training, lies ahead of the best, {c.best}, {scored}."
        ]
    else:
        sentences = [f"{c.best} colours these photographs best, {scored}."]
    others = [label for label in c.trained if label != c.best]
    parts = [_about_difference(c, others[0], f"the runner-up, {others[0]}")] if others else []
    if c.grey and c.grey != c.best:
        parts.append(_about_difference(c, c.grey, "leaving every photograph grey"))
    if parts:
        sentences.append("Its " + head(PRIMARY) + " lies " + " and ".join(parts) + ".")
    sentences.append(_best_by_budget(c))
    sentences.append(_vividness(c))
    return [sentence for sentence in sentences if sentence]


def _best_by_budget(c: Comparison) -> str:
    """Name the best row of each budget, where a study has budgets of images and of seconds."""
    parts = []
    for budget, rows in c.budgets.items():
        best = c.intervals[PRIMARY][rows[0].label]
        parts.append(
            f"of {plural(len(rows), 'row')} trained for {budget} {rows[0].short} is best ({head(PRIMARY)} "
            f"{number(best.mean)}, 95 % interval {number(best.low)} to {number(best.high)})"
        )
    return _sentence(listed(parts) + ".") if parts else ""


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]


def _vividness(c: Comparison) -> str:
    name = "colorfulness_hs03"
    truth, values = c.truth(name), c.intervals.get(name, {})
    values = {label: values[label].mean for label in c.trained if label in values}
    if not values or not truth > 0:
        return ""
    nearest = min(values, key=lambda label: abs(values[label] - truth))
    dullest = min(values, key=values.get)
    start = f"The photographs' own colourfulness is {number(truth, 1)}: "
    if len(values) == 1:
        return start + f"{nearest} reaches {number(values[nearest], 1)} ({percent(values[nearest] / truth)})."
    text = f"{nearest} comes nearest with {number(values[nearest], 1)} ({percent(values[nearest] / truth)})"
    if dullest != nearest:
        share = values[dullest] / truth
        word = "washes out most" if share < 0.9 else "is least colourful"
        text += f", {dullest} {word} with {number(values[dullest], 1)} ({percent(share)})"
    if c.best in values and c.best not in (nearest, dullest):
        text += f", and {c.best} keeps {percent(values[c.best] / truth)}"
    return start + text + "."


def about_seeds(c: Comparison) -> str:
    """Say what the intervals cover."""
    single = [label for label in c.trained if c.by_label[label].group == "trained" and len(c.by_label[label].runs) == 1]
    if not single:
        return "Intervals cover the choice of photographs and of the training's random seed."
    networks = [label for label in c.trained if c.by_label[label].group == "trained"]
    if len(single) == len(networks):
        who = "Every network was"
    elif len(single) > 3:
        who = f"{len(single)} of {len(networks)} networks were"
    else:
        who = f"{listed(single)} {'was' if len(single) == 1 else 'were'}"
    return f"{who} trained once: those intervals cover the choice of photographs, not the luck of a training."


def about_laws(c: Comparison) -> list[str]:
    """Say how far each objective stands from the best it could do, on things that may have any colour."""
    table = c.laws[c.laws["law"] == "free"].set_index("name")
    if table.empty:
        return []
    oracles = {row.config["model"]: row.label for row in c.rows if row.group == "oracle"}
    sentences = []
    if oracles.get("bayes_l2") in table.index:
        kept = table["kept"][oracles["bayes_l2"]]
        sentences.append(
            f"On things of any hue, the best possible answer under L2, the mean of all hues, keeps {percent(kept)} of "
            f"the chroma: {'L2 turns brown, and no training cures it.' if kept < 0.5 else 'here L2 keeps most of it.'}"
        )
    under: dict[tuple[str, str | None], list[str]] = {}
    for label in c.trained:
        config = c.by_label[label].config
        if label in table.index and config.get("objective"):
            under.setdefault((describe_objective(config["objective"]), own_oracle(config)), []).append(label)
    errors = table["delta_e_76"].map(lambda value: number(value, 1))
    for (objective, _), labels in under.items():
        first, *others = labels
        words = [f"{first} keeps {percent(table['kept'][first])} of the chroma (ΔE 76 {errors[first]})"]
        words += [f"{label} {percent(table['kept'][label])} ({errors[label]})" for label in others]
        text = f"Under {objective}, {listed(words)}"
        oracle = table["oracle"][labels[0]]
        if oracle in table.index:
            own = table.loc[oracle]
            near = (table["kept"][labels] - own["kept"]).abs().idxmin()
            text += (
                f". Its oracle, {oracle}, keeps {percent(own['kept'])} ({errors[oracle]}): "
                f"{near if len(labels) > 1 else 'the network'} stands "
                f"{number(abs(100 * (table['kept'][near] - own['kept'])), 0)} points of chroma and "
                f"{number(abs(table['delta_e_76'][near] - own['delta_e_76']), 1)} ΔE from it"
            )
        sentences.append(text + ".")
    return sentences


def about_crowns(c: Comparison) -> list[str]:
    """Say where the metrics disagree."""
    if not c.crowns:
        return []
    winners: dict[str, list[str]] = {}
    for crown in c.crowns:
        winners.setdefault(crown["winner"], []).append(head(crown["metric"]))
    agree = len(winners.pop(c.best, []))
    sentences = [f"{agree} of {plural(len(c.crowns), 'metric')} crown {c.best}, as {head(PRIMARY)} does."]
    for winner, metrics in sorted(winners.items(), key=lambda item: -len(item[1])):
        sentences.append(f"{listed(metrics)} would have crowned {winner}.")
    fooled = [head(crown["metric"]) for crown in c.crowns if crown["trivial"]]
    if fooled:
        sentences.append(f"By {listed(fooled)}, a row that needs no training equals or beats every trained one.")
    low = min(c.crowns, key=lambda crown: crown["tau"] if math.isfinite(crown["tau"]) else 2)
    if math.isfinite(low["tau"]) and low["tau"] < 1:
        sentences.append(
            f"The order farthest from that of {head(PRIMARY)} is that of {head(low['metric'])} "
            f"(Kendall's τ {number(low['tau'])} over {plural(len(c.contestants), 'row')})."
        )
    return sentences


def _why(c: Comparison, label: str, lost: list[str]) -> str:
    """Say what the files say of why a trained row does not beat rows without training: too bold, or too early."""
    chroma = c.intervals.get("mean_chroma", {})
    if {label, *lost} <= chroma.keys() and chroma[label].mean > max(chroma[other].mean for other in lost):
        theirs, own = max(chroma[other].mean for other in lost), c.truth("mean_chroma")
        return (
            f"Its mean chroma is {number(chroma[label].mean, 1)}, theirs at most {number(theirs, 1)} and the "
            f"photographs' own {number(own, 1)}: where the hue is wrong, a strong colour errs more than a faint one."
        )
    history = c.by_label[label].runs[0].history
    if history is None or len(history) < 3:
        return ""
    before, last = history.iloc[-1 - len(history) // 3], history.iloc[-1]
    seen, since = last["images_seen"], last["images_seen"] - before["images_seen"]
    return (
        f"It saw {seen:,.0f} photographs; over the last {since:,.0f} its ΔE 76 on validation photographs went from "
        f"{number(before['val_delta_e_76'])} to {number(last['val_delta_e_76'])}."
    )


def about_training(c: Comparison) -> list[str]:
    """Name trained rows that do not beat every row that needs no training, and the best row's worst photographs."""
    sentences = []
    for label in c.trained:
        lost = [other for other in c.trivial if c.verdict(label, other) != "better"]
        if lost:
            verdicts = listed(f"{other} ({c.verdict(label, other)})" for other in lost)
            sentences.append(f"{label} is not shown to be better than {verdicts}. {_why(c, label, lost)}".strip())
    if c.trained:
        scores = c.by_label[c.best].scores(PRIMARY, c.ids).mean(0)
        worst = [(c.ids[i], scores[i]) for i in np.argsort(-scores, kind="stable")[:5] if np.isfinite(scores[i])]
        named = listed(f"{identity} ({number(value, 1)})" for identity, value in worst)
        sentences.append(f"The photographs that {c.best} colours worst, with their {head(PRIMARY)}: {named}.")
    return sentences


def about_labels(c: Comparison) -> str:
    """Say what labels leave out: a network that is every row's, options, the usual budget where there are others."""
    usual, names = usual_budget(c.rows), shortened(c.rows)
    others = any(row.budget not in (None, usual) for row in c.rows)
    sentences = [f"The networks, in full: {listed(names)}."] if names else []
    sentences += [f"Rows without a budget in their name were trained for {usual}."] if others else []
    return " ".join(sentences)


def about_budgets(c: Comparison) -> list[str]:
    """Say how the order changes from budgets of images to budgets of seconds, and what each budget allowed."""
    sentences = []
    for first, second in itertools.combinations(c.budgets, 2):
        if first.unit == second.unit:
            continue
        means = [
            {row.short: c.intervals[PRIMARY][row.label].mean for row in c.budgets[budget]} for budget in (first, second)
        ]
        both = [name for name in means[0] if name in means[1]]
        if len(both) > 1:
            tau = statistics.kendall_tau(*([table[name] for name in both] for table in means))
            ends = [min(both, key=table.get) for table in means]
            same = f"{ends[0]} leads both times" if ends[0] == ends[1] else f"{ends[0]} leads first, {ends[1]} then"
            sentences.append(
                f"{plural(len(both), 'row')} were trained for {first} and again for {second}: {same}, and Kendall's τ "
                f"between the two orders is {number(tau)}."
            )
    for budget, rows in c.budgets.items():
        cost, words = ("images_seen", "saw {} photographs") if budget.unit == "s" else ("train_seconds", "took {} s")
        spent = {row.short: row.cost(cost) for row in rows if math.isfinite(row.cost(cost))}
        if len(spent) > 1:
            least, most = min(spent, key=spent.get), max(spent, key=spent.get)
            start = f"{'In' if budget.unit == 's' else 'For'} {budget}, {least} {words.format(number(spent[least], 0))}"
            sentences.append(f"{start} and {most} {number(spent[most], 0)}.")
    return sentences


def about_attribution(c: Comparison) -> list[str]:
    """Say which sources the variance between trained runs goes with, and how far the grid can tell."""
    sentences, loose = [], {}
    for metric, shares in c.attribution.items():
        order = sorted(shares, key=lambda name: -shares[name].share)
        parts = [
            f"{_with_ends(shares[name])} {'goes with' if not i else 'with'} {source(name)}"
            for i, name in enumerate(order[:3])
        ]
        runs = plural(shares["seed"].levels, "trained run")
        sentences.append(f"Of the variance of {head(metric)} between the {runs}, {listed(parts)}.")
        for name, share in shares.items():
            loose[name] = max(loose.get(name, 0), abs(share.first - share.last))
    loose = {name: gap for name, gap in loose.items() if gap > 0.05}
    if loose:
        sentences.append(
            f"The grid does not fully tell {listed(map(source, loose))} apart: a share moves by up to "
            f"{number(100 * max(loose.values()), 0)} points with what is counted first."
        )
    if c.attribution and math.isnan(next(iter(c.attribution.values()))["seed"].by_chance):
        sentences.append("No setting was trained twice, so what seeds do is in the interactions and cannot be told.")
    return sentences


def _with_ends(share: Share) -> str:
    return f"{percent(share.share)} ({number(100 * share.low, 0)} to {number(100 * share.high, 0)})"


def source(name: str) -> str:
    """Name a source of variance as a sentence does."""
    return {"interaction": "interactions and other settings"}.get(name, f"the {name}")


def about_collapses(c: Comparison) -> list[str]:
    """Name the runs whose adversarial training was ended early, with why and when."""
    return [
        f"{row.label}, seed {run.config.get('seed')}, collapsed after {run.collapse['images_seen']:,} photographs: "
        f"{run.collapse['why']}. Judged is the best network before."
        for row in c.rows
        for run in row.collapsed
    ]


def about_sets(c: Comparison) -> list[str]:
    """Say how many pictures the distances between sets are of, and which rows are not compared."""
    scores = [(label, score) for table in c.sets.values() for label, score in table.items()]
    sizes = sorted({score.n for _, score in scores if score.compared})
    sentences = [f"Distances between sets are of N = {listed(f'{n:,}' for n in sizes)} pictures."] if sizes else []
    apart = {label: score.n for label, score in scores if not score.compared}
    if apart:
        named = listed(f"{label} (N = {n:,})" for label, n in apart.items())
        sentences.append(f"Measured in another way, shown and not compared: {named}.")
    return sentences


def about_temperatures(c: Comparison) -> list[str]:
    """Say what each curve of temperatures costs and gains from its coldest to its warmest end."""
    sentences = []
    for name, table in c.temperatures.groupby("curve", sort=False):
        cold, warm = table.iloc[0], table.iloc[-1]
        best = table.loc[table[PRIMARY].idxmin()]
        sentences.append(
            f"From temperature {cold['temperature']:g} to {warm['temperature']:g}, {name} goes from {head(PRIMARY)} "
            f"{number(cold[PRIMARY])} and colourfulness {number(cold['colorfulness_hs03'], 1)} to "
            f"{number(warm[PRIMARY])} and {number(warm['colorfulness_hs03'], 1)}; its {head(PRIMARY)} is lowest, "
            f"{number(best[PRIMARY])}, at {best['temperature']:g} ({plural(int(best['images']), 'photograph')})."
        )
    return sentences


def about_hints(c: Comparison) -> list[str]:
    """Say what hints gain a network that takes them."""
    sentences = []
    for label, table in c.hints.groupby("label", sort=False):
        means = table.groupby("hints")["psnr_rgb_db"].mean()
        sentences.append(
            f"{label}: mean PSNR {number(means.iloc[0])} dB with {plural(int(means.index[0]), 'hint')} and "
            f"{number(means.iloc[-1])} dB with {int(means.index[-1]):,} "
            f"({plural(int(table['images'].iloc[0]), 'photograph')})."
        )
    return sentences


def about_several(c: Comparison) -> list[str]:
    """Say how far several answers of one network lie apart and what the nearest is worth."""
    sentences = []
    for label, table in c.several_means.groupby("label", sort=False):
        most = table.loc[table["k"].idxmax()]
        sentences.append(
            f"{label}: {int(most['k'])} answers to one photograph lie {number(most['diversity'], 1)} ΔE apart on "
            f"average; the ΔE 76 of their average is {number(most['mean_of_k_delta_e_76'])}, and that of the nearest, "
            f"which takes the truth to choose, {number(most['best_of_k_delta_e_76'])}."
        )
    return sentences
