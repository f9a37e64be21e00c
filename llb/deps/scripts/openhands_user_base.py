"""Gives every user a home, and lets it install packages beside those of
/openhands, which is root's.

pip installs into the user base (PEP 370) where it may not write to the
environment. A user without a writable home gets a user base below /tmp, and a
home as oh-init would have given, had the host not started this python itself.
Only this environment's python reads this file: the base's own python keeps its
rules.
"""

import os
import stat
import sys


def _set():
    if _writable(os.path.expanduser("~")):
        return
    base = f"/tmp/openhands-python-{os.getuid()}"
    if "PYTHONUSERBASE" not in os.environ and _private(base):
        os.environ["PYTHONUSERBASE"] = base
    for home in "/openhands-home", "/home/openhands":
        if _writable(home):
            os.environ["HOME"] = home
            return
    home = f"/tmp/openhands-home-{os.getuid()}"
    if _private(home):
        os.environ["HOME"] = home


def _writable(path):
    return path.startswith("/") and os.access(path, os.W_OK | os.X_OK)


def _private(path):
    """Makes a directory, or sees that the one that is there is nobody else's."""
    try:
        os.mkdir(path, 0o700)
    except FileExistsError:
        pass
    except OSError:
        return False
    found = os.lstat(path)
    return stat.S_ISDIR(found.st_mode) and found.st_uid == os.getuid() and not found.st_mode & 0o077


def _make():
    """Makes the place for packages: who starts without it never looks there,
    as a Jupyter kernel that runs `%pip install` and then imports."""
    if os.access(os.path.dirname(__file__), os.W_OK):
        return  # pip installs here
    base = os.environ.get("PYTHONUSERBASE") or os.path.expanduser("~/.local")
    version = "python%d.%d" % sys.version_info[:2]
    try:
        os.makedirs(os.path.join(base, "lib", version, "site-packages"), exist_ok=True)
    except OSError:
        pass


_set()
_make()
