# A server's sources from its source distribution, which is the same for every
# architecture and, unlike the wheel, holds the microagents.
. /run/openhands/script/common.sh
python=/openhands/python/bin/python3
printf '%s\n' "$REQUIREMENT" >/tmp/server.txt
pip download --quiet --no-deps --no-binary=:all: ${HASHES:+--require-hashes} --no-build-isolation -d /tmp/server -r /tmp/server.txt ||
  pip download --quiet --no-deps --no-binary="$PACKAGE" ${HASHES:+--require-hashes} -d /tmp/server -r /tmp/server.txt
untar "$OUT" /tmp/server/*.tar.gz
find "$OUT" -mindepth 1 -exec touch -h -d @0 {} +
