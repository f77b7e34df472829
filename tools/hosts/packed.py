"""The packed snap that the tools take when none is named."""

import os
from pathlib import Path

from tools.hosts.base import HostError

DIST = Path(__file__).resolve().parents[2] / "dist"


def newest_snap(provider: str | None = None) -> Path:
    """Return the packed snap that was built last. Raise HostError when there is none.

    :param provider: the snap with this FIPS provider instead of the recipe's own; None: as the variable
        PROVIDER says, which `make … PROVIDER=` sets.
    """
    provider = provider or os.environ.get("PROVIDER")
    folder = DIST / f"provider-{provider}" if provider else DIST
    packed = sorted(folder.glob("certbot-fips_*.snap"), key=lambda file: file.stat().st_mtime)
    if not packed:
        raise HostError(
            f"no packed snap in {folder}: run `make snap{f' PROVIDER={provider}' if provider else ''}`"
        )
    return packed[-1]
