"""What is compiled, and for which processor."""

from pathlib import Path

import numba
import pytest

from ringfence.shell import warm_up


def test_what_another_processor_compiled_is_not_taken_for_compiled(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    mark = warm_up._mark()
    mark.parent.mkdir(parents=True)
    mark.touch()
    assert warm_up.is_warm()
    monkeypatch.setattr(numba.config, "CPU_NAME", "another")
    assert not warm_up.is_warm()
