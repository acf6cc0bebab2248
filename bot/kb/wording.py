"""The fixed wordings that texts.yaml must hold, and the placeholders each may use."""

from __future__ import annotations

from string import Formatter

_CONTACT = frozenset(("contact",))

TEXTS: dict[str, frozenset[str]] = {
    "greeting": _CONTACT,
    "help": _CONTACT,
    "welcome": _CONTACT,
    "out_of_scope": _CONTACT,
    "fallback": _CONTACT,
    "inferred": _CONTACT | {"name", "label", "how"},
    "inferred_hazard": _CONTACT | {"name", "verdict"},
    "hazard_among": _CONTACT,
    "disputed": _CONTACT | {"clause", "city"},
    "cases": _CONTACT | {"word"},
    "no_bin": _CONTACT,
    "not_registered": _CONTACT | {"what"},
    "clarify_tail": _CONTACT,
    "choice_out_of_range": _CONTACT,
    "danger_alert": _CONTACT | {"what"},
    "staff_refused": _CONTACT,
    "paused": _CONTACT,
    "resumed": _CONTACT,
    "privacy": _CONTACT,
    "privacy_model": _CONTACT,
    "chosen_by_model": _CONTACT,
    "my_data": _CONTACT,
    "my_data_private": _CONTACT,
    "forgotten": _CONTACT,
    "handoff": _CONTACT,
    "thanks": _CONTACT,
    "learned": frozenset(("question", "answer")),
    "learned_group": frozenset(("question", "answer")),
    "opted_out": _CONTACT,
    "opted_in": _CONTACT,
    "mark_c": _CONTACT,
    "detail_hint": _CONTACT,
    "national_standard": _CONTACT,
    "foreign_rule": _CONTACT | {"city"},
    "reach": _CONTACT | {"who"},
    "hours_unknown": _CONTACT,
    "by_notice": _CONTACT,
} | {
    key: _CONTACT | {"time", "why"}
    for kind in ("open", "staffed")
    for key in (f"{kind}_until", f"{kind}_always", f"not_{kind}_until", f"not_{kind}")
} | {
    f"what_{name}": _CONTACT
    for name in (
        *("battery_box", "drop_point", "late_drop", "bulky", "construction", "clothes", "hazardous", "medicine"),
        *("oil_cup", "recyclables", "ebike_battery", "points", "times", "contacts", "activities", "schedule"),
    )
}
"""Key → placeholders it may use."""


def wrong_placeholder(text: str, allowed: frozenset[str]) -> str | None:
    """What is wrong with the braces of a text, or None: an unknown placeholder, or a brace that opens none."""
    try:
        used = [name for _, name, _, _ in Formatter().parse(text) if name is not None]
    except ValueError as exc:
        return f"has a stray brace ({exc})"
    unknown = next((name for name in used if name not in allowed), None)
    return None if unknown is None else f"uses the unknown placeholder {{{unknown}}}"
