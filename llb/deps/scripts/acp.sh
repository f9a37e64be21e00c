# Agents of ACP with a node of their own. npm of the node for this machine
# installs what each agent's lock file lists, by its hashes and for ARCH. Scripts of
# packages are not run.
#
# agents.txt has a line for each: its name, its program, its package and version.
. /run/openhands/script/common.sh
top=/openhands/acp
mkdir -p "$OUT$top/bin" "$OUT$top/node" /native
untar /native "$RUN"/native/*
untar "$OUT$top/node" "$RUN"/archive/*
find "$OUT$top/node" -mindepth 1 -maxdepth 1 ! -name bin ! -name LICENSE -exec rm -rf {} +
find "$OUT$top/node/bin" -mindepth 1 ! -name node -delete # npm is for those who install
PATH=/native/bin:$PATH
export PATH
while read -r agent program package version; do
  dir=$OUT$top/$agent
  say "install $package $version"
  mkdir "$dir"
  cp "$RUN/script/acp-$agent.json" "$dir/package-lock.json"
  printf '{"dependencies": {"%s": "%s"}}\n' "$package" "$version" >"$dir/package.json"
  # Of two builds for a libc the one for glibc, which the seal is made for.
  npm ci --prefix "$dir" --ignore-scripts --omit=dev --os=linux --cpu="$CPU" --libc=glibc \
    --no-audit --no-fund --no-update-notifier --loglevel=error --cache "$RUN/npmcache" </dev/null >&2
  # npm's notes name the registry.
  rm -f "$dir/package.json" "$dir/package-lock.json" "$dir/node_modules/.package-lock.json"
  entry=$(node -p 'Object.values(JSON.parse(fs.readFileSync(process.argv[1])).bin)[0]' "$dir/node_modules/$package/package.json")
  printf '#!/bin/sh\nexec %s/node/bin/node %s "$@"\n' "$top" "$top/$agent/node_modules/$package/$entry" >"$OUT$top/bin/$program"
  chmod 755 "$OUT$top/bin/$program"
done <"$RUN/script/agents.txt"
# What is compiled beforehand is node-pty for other systems, and keytar for a keychain
# on D-Bus, whose libraries are not here: gemini-cli does without both. Maps are for
# debuggers.
find "$OUT$top" -type d \( -name prebuilds -o -path '*/third_party/conpty' \) -prune -exec rm -rf {} +
find "$OUT$top" -name '*.map' -type f -delete
chown -R 0:0 "$OUT/openhands"
chmod -R u=rwX,go=rX "$OUT/openhands"
release_times
seal
