"""Polite downloads from a web site: one connection, a pause between requests, retries."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

import requests

from notedecay.core.errors import UserError

USER_AGENT = "notedecay (research on the decay of notes; one connection, with pauses)"
ATTEMPTS = 4
TIMEOUT = 30
"""Seconds without an answer."""
MAX_WAIT = 60.0
"""Seconds that a server may ask for before another attempt; beyond them the user comes back."""
MAX_PAGE_BYTES = 2**23
MAX_FILE_BYTES = 2**30
"""The largest archive of recordings has 0.2 GB."""
SCRATCH = ".partial"
"""Folder of a download under way: hidden, so that neither DVC nor the catalogue counts it."""
_CHUNK = 1 << 13
_BUSY = frozenset({429, 500, 502, 503, 504})

T = TypeVar("T")


class _MissingError(Exception):
    """The server has no such file."""


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
            The site cannot be reached, or the page has more than 8 MiB.
        """

        def text(answer: requests.Response) -> str:
            content = b"".join(_chunks(answer, url, MAX_PAGE_BYTES))
            return content.decode(answer.encoding or "utf-8", errors="replace")

        try:
            return self._request(url, text)
        except _MissingError:
            return None

    def file(self, url: str, path: Path, *, sha256: str | None = None) -> bool:
        """Fetch a file, whole and checked, or not at all.

        Parameters
        ----------
        url : str
            Percent-encoded.
        path : Path
            Where the file appears once it is whole.
        sha256 : str, optional
            Checksum of its bytes, where that is known.

        Returns
        -------
        bool
            False where the server has no such file.

        Raises
        ------
        UserError
            The site cannot be reached, the file has more than 1 GiB or another checksum, or it
            cannot be written.
        """
        import pooch

        pooch.get_logger().setLevel("WARNING")
        scratch = path.parent / SCRATCH
        try:
            shutil.rmtree(scratch, ignore_errors=True)  # of a download that was killed
            known = f"sha256:{sha256}" if sha256 else None
            pooch.retrieve(url, known, path.name, scratch, downloader=self._stream)
            (scratch / path.name).replace(path)
        except _MissingError:
            return False
        except ValueError as error:
            raise UserError(
                f"{url}: the bytes are not the expected ones (sha256 is not {sha256}): "
                "run the same command again"
            ) from error
        except OSError as error:
            raise UserError(f"{path} cannot be written: {error.strerror or error}") from error
        finally:
            shutil.rmtree(scratch, ignore_errors=True)
        return True

    def _stream(self, url: str, output_file: str, _: object) -> None:
        """Write a file from the site; the signature is that of pooch's downloaders."""

        def save(answer: requests.Response) -> None:
            with Path(output_file).open("wb") as stream:
                for chunk in _chunks(answer, url, MAX_FILE_BYTES):
                    stream.write(chunk)

        self._request(url, save)

    def _request(self, url: str, use: Callable[[requests.Response], T]) -> T:
        """Ask until an answer can be used, at most four times."""
        reason: requests.RequestException | None = None
        for attempt in range(ATTEMPTS):
            time.sleep(self._wait(attempt, reason) if reason else self._pause)
            try:
                with self._session.get(url, stream=True, timeout=TIMEOUT) as answer:
                    if answer.status_code == 404:
                        raise _MissingError
                    answer.raise_for_status()
                    return use(answer)
            except requests.RequestException as error:
                reason = error
                if not _may_pass(error):
                    break
        raise UserError(
            f"{url} cannot be fetched ({reason}): is the network up? Run the same command "
            "again later, what has been fetched is kept"
        ) from reason

    def _wait(self, attempt: int, reason: requests.RequestException) -> float:
        """Seconds before another attempt: what the server asks for, or twice the last."""
        answer = reason.response if isinstance(reason, requests.HTTPError) else None
        asked = answer.headers.get("Retry-After", "") if answer is not None else ""
        wait = float(asked) if asked.isdigit() else self._backoff * 2 ** (attempt - 1)
        return min(wait, MAX_WAIT)


def _may_pass(error: requests.RequestException) -> bool:
    """Whether it may work later: a busy server or a broken line, not a refusal."""
    return error.response is None or error.response.status_code in _BUSY


def _chunks(answer: requests.Response, url: str, largest: int) -> Iterator[bytes]:
    """Content of an answer, up to a number of bytes."""
    size = 0
    for chunk in answer.iter_content(_CHUNK):
        size += len(chunk)
        if size > largest:
            raise UserError(f"{url} has more than {largest} bytes: is it the right address?")
        yield chunk
