# openvscode-server from its release archive, with the server's extensions.
. /run/openhands/script/common.sh
top=$OUT/openhands/.openvscode-server
mkdir -p "$top" "$OUT/openhands/tools"
untar "$top" "$RUN"/archive/*
find "$top" -name '*.map' -delete # source maps: for debuggers of VS Code itself
rm -rf "$top"/node_modules/@vscode/windows-* # for Windows alone
if [ -d "$RUN/extensions" ]; then
  for dir in "$RUN"/extensions/*/; do
    name=$(basename "$dir")
    cp -R "$dir" "$top/extensions/openhands-${name#openhands-}"
  done
fi
cp "$RUN/script/ready.cjs" "$top/out/"
sed -i 's|^"$ROOT/node" |&--require "$ROOT/out/ready.cjs" |' "$top/bin/openvscode-server"
if ! grep -q ready.cjs "$top/bin/openvscode-server"; then
  echo "this release starts VS Code in another way than is known here: choose another version for deps.vscode" >&2
  exit 1
fi
cp "$top/bin/remote-cli/openvscode-server" "$top/bin/remote-cli/code"
install -m 755 "$RUN/script/code" "$OUT/openhands/tools/code"
chmod -R u=rwX,go=rX "$top"
release_times
seal
