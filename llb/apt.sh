# apt for extra_deps.packages, read after client.sh. Sources and passwords are
# handed over as copies in a tmpfs: the base's own stay as they are.
set -e
export DEBIAN_FRONTEND=noninteractive
options="-o Dir::Cache=$CACHE/cache -o Dir::State::lists=$CACHE/lists -o APT::Keep-Downloaded-Packages=true"
if [ -s $private/ca.pem ]; then
  options="$options -o Acquire::https::CAInfo=$private/ca.pem"
fi
passwords=
for id in apt netrc; do
  if [ -s /run/secrets/$id ]; then
    passwords="$passwords $id"
    mkdir -p $private/auth.conf.d
    ln -s /run/secrets/$id $private/auth.conf.d/$id.conf
  fi
done
if [ -n "$passwords" ]; then
  for file in /etc/apt/auth.conf.d/*.conf; do
    if [ -e "$file" ]; then ln -s "$file" "$private/auth.conf.d/base-${file##*/}"; fi
  done
  options="$options -o Dir::Etc::netrcparts=$private/auth.conf.d"
fi
if [ -n "${APT_MIRROR:-}" ]; then
  mkdir -p $private/sources.list.d
  for file in /etc/apt/sources.list /etc/apt/sources.list.d/*.list /etc/apt/sources.list.d/*.sources; do
    if [ -e "$file" ]; then
      sed "/^[[:space:]]*#/!s|https\{0,1\}://[^/[:space:]]*|${APT_MIRROR%/}|g" "$file" >"$private/${file#/etc/apt/}"
    fi
  done
  options="$options -o Dir::Etc::sourcelist=$private/sources.list -o Dir::Etc::sourceparts=$private/sources.list.d"
fi

apt() {
  apt-get $options "$@" && return
  status=$?
  if [ -n "${APT_MIRROR:-}" ]; then
    ca=missing
    if [ -s /run/secrets/ca ]; then ca=given; fi
    echo "mirrors.apt is $APT_MIRROR: its certificate is checked with the secret \"ca\" ($ca)," \
      "its password comes from the secret \"netrc\" or \"apt\" (given:${passwords:- none})" >&2
  fi
  exit $status
}
mkdir -p "$CACHE/cache/archives/partial" "$CACHE/lists/partial"
apt update
apt install -y --no-install-recommends -- "$@"
