"""The live page: whether it is wanted, whether it can be, and whether it answers. Asks /healthz and nothing else."""

from collections.abc import Iterator
from importlib.util import find_spec

from daemon.config import WebConfig
from daemon.doctor.finding import Finding, off, ok, problem, warning

WAIT_S = 5.0
SHORT = 16
"""A token of fewer letters could be found by trying: nothing holds a stranger back from many tries [ENG]."""
EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}
"""Where an address that means all of a machine's is asked."""


def page(web: WebConfig) -> Iterator[Finding]:
    """Off is fine; on, it answers what /healthz says while the daemon runs."""
    if web.listen is None:
        yield off("page", 'listen = "127.0.0.1:8787" under [web] shows the report live')
        return
    missing = [name for name in ("starlette", "uvicorn") if find_spec(name) is None]
    if missing:
        yield problem("page", f"{missing[0]} is not installed: pip install 'pullback[web]', or take out [web] listen")
        return
    yield _asked(web, *web.listen)


def _asked(web: WebConfig, host: str, port: int) -> Finding:
    import httpx  # a third of a second that no other command needs

    asked = EVERYWHERE.get(host, host)
    address = f"http://[{asked}]:{port}/" if ":" in asked else f"http://{asked}:{port}/"
    who = "this machine only, no token" if web.token is None else "with its token"
    headers = {} if web.token is None else {b"Authorization": f"Bearer {web.token}".encode()}
    try:
        answer = httpx.get(f"{address}healthz", headers=headers, timeout=WAIT_S, trust_env=False)
    except httpx.HTTPError as error:
        how = f"doesn't answer ({type(error).__name__}): the daemon serves it, does `pullback run` or the service run?"
        return warning("page", f"{address} ({who}) {how}")
    said = answer.text.strip()[:200]
    match answer.status_code:
        case 200 if web.token is not None and len(web.token) < SHORT:
            return warning("page", f"{address} answers, but its token could be guessed: make it longer and random")
        case 200:
            return ok("page", f"{address} ({who}) answers")
        case 401:
            return problem("page", f"{address} wants another token: reload the daemon after a change of [web] token")
        case 503 if answer.headers.get("content-type", "").startswith("text/plain"):
            return warning("page", f"{address} ({who}) answers, and /healthz says: {said}")
    return problem("page", f"something else answers at {address} ({answer.status_code}): change [web] listen")
