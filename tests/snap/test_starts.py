"""What is done sooner or later than upstream does it, so that a start is faster, has the same outcome."""

from textwrap import dedent

from tools.hosts import NamespaceHost


def said(host: NamespaceHost, program: str) -> list[str]:
    """Return the lines that a program prints, run by the snap's Python."""
    return host.run(["certbot-fips.python3", "-c", dedent(program)]).check().stdout.splitlines()


def test_the_plugins_that_are_known_are_those_that_are_installed(unflagged: NamespaceHost) -> None:
    """Certbot's four, apache, nginx, thirteen for DNS, and a name that Route 53's once had."""
    program = """
    from importlib.metadata import entry_points
    from certbot._internal.plugins.installed import ENTRY_POINTS
    installed = [*entry_points(group="certbot.plugins"), *entry_points(group="letsencrypt.plugins")]
    print(sorted(map(repr, ENTRY_POINTS)) == sorted(map(repr, installed)), len(ENTRY_POINTS))
    classes = {point.name: point.load() for point in installed}
    print(all(classes[point.name] is point.load() for point in ENTRY_POINTS))
    """
    assert said(unflagged, program) == ["True 20", "True"]


def test_the_help_of_options_is_what_inspect_makes_of_their_docstrings(unflagged: NamespaceHost) -> None:
    program = """
    import inspect
    from certbot._internal.cli.cli_utils import config_help
    from certbot.configuration import NamespaceConfig
    told = {name: inspect.getdoc(value) for name, value in vars(NamespaceConfig).items()
            if isinstance(value, property)}
    print(len(told), any("\\n" in (text or "") for text in told.values()), None in told.values())
    print([name for name, text in told.items() if config_help(name) != text])
    """
    assert said(unflagged, program) == ["34 True True", "[]"]


def test_the_log_is_rolled_over_as_logging_does_it(unflagged: NamespaceHost) -> None:
    program = """
    import argparse, logging.handlers, os, pathlib, tempfile
    from certbot._internal.log import setup_log_file_handler
    def left(roll, backups, there):
        with tempfile.TemporaryDirectory() as folder:
            for suffix in there:
                pathlib.Path(folder, f"log{suffix}").write_text(suffix)
            roll(folder, backups).close()
            return {path.name: path.read_text() for path in pathlib.Path(folder).glob("log*")}
    def ours(folder, backups):
        config = argparse.Namespace(logs_dir=folder, max_log_backups=backups, strict_permissions=False)
        return setup_log_file_handler(config, "log", "%(message)s")[0]
    def theirs(folder, backups):
        handler = logging.handlers.RotatingFileHandler(os.path.join(folder, "log"), "a", 2**20, backups)
        handler.doRollover()
        return handler
    folders = [[], [""], ["", ".1"], ["", ".1", ".2", ".4", ".5"], ["", ".3", ".9", ".x", ".1.gz"]]
    cases = [(backups, there) for backups in (0, 1, 2, 5, 1000) for there in folders]
    print(len(cases), [case for case in cases if left(ours, *case) != left(theirs, *case)])
    print(left(ours, 1000, ["", ".1"]))
    os.listdir = lambda _: open("/nowhere/at/all")  # as where a folder may be entered, and not listed
    print([case for case in cases if left(ours, *case) != left(theirs, *case)])
    """
    assert said(unflagged, program) == ["25 []", "{'log': '', 'log.1': '', 'log.2': '.1'}", "[]"]


def test_every_character_is_where_it_was_in_a_name(unflagged: NamespaceHost) -> None:
    """RFC 4514, section 3: which characters stand for themselves."""
    program = """
    import re, sys
    from cryptography.x509.name import Name, _RFC4514NameParser as parser
    before = parser._STRING_RE.pattern.replace(parser._UTFMB, rf"[\\x80-{chr(sys.maxunicode)}]")
    print(before != parser._STRING_RE.pattern)
    before, now = re.compile(before, re.VERBOSE), parser._STRING_RE
    texts = [text for code in range(sys.maxunicode + 1) for text in (chr(code), f"a{chr(code)}a")]
    print([text for text in texts if now.match(text).span() != before.match(text).span()])
    print(Name.from_rfc4514_string("CN=Zoë 東京 𐍈").rfc4514_string())
    """
    assert said(unflagged, program) == ["True", "[]", "CN=Zoë 東京 𐍈"]


def test_what_waits_is_there_when_it_is_asked_for(unflagged: NamespaceHost) -> None:
    program = """
    import os, sys
    from cryptography.hazmat.primitives import serialization
    from certbot._internal import constants
    from certbot._internal.plugins.apache import constants as of_apache
    ssh = "cryptography.hazmat.primitives.serialization.ssh"
    print(ssh in sys.modules)
    print(serialization.ssh.load_ssh_public_key is serialization.load_ssh_public_key, ssh in sys.modules)
    print(os.path.isfile(constants.SSL_DHPARAMS_SRC), os.path.isdir(of_apache.AUGEAS_LENS_DIR))
    for module in (serialization, constants, of_apache):
        print(hasattr(module, "no_such_name"))
    """
    assert said(unflagged, program) == ["False", "True True", "True True", *["False"] * 3]


def test_bytecode_has_lines_and_no_columns(unflagged: NamespaceHost) -> None:
    """The control: what is compiled when it is run has both."""
    program = """
    import json, certbot.main, fips_launch.boot, cryptography.x509
    def here():
        pass
    number = cryptography.x509.random_serial_number
    for function in (json.dumps, certbot.main.main, fips_launch.boot.run, number, here):
        positions = [*function.__code__.co_positions()]
        lines, columns = ({each[which] for each in positions} - {None} for which in (0, 3))
        print(len(lines) > 1, bool(columns))
    """
    assert said(unflagged, program) == [*["True False"] * 4, "True True"]
