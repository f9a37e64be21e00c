// Package mirror makes and serves stand-ins for the places outside that a build
// downloads from: nodejs.org, GitHub releases, Playwright's CDN and conda-forge.
// The content is real software, put together from what PyPI, npm and Debian's
// archive have, in the layout of the real places; the bytes of the archives are
// our own, so their digests are, too.
//
//	/node/v24.21.0/node-v24.21.0-linux-x64.tar.gz
//	/github/gitpod-io/openvscode-server/releases/download/...
//	/github/astral-sh/python-build-standalone/releases/download/...
//	/playwright/builds/chromium/1187/chromium-linux.zip
//	/conda/conda-forge/linux-64/repodata.json
//
// There is no micromamba: no package of the three brings its program.
package mirror
