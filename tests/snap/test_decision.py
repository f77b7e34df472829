"""No single flipped bit of the decision's bytecode has a process run without FIPS on a FIPS host."""

import json

from tests.snap.support import SNAP, MakeHost

#: In a process of the snap: what `decide` comes to with each flip, without a setting and with the one that
#: the configure hook writes.  A fork goes on for as long as nothing odd happens in it.
TRY_FLIPS = """
import importlib.util, json, os, resource, shutil, signal, sys
from fips_launch import decide, place

settings, source, copy = ("", place.find().setting), decide.__file__, "/run/flips/decide.py"
compiled, flipped = map(importlib.util.cache_from_source, (source, copy))
os.makedirs(os.path.dirname(flipped))
shutil.copy(source, copy)
with open(compiled, "rb") as file:
    whole = file.read()
bits = len(whole) * 8
sys.dont_write_bytecode = True  # the snap is read-only
resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
resource.setrlimit(resource.RLIMIT_AS, (1 << 27, 1 << 27))
told = os.dup(1)
for stream in 0, 1, 2:  # for what a flipped bit reads and prints
    os.dup2(os.open("/dev/null", os.O_RDWR), stream)

def decided(flip):
    content = bytearray(whole)
    content[flip // 8] ^= 1 << flip % 8
    with open(flipped, "wb") as file:
        file.write(content)
    spec = importlib.util.spec_from_file_location("flipped", copy)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert module.Decision  # which fips_launch.boot takes from it too, by name
    decisions = [module.decide(setting) for setting in settings]
    return all(each.fips is True for each in decisions)

found = {"on": [], "error": [], "other": [], "died": []}
flip = 0
while flip < bits:
    answers, answer = os.pipe()
    child = os.fork()
    if not child:
        for each in range(flip, min(flip + 100, bits)):
            signal.setitimer(signal.ITIMER_PROF, 0.2)
            signal.setitimer(signal.ITIMER_REAL, 5)
            try:
                end = b"on" if decided(each) else b"other"
            except BaseException:
                end = b"error"
            os.write(answer, end + b" ")
            if end != b"on":
                break
        os._exit(0)
    os.close(answer)
    died = os.waitpid(child, 0)[1] != 0
    ends = os.read(answers, 1000).decode().split() + ["died"] * died or ["other"]  # it cannot say
    os.close(answers)
    for end in ends:
        found[end].append(flip)
        flip += 1
os.write(told, json.dumps([compiled, bits, found]).encode())
"""

#: With the host's own Python: how a process of the snap ends with each of those flips in its snap.
RUN_FLIPS = """
import json, os, subprocess, sys
compiled, python, code, *flips = sys.argv[1:]
whole = open(compiled, "rb").read()
subprocess.run(["cp", "-a", compiled, "/run/flipped.pyc"], check=True)
subprocess.run(["mount", "--bind", "/run/flipped.pyc", compiled], check=True)
ends = {}
for flip in map(int, flips):
    content = bytearray(whole)
    content[flip // 8] ^= 1 << flip % 8
    with open("/run/flipped.pyc", "r+b") as file:
        file.write(content)
    try:
        done = subprocess.run([python, "-I", "-c", code], capture_output=True, text=True, timeout=5)
        ends[flip] = done.returncode, done.stdout, done.stderr
    except subprocess.TimeoutExpired as late:
        ends[flip] = None, (late.stdout or b"").decode(), ""
subprocess.run(["umount", compiled], check=True)
print(json.dumps(ends))
"""
SETTING = "/var/snap/certbot-fips/common/fips"
DID_IT_RUN_WITHOUT = """
import hashlib
try:
    hashlib.md5(b"")
    print("without")
except ValueError:
    print("in FIPS")
"""


def test_every_flipped_bit_of_the_decision(make_host: MakeHost) -> None:
    """Where it alone would have a process run without FIPS, libcrypto has asked the kernel for itself."""
    host = make_host()
    host.run(["tee", SETTING], stdin="auto\n").check()
    python = f"{SNAP}/usr/bin/python3"
    tried = host.run([python, "-I", "-S", "-c", TRY_FLIPS], timeout=1200).check()
    compiled, bits, found = json.loads(tried.stdout)
    assert sorted(flip for flips in found.values() for flip in flips) == list(range(bits))
    assert found["other"]
    # What is plain is sampled, for the judgement above is not the launcher's.
    on, error, died = (found[kind][::400] for kind in ("on", "error", "died"))
    flips = [*found["other"], *on, *error, *died]
    command = ["python3", "-c", RUN_FLIPS, compiled, python, DID_IT_RUN_WITHOUT, *map(str, flips)]
    runs: dict[int, list[tuple[int | None, str, str]]] = {flip: [] for flip in flips}
    for prepare in (["true"], ["rm", SETTING]):
        host.run(prepare).check()
        for flip, end in json.loads(host.run(command, timeout=1200).check().stdout).items():
            runs[int(flip)].append(end)
    assert {len(ends) for ends in runs.values()} == {2}
    # Each process is in FIPS or comes to nothing, and says so by its exit status.
    assert {out for ends in runs.values() for _, out, _ in ends} == {"", "in FIPS\n"}
    assert all(out for ends in runs.values() for status, out, _ in ends if status == 0)
    # The judgement above is that of the processes, which run, refuse or are ended by the processor.  A few
    # end in another of these ways: where a wild pointer leads hangs on what else is in the memory.
    for flip in (*on, *error):
        assert all(status is not None and (status in (0, 78) or status < 0) for status, _, _ in runs[flip])
    in_fips = [all(status == 0 for status, _, _ in runs[flip]) for flip in on]
    refused = [any(status == 78 for status, _, _ in runs[flip]) for flip in error]
    assert sum(in_fips) > 0.9 * len(in_fips) > 50
    assert sum(refused) > 0.8 * len(refused) > 15
    # The control: without libcrypto's own look these would have run without FIPS.
    said = [line for flip in found["other"] for _, _, line in runs[flip]]
    assert any("cannot start: no provider starts" in line for line in said)
