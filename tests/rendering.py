"""Copier, quicker: what it does anew for each project is done once for all."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from copier import _template, _user_data
from copier._main import Worker
from jinja2 import Environment


def _read_once(read: Callable[..., Any]) -> Callable[..., Any]:
    kept: dict[Any, bytes] = {}

    def again(source: Any, *args: Any, **options: Any) -> Any:
        key = (source, source.stat().st_mtime_ns if isinstance(source, Path) else None)
        if key not in kept:
            kept[key] = pickle.dumps(read(source, *args, **options))
        return pickle.loads(kept[key])

    return again


def reads_and_compiles_once(patch: pytest.MonkeyPatch) -> None:
    """YAML is read, and an expression or a template compiled, the first time alone."""
    compiled: dict[Any, Any] = {}
    compile_anew = Environment.compile

    def compile_once(self: Environment, source: Any, *args: Any, **options: Any) -> Any:
        key = (type(self), self.lexer, *self.extensions, source, *args, *options.items())
        if key in compiled:
            self.preprocess(source)  # which makes Copier's `yield` forget its last values
        else:
            compiled[key] = compile_anew(self, source, *args, **options)
        return compiled[key]

    patch.setattr(Environment, "compile", compile_once)
    patch.setattr(_template, "load_template_config", _read_once(_template.load_template_config))
    patch.setattr(_template, "get_repo", _read_once(_template.get_repo))
    parse = _read_once(_user_data.parse_yaml_string)
    patch.setattr(_user_data, "parse_yaml_string", parse)
    patch.setitem(_user_data.CAST_STR_TO_NATIVE, "yaml", parse)


def asks_no_git(patch: pytest.MonkeyPatch) -> None:
    """No file of the tests is in an index of git while it is rendered."""
    patch.setattr(Worker, "_sync_git_index_executable_bit", lambda *_: None, raising=False)
