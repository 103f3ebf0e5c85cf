"""The detector of CONTRIBUTING.md, added as a newcomer adds it: one file, nothing else touched."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
TRY = """
import sys
from pathlib import Path
import pyarrow.parquet as pq
from ringfence.shell.scan import Options, scan
from ringfence.simulate.attempts import UNANSWERED, Attempts, table
attempts = Attempts()
for n in range(30):
    attempts.add(90.0 * n, "+8613800000002", "+8613800000001", 30.0, UNANSWERED)
pq.write_table(table(attempts, 1_767_225_600_000_000), "calls.parquet")
scan(Options([Path("calls.parquet")], Path("out"), detect=("nuisance",)))
"""


def test_the_detector_of_the_guide_works_by_being_there(tmp_path: Path) -> None:
    guide = (ROOT / "CONTRIBUTING.md").read_text("utf-8")
    (code,) = re.findall(r"```python\n(.*?)```", guide, re.DOTALL)
    (name,) = re.findall(r"save it as `src/ringfence/(detect/\w+\.py)`", guide)
    shutil.copytree(
        ROOT / "src" / "ringfence", tmp_path / "ringfence", ignore=shutil.ignore_patterns("__pycache__")
    )
    (tmp_path / "ringfence" / name).write_text(code, "utf-8")
    environment = os.environ | {"PYTHONPATH": str(tmp_path), "PYTHONDONTWRITEBYTECODE": "1"}
    subprocess.run([sys.executable, "-c", TRY], cwd=tmp_path, env=environment, check=True)
    (alert,) = [
        json.loads(line) for line in (tmp_path / "out" / "alerts.jsonl").read_text("utf-8").splitlines()
    ]
    assert (alert["kind"], alert["subject"]) == ("nuisance", "+8613800000001")
    assert alert["closed_at"] is None or alert["quiet_s"] == 3600
    assert "the same number again" in alert["ledger"][0]["what"]
    page = (tmp_path / "out" / "report.html").read_text("utf-8")
    assert "One number, again and again: +8613800000001" in page
    assert "同一号码反复拨打，号码 +8613800000001" in page
