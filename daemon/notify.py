"""The only room that knows apprise: is an address usable, and send one message to it."""

import logging
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from apprise import Apprise

SCHEMES_HINT = "see https://appriseit.com/services/ for how to write one"


def problem_with(url: str) -> str | None:
    """What is wrong with an apprise address, None when nothing is. The address itself is never in the answer."""
    apprise = _apprise()
    if not apprise.add(url):
        scheme = url.split("://", 1)[0] if "://" in url else ""
        return f"not an address apprise understands{f' ({scheme}://…)' if scheme.isalnum() else ''}; {SCHEMES_HINT}"
    return None


def send(url: str, title: str, text: str) -> str | None:
    """Sends one message to one address; None when it was accepted, else what happened in a few words, no secret."""
    from apprise import NotifyFormat

    apprise = _apprise()
    if not apprise.add(url):
        return "not an address apprise understands"
    result: Any = apprise.notify(title=title, body=text, body_format=NotifyFormat.TEXT)
    if result:
        return None
    status = getattr(getattr(result, "status", None), "name", "failure").lower()
    return "no answer in time" if status == "timeout" else "not accepted by the service"


def _apprise() -> "Apprise":
    # Loaded on the first address: it costs 20 MB and a third of a second that most commands don't need.
    import apprise

    # Its plugins log addresses and payloads; what happened is in the result.
    logger = logging.getLogger("apprise")
    logger.propagate = False
    logger.setLevel(logging.CRITICAL)
    return apprise.Apprise(asset=apprise.AppriseAsset(app_id="pullback", app_desc="pullback", secure_logging=True))
