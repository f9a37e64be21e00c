"""Lets every user install packages beside those of /openhands, which is root's.

pip installs into the user base (PEP 370) where it may not write to the
environment. A user without a writable home gets one below /tmp. Only this
environment's python reads this file: the base's own python keeps its rules.
"""

import os


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


_set()
