# Read by every script before it begins. The builder is Debian-like: sh, tar,
# find and sed are there, and nothing else is counted on.
#
# OUT is the root that the component is laid out in, ARCH the target's
# architecture; RUN holds what is mounted beside.
set -eu
umask 022
RUN=/run/openhands
HOME=/tmp/home
export HOME
mkdir -p "$HOME"

# say tells people what a long step is at; all else is quiet while it succeeds.
say() { echo "$*" >&2; }

oh_seal() { "$RUN/helpers/oh-seal" "$@"; }

# CA certificates are those of the lib component, as a builder need not have any.
# What the client has handed over as secrets comes on top, by the variables that
# each tool has for it; what is made of secrets lies in a tmpfs.
bundle=/etc/ssl/certs/ca-certificates.crt
if [ ! -e $bundle ]; then
  mkdir -p /etc/ssl/certs
  cp "$RUN/lib/openhands/c/cert.pem" $bundle
fi
oh_seal secrets
. "$RUN/private/env"
ln -sf /run/secrets/netrc "$HOME/.netrc" # for git

# Which secret is missing, when a mirror is what a stage has failed at.
hints() {
  status=$?
  set -- ${PIP_INDEX_URL:-} ${NPM_CONFIG_REGISTRY:-} ${PLAYWRIGHT_DOWNLOAD_HOST:-}
  case ${CHANNEL:-} in http*) set -- "$@" "$CHANNEL" ;; esac
  if [ $status != 0 ] && [ $# != 0 ]; then oh_seal hint "$@" >&2; fi
  exit $status
}
trap hints EXIT

# untar TO FILE unpacks a release's archive without its top directory.
untar() {
  say "unpack ${2##*/}"
  tar -xzf "$2" --strip-components=1 --no-same-owner -C "$1"
}

# packages TO PACKAGE... unpacks packages of the distribution for ARCH.
packages() {
  to=$1 && shift
  oh_seal unpack --arch "$ARCH" --apt-cache "$RUN/apt" --out "$to" "$@"
}

# pip runs from the wheel that the distribution has for its ensurepip.
pip() {
  /openhands/python/bin/python3 "$(echo /openhands/python/share/python-wheels/pip-*.whl)/pip" --disable-pip-version-check "$@"
}

# release_times sets all times to the one that components have. It stands before
# compiling: bytecode holds its source's time.
release_times() { find "$OUT/openhands" -exec touch -h -d @0 {} +; }

# compile DIR... writes bytecode beside the sources of DIR, with COMPILER. Files
# that are no Python of this version (templates, tests of parsers) stay without.
compile() {
  say "compile Python's bytecode"
  "$COMPILER" -m compileall -q -j 0 "$@" >/tmp/compile.log 2>&1 || true
}

# seal [FLAG...] seals OUT on top of the lib component and of those in BELOW.
seal() {
  chmod -R go-w "$OUT/openhands" # locks that tools leave
  for below in lib ${BELOW:-}; do set -- --lib "$RUN/$below" "$@"; done
  oh_seal adopt --arch "$ARCH" --out "$OUT" "$@"
}
