"""Publishes the last commit: a repository that holds releases alone, and beside it the archive of large models.

    python -m Testing.Packaging.publish ../published

Where DIR is an earlier published repository, the release becomes one commit more on it. Nothing is sent anywhere.
"""

from __future__ import annotations

import argparse
import hashlib
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from ASLDenoiseLib.software import HOME
from Testing.Benchmarks.library.index_checks import MIB, bytes_below

from .published import BRANCH, Refused, publish

ROOT = Path(__file__).resolve().parents[2]
LIMIT = 100  # MiB, of the Extensions Index


def main(words: Sequence[str] | None = None) -> int:
    """Publish, and say what is to be done with it; 2 where it is refused."""
    parser = argparse.ArgumentParser(prog="python -m Testing.Packaging.publish", description=__doc__.splitlines()[0])
    parser.add_argument("repository", type=Path, metavar="DIR", help="an earlier published repository, or a new path")
    target = parser.parse_args(words).repository
    try:
        release = publish(ROOT, target)
    except Refused as error:
        print(f"Not published: {error}.", file=sys.stderr)
        return 2
    except subprocess.CalledProcessError as error:
        print(f"Not published: git says: {error.stderr.decode(errors='replace').strip()}", file=sys.stderr)
        return 1
    size = bytes_below(target) / MIB
    archive = release.archive
    print(f"{target}: version {release.version}, {size:.1f} MiB of the {LIMIT} that the Extensions Index takes")
    sha256 = hashlib.sha256(archive.read_bytes()).hexdigest()
    print(f"{archive}: {archive.stat().st_size / MIB:.1f} MiB, sha256 {sha256}")
    print(f"To send it: git -C {target} push {HOME} {BRANCH} v{release.version}")
    print(f"and add the archive to the release {HOME}/releases/tag/v{release.version}")
    if size > LIMIT:
        print("warning: the Extensions Index takes no repository of that size", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
