"""Pictures to slide over or to hint on, and a strip of them."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from colorlib.app.component import component
from colorlib.app.photograph import Stroke

_picture, _strip = component("picture"), component("strip")


def slider(before: str, after: str, labels: tuple[str, str], size: tuple[int, int], key: str) -> None:
    """Show two pictures of ``size`` (h, w), addresses of :func:`colorlib.app.photograph.data_url`."""
    data = {"before": before, "after": after, "labels": labels, "height": size[0], "width": size[1]}
    _picture(key=key, data=data)


def hintable(
    picture: str,
    label: str,
    size: tuple[int, int],
    strokes: Iterable[Stroke],
    tool: Stroke,
    brush: bool,
    key: str,
    on_stroke: Callable[[], None],
) -> None:
    """Show a picture with strokes on it; ``st.session_state[key].stroke`` is the next one's points in the call back.

    Args:
        tool: a stroke without points, as the next one will be.
        brush: whether it is drawn; else it is a click.
    """
    drawn = [{"points": one.points, "color": one.color, "radius": one.radius} for one in strokes]
    tool_data = {"color": tool.color, "radius": tool.radius, "brush": brush}
    data = {"after": picture, "labels": ("", label), "height": size[0], "width": size[1], "strokes": drawn}
    _picture(key=key, data=data | {"tool": tool_data}, on_stroke_change=on_stroke)


def strip(items: Sequence[dict[str, Any]], key: str, on_pick: Callable[[], None]) -> None:
    """Show small pictures in a row; ``st.session_state[key].pick`` is the id of the one that was picked.

    Args:
        items: of each its id, name, state ("waiting", "done" or "failed"), picture (an address, or None), and whether
            it is chosen.
    """
    _strip(key=key, data={"items": list(items)}, on_pick_change=on_pick)
