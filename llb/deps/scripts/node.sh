# Node.js from its release archive, without the headers and documents that only
# building native modules needs.
. /run/openhands/script/common.sh
top=$OUT/openhands/node
mkdir -p "$top" "$OUT/openhands/tools"
untar "$top" "$RUN"/archive/*
rm -rf "$top/include" "$top/share" "$top"/*.md "$top"/bin/corepack "$top/lib/node_modules/corepack" \
  "$top/lib/node_modules/npm/docs" "$top/lib/node_modules/npm/man"
find "$top/lib" -name '*.md' -delete
# A project's own node comes first on PATH; our npm must not run on it.
for program in npm npx; do
  sed -i '1s|.*|#!/openhands/node/bin/node|' "$top/lib/node_modules/npm/bin/$program-cli.js"
  chmod 755 "$top/lib/node_modules/npm/bin/$program-cli.js"
  ln -s "../node/lib/node_modules/npm/bin/$program-cli.js" "$OUT/openhands/tools/$program"
done
ln -s ../node/bin/node "$OUT/openhands/tools/node"
release_times
seal
