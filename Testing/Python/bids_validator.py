"""The BIDS validator, where it is installed."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

VALIDATOR = shutil.which("bids-validator-deno", path=str(Path(sys.executable).parent))
NO_VALIDATOR = "no BIDS validator here (pip install bids-validator-deno)"


def errors(folder: Path) -> set[str]:
    """What the validator holds against a data set: 'what of which file', its warnings left out."""
    done = subprocess.run([VALIDATOR, str(folder), "--format", "json"], capture_output=True, text=True, check=False)
    issues = json.loads(done.stdout)["issues"]["issues"]
    return {
        f"{issue['code']} {issue.get('subCode', '')} {issue.get('location', '')}"
        for issue in issues
        if issue["severity"] == "error"
    }
