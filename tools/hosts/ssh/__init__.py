"""Hosts for spread: they outlive a command, and are reached by ssh."""
