"""Lets every user install packages beside those of /openhands, which is root's.

pip installs into the user base (PEP 370) where it may not write to the
environment. A user without a writable home gets one below /tmp. Only this
environment's python reads this file: the base's own python keeps its rules.
"""

import os
import sys


def _set():
    if "PYTHONUSERBASE" in os.environ:
        return
    home = os.path.expanduser("~")
    if home.startswith("/") and os.access(home, os.W_OK | os.X_OK):
        return
    base = f"/tmp/openhands-python-{os.getuid()}"
    try:
        os.mkdir(base, 0o700)
    except FileExistsError:
        pass
    except OSError:
        return
    found = os.lstat(base)
    if os.path.islink(base) or found.st_uid != os.getuid():
        return  # somebody else's
    os.environ["PYTHONUSERBASE"] = base


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
