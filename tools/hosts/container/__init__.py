"""Hosts in Docker containers."""
