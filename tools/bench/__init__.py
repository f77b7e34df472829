"""How fast and how large the packed snap is, as ratios measured side by side: `python3 -m tools.bench`."""
