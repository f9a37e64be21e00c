"""Answers what python-deps.sh asks of a pyproject.toml.

  name   the name of poetry's virtual environment for /openhands/code
  check  fails where the project does not want this version of Python
"""

import platform
import sys
import tomllib

from poetry.core.constraints.version import Version
from poetry.core.constraints.version import parse_constraint
from poetry.utils.env.env_manager import EnvManager

question, path = sys.argv[1:]
with open(path, "rb") as f:
    data = tomllib.load(f)
project, poetry = data.get("project", {}), data.get("tool", {}).get("poetry", {})
name = project.get("name") or poetry.get("name")
if not name:
    sys.exit("pyproject.toml has no name: give [project] or [tool.poetry] one")
if question == "name":
    print(EnvManager.generate_env_name(name, "/openhands/code"))
else:
    wanted = project.get("requires-python") or poetry.get("dependencies", {}).get("python", "*")
    have = platform.python_version()
    if not parse_constraint(wanted).allows(Version.parse(have)):
        sys.exit(f"{name} wants python {wanted}, and this one is {have}: choose another deps.python or deps.builder")
