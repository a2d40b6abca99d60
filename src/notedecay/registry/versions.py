"""Versions of registered models: log, register, describe, find, load."""

from __future__ import annotations

import json
import warnings
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import mlflow
from mlflow import MlflowClient
from mlflow.entities import LoggedModelStatus
from mlflow.entities.model_registry import ModelVersion
from mlflow.exceptions import MlflowException
from mlflow.models import Model, ModelSignature
from mlflow.types import ColSpec, Schema

from notedecay import models
from notedecay.core.errors import DamagedError, UserError, nearest
from notedecay.models import Continuator, checksums
from notedecay.registry.files import MEND, SUMS_TAG, model_folder
from notedecay.registry.names import parse_uri
from notedecay.serving import package
from notedecay.tracking.runs import process, process_is_gone
from notedecay.tracking.store import is_absent

SIGNATURE = ModelSignature(
    Schema([ColSpec("string", "prime"), ColSpec("double", "seconds")]),
    Schema([ColSpec("string", "audio")]),
)


def register(
    client: MlflowClient, folder: Path, run_id: str, name: str, tags: dict[str, str]
) -> ModelVersion:
    """Log a saved model into a run and register it; a run is registered once.

    Parameters
    ----------
    client : MlflowClient
        Of the store.
    folder : Path
        Written by :meth:`Continuator.save`.
    run_id : str
        The run that made the model.
    name : str
        Of the registered model.
    tags : dict of str to str
        Tags of the version; ``model`` is also the name of the logged model.

    Returns
    -------
    ModelVersion
        The run's version, new or existing; a new one has a tag with the checksums of its files.

    Raises
    ------
    UserError
        For a model that cannot be loaded.
    """
    known = client.search_model_versions(f"name = '{name}' and run_id = '{run_id}'")
    if known:
        for tag in tags.items() - known[0].tags.items():
            client.set_model_version_tag(name, known[0].version, *tag)
        return known[0]
    models.load(folder)  # a model that cannot be loaded is not registered
    sums = json.dumps(checksums.of_folder(folder))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # hints for models that take arbitrary tables
        model_id = _logged(client, run_id, sums) or _log(
            client, folder, run_id, tags["model"], sums
        )
        return mlflow.register_model(f"models:/{model_id}", name, tags={**tags, SUMS_TAG: sums})


def _logged(client: MlflowClient, run_id: str, sums: str) -> str | None:
    """Id of a model that a killed process has logged into the run; incomplete ones are deleted."""
    experiment = client.get_run(run_id).info.experiment_id
    for model in client.search_logged_models([experiment], f"source_run_id = '{run_id}'"):
        if model.status == LoggedModelStatus.READY:
            if model.tags.get(SUMS_TAG) == sums:
                return str(model.model_id)
        elif process_is_gone(model.tags.get("notedecay.process", "")):
            client.delete_logged_model(model.model_id)
    return None


def _log(client: MlflowClient, folder: Path, run_id: str, model_name: str, sums: str) -> str:
    """Log a saved model into a run without a change of the run's status and end time.

    ``mlflow.pyfunc.log_model`` would need an active run; killed meanwhile, the process would leave
    it RUNNING for ever.
    """
    run = client.get_run(run_id)
    model = mlflow.initialize_logged_model(
        name=model_name,
        source_run_id=run_id,
        experiment_id=run.info.experiment_id,
        params=run.data.params,
        tags={SUMS_TAG: sums, "notedecay.process": process()},
    )
    with TemporaryDirectory() as code:
        Model.log(
            artifact_path=None,
            flavor=mlflow.pyfunc,
            model_id=model.model_id,
            run_id=run_id,
            name=model_name,
            python_model=str(package.MODEL_CODE),
            artifacts={"model": str(folder)},
            signature=SIGNATURE,
            code_paths=[str(package.copy_code(Path(code)))],
            pip_requirements=package.requirements(),
        )
    return str(model.model_id)


def describe(client: MlflowClient, version: ModelVersion, model: str, why: str) -> None:
    """Write the descriptions of a registered model and of a version.

    Parameters
    ----------
    client : MlflowClient
        Of the store.
    version : ModelVersion
        As the store returns it before the tag ``decision`` is set again.
    model, why : str
        Descriptions of the registered model and of the version. A user's own text stays: the
        model's description is written if there is none, the version's if there is none or if it is
        the earlier decision.
    """
    if not client.get_registered_model(version.name).description:
        client.update_registered_model(version.name, model)
    present = version.description or ""
    if present != why and present in ("", version.tags.get("decision")):
        client.update_model_version(version.name, version.version, why)


def find(client: MlflowClient, uri: str) -> ModelVersion:
    """The version that a URI names.

    Raises
    ------
    UserError
        For a name, alias or version that does not exist; the message names those that do.
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
    """The version that has an alias; None if there is none yet."""
    try:
        return client.get_model_version_by_alias(name, alias)
    except MlflowException as error:
        if is_absent(error):
            return None
        raise


def load_version(client: MlflowClient, version: ModelVersion) -> Continuator[Any]:
    """The model of a version.

    Raises
    ------
    UserError
        If its files are missing, changed, or do not fit together.
    """
    return models.load(folder_of(client, version))


def folder_of(client: MlflowClient, version: ModelVersion) -> Path:
    """A folder with the saved model of a version, checked against the version's checksums.

    Raises
    ------
    DamagedError
        If its files are missing, or are not those that were registered. A version without
        checksums, of an early release, is not checked.
    UserError
        If it is no model of notedecay.
    """
    uri = f"models:/{version.name}/{version.version}"
    try:
        folder = Path(mlflow.artifacts.download_artifacts(uri))
    except (MlflowException, OSError) as error:
        raise DamagedError(
            f"the files of {uri} cannot be had from {_address(client, version, uri)}: {MEND}"
        ) from error
    return model_folder(folder, version.tags, uri)


def _address(client: MlflowClient, version: ModelVersion, uri: str) -> str:
    """Address of a version's files; its URI if the store has no address."""
    try:
        return str(client.get_model_version_download_uri(version.name, version.version))
    except (MlflowException, OSError):  # it may be the store itself that failed
        return uri
