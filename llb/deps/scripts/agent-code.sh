# The packages of the agent-server, compiled.
. /run/openhands/script/common.sh
code=/openhands/agent-server/code
mkdir -p "$OUT$code"
cp -R "$RUN/source/openhands" "$RUN"/source/*.dist-info "$OUT$code/"
if [ ! -e "$OUT$code/openhands/agent_server/__main__.py" ]; then
  echo "the server's source has no openhands.agent_server: name a release of openhands-agent-server" >&2
  exit 1
fi
chown -R 0:0 "$OUT/openhands"
chmod -R u=rwX,go=rX "$OUT/openhands"
release_times
COMPILER=$(readlink -f "$HOME_PYTHON")
compile -s "$OUT" "$OUT$code"
seal
