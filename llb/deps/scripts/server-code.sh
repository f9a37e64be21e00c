# The server's code, compiled. What else a checkout holds stays out.
. /run/openhands/script/common.sh
code=/openhands/code
mkdir -p "$OUT$code"
for dir in openhands microagents third_party; do
  if [ -d "$RUN/source/$dir" ]; then cp -R "$RUN/source/$dir" "$OUT$code/"; fi
done
if [ ! -e "$OUT$code/openhands/__init__.py" ]; then
  echo "the server's source has no package openhands: name a checkout of OpenHands" >&2
  exit 1
fi
find "$OUT$code" -name __pycache__ -prune -exec rm -rf {} +
rm -rf "$OUT$code"/openhands/pyproject.toml "$OUT$code"/openhands/poetry.lock # second copies
chown -R 0:0 "$OUT/openhands"
chmod -R u=rwX,go=rX "$OUT/openhands"
release_times
COMPILER=$(readlink -f "$HOME_PYTHON")
compile -s "$OUT" "$OUT$code"
seal
