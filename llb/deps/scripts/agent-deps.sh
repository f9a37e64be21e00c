# The virtual environment of the agent-server: what its packages require, and
# deps.python.requirements. The packages themselves are the code component.
#
# uv installs what agent-server.txt lists, all of it wheels, and builds what
# agent-sources.txt lists with what agent-build.txt does, each with its hashes. Of
# a checkout uv installs what its uv.lock lists. Of a version that has no such list
# it resolves one.
. /run/openhands/script/common.sh
. /run/openhands/script/venv.sh
case $version in
  3.? | 3.10 | 3.11)
    echo "the agent-server wants python 3.12 or newer, and this one is $version: choose another deps.python or deps.builder" >&2
    exit 1
    ;;
esac
top=/openhands/agent-server
mkdir -p "$OUT$top"
ln -s "$OUT$top" "$top"
make_venv "$top/.venv"
if [ -d "$RUN/lock" ]; then
  cp -R "$RUN/lock" /tmp/project
  "$venv/bin/python" "$RUN/script/workspace.py" /tmp/project "$venv/lib/python$version/site-packages" $PACKAGES
  # --frozen: what is locked counts, also where a pyproject.toml says more by now.
  "$RUN/uv/openhands/uv/uv" export --quiet --frozen --project /tmp/project --cache-dir "$RUN/uvcache" --python "$python" \
    --all-packages --no-default-groups --no-emit-workspace --no-annotate --no-header --output-file /tmp/locked.txt
  install --no-deps --require-hashes --requirement /tmp/locked.txt
elif [ -e "$RUN/script/agent-server.txt" ]; then
  install --no-deps --require-hashes --no-build --requirement "$RUN/script/agent-server.txt"
  # Built anew, not taken from the cache: another stage may have built it with
  # other requirements.
  install --no-deps --require-hashes --no-cache --build-constraint "$RUN/script/agent-build.txt" \
    --requirement "$RUN/script/agent-sources.txt"
else
  set --
  for package in $PACKAGES; do set -- "$@" --no-emit-package "$package"; done
  say "resolve what the packages require"
  uv_pip compile --output-file /tmp/resolved.txt "$@" "$RUN/script/server.txt" >/tmp/resolve.log
  install --no-deps --requirement /tmp/resolved.txt
fi
finish_venv "$top/.venv" "$top/code"
# What wheels may count on (PEP 600) and an interpreter need not bring: pillow
# wants zlib.
packages /libraries zlib1g libstdc++6
seal --from /libraries
