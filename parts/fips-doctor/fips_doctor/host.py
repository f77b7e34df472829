"""The machine: its kernel and flag, its own OpenSSL, its entropy, its trust store."""

import os

from fips_doctor.evidence import Evidence, Item, State, host_run, read
from fips_launch import environment
from fips_launch.decide import FLAG, Decision, Source


def kernel(flag: Decision) -> Evidence:
    """Tell the kernel's flag and release, and what entropy it has."""
    label = "kernel's FIPS flag"
    if flag.source == Source.FLAG:
        item = Item(label, "1, on" if flag.fips else "0, off")
    elif flag.source == Source.NO_FLAG:
        item = Item(label, "this kernel has none, so off")
    else:
        remedy = f"look at {FLAG}: a kernel writes 0 or 1"
        item = Item(label, f"taken for on: {flag.reason}", State.BAD, remedy)
    return {"kernel_flag": item, "kernel": Item("kernel", os.uname().release), "entropy": entropy()}


def entropy() -> Item:
    """Tell whether getrandom(2), which seeds libcrypto and through it the module, has been seeded."""
    label = "entropy source"
    try:
        os.getrandom(1, os.GRND_NONBLOCK)
    except BlockingIOError:
        return Item(label, "the kernel's is not seeded yet", State.BAD, "wait, or install rng-tools")
    hardware = (read("/sys/class/misc/hw_random/rng_current") or "").strip()
    processor = "rdrand" in (read("/proc/cpuinfo") or "")
    sources = [name for name in (hardware, "rdrand" if processor else "") if name and name != "none"]
    hardware = ", ".join(sources) or "none seen"
    # Whether that is good enough, in the terms of SP 800-90B, no program can see.
    return Item(label, f"the kernel's getrandom(2), seeded; hardware: {hardware}; not assessed")


def name(root: str = "") -> str:
    """Return the operating system's name, by os-release(5): PRETTY_NAME, else NAME, else ID, else Linux."""
    text = read(root + "/etc/os-release") or read(root + "/usr/lib/os-release") or ""
    pairs = [line.partition("=") for line in text.splitlines()]
    values = {name.strip(): value.strip().strip("\"'") for name, _, value in pairs}
    known = filter(None, map(values.get, ("PRETTY_NAME", "NAME", "ID")))
    return next(known, "Linux")


def system() -> Evidence:
    """Tell the operating system and the OpenSSL that is its own, which this snap never uses."""
    done = host_run("openssl", "version")
    own = (done.out if done.status == 0 else done.last_line).partition(" (Library:")[0].strip()
    return {
        "system": Item("operating system", name()),
        "host_openssl": Item("its own OpenSSL", f"{own} (not used by this snap)"),
    }


def trust_store() -> Evidence:
    """Tell which certificate authorities are trusted: the host's, or the caller's own choice."""
    label = "trust store"
    chosen = next(
        (os.environ[name] for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE") if name in os.environ), ""
    )
    known = next(filter(os.path.isfile, environment.TRUST_STORES), "")
    path = chosen or known
    if not path:
        remedy = "install the operating system's package ca-certificates"
        return {"trust_store": Item(label, "the host has none that is known", State.BAD, remedy)}
    if os.path.isdir(path):
        return {"trust_store": Item(label, f"the folder {path}")}
    count = (read(path, 1 << 24) or "").count("-----BEGIN")
    if not count:
        remedy = "update-ca-certificates, or name another file in REQUESTS_CA_BUNDLE"
        return {"trust_store": Item(label, f"{path} has no certificate", State.BAD, remedy)}
    return {"trust_store": Item(label, f"{path}, {count} certificates", State.OK)}
