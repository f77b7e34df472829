"""A certificate on a FIPS-flagged host, shown step by step: `python3 -m tools.demo [SNAP]`."""
