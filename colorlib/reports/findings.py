"""What a comparison found as a whole, in sentences: each is made from its numbers and names, and none is typed.

What one part of a report found, that part says itself: :mod:`colorlib.reports.sections`.
"""

from collections.abc import Mapping

from colorlib import statistics
from colorlib.reports.comparison import Comparison
from colorlib.reports.rows import PRIMARY, by_budget
from colorlib.reports.words import are, head, listed, number, percent, plural
from colorlib.runs.run import Run

NAMED = 5  # rows of those that may be the best


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


def answer(comparison: Comparison) -> list[str]:
    """Answer the study's question in a few sentences made from the data; "best" is said of what is decided alone."""
    c = comparison
    if c.best is None:
        return ["No row of this study has finished, so there is nothing to compare yet; the failures below say why."]
    sentences = [_who_leads(c, c.trained or c.contestants)]
    if c.left_out:
        all_told = f"{len(c.ids) + c.left_out:,} photographs"
        sentences.insert(0, f"Of {all_told}, {c.left_out:,} are left out: not every run has a score of them.")
    if not c.trained:
        sentences.insert(0, "No network of this study has finished; what follows is of rows that need no training.")
    elif c.contestants[0] != c.best:
        above = listed(c.contestants[: c.contestants.index(c.best)])
        sentences.insert(0, f"No trained row comes first: {above}, without training, lies ahead of them all.")
    others = [label for label in c.trained if label != c.best]
    parts = [_about_difference(c, c.best, others[0], f"the next, {others[0]}")] if others else []
    if c.grey and c.grey != c.best:
        parts.append(_about_difference(c, c.best, c.grey, "leaving every photograph grey"))
    if parts:
        sentences.append(f"The {head(PRIMARY)} of {c.best} lies {' and '.join(parts)}.")
    sentences += [section.headline for section in c.sections if section.leads]
    sentences += _leaders_by_budget(c)
    sentences += [section.headline for section in c.sections if not section.leads]
    sentences.append(_vividness(c))
    return [sentence for sentence in sentences if sentence]


def _who_leads(c: Comparison, field: list[str]) -> str:
    """Name the best of a field, or the rows that may be it."""
    contenders = c.contenders(field)
    first = contenders[0]
    mean, low, high = c.intervals[PRIMARY][first]
    seeds = len(c.by_label[first].runs)
    behind = f"{plural(len(c.ids), 'photograph')}, {plural(seeds, 'training')}; lower is better"
    scored = f"with a mean {head(PRIMARY)} of {number(mean)} (95 % interval {number(low)} to {number(high)}; {behind})"
    if len(field) == 1:
        return f"{_marked(c, first)} is the only row to compare, {scored}."
    if len(contenders) == 1:
        return f"{_marked(c, first)} colours these photographs best, {scored}."
    once = [label for label in contenders if len(c.by_label[label].runs) == 1]
    sure = [label for label in contenders if label not in once]
    why = ""
    if once and first in sure and len(sure) > 1:  # rows that nothing decides would only widen the spread
        contenders = sure
        why = f"; {len(once)} more, trained once, {'has' if len(once) == 1 else 'have'} no verdict"
    elif once:
        why = f"; {len(once) if sure else 'each'} of them trained once, which decides nothing"
    means = [c.mean(PRIMARY, label) for label in contenders]
    named = [_marked(c, label) for label in contenders[:NAMED]]
    if len(contenders) > NAMED:
        named.append(f"{len(contenders) - NAMED} more")
    return (
        f"No row is shown to be the best: of {plural(len(field), 'row')}, {len(contenders)} may be it "
        f"({listed(named)}), with a mean {head(PRIMARY)} from {number(min(means))} to {number(max(means))}, a spread "
        f"of {number(max(means) - min(means))} ({plural(len(c.ids), 'photograph')}; lower is better{why})."
        + _beyond_grey(c, [label for label in contenders if len(c.by_label[label].runs) > 1])
    )


def _beyond_grey(c: Comparison, contenders: list[str]) -> str:
    """Say why rows may be the best that err more than grey: their few trainings differ too much to tell."""
    beyond = [label for label in contenders if c.grey and c.mean(PRIMARY, label) > c.mean(PRIMARY, c.grey)]
    if not beyond:
        return ""
    worst = max(beyond, key=lambda label: c.mean(PRIMARY, label))
    labels, found = c.spreads[PRIMARY]
    trainings = found.by_seed[labels.index(worst)]
    return (
        f" {len(beyond)} of them {'errs' if len(beyond) == 1 else 'err'} more than grey photographs on average and "
        f"cannot be ruled out, for trainings so far apart decide little: the {len(trainings)} of {worst} score from "
        f"{number(trainings.min())} to {number(trainings.max())}."
    )


def _marked(c: Comparison, label: str) -> str:
    return f"{label} (trained on {head(PRIMARY)} itself)" if label in c.taught_to_the_test else label


def _about_difference(comparison: Comparison, best: str, other: str, name: str) -> str:
    """Say how the first row stands to another, from the other's side of the comparison: size, interval, certainty."""
    difference = comparison.differences[best, other]
    verdict = comparison.verdict(best, other)
    size = f"{number(abs(difference.mean))} {'below' if difference.mean < 0 else 'above'} {name}"
    if difference.low * difference.high > 0:
        low, high = sorted((abs(difference.low), abs(difference.high)))
        interval = f"95 % interval {number(low)} to {number(high)}"
    else:
        interval = f"95 % interval of the difference {number(difference.low)} to {number(difference.high)}"
    if verdict in ("better", "worse", "undecided"):
        p = next((f"p < {bound}" for bound in (0.001, 0.01) if difference.p < bound), f"p = {difference.p:.2f}")
        verdict += f", {p} after Holm's correction"
    return f"{size} ({interval}; {verdict})"


def _leaders_by_budget(c: Comparison) -> list[str]:
    """Say who leads each budget, where a study has budgets of images and of computing."""
    budgets = by_budget(c.rows).items()
    return [f"Trained for {budget}: {_who_leads(c, [row.label for row in rows])}" for budget, rows in budgets]


def _vividness(c: Comparison) -> str:
    name = "colorfulness_hs03"
    truth, intervals = c.truth(name), c.intervals.get(name, {})
    values = {label: intervals[label].mean for label in c.trained if label in intervals}
    if not values or not truth > 0:
        return ""
    nearest = min(values, key=lambda label: abs(values[label] - truth))
    dullest = min(values, key=values.__getitem__)
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
    """Say what the intervals cover, and why rows that were trained once get no verdict."""
    single = [label for label in c.trained if c.by_label[label].group == "trained" and len(c.by_label[label].runs) == 1]
    if not single:
        return (
            "Intervals cover the choice of photographs and of the training's random seed, each for one comparison by "
            f"itself; p and verdicts are corrected for all {len(c.differences) // 2:,} pairs of rows. With a chance of "
            "95 % the best is among the rows that may be it."
        ) + _beaten(c)
    networks = [label for label in c.trained if c.by_label[label].group == "trained"]
    if len(single) == len(networks):
        who = "Every network was"
    elif len(single) > 3:
        who = f"{len(single)} of {len(networks)} networks were"
    else:
        who = f"{listed(single)} {'was' if len(single) == 1 else 'were'}"
    return (
        f"{who} trained once: those intervals cover the choice of photographs and not the luck of a training, which "
        "nobody has measured there, so no verdict and no p-value is given."
    )


def _beaten(c: Comparison) -> str:
    """Explain how a row that may be the best can be worse than another: the two are corrected each for itself."""
    may = [label for label in c.trained if c.may_be_best(label) == "yes"]
    beaten = [label for label in may if any(c.verdict(label, other) == "worse" for other in c.trained)]
    if not beaten:
        return ""
    return (
        f" {listed(beaten)} may be it and yet {are(len(beaten))} worse in a pair that the study "
        "asks about: such pairs have a part of the level to themselves, and who may be the best is corrected for all "
        "rows alike."
    )


def about_training(c: Comparison) -> list[str]:
    """Name trained rows that do not beat every row that needs no training, with what the files say of why."""
    sentences = []
    for label in c.trained:
        lost = [other for other in c.trivial if c.verdict(label, other) != "better"]
        if lost:
            verdicts = listed(f"{other} ({c.verdict(label, other)})" for other in lost)
            sentences.append(f"{label} is not shown to be better than {verdicts}. {_why(c, label, lost)}".strip())
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


def about_unshown(unshown: Mapping[str, str]) -> str:
    """Say in a line which runs of a study's folder are not among the rows, and why: path → why."""
    if not unshown:
        return ""
    why: dict[str, list[str]] = {}
    for path, reason in unshown.items():
        why.setdefault(reason, []).append(path)
    parts = [f"{listed(paths)} ({reason})" for reason, paths in why.items()]
    return f"Left out of this report, though it lies in the study's folder: {'; '.join(parts)}."
