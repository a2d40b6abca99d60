"""Models in the tracking store and the registry: log, register, find, load."""

from __future__ import annotations

import warnings
from importlib.metadata import version
from pathlib import Path
from typing import Any

import mlflow
from mlflow import MlflowClient
from mlflow.entities.model_registry import ModelVersion
from mlflow.exceptions import MlflowException
from mlflow.models import ModelSignature
from mlflow.types import ColSpec, Schema

import notedecay
from notedecay import continuators
from notedecay.continuators import Continuator
from notedecay.errors import UserError, nearest
from notedecay.registry.names import parse_uri
from notedecay.tracking.store import is_absent

SIGNATURE = ModelSignature(
    Schema([ColSpec("string", "prime"), ColSpec("double", "seconds")]),
    Schema([ColSpec("string", "audio")]),
)
NEEDED = (
    "mlflow",
    "numpy",
    "pandas",
    "pydantic",
    "safetensors",
    "scipy",
    "soundfile",
    "soxr",
    "torch",
)
"""What a served model imports, beside the code of notedecay that is logged with it."""


def register(
    client: MlflowClient, folder: Path, run_id: str, name: str, tags: dict[str, str]
) -> ModelVersion:
    """Log a saved continuator into a run and register it; a run is registered once.

    Parameters
    ----------
    client : MlflowClient
        Of the store.
    folder : Path
        Written by :meth:`Continuator.save`.
    run_id : str
        Where the model comes from.
    name : str
        Of the registered model.
    tags : dict of str to str
        For the version; ``continuator``, its name, names the logged model too.

    Returns
    -------
    ModelVersion
        The run's version, new or known.
    """
    known = client.search_model_versions(f"name = '{name}' and run_id = '{run_id}'")
    if known:
        for tag in tags.items() - known[0].tags.items():
            client.set_model_version_tag(name, known[0].version, *tag)
        return known[0]
    status = client.get_run(run_id).info.status
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # hints for models that take arbitrary tables
        with mlflow.start_run(run_id=run_id):
            info = mlflow.pyfunc.log_model(
                name=tags["continuator"],
                python_model=str(Path(__file__).with_name("served_model.py")),
                artifacts={"continuator": str(folder)},
                signature=SIGNATURE,
                code_paths=[str(Path(notedecay.__file__).parent)],
                pip_requirements=[f"{name}=={version(name)}" for name in NEEDED],
            )
        client.set_terminated(run_id, status)
        return mlflow.register_model(info.model_uri, name, tags=tags)


def describe(client: MlflowClient, version: ModelVersion, model: str, why: str) -> None:
    """Say in the registry what a model is, and what became of its version.

    Parameters
    ----------
    client : MlflowClient
        Of the store.
    version : ModelVersion
        As the store gives it before the tag ``decision`` is set anew.
    model, why : str
        Descriptions of the registered model and of the version. What somebody wrote there
        stays: the model's is written where there is none, the version's where there is none
        or where it is the earlier decision.
    """
    if not client.get_registered_model(version.name).description:
        client.update_registered_model(version.name, model)
    said = version.description or ""
    if said != why and said in ("", version.tags.get("decision")):
        client.update_model_version(version.name, version.version, why)


def find(client: MlflowClient, uri: str) -> ModelVersion:
    """The version that a URI names.

    Raises
    ------
    UserError
        For a name, alias or version that is not there, naming those that are.
    """
    name, alias, version = parse_uri(uri)
    try:
        model = client.get_registered_model(name)
    except MlflowException as error:
        if not is_absent(error):
            raise
        known = [m.name for m in client.search_registered_models()]
        hint = nearest(name, known) if known else "; none is registered yet: run make repro"
        raise UserError(f"no registered model '{name}'{hint}") from error
    try:
        if alias is not None:
            return client.get_model_version_by_alias(name, alias)
        return client.get_model_version(name, str(version))
    except MlflowException as error:
        if not is_absent(error):
            raise
        if alias is not None:
            raise UserError(
                f"{name} has no alias '{alias}'{nearest(alias, model.aliases)}"
            ) from error
        versions = [str(v.version) for v in client.search_model_versions(f"name = '{name}'")]
        raise UserError(f"{name} has no version {version}; it has {', '.join(versions)}") from error


def holder(client: MlflowClient, name: str, alias: str) -> ModelVersion | None:
    """The version behind an alias, None where there is none yet."""
    try:
        return client.get_model_version_by_alias(name, alias)
    except MlflowException as error:
        if is_absent(error):
            return None
        raise


def load_version(client: MlflowClient, version: ModelVersion) -> Continuator[Any]:
    """The continuator of a version.

    Raises
    ------
    UserError
        When its files are gone or do not fit together.
    """
    return continuators.load(folder_of(client, version))


def folder_of(client: MlflowClient, version: ModelVersion) -> Path:
    """A folder with the saved continuator of a version.

    Raises
    ------
    UserError
        When its files are gone.
    """
    uri = f"models:/{version.name}/{version.version}"
    try:
        folder = Path(mlflow.artifacts.download_artifacts(uri))
    except (MlflowException, OSError) as error:
        raise UserError(
            f"the files of {uri} cannot be had from {_whereabouts(client, version, uri)}: bring "
            "that folder back; only if it is lost for good, delete the version and run make repro"
        ) from error
    found = sorted(folder.rglob("continuator.json"))
    if not found:
        raise UserError(f"{uri} holds no continuator; it was not registered by notedecay")
    return found[0].parent


def _whereabouts(client: MlflowClient, version: ModelVersion, uri: str) -> str:
    """Where the files of a version should lie; its URI where the store does not say."""
    try:
        return str(client.get_model_version_download_uri(version.name, version.version))
    except (MlflowException, OSError):  # it may be the store itself that failed
        return uri
