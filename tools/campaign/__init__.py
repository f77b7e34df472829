"""Thousands of broken, hostile and odd situations, each met by the packed snap as a real process.

A case is an entry point of the snap and what is wrong around it (`Fault`), both drawn from one seed.  It runs
on a host of `tools.hosts`, in a mount namespace of its own, and is judged from outside: by what the process
was given and which libraries it had mapped, never by what it said of itself.
"""
