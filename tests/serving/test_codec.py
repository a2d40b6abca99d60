"""Requests in base64: what is decoded, and what is refused in one line."""

from __future__ import annotations

import base64
from collections.abc import Callable
from contextlib import suppress

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from notedecay import audio
from notedecay.core.errors import UserError
from notedecay.inference import generate
from notedecay.models import Signal, create
from notedecay.serving import app, codec
from notedecay.serving.codec import MAX_PRIME_BYTES, continue_encoded, decode_prime
from tests.synthetic import damped

RATE = 4000
SIGNAL = Signal(instrument="bells", rate=RATE)
ESPRIT = create("esprit", SIGNAL, {"order": 8})
SILENCE = create("silence", SIGNAL, {})
NOTE = damped([220.0, 440.0], [2.0, 1.2], [1, 0.5], seconds=3.0, rate=RATE)
WAV = audio.encode(NOTE, RATE)


def encoded(content: bytes) -> str:
    return base64.b64encode(content).decode()


def test_the_server_has_the_bounds_of_the_model():
    assert app.MAX_ROWS == codec.MAX_ROWS


def test_a_request_gives_the_same_samples_as_the_call():
    sent = continue_encoded(ESPRIT, encoded(WAV), 1.0)
    called = generate(ESPRIT, audio.read_bytes(WAV), 1.0)
    np.testing.assert_array_equal(sent.samples, called.samples)


@pytest.mark.parametrize(
    "text",
    [
        "!", "a", "abcde", "é", "UklGRg==\n=", "Ukl=GRg=", "☃" * 8, encoded(WAV)[:-1] + "*",
        "data:audio/wav," + encoded(WAV), "data:" + encoded(WAV), "b'" + encoded(WAV), b"\xff" * 4,
    ],
)  # fmt: skip
def test_text_that_is_not_base64_is_refused(text):
    with pytest.raises(UserError, match="prime is not base64"):
        continue_encoded(SILENCE, text, 1.0)


@pytest.mark.parametrize("value", [None, float("nan"), 3, ["UklGRg=="], {"a": 1}])
def test_what_is_no_text_is_refused(value):
    with pytest.raises(UserError, match="prime must be text"):
        continue_encoded(SILENCE, value, 1.0)


FORMS: dict[str, Callable[[bytes], str | bytes]] = {
    "plain": encoded,
    "bytes": base64.b64encode,
    "lines of 76": lambda content: base64.encodebytes(content).decode(),
    "lines of Windows": lambda content: base64.encodebytes(content).decode().replace("\n", "\r\n"),
    "no padding": lambda content: encoded(content).rstrip("="),
    "URL-safe": lambda content: base64.urlsafe_b64encode(content).decode(),
    "URL-safe, no padding": lambda content: base64.urlsafe_b64encode(content).decode().rstrip("="),
    "data URI": lambda content: "data:audio/wav;base64," + encoded(content),
    "data URI with a parameter": lambda c: "data:audio/x-wav;codecs=1;base64," + encoded(c),
    "white space around": lambda content: f" \t{encoded(content)}\n\n",
    "printed bytes": lambda content: str(base64.b64encode(content)),
}


@pytest.mark.parametrize("form", FORMS)
@given(st.binary(max_size=300))
def test_base64_is_decoded_in_every_form(form, content):
    assert decode_prime(FORMS[form](content)) == content


@given(st.text(alphabet="AZaz09+/-_=\n \t'bdata:;,", max_size=30))
def test_any_text_is_decoded_or_refused(text):
    with suppress(UserError):
        decode_prime(text)


def test_an_empty_or_huge_request_is_refused():
    with pytest.raises(UserError, match="empty"):
        continue_encoded(SILENCE, "", 1.0)
    with pytest.raises(UserError, match="larger than 20000000 bytes; send its first second"):
        continue_encoded(SILENCE, "A" * (MAX_PRIME_BYTES + 1), 1.0)


def assert_made_or_refused(text: str, seconds: float) -> None:
    """Any other error than UserError fails the test."""
    with suppress(UserError):
        made = continue_encoded(SILENCE, text, seconds)
        assert np.isfinite(made.samples).all()


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=400) | st.binary(max_size=100).map(lambda b: b"RIFF" + b), st.floats())
def test_any_bytes_give_nothing_but_a_line(content, seconds):
    assert_made_or_refused(encoded(content), seconds)


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=60))
def test_any_text_gives_nothing_but_a_line(text):
    assert_made_or_refused(text, 1.0)


@settings(max_examples=200, deadline=None)
@given(st.integers(0, 59), st.binary(min_size=1, max_size=8), st.integers(0, len(WAV)))
def test_a_damaged_file_gives_a_note_or_a_line(place, patch, end):
    broken = WAV[:place] + patch + WAV[place + len(patch) :]
    assert_made_or_refused(encoded(broken), 0.1)
    assert_made_or_refused(encoded(broken[:end]), 0.1)
