"""Models by name of the instrument: the champion of the project, else the shipped model.

A folder beside this file holds the shipped model of each default instrument, so that a note can be
continued right after installation. To ship another, copy ``results/<instrument>/model`` there and
update its card, ``README.md``.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from notedecay.core.errors import UserError

if TYPE_CHECKING:
    from mlflow import MlflowClient

    from notedecay.models import Continuator
    from notedecay.registry.local import LocalVersion

SHIPPED = Path(__file__).parent


@dataclass(frozen=True)
class Found:
    """A model and its source.

    Attributes
    ----------
    model : Continuator
        Loaded.
    source : str
        A line that names the source of the model, for an instrument; empty for a URI or a folder.
    """

    model: Continuator[Any]
    source: str = ""


def shipped() -> dict[str, Path]:
    """Folders of the shipped models, by instrument."""
    return {path.parent.name: path.parent for path in sorted(SHIPPED.glob("*/SHA256SUMS"))}


def find(name: str) -> Found:
    """Load a model by its name, URI or folder.

    Parameters
    ----------
    name : str
        A URI of the registry (``models:/<name>@<alias>`` or ``models:/<name>/<version>``), a
        folder that a model was saved to, or an instrument. For an instrument it is the champion
        in the registry of the project around the working directory; where there is no project,
        or no such champion, it is the shipped one.

    Raises
    ------
    UserError
        For a model that does not exist or is damaged, and a registry that does not answer.
    """
    from notedecay import models
    from notedecay.models.formats import DESCRIPTION

    if name.startswith("models:"):
        return Found(_registered(name))
    folder = Path(name)
    if (folder / DESCRIPTION).is_file() or not _is_instrument(name):
        if not folder.exists():
            raise UserError(f"no model in {folder}: there is no such folder")
        return Found(models.load(folder))
    return _champion(name)


def _is_instrument(name: str) -> bool:
    """Whether a name can be that of an instrument; paths with separators or dots cannot."""
    from notedecay.core.config import INSTRUMENT_NAME

    return re.fullmatch(INSTRUMENT_NAME, name) is not None


def _registered(uri: str) -> Continuator[Any]:
    from notedecay.core.project import find_project
    from notedecay.registry import local

    named = os.environ.get("MLFLOW_TRACKING_URI")
    mlruns = Path("mlruns") if named else find_project().mlruns
    version = local.find(mlruns, uri)
    if version is not None:
        return _load(version)
    from notedecay.registry import versions
    from notedecay.tracking.store import connect

    client = connect(mlruns)
    return versions.load_version(client, versions.find(client, uri))


def _champion(instrument: str) -> Found:
    from notedecay.registry import local
    from notedecay.registry.names import CHAMPION, champion_uri, registered_name

    name, mlruns, client = registered_name(instrument), _registry(), None
    line = f"{instrument}: the champion of this project, {name} version"
    if mlruns is not None:
        own = local.find(mlruns, champion_uri(instrument))
        if own is not None:
            return Found(_load(own), f"{line} {own.version}")
        from notedecay.registry.versions import holder, load_version
        from notedecay.tracking.store import connect

        client = connect(mlruns)
        version = holder(client, name, CHAMPION)
        if version is not None:
            return Found(load_version(client, version), f"{line} {version.version}")
    folder = shipped().get(instrument)
    if folder is None:
        raise UserError(_unknown(instrument, client))
    from notedecay import models

    why = "this project has none" if client is not None else "there is no project with models here"
    return Found(models.load(folder), f"{instrument}: the model shipped with notedecay ({why})")


def _load(version: LocalVersion) -> Continuator[Any]:
    from notedecay import models
    from notedecay.registry.files import model_folder

    return models.load(model_folder(version.folder, version.tags, version.uri))


def _registry() -> Path | None:
    """Folder of the registry of the project around; None if there is none.

    A project in which nothing has run has no database, and a look-up does not make one.
    """
    from notedecay.core.project import find_project

    try:
        mlruns = find_project().mlruns
    except UserError:
        return None
    if not os.environ.get("MLFLOW_TRACKING_URI") and not (mlruns / "mlflow.db").is_file():
        return None
    return mlruns


def _unknown(instrument: str, client: MlflowClient | None) -> str:
    from notedecay.core.errors import nearest
    from notedecay.registry.names import CHAMPION, registered_name

    known = set(shipped())
    if client is not None:
        models = client.search_registered_models()
        prefix = registered_name("")
        known |= {m.name.removeprefix(prefix) for m in models if CHAMPION in m.aliases}
    return f"no model '{instrument}'{nearest(instrument, known)}"
