"""The doctor: whether FIPS is as it should be, and what an auditor would otherwise collect by hand.

It comes in by the entry point `fips-doctor` of the interpreter's main program, which works where the launcher
refuses, and has no crypto of its own.  It looks at files, and at what other processes can and cannot do
that come in by the proven entry points.  It never uses the network, and needs no privilege.
"""
