"""A whole message as Markdown: leads in bold, commands as code, nothing else marked up. Pure."""

import re

_LEAD = re.compile(r"^(\d+ of \d+: .+|What to do: |Next: |To answer: )", re.MULTILINE)
_OURS = re.compile(
    r"`pullback [a-z -]+`|`client_id`|`client_secret`|https://www\.strava\.com/settings/api|https://status\.strava\.com"
)
_MARKS = re.compile(r"([\\`*_\[\]|~])")
_BRACKETS = str.maketrans("<>", "‹›")


def markdown(text: str) -> str:
    """The same message where Markdown is understood: leads in bold, commands as code, everything else as it reads.

    Angle brackets become ‹ ›: escaping them differs from one Markdown to the next. No line of ours begins with a mark
    that means a list or a heading.
    """
    done, begin = [], 0
    for ours in _OURS.finditer(text):
        done += [_escaped(text[begin : ours.start()]), ours.group()]
        begin = ours.end()
    return _LEAD.sub(_bold, "".join([*done, _escaped(text[begin:])]))


def _bold(lead: re.Match[str]) -> str:
    words = lead.group()
    return f"**{words.rstrip()}**{' ' if words.endswith(' ') else ''}"


def _escaped(text: str) -> str:
    return _MARKS.sub(r"\\\1", text.translate(_BRACKETS))
