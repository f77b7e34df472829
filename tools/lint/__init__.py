"""Rules of style that no ready-made linter applies by itself."""
