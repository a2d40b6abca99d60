"""Validation of values against typed models, with one line for the user where they do not fit."""

from __future__ import annotations

import re
import reprlib
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from notedecay.core.errors import UserError, nearest

M = TypeVar("M", bound=BaseModel)


def parse(model: type[M], values: Any, where: str, *, strict: bool | None = None) -> M:
    """Validate values against a typed model.

    Parameters
    ----------
    model : type of pydantic model
        What is expected.
    values : any
        What was read.
    where : str
        File or option that the values come from, for the message.
    strict : bool, optional
        Whether ``'5'`` is no number; as the model says by default.

    Returns
    -------
    model
        The typed values.

    Raises
    ------
    UserError
        Naming the first wrong key, what is wrong with it and the nearest known key.
    """
    try:
        return model.model_validate(values, strict=strict)
    except ValidationError as error:
        first = min(error.errors(), key=lambda e: e["type"] != "extra_forbidden")
        path = ".".join(str(part) for part in first["loc"] if not _is_union_tag(part))
        if first["type"] == "extra_forbidden":
            known = _keys_at(model, first["loc"][:-1])
            hint = nearest(str(first["loc"][-1]), known)
            raise UserError(f"{where}: unknown parameter {path}{hint}") from error
        got = "" if first["type"] == "missing" else f", got {reprlib.repr(first['input'])}"
        hint = "; write it without quotes" if _is_quoted_number(first["input"]) else ""
        why = _in_yaml_words(first["type"], path, first["msg"])
        raise UserError(f"{where}: {path or 'the whole'}: {why}{got}{hint}") from error


def _in_yaml_words(kind: str, path: str, message: str) -> str:
    """A message in words of YAML, where pydantic's are those of Python."""
    if kind in {"model_type", "dict_type"}:
        if re.fullmatch(r"instruments\.[^.]+", path):
            return "needs values of its own, or {} where it uses the defaults"
        return "needs parameters of its own, 'name: value' on lines below it"
    if kind == "string_type" and path.endswith("[key]"):
        return "YAML takes this name for a number, a date, true, false or null: put it in quotes"
    return message


def _is_quoted_number(value: Any) -> bool:
    if not isinstance(value, str):
        return False
    try:
        float(value)
    except ValueError:
        return False
    return True


def _is_union_tag(part: int | str) -> bool:
    """Whether pydantic, not the user, named this part of a path."""
    return part in {"range", "choices", "value", "bool", "int", "float", "str"}


def _keys_at(model: type[BaseModel], path: tuple[int | str, ...]) -> list[str]:
    """Names that a model knows at a path of keys; dictionary keys and union tags are passed by."""
    for part in path:
        field = model.model_fields.get(str(part)) or next(
            (f for f in model.model_fields.values() if f.alias == part), None
        )
        inner = _model_in(field.annotation) if field else None
        model = inner or model
    return [f.alias or name for name, f in model.model_fields.items()]


def _model_in(annotation: Any) -> type[BaseModel] | None:
    """The model inside an annotation such as ``dict[str, Instrument]``."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    for argument in getattr(annotation, "__args__", ()):
        if found := _model_in(argument):
            return found
    return None
