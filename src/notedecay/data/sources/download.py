"""Files from a web site: one connection, a pause between requests, resumed where they broke."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import requests

from notedecay.core.errors import UserError

USER_AGENT = "notedecay (research on the decay of notes; one connection, with pauses)"
ATTEMPTS = 4
TIMEOUT = 30
"""Seconds without an answer."""
LONGEST_WAIT = 60.0
"""Seconds; a server may ask for more, then the user had better come back later."""
_CHUNK = 1 << 13
_BUSY = frozenset({429, 500, 502, 503, 504})

T = TypeVar("T")


class Download:
    """A polite connection to one site.

    Parameters
    ----------
    pause : float
        Between two requests (s).
    backoff : float
        Before the second attempt of a request that failed (s); doubled each time.
    """

    def __init__(self, *, pause: float = 1.0, backoff: float = 2.0) -> None:
        self._session = requests.Session()
        self._session.headers["User-Agent"] = USER_AGENT
        self._pause = pause
        self._backoff = backoff

    def __enter__(self) -> Download:
        return self

    def __exit__(self, *_: object) -> None:
        self._session.close()

    def page(self, url: str) -> str | None:
        """Text of a page, None where there is no such page.

        Raises
        ------
        UserError
            The site cannot be reached.
        """

        def text(answer: requests.Response) -> str:
            answer.raise_for_status()
            return answer.text

        return self._persist(url, dict, text)

    def file(self, url: str, path: Path, *, sha256: str | None = None) -> bool:
        """Fetch a file; what an earlier attempt left in ``<path>.partial`` is continued.

        Parameters
        ----------
        url : str
            Percent-encoded.
        path : Path
            Where the file appears once it is whole.
        sha256 : str, optional
            What its bytes must be, where that is known.

        Returns
        -------
        bool
            False where the server has no such file.

        Raises
        ------
        UserError
            The site cannot be reached (what has come is kept), or the bytes are wrong.
        """
        partial = path.with_name(f"{path.name}.partial")
        came = self._persist(
            url, lambda: _range(partial), lambda answer: _receive(answer, partial) or None
        )
        if came is None:
            return False
        _check(partial, sha256, url)
        partial.replace(path)
        return True

    def _persist(
        self,
        url: str,
        headers: Callable[[], dict[str, str]],
        use: Callable[[requests.Response], T | None],
    ) -> T | None:
        """Ask until ``use`` makes something of an answer; None where there is no such file."""
        reason: object = "the answer breaks off"
        for attempt in range(ATTEMPTS):
            time.sleep(self._pause if attempt == 0 else self._wait(attempt, reason))
            try:
                with self._session.get(
                    url, headers=headers(), stream=True, timeout=TIMEOUT
                ) as answer:
                    if answer.status_code == 404:
                        return None
                    result = use(answer)
                    if result is not None:
                        return result
            except requests.RequestException as error:
                reason = error
                if not _may_pass(error):
                    break
        raise UserError(
            f"{url} cannot be fetched ({reason}): is the network up? Run the same command "
            "again later, what has been fetched is kept"
        )

    def _wait(self, attempt: int, reason: object) -> float:
        """Seconds before another attempt: what the server asks for, or twice the last."""
        answer = reason.response if isinstance(reason, requests.HTTPError) else None
        asked = answer.headers.get("Retry-After", "") if answer is not None else ""
        wait = float(asked) if asked.isdigit() else self._backoff * 2 ** (attempt - 1)
        return min(wait, LONGEST_WAIT)


def _may_pass(error: requests.RequestException) -> bool:
    """Whether it may work later: a busy server or a broken line, not a refusal."""
    return error.response is None or error.response.status_code in _BUSY


def _receive(answer: requests.Response, partial: Path) -> bool:
    """Append to the partial file, or begin it anew; whether it is whole now."""
    if answer.status_code == 416:  # it was whole already, or is not a part of this file
        partial.unlink(missing_ok=True)
        return False
    answer.raise_for_status()
    with partial.open("ab" if answer.status_code == 206 else "wb") as stream:
        for chunk in answer.iter_content(_CHUNK):
            stream.write(chunk)
        size = stream.tell()
    return size == _promised(answer, size)


def _range(partial: Path) -> dict[str, str]:
    have = partial.stat().st_size if partial.exists() else 0
    return {"Range": f"bytes={have}-"} if have else {}


def _promised(answer: requests.Response, size: int) -> int:
    """Length of the whole file as the server tells it; ``size`` where it does not."""
    if answer.status_code == 206:
        total = answer.headers.get("Content-Range", "").rpartition("/")[2]
    else:
        total = answer.headers.get("Content-Length", "")
    return int(total) if total.isdigit() else size


def _check(partial: Path, sha256: str | None, url: str) -> None:
    if sha256 is None:
        return
    found = hashlib.sha256(partial.read_bytes()).hexdigest()
    if found != sha256:
        partial.unlink()
        raise UserError(
            f"{url}: the bytes are not the expected ones (sha256 {found[:12]}..., "
            f"expected {sha256[:12]}...): run the same command again"
        )
