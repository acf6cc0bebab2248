"""The compiled knowledge beside the store: written once for a content, read back in milliseconds.

marshal is fast and runs no code; a digest in front keeps a torn or foreign file from being read.
"""

from __future__ import annotations

import gc
import hashlib
import logging
import marshal
import os
import sys
import tempfile
from pathlib import Path
from typing import Any

log = logging.getLogger("lvlin.kb")

_DIGEST = 16
_KIND = f"lvlin 1 {sys.version_info[:2]}".encode()


def read(path: Path) -> dict[str, Any] | None:
    """What was written to `path`, or None where there is nothing usable."""
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as exc:
        log.warning("compiled knowledge cannot be read; making it anew", extra={"why": str(exc)})
        return None
    body = memoryview(content)[_DIGEST:]
    if content[:_DIGEST] != _digest(body):
        log.warning("compiled knowledge is damaged; making it anew", extra={"file": path.name})
        return None
    found: dict[str, Any] = _loaded(body)
    return found


def _loaded(body: memoryview) -> Any:
    """What was dumped. The collector would look again and again at hundreds of thousands of new objects in vain."""
    collects = gc.isenabled()
    gc.disable()
    try:
        return marshal.loads(body)
    finally:
        if collects:
            gc.enable()


def write(path: Path, plain: dict[str, Any], *, keep: int = 8) -> None:
    """Write plain data to `path` atomically; older files beside it beyond `keep` go. Failing is only logged."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        body = marshal.dumps(plain)
        with tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as out:
            try:
                out.write(_digest(body) + body)
                out.flush()
                os.replace(out.name, path)
            except OSError:
                os.unlink(out.name)
                raise
        others = sorted(path.parent.glob(f"*{path.suffix}"), key=lambda other: other.stat().st_mtime, reverse=True)
        for old in others[keep:]:
            old.unlink(missing_ok=True)
    except OSError as exc:
        log.warning("compiled knowledge is not kept", extra={"why": str(exc)})


def _digest(body: bytes | memoryview) -> bytes:
    return hashlib.blake2b(_KIND + body, digest_size=_DIGEST).digest()
