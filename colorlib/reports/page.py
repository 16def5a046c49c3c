"""A report as a page: one HTML file that shows the pictures in the folder ``figures`` beside it."""

from pathlib import Path

from jinja2 import Environment, StrictUndefined
from markupsafe import Markup, escape

from colorlib.reports.comparison import Comparison
from colorlib.reports.findings import about_seeds, about_training, about_unshown, answer
from colorlib.reports.protocol import flat, protocol, settings
from colorlib.reports.rows import MANY, PRIMARY
from colorlib.reports.tables import filled, rank_text
from colorlib.reports.words import head, number, short, signed, tidy

TEMPLATE = Path(__file__).with_name("report.html")
FEW = 5  # sentences of one kind, before the others are folded away


def to_html(c: Comparison) -> str:
    """Write the report as an HTML page without any address but those of its pictures, ``figures/…``."""
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    environment.filters |= {each.__name__: each for each in (tidy, number, signed, short, filled, name)}
    return environment.from_string(TEMPLATE.read_text(encoding="utf-8")).render(
        c=c,
        title=c.study.get("title") or c.study["name"],
        answer=answer(c),
        seeds=about_seeds(c) if c.trained else "",
        shown=[
            (section, environment.from_string(section.template.lstrip("\n")))
            for section in c.sections
            if section.present
        ],
        training=about_training(c) if c.rows else [],
        unshown=about_unshown(c.unshown),
        protocol=protocol(c),
        settings=settings(c),
        flat=flat,
        head=head,
        rank=rank_text,
        primary=PRIMARY,
        many=MANY,
        few=FEW,
    )


def name(text: str) -> Markup:
    """Let a name that is too long for its column go on in the next line after a ``_``."""
    return Markup(escape(text).replace("_", Markup("_<wbr>")))
