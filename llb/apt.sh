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
if [ -n "${APT_SNAPSHOT:-}" ]; then
  # A snapshot of long ago is what is asked for.
  options="$options -o Acquire::Check-Valid-Until=false"
  if [ -z "${APT_MIRROR:-}" ]; then
    options="$options -o APT::Snapshot=$APT_SNAPSHOT"
    # Without certificates by http: what the service has is signed.
    if [ ! -s $private/ca.pem ] && [ ! -s /etc/ssl/certs/ca-certificates.crt ]; then
      options="$options $(apt-config dump | sed -n 's|^\(Acquire::Snapshots::URI::[^ ]*\) "https://\(.*\)";$|-o \1=http://\2|p' | tr '\n' ' ')"
    fi
  fi
fi
if [ -n "${APT_MIRROR:-}" ]; then
  mkdir -p $private/sources.list.d
  edit="s|https\{0,1\}://[^/[:space:]]*|${APT_MIRROR%/}|g"
  case $APT_MIRROR in
    # Where an archive's path belongs that does not just follow.
    *@PATH@*) edit="s|https\{0,1\}://[^/[:space:]]*//*\([^[:space:]]*[^/[:space:]]\)|${APT_MIRROR%%@PATH@*}\\1${APT_MIRROR#*@PATH@}|g" ;;
  esac
  for file in /etc/apt/sources.list /etc/apt/sources.list.d/*.list /etc/apt/sources.list.d/*.sources; do
    if [ -e "$file" ]; then
      sed "/^[[:space:]]*#/!$edit" "$file" >"$private/${file#/etc/apt/}"
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
# By the first update apt learns whose archives some sources are.
if [ -n "${APT_SNAPSHOT:-}" ] && [ -z "${APT_MIRROR:-}" ]; then apt update; fi
apt install -y --no-install-recommends -- "$@"
