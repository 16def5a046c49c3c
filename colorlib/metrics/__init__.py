"""What a prediction is measured by: one number per image each, and a few that only a whole set of images has.

``METRICS`` are measured on a :class:`Pair` of predictions and photographs; ``POOLED`` are computed from the table of
the images' scores; ``SETS`` compare all pictures with all photographs, by :class:`SetDistances`. Adding one is a
function and a line here.
"""

from collections.abc import Callable
from dataclasses import dataclass

import pandas as pd
import torch
from torch import Tensor

from colorlib.metrics import colorfulness, difference, distribution, fidelity, recognition
from colorlib.metrics.pair import Pair
from colorlib.metrics.sets import SetDistances

__all__ = ["METRICS", "POOLED", "SETS", "Metric", "Pair", "PooledMetric", "SetDistances", "SetMetric", "score"]


@dataclass(frozen=True)
class Metric:
    """A number that every image gets.

    Args:
        fn: Pair of N images -> (N,) floating-point tensor; NaN where the number does not exist.
        unit: for the table's head; "" for a pure number.
        higher_is_better: None where neither end is better: signed errors and the descriptions of a picture, which
            are good when they are the photograph's.
        about: one sentence on what it measures.
        blind_to: one sentence on what it cannot see.
        reference: the paper or standard.
    """

    fn: Callable[[Pair], Tensor]
    unit: str
    higher_is_better: bool | None
    about: str
    blind_to: str
    reference: str


@dataclass(frozen=True)
class PooledMetric:
    """A number that a set of images gets, and that is not the mean of theirs; ``fn``: per-image table -> float."""

    fn: Callable[[pd.DataFrame], float]
    unit: str
    higher_is_better: bool | None
    about: str
    blind_to: str
    reference: str


@dataclass(frozen=True)
class SetMetric:
    """A distance between the set of pictures and the set of photographs; its value is in ``sets.json``.

    Args:
        needs: the key of ``sets.json`` under which the least number of pictures for it is, or "".
    """

    needs: str
    unit: str
    higher_is_better: bool | None
    about: str
    blind_to: str
    reference: str


DEFINITION = "textbook definition"
WANG = "Wang et al., IEEE TIP 13(4), 2004"
ZHANG = "Zhang, Isola and Efros, ECCV 2016"
HASLER = "Hasler and Süsstrunk, SPIE 5007, 2003"
LPIPS = "Zhang, Isola, Efros, Shechtman and Wang, CVPR 2018"
FID = "Heusel et al., NeurIPS 2017"
KID = "Bińkowski et al., ICLR 2018"

METRICS = {
    "psnr_rgb_db": Metric(
        fidelity.psnr_rgb_db,
        "dB",
        True,
        "Peak signal-to-noise ratio of sRGB in [0, 1], clipped but not rounded to 8 bits; ends at 58.9 dB, the error "
        "of 8-bit rounding.",
        "Whether a colour is plausible: it rewards the cautious average, and grey alone scores above 20 dB.",
        DEFINITION,
    ),
    "mse_rgb": Metric(
        fidelity.mse_rgb,
        "",
        False,
        "Mean squared error of clipped sRGB in [0, 1]; its mean over images gives the pooled PSNR.",
        "The same as PSNR; a few bad images decide its mean.",
        DEFINITION,
    ),
    "psnr_ab_db": Metric(
        fidelity.psnr_ab_db,
        "dB",
        True,
        "Peak signal-to-noise ratio of the two ab channels with the peak 255, the width of 8-bit ab; ends at 58.9 dB.",
        "Whether a colour is plausible; papers that take another peak are up to some dB away.",
        DEFINITION,
    ),
    "ssim_rgb_gauss11": Metric(
        fidelity.ssim_rgb_gauss11,
        "",
        True,
        "Structural similarity of sRGB: Gaussian window 11 × 11, σ 1.5, population covariance, whole windows only, "
        "mean of the channels.",
        "Most of the colour: lightness is given, so the structure is nearly right whatever the colours.",
        WANG,
    ),
    "delta_e_76": Metric(
        difference.delta_e_76,
        "ΔE",
        False,
        "Mean Euclidean distance in CIELAB; lightness is given, so it is the distance in ab.",
        "That the eye forgives more in saturated colours; rewards the cautious average.",
        "CIE 15:2004",
    ),
    "delta_e_2000": Metric(
        difference.delta_e_2000,
        "ΔE",
        False,
        "Mean CIEDE2000 colour difference, made to follow what the eye sees between small patches.",
        "Context and plausibility; it was fitted to small differences and is coarse for large ones.",
        "Sharma, Wu and Dalal, Color Research & Application 30(1), 2005",
    ),
    "ab_mae": Metric(
        fidelity.ab_mae,
        "ab",
        False,
        "Mean absolute error of a* and b*.",
        "Plausibility: of two possible colours it rewards the more frequent one everywhere.",
        DEFINITION,
    ),
    "ab_rmse": Metric(
        fidelity.ab_rmse,
        "ab",
        False,
        "Root of the mean squared error of a* and b*.",
        "Plausibility: of two possible colours it rewards their mean, which may be a colour that never occurs.",
        DEFINITION,
    ),
    "auc_raw": Metric(
        distribution.auc_raw,
        "%",
        True,
        "Area under the share of pixels whose ab error is at most t, t from 0 to 150.",
        "Rare colours: grey walls and skies fill most pixels, and leaving all grey scores near 90 %.",
        ZHANG,
    ),
    "auc_rebalanced": Metric(
        distribution.auc_rebalanced,
        "%",
        True,
        "AuC with each pixel weighted by one over the frequency of its true colour (at least 1 in 10,000) in training.",
        "False colour on grey things, whose pixels weigh almost nothing; needs the prior of the training photographs.",
        ZHANG,
    ),
    "auc_weight": Metric(
        distribution.auc_weight,
        "",
        None,
        "Sum of the image's pixel weights in the rebalanced AuC: says nothing of the prediction, serves to pool.",
        "The prediction: it depends on the photograph alone.",
        ZHANG,
    ),
    "colorfulness_hs03": Metric(
        colorfulness.colorfulness_hs03,
        "",
        None,
        "Colourfulness as published, from signed opponent channels on 0 … 255: 0 is grey, 33 moderate, 82 high.",
        "Whether the colours are right or in the right place; clipping to the gamut comes before.",
        HASLER,
    ),
    "colorfulness_hs03_error": Metric(
        colorfulness.colorfulness_hs03_error,
        "",
        None,
        "Colourfulness (signed variant) of the prediction minus the photograph's; best at 0, below it is too dull.",
        "Whether the colours are right or in the right place.",
        HASLER,
    ),
    "colorfulness_abs": Metric(
        colorfulness.colorfulness_abs,
        "",
        None,
        "Colourfulness from absolute opponent channels, as DDColor, CT2 and ColorFormer report it.",
        "Whether the colours are right or in the right place; a red and a green half look alike to it.",
        HASLER + ", with absolute values",
    ),
    "colorfulness_abs_error": Metric(
        colorfulness.colorfulness_abs_error,
        "",
        None,
        "Colourfulness (absolute variant) of the prediction minus the photograph's; best at 0, below it is too dull.",
        "Whether the colours are right or in the right place.",
        HASLER + ", with absolute values",
    ),
    "mean_chroma": Metric(
        colorfulness.mean_chroma,
        "ab",
        None,
        "Mean predicted chroma √(a*² + b*²), before clipping.",
        "Hue altogether, and where the chroma is.",
        "CIE 15:2004",
    ),
    "mean_chroma_error": Metric(
        colorfulness.mean_chroma_error,
        "ab",
        None,
        "Mean chroma of the prediction minus the photograph's; best at 0, below it has faded.",
        "Hue altogether, and where the chroma is.",
        "CIE 15:2004",
    ),
    "out_of_gamut_share": Metric(
        distribution.out_of_gamut_share,
        "%",
        False,
        "Share of predicted pixels, before clipping, whose colour sRGB cannot show at this lightness.",
        "Everything else: grey has none.",
        "IEC 61966-2-1:1999",
    ),
    "ab_histogram_distance": Metric(
        distribution.ab_histogram_distance,
        "%",
        False,
        "Total variation between the two pictures' histograms over the 313 colour bins: the share of pixels to "
        "recolour to get the photograph's palette.",
        "Where a colour is, and how far a wrong bin lies from the right one.",
        "Swain and Ballard, IJCV 7(1), 1991",
    ),
    "recognised_b": Metric(
        recognition.recognised_b,
        "",
        True,
        "1 where the first guess of classifier b at the coloured picture is what the photograph shows, else 0; "
        "photographs in folders whose names it does not know have none.",
        "Colours that do not matter to what a thing is, and most of them do not: it knows much from lightness alone.",
        ZHANG + ", with classifier b in place of VGG-16",
    ),
    "recognised_b_error": Metric(
        recognition.recognised_b_error,
        "",
        None,
        "Recognised (classifier b) of the prediction minus of the photograph; below 0 colouring has hidden things.",
        "Colours that do not matter to what a thing is.",
        ZHANG + ", with classifier b in place of VGG-16",
    ),
    "class_agreement_b": Metric(
        recognition.class_agreement_b,
        "",
        True,
        "1 where classifier b's first guess at picture and photograph is the same, right or wrong, else 0; needs no "
        "labels.",
        "Colours that do not matter to what a thing is; where b is unsure, a hair's breadth decides.",
        ZHANG + ", with classifier b in place of VGG-16, against its guess at the photograph",
    ),
    "perceptual_b": Metric(
        recognition.perceptual_b,
        "",
        False,
        "Distance between picture and photograph in the features of classifier b, in the manner of LPIPS, which it "
        "is not: another network, and no weights fitted to people's judgement.",
        "Other plausible colours: it compares with the one photograph, as pixel errors do.",
        LPIPS + ", with classifier b",
    ),
    "lpips_alex": Metric(
        recognition.lpips_alex,
        "",
        False,
        "LPIPS 0.1 with AlexNet, at the size of the photographs; not measured without the published weights.",
        "Other plausible colours; it was fitted to distortions of patches, few of which were of colour.",
        LPIPS,
    ),
}


def _psnr_pooled_db(per_image: pd.DataFrame) -> float:
    return fidelity.psnr_db(torch.tensor(per_image["mse_rgb"].mean(), dtype=torch.float64)).item()


def _auc_rebalanced_pooled(per_image: pd.DataFrame) -> float:
    weight = per_image["auc_weight"]
    return float((weight * per_image["auc_rebalanced"]).sum(min_count=1) / weight.sum(min_count=1))


POOLED = {
    "psnr_pooled_db": PooledMetric(
        _psnr_pooled_db,
        "dB",
        True,
        "PSNR of the mean squared error over all images, some 2 dB below the mean of their PSNRs.",
        "The many good images: the few worst decide it.",
        DEFINITION,
    ),
    "auc_rebalanced_pooled": PooledMetric(
        _auc_rebalanced_pooled,
        "%",
        True,
        "Rebalanced AuC over the pixels of all images together, the paper's own figure.",
        "Images without rare colours, which hardly weigh.",
        ZHANG,
    ),
    "colorfulness_hs03_gap": PooledMetric(
        lambda per_image: abs(float(per_image["colorfulness_hs03_error"].mean())),
        "",
        False,
        "|mean colourfulness of the predictions − of the photographs|, signed variant.",
        "Errors that cancel: half the images too dull and half too gaudy is a gap of 0.",
        HASLER,
    ),
    "colorfulness_hs03_mae": PooledMetric(
        lambda per_image: float(per_image["colorfulness_hs03_error"].abs().mean()),
        "",
        False,
        "Mean over images of |colourfulness of the prediction − of the photograph|, signed variant.",
        "Whether the colours are right or in the right place.",
        HASLER,
    ),
    "colorfulness_abs_gap": PooledMetric(
        lambda per_image: abs(float(per_image["colorfulness_abs_error"].mean())),
        "",
        False,
        "|mean colourfulness of the predictions − of the photographs|, absolute variant: ΔCF in most papers.",
        "Errors that cancel: half the images too dull and half too gaudy is a gap of 0.",
        HASLER + ", with absolute values",
    ),
    "colorfulness_abs_mae": PooledMetric(
        lambda per_image: float(per_image["colorfulness_abs_error"].abs().mean()),
        "",
        False,
        "Mean over images of |colourfulness of the prediction − of the photograph|, absolute variant.",
        "Whether the colours are right or in the right place.",
        HASLER + ", with absolute values",
    ),
}

SETS = {
    "frechet_b": SetMetric(
        "frechet_b_needs",
        "",
        False,
        "Fréchet distance between the sets' embeddings by classifier b, made as an FID is, on another scale; compare "
        "it at the same number of pictures only.",
        "Which picture belongs to which photograph; all that is not in mean and covariance of b's features.",
        FID + ", with classifier b in place of Inception",
    ),
    "kernel_b": SetMetric(
        "",
        "",
        False,
        "Kernel distance (unbiased MMD², cubic) between the sets' embeddings by classifier b, made as a KID is, on "
        "another scale; mean over subsets, and a perfect set scores a little below 0.",
        "Which picture belongs to which photograph; what classifier b has no features for.",
        KID + ", with classifier b in place of Inception",
    ),
    "fid": SetMetric(
        "fid_needs",
        "",
        False,
        "Fréchet Inception distance, of 8-bit pictures and bilinear resizing; not measured without the published "
        "weights; compare it at the same number of pictures only.",
        "Which picture belongs to which photograph; small pictures are enlarged to 299 pixels first.",
        FID,
    ),
    "kid": SetMetric(
        "",
        "",
        False,
        "Kernel Inception distance, of 8-bit pictures and bilinear resizing, mean over subsets; not measured without "
        "the published weights.",
        "Which picture belongs to which photograph; small pictures are enlarged to 299 pixels first.",
        KID,
    ),
}


@torch.no_grad()
def score(pair: Pair) -> dict[str, Tensor]:
    """Measure every image of ``pair`` by every metric: {name: (N,) tensor}, in the order of ``METRICS``."""
    return {name: metric.fn(pair) for name, metric in METRICS.items()}
