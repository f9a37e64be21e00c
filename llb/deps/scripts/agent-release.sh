# The packages of the agent-server from their wheels, which are the same for
# every architecture, each with what tells its version.
. /run/openhands/script/common.sh
pip download --quiet --no-deps --only-binary=:all: --ignore-requires-python ${HASHES:+--require-hashes} \
  -d /tmp/server -r "$RUN/script/server.txt"
for wheel in /tmp/server/*.whl; do
  /openhands/python/bin/python3 -m zipfile -e "$wheel" "$OUT"
done
find "$OUT" -mindepth 1 -exec touch -h -d @0 {} +
