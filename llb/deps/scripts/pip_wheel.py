"""Makes the distribution's wheel of pip look for CA certificates in /openhands.

Debian's names /etc/ssl/certs/ca-certificates.crt, which images need not have,
and then does not even start.
"""

import sys
import zipfile

path = sys.argv[1]
old, new = b"/etc/ssl/certs/ca-certificates.crt", b"/openhands/c/cert.pem"
with zipfile.ZipFile(path) as wheel:
    members = [(info.filename, wheel.read(info)) for info in wheel.infolist()]
if not any(old in data for _, data in members):
    sys.exit(f"{path} does not name {old.decode()}: look how this pip finds CA certificates")
with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as wheel:
    for name, data in members:
        wheel.writestr(zipfile.ZipInfo(name), data.replace(old, new), zipfile.ZIP_DEFLATED)
