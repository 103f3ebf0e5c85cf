"""The checkpoint by itself: whole, or the one before, or none."""

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ringfence.shell import checkpoint
from ringfence.shell.checkpoint import Checkpoint, DamagedError

RECORD = np.dtype([("key", "i8"), ("small", "i1"), ("bits", "f4", (3,))], align=True)
STATE: dict[str, Any] = {"names": ["呼死你", "a\udcff"], "none": None, "nested": [[1, 2.5], {"x": True}]}


def arrays(n: int) -> dict[str, Any]:
    rows = np.zeros(4, RECORD)
    rows["key"] = n
    return {"engine:0.rows": rows, "ids:ends": np.arange(n), "empty": np.zeros(0, np.int64)}


def test_comes_back_as_it_was(tmp_path: Path) -> None:
    checkpoint = Checkpoint(tmp_path / "c.npz")
    assert checkpoint.load() is None
    checkpoint.save(arrays(3), STATE)
    checkpoint.save(arrays(4), STATE)
    loaded = Checkpoint(tmp_path / "c.npz").load()
    assert loaded is not None
    found, state = loaded
    assert state == STATE
    assert found.keys() == arrays(4).keys()
    for name, array in arrays(4).items():
        assert found[name].dtype == array.dtype
        assert found[name].dtype.isalignedstruct == array.dtype.isalignedstruct, (
            "or the pass is compiled again"
        )
        assert (found[name] == array).all()
    assert [path.name for path in tmp_path.iterdir()] == ["c.npz"]
    checkpoint.remove()
    assert checkpoint.load() is None
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("step", ["savez", "fsync", "replace"])
def test_failing_leaves_the_one_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str) -> None:
    checkpoint = Checkpoint(tmp_path / "c.npz")
    checkpoint.save(arrays(3), {"n": 3})

    def fail(*_: Any, **__: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr({"savez": np, "fsync": os, "replace": Path}[step], step, fail)
    with pytest.raises(OSError, match="No space left"):
        checkpoint.save(arrays(4), {"n": 4})
    loaded = checkpoint.load()
    assert loaded is not None
    assert loaded[1] == {"n": 3}
    assert [path.name for path in tmp_path.iterdir()] == ["c.npz"]


def test_what_is_no_checkpoint(tmp_path: Path) -> None:
    path = tmp_path / "c.npz"
    for content in (b"", b"x", b"PK\x03\x04", b"\x80\x04\x95"):
        path.write_bytes(content)
        with pytest.raises(DamagedError, match=r"c\.npz: the checkpoint is damaged; scan without --resume"):
            Checkpoint(path).load()
    np.savez(path, other=np.zeros(3))
    with pytest.raises(DamagedError):
        Checkpoint(path).load()
    np.savez(path, state=np.frombuffer(b"[1]", np.uint8))
    with pytest.raises(DamagedError):
        Checkpoint(path).load()


def test_a_large_checkpoint_goes_to_the_disk_little_by_little(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever waits for the same disk meanwhile, such as the journal of the service, must not wait for all of it."""
    synced: list[int] = []
    real = os.fdatasync

    def fdatasync(descriptor: int) -> None:
        synced.append(os.fstat(descriptor).st_size)
        real(descriptor)

    monkeypatch.setattr(os, "fdatasync", fdatasync)
    monkeypatch.setattr(checkpoint, "STEP", 1 << 16)
    arrays = {name: np.arange(1 << 17) for name in "abcd"}
    Checkpoint(tmp_path / "c").save(arrays, {"n": 1})
    assert len(synced) >= 2
    assert synced == sorted(synced)
    found = Checkpoint(tmp_path / "c").load()
    assert found is not None
    assert np.array_equal(found[0]["a"], arrays["a"])
