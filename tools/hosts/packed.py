"""The packed snap that the tools take when none is named."""

from pathlib import Path

from tools.hosts.base import HostError

DIST = Path(__file__).resolve().parents[2] / "dist"


def newest_snap() -> Path:
    """Return the packed snap that was built last. Raise HostError when there is none."""
    packed = sorted(DIST.glob("certbot-fips_*.snap"), key=lambda file: file.stat().st_mtime)
    if not packed:
        raise HostError(f"no packed snap in {DIST}: run `make snap`")
    return packed[-1]
