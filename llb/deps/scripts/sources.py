"""Says what to do about packages that have only sources and are not pure Python.

  failed LOG MACHINE BUILD_MACHINE
                       LOG is what uv said when it could not build them
  check SITE MACHINE   fails where uv has built a package whose programs and
                       libraries are not for MACHINE (x86_64, aarch64)

uv itself refuses a wheel whose name tells that it is for another machine. A
package may compile something and say that it is for any.
"""

import csv
import pathlib
import re
import sys

MACHINES = {62: "x86_64", 183: "aarch64"}  # e_machine, elf(5)
REMEDY = """\
Packages with only sources are built on the machine that builds, which can make only pure Python for another one. \
Do one of these:
  - require a version that has a wheel for %s: "NAME==VERSION"
  - build the wheel on such a machine, and require it by its address: "NAME @ https://example.com/NAME-VERSION-TAGS.whl"
  - build the target deps on a builder of that architecture, and name the result as deps_image"""
COMPILER = """\
The builder image has no compiler and no headers of Python. Do one of these:
  - require a version that has a wheel for %s: "NAME==VERSION"
  - build the wheel elsewhere, and require it by its address: "NAME @ https://example.com/NAME-VERSION-TAGS.whl\""""


def failed(log, machine, build_machine):
    """What to do where uv has said that it failed to build something."""
    text = pathlib.Path(log).read_text(errors="replace")
    names = dict.fromkeys(re.findall(r"[Ff]ailed to (?:download and )?build `([^`]+)`", text))
    if not names:
        return
    remedy = COMPILER if machine == build_machine else REMEDY
    sys.exit(f"no wheel for {machine}, and cannot be built here: {', '.join(names)}\n{remedy % machine}")


def check(site, machine):
    """Fails where a package that was built here has ELF files of another machine."""
    wrong = {}
    for record in sorted(pathlib.Path(site).glob("*.dist-info/RECORD")):
        if not (record.parent / "uv_build.json").exists():  # a wheel of an index
            continue
        with open(record, newline="") as f:
            files = [row[0] for row in csv.reader(f) if row]
        for name in files:
            have = elf_machine(pathlib.Path(site, name))
            if have and have != machine:
                distribution = record.parent.name.removesuffix(".dist-info").replace("-", "==", 1)
                wrong.setdefault(distribution, f"{name} for {have}")
    if wrong:
        found = "".join(f"\n  {distribution}: {what}" for distribution, what in wrong.items())
        sys.exit(f"built from sources here, but not for {machine}:{found}\n{REMEDY % machine}")


def elf_machine(path):
    """The machine of an ELF file; None for any other file."""
    if not path.is_file():
        return None
    with open(path, "rb") as f:
        header = f.read(20)
    if len(header) < 20 or header[:4] != b"\x7fELF":
        return None
    order = "little" if header[5] == 1 else "big"
    number = int.from_bytes(header[18:20], order)
    return MACHINES.get(number, f"machine {number}")


if __name__ == "__main__":
    question, *arguments = sys.argv[1:]
    {"failed": failed, "check": check}[question](*arguments)
