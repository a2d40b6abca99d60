"""The paper's experiments as data: settings, statements of the authors, and notes.

Every row of the authors' log has its counterpart. Others are added: a latent variable, which the
authors planned, batch normalisation with updated statistics, and the baselines.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any

from notedecay.models.recurrent.presets import PAPER, STANDARD_LSTM
from notedecay.studies.paper.datasets import DatasetSpec

GUITAR = DatasetSpec("guitar", highest_hz=1400, seconds=5.0, highpass_hz=60.0)
CELLO = DatasetSpec("cello", highest_hz=5000, seconds=3.0, highpass_hz=40.0)
CELLO_8000 = replace(CELLO, highest_hz=8000)
PIANO = DatasetSpec("piano", highest_hz=4200, seconds=5.0, highpass_hz=25.0)
PIANO_A = replace(PIANO, pitches="A")
FLUTE = DatasetSpec("flute", highest_hz=2000, seconds=3.0, highpass_hz=40.0)
GUITAR_C5 = replace(GUITAR, unseen="C5")
GUITAR_AS_IT_WAS = replace(GUITAR, rumble=True, lead=True, as_authors=True)
GUITAR_WITH_RUMBLE = replace(GUITAR, rumble=True)
GUITAR_FROM_FILE = replace(GUITAR, lead=True)
GUITAR_FULL_RATE = replace(GUITAR, highest_hz=22050)

PRIME_SECONDS = 0.33
AUTHORS_PRIME_SECONDS = 20 / 60


@dataclass(frozen=True)
class Experiment:
    """A row of the table.

    Attributes
    ----------
    name : str
        Unique, for the command line and for folders.
    group : str
        Heading of its table.
    title : str
        A few words.
    dataset : DatasetSpec
        Notes.
    model : str
        One of ``MODELS``, or ``oracle``.
    settings : mapping
        At full scale.
    statement : str
        What paper or log say of it.
    loss : str
        The final training loss in the authors' log.
    published : tuple of int
        Numbers of the experiments whose audio the authors published.
    main : bool
        One of the few that are run with three seeds, and in ``--quick``.
    """

    name: str
    group: str
    title: str
    dataset: DatasetSpec
    model: str
    settings: Mapping[str, Any]
    statement: str = ""
    loss: str = ""
    published: tuple[int, ...] = ()
    main: bool = False

    @property
    def prime_seconds(self) -> float:
        """Length of the prime (s)."""
        return AUTHORS_PRIME_SECONDS if self.dataset.as_authors else PRIME_SECONDS


CONVOLVED: Mapping[str, Any] = MappingProxyType(
    dict(PAPER["cnn_lstm"])
    | {"gates": "sigmoid", "denormalisation": "inverse"}
    | {"frozen_statistics": False, "convolution_activation": "tanh"}
)
"""The authors' CNN-LSTM with updated statistics, and tanh instead of relu."""


OUR_WAY: Mapping[str, Any] = MappingProxyType(
    {
        "level": "prime",
        "recurrent_gain": 1.0,
        "optimiser": "adam",
        "batch": 16,
        "learning_rate": 2e-3,
        "schedule": "cosine",
        "clip_norm": 1.0,
        "input_noise": 0.1,
    }
)
"""Our training settings for the paper's networks."""


def _lstm(name: str, group: str, title: str, dataset: DatasetSpec, **fields: Any) -> Experiment:
    """An LSTM; ``settings`` among the fields replace those of the corrected LSTM."""
    settings = {**STANDARD_LSTM, "window_seconds": dataset.seconds, **fields.pop("settings", {})}
    return Experiment(name, group, title, dataset, "lstm", settings, **fields)


def _cnn(name: str, title: str, **fields: Any) -> Experiment:
    """A CNN-LSTM on the guitar; ``settings`` among the fields replace the corrected ones."""
    settings = {**CONVOLVED, **fields.pop("settings", {})}
    return Experiment(name, "CNN-LSTM, guitar", title, GUITAR, "cnn_lstm", settings, **fields)


def _baselines(name: str, dataset: DatasetSpec) -> tuple[Experiment, ...]:
    return tuple(
        Experiment(f"{name}-{kind}", "Baselines", f"{kind}, {name}", dataset, kind, {}, main=True)
        for kind in ("silence", "repeat", "burg", "esprit", "oracle")
    )


_SIZE = "LSTM, guitar: width, depth, activation"
_TIME = "LSTM, guitar: time resolution"
_FAULTS = "LSTM, guitar: the authors' version, corrections, and variants"
_OTHERS = "LSTM, other instruments"

EXPERIMENTS: tuple[Experiment, ...] = (
    _lstm(
        "lstm-512", _SIZE, "512 units", GUITAR, main=True, loss=".042", published=(4,),
        statement="best by ear; C5 seen: decays, slower than the original, little noise",
    ),
    _lstm("lstm-256", _SIZE, "256 units", GUITAR, settings={"units": 256}),
    _lstm(
        "lstm-1024", _SIZE, "1024 units", GUITAR, settings={"units": 1024}, loss=".034",
        published=(5,),
    ),
    _lstm("lstm-2048", _SIZE, "2048 units", GUITAR, settings={"units": 2048}, loss=".029"),
    _lstm(
        "lstm-2-layers", _SIZE, "2 layers", GUITAR, settings={"layers": 2}, loss=".037",
        published=(6,), statement="little effect",
    ),
    _lstm(
        "lstm-3-layers", _SIZE, "3 layers", GUITAR, settings={"layers": 3}, statement="more noise"
    ),
    _lstm(
        "tanh-512", _SIZE, "tanh on the output", GUITAR, loss=".518", published=(8,),
        settings={"output_activation": "tanh"},
    ),
    _lstm(
        "tanh-1024-10", _SIZE, "tanh on the output, 1024 units, 10 blocks/s", GUITAR,
        settings={"output_activation": "tanh", "units": 1024, "resolution": 10.0},
        loss=".44 to .518",
    ),
    _lstm(
        "tanh-2048-25", _SIZE, "tanh on the output, 2048 units, 25 blocks/s", GUITAR,
        settings={
            "output_activation": "tanh", "units": 2048, "resolution": 25.0, "epochs": 30,
        },
        statement="short prime bad",
    ),
    _lstm(
        "tanh-inward", _SIZE, "tanh before the LSTM", GUITAR, settings={"activation": "tanh"}
    ),
    _lstm(
        "relu-inward", _SIZE, "relu before the LSTM", GUITAR, settings={"activation": "relu"}
    ),
    _lstm(
        "lstm-1024-10", _TIME, "10 blocks/s, 1024 units", GUITAR, loss=".013",
        settings={"units": 1024, "resolution": 10.0},
    ),
    _lstm(
        "lstm-1024-30", _TIME, "30 blocks/s, 1024 units", GUITAR, loss=".024",
        settings={"units": 1024, "resolution": 30.0},
    ),
    _lstm("lstm-10", _TIME, "10 blocks/s", GUITAR, settings={"resolution": 10.0}, published=(2,)),
    _lstm("lstm-30", _TIME, "30 blocks/s", GUITAR, settings={"resolution": 30.0}, published=(3,)),
    _lstm("lstm-90", _TIME, "90 blocks/s", GUITAR, settings={"resolution": 90.0}),
    _lstm("lstm-120", _TIME, "120 blocks/s", GUITAR, settings={"resolution": 120.0}),
    Experiment(
        "as-it-was", _FAULTS, "authors' version: their preprocessing, hard gates",
        GUITAR_AS_IT_WAS, "lstm", PAPER["lstm"], main=True, loss=".042", published=(4,),
        statement="best by ear; prime from the file's start, rumble left in",
    ),
    _lstm("with-rumble", _FAULTS, "only difference: rumble left in", GUITAR_WITH_RUMBLE),
    _lstm(
        "from-file-start", _FAULTS, "only difference: prime from the file's start",
        GUITAR_FROM_FILE,
    ),
    _lstm(
        "hard-gates", _FAULTS, "only difference: the authors' hard gates", GUITAR,
        settings={"gates": "hard_sigmoid"},
    ),
    _lstm(
        "lstm-unseen-c5", _FAULTS, "C5 held out", GUITAR_C5, main=True, published=(9,),
        statement="no decay, copies the tone for ever",
    ),
    Experiment(
        "gru-512", _FAULTS, "GRU", GUITAR, "gru",
        dict(PAPER["gru"]) | {"denormalisation": "inverse"}, main=True,
    ),
    _lstm(
        "spectral", _FAULTS, "with the block's spectrum", GUITAR, settings={"spectral": True},
        main=True, statement="it hurt",
    ),
    _lstm(
        "lstm-trained-our-way", _FAULTS, "trained our way (errors in energies of the prime)",
        GUITAR, main=True,
        settings=OUR_WAY,
    ),
    *(
        Experiment(
            f"vrnn-{generation}",
            "Latent variable, guitar",
            f"VRNN, generation by {what}",
            GUITAR,
            "vrnn",
            {
                "units": 512,
                "recurrent_gain": 1.1,
                "resolution": 60.0,
                "level": "global",
                "transpose": 0,
                "window_seconds": 5.0,
                "denormalisation": "inverse",
                "epochs": 180,
                "batch": 10,
                "learning_rate": 1e-3,
                "generation": generation,
            },
            statement="planned; here with Adam and a cosine schedule",
            main=generation == "mean",
        )
        for generation, what in (("mean", "the mean"), ("sample", "sampling"))
    ),
    _cnn(
        "cnn-target-is-input", "target is the input", loss=".0067, .0046",
        settings={
            "target": "same", "frozen_statistics": True, "convolution_activation": "relu",
            "activation": "relu",
        },
        statement="the loss looks splendid",
    ),
    _cnn(
        "cnn-as-it-was", "32x35 relu, frozen statistics, hard gates", loss=".097 to .348",
        settings={
            "frozen_statistics": True, "convolution_activation": "relu", "gates": "hard_sigmoid",
            "denormalisation": "authors", "activation": "relu",
        },
        statement="nothing learned",
    ),
    _cnn(
        "cnn-frozen", "32x35 tanh, frozen statistics", main=True, loss=".037",
        settings={"frozen_statistics": True}, statement="still very bad",
    ),
    _cnn("cnn", "32x35 tanh, updated statistics", main=True),
    _cnn("cnn-plain", "32x35 tanh, no normalisation", main=True, settings={"batch_norm": False}),
    _cnn(
        "cnn-trained-our-way",
        "32x35 tanh, no normalisation, trained our way (errors in energies of the prime)",
        main=True, settings={**OUR_WAY, "batch_norm": False},
    ),
    _cnn(
        "cnn-relu", "32x35 relu, updated statistics", loss=".097 to .348",
        settings={"convolution_activation": "relu"},
    ),
    _cnn("cnn-linear", "32x35 linear", settings={"convolution_activation": "linear"}),
    _cnn("cnn-sigmoid", "32x35 sigmoid", settings={"convolution_activation": "sigmoid"}),
    _cnn("cnn-32x3", "32x3", settings={"length": 3}, loss=".097 to .348"),
    _cnn(
        "cnn-2", "64x35, 32x17 (authors' 32x27)", settings={"filters": 64, "convolutions": 2},
        loss=".097 to .348",
    ),
    _cnn("cnn-3", "32x35, 16x17, 8x9", settings={"convolutions": 3}),
    Experiment(
        "cnn-full-rate", "CNN-LSTM, guitar", "32x35 tanh at 44.1 kHz, updated statistics",
        GUITAR_FULL_RATE, "cnn_lstm", CONVOLVED, loss=".097 to .348",
    ),
    _cnn("cnn-no-dense", "without the dense layer", settings={"dense": False}),
    _lstm(
        "cello-1024-10", _OTHERS, "cello to 8000 Hz, 1024 units, 10 blocks/s", CELLO_8000,
        settings={"units": 1024, "resolution": 10.0, "epochs": 150}, loss=".415, .402",
        statement="converges after 30 to 40 epochs",
    ),
    _lstm(
        "cello-tanh-1024-10", _OTHERS, "the same, tanh on the output", CELLO_8000, loss=".651",
        settings={
            "units": 1024, "resolution": 10.0, "epochs": 150, "output_activation": "tanh",
        },
    ),
    _lstm(
        "cello-tanh-2048-10", _OTHERS, "the same, 2048 units", CELLO_8000,
        settings={
            "units": 2048, "resolution": 10.0, "epochs": 50, "output_activation": "tanh",
        },
    ),
    _lstm(
        "cello-tanh-2048-50", _OTHERS, "the same, 50 blocks/s", CELLO_8000,
        settings={
            "units": 2048, "resolution": 50.0, "epochs": 50, "output_activation": "tanh",
        },
        statement="less noise in the decay",
    ),
    _lstm(
        "cello-1024", _OTHERS, "cello, 1024 units", CELLO, settings={"units": 1024}, loss=".057"
    ),
    _lstm(
        "cello-512", _OTHERS, "cello, 512 units", CELLO, main=True, loss=".086", published=(1,),
        statement="noise, shortened decay",
    ),
    _lstm(
        "piano-1024-50", _OTHERS, "piano, 1024 units, 50 blocks/s", PIANO, statement="horrible",
        settings={"units": 1024, "resolution": 50.0, "epochs": 50},
    ),
    _lstm(
        "piano-512", _OTHERS, "piano, 512 units", PIANO, main=True, statement="noise, short decay"
    ),
    _lstm(
        "piano-a-1024", _OTHERS, "piano, A notes, 1024 units", PIANO_A,
        settings={"units": 1024}, loss=".029",
    ),
    _lstm(
        "piano-a-512", _OTHERS, "piano, A notes, 512 units", PIANO_A, main=True, loss=".057",
        published=(7,), statement="less noise, but a second pitch appears",
    ),
    _lstm(
        "flute-512", _OTHERS, "flute, 512 units", FLUTE, main=True, statement="dropped: no decay",
    ),
    *_baselines("guitar", GUITAR),
    *_baselines("cello", CELLO),
    *_baselines("piano", PIANO),
    *_baselines("piano-a", PIANO_A),
    *_baselines("flute", FLUTE),
)  # fmt: skip
"""In the order in which they are run and shown."""
