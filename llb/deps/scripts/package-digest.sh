# The digest of the file that a requirement leads to: a source distribution where
# SOURCE names the package, else a wheel.
. /run/openhands/script/common.sh
if [ -n "${SOURCE:-}" ]; then
  pip download --quiet --no-deps --no-binary=:all: --no-build-isolation -d /tmp/file "$REQUIREMENT" ||
    pip download --quiet --no-deps --no-binary="$SOURCE" -d /tmp/file "$REQUIREMENT"
else
  pip download --quiet --no-deps --only-binary=:all: --ignore-requires-python -d /tmp/file "$REQUIREMENT"
fi
set -- /tmp/file/*
sum=$(sha256sum "$1")
printf 'sha256:%s' "${sum%% *}" >"$OUT/digest"
touch -d @0 "$OUT/digest"
