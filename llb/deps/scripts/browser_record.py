"""Prints an SPDX document of the Chromium that Playwright has installed: no package
manager knows of it, so that scanners of images would not.

    browser_record.py BROWSERS_JSON [NAME]
"""

import json
import sys

name = (sys.argv[2:] or [""])[0] or "chromium"
with open(sys.argv[1]) as f:
    browser = next(b for b in json.load(f)["browsers"] if b["name"] == name)
version = browser["browserVersion"]
print(json.dumps({
    "spdxVersion": "SPDX-2.3",
    "dataLicense": "CC0-1.0",
    "SPDXID": "SPDXRef-DOCUMENT",
    "name": name,
    "documentNamespace": f"urn:playwright:{name}:{browser['revision']}",
    "creationInfo": {"created": "1970-01-01T00:00:00Z", "creators": ["Tool: browser_record.py"]},
    "documentDescribes": ["SPDXRef-Chromium"],
    "packages": [{
        "SPDXID": "SPDXRef-Chromium",
        "name": "chromium",
        "versionInfo": version,
        "supplier": "Organization: Playwright",
        "downloadLocation": "NOASSERTION",
        "filesAnalyzed": False,
        "licenseConcluded": "NOASSERTION",
        "licenseDeclared": "BSD-3-Clause",
        "copyrightText": "NOASSERTION",
        "externalRefs": [
            {"referenceCategory": "PACKAGE-MANAGER", "referenceType": "purl", "referenceLocator": f"pkg:generic/chromium@{version}"},
            {"referenceCategory": "SECURITY", "referenceType": "cpe23Type", "referenceLocator": f"cpe:2.3:a:google:chrome:{version}:*:*:*:*:*:*:*"},
        ],
    }],
}, indent=1))
