"""The sections of a report, in its order.

To add one, write its module and add a line to ``SECTIONS``: the page, ``comparison.md``, ``results.csv`` and the
figures follow.
"""

from colorlib.reports.sections.attribution import Attribution
from colorlib.reports.sections.base import Chart, Section
from colorlib.reports.sections.budgets import Budgets
from colorlib.reports.sections.certainty import Certainty
from colorlib.reports.sections.cost import Cost
from colorlib.reports.sections.critics import Critics
from colorlib.reports.sections.crowns import Crowns
from colorlib.reports.sections.hints import Hints
from colorlib.reports.sections.histories import Histories
from colorlib.reports.sections.laws import Laws
from colorlib.reports.sections.pairwise import Pairwise
from colorlib.reports.sections.pictures import Pictures
from colorlib.reports.sections.pretraining import Pretraining
from colorlib.reports.sections.ranking import Ranking
from colorlib.reports.sections.rates import Rates
from colorlib.reports.sections.recognised import Recognised
from colorlib.reports.sections.scaling import Scaling
from colorlib.reports.sections.settings import Settings
from colorlib.reports.sections.several import Several
from colorlib.reports.sections.slips import Slips
from colorlib.reports.sections.temperatures import Temperatures
from colorlib.reports.sections.tint import Tint
from colorlib.reports.sections.verdicts import Verdicts

__all__ = ["SECTIONS", "Chart", "Section"]

SECTIONS: tuple[type[Section], ...] = (
    Ranking,
    Recognised,
    Verdicts,
    Critics,
    Cost,
    Budgets,
    Scaling,
    Pretraining,
    Settings,
    Temperatures,
    Hints,
    Several,
    Attribution,
    Tint,
    Slips,
    Laws,
    Rates,
    Histories,
    Pictures,
    Crowns,
    Pairwise,
    Certainty,
)
