"""Reads the packages of a checkout of the agent-server for agent-deps.sh.

workspace.py PROJECT SITE PACKAGE... fails where a package does not want this
version of Python, and lets each be known by name and version in SITE, as installing
it would: their code is another component.
"""

import platform
import sys
import tomllib
from pathlib import Path

from pip._vendor.packaging.specifiers import SpecifierSet

project, site, packages = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3:]
have = platform.python_version()
for name in packages:
    path = f"{name}/pyproject.toml"
    about = tomllib.loads((project / path).read_text(encoding="utf-8")).get("project", {})
    version = about.get("version")
    if about.get("name") != name or not version:
        sys.exit(f"{path} must be of {name} and give its version under [project]: the server says which it is")
    wanted = about.get("requires-python", "")
    if not SpecifierSet(wanted).contains(have, prereleases=True):
        sys.exit(f"{name} wants python {wanted}, and this one is {have}: choose another deps.python or deps.builder")
    info = site / f"{name.replace('-', '_')}-{version}.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n", encoding="utf-8")
