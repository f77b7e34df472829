"""A thing that can be wrong around the snap, as one small value that can be printed, dropped and kept."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from tools.campaign.plan import Plan

#: What the faults of a case may excuse, besides FIPS proven or a clear refusal:
STRICT = "strict"  # FIPS (or a refusal) although nothing asks for it
HELPLESS = "helpless"  # a refusal although nothing asks for FIPS: the snap cannot work like that
CRASH = "crash"  # a signal of the processor's: machine code is damaged, or has no stack
NOTHING = "nothing"  # exit 0 and nothing done: the loader was told not to start the program
SCRIPTLESS = "scriptless"  # the same of what reads its program from stdin: nothing is there to be read
KILLED = "killed"  # ended by the signal that was sent, or by the limit's
CROWDED = "crowded"  # others like it start at once
FAILS = "fails"  # it starts as it should, and then lacks a file or memory
STARVED = "starved"  # the same, before it has started, in words of Python's
MUTE = "mute"  # no line: there is nowhere to write it


@dataclass(frozen=True)
class Fault:
    """One thing that is wrong.

    kind: the row of the report; text: for people; apply: changes the plan.
    beyond: no program that is started past the launcher can do anything about it: it waits for a pipe, or its
        libcrypto is not the snap's.
    """

    kind: str
    text: str
    apply: Callable[[Plan], None] = field(repr=False, compare=False)
    beyond: bool = False
