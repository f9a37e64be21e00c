# The version of Playwright that a lock file names. A stage of its own: the
# browser is built again only when this answer changes.
. /run/openhands/script/common.sh
version=$(sed -n '/^name = "playwright"$/{n;s/^version = "\(.*\)"$/\1/p;}' "$RUN/lock/poetry.lock")
if [ -z "$version" ]; then
  echo "poetry.lock names no playwright: give deps.browser a version, or write deps.browser: builder" >&2
  exit 1
fi
printf '%s' "$version" >"$OUT/version"
touch -d @0 "$OUT/version"
