# What the scripts that make a server's virtual environment have in common; read
# after common.sh. The interpreter is HOME_PYTHON of this machine.
python=$(readlink -f "$HOME_PYTHON")
version=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')

make_venv() {
  venv=$1
  "$python" -m venv --system-site-packages "$venv"
}

# uv_pip ARGUMENT... is uv for ARCH, whatever this machine is.
uv_pip() {
  command=$1 && shift
  "$RUN/uv/openhands/uv/uv" pip "$command" --quiet --cache-dir "$RUN/uvcache" \
    --python "$venv/bin/python" --python-platform "$PLATFORM" "$@"
}

# machine ARCHITECTURE is its name in wheels and ELF files.
machine() { case $1 in amd64) echo x86_64 ;; arm64) echo aarch64 ;; esac; }

# install ARGUMENT... installs packages. What has only sources is built here, so
# for another machine it must be pure Python.
# What uv says may hold addresses, so it is kept where secrets are.
install() {
  for file; do :; done # the requirements, the last argument of all
  say "install $(grep -c '^[A-Za-z0-9]' "$file") packages of ${file##*/}"
  if ! uv_pip install --link-mode copy "$@" 2>"$RUN/private/install.log"; then
    cat "$RUN/private/install.log" >&2
    "$python" "$RUN/script/sources.py" failed "$RUN/private/install.log" "$(machine "$ARCH")" "$(machine "$BUILD_ARCH")"
    exit 1
  fi
  cat "$RUN/private/install.log" >&2
  "$python" "$RUN/script/sources.py" check "$venv/lib/python$version/site-packages" "$(machine "$ARCH")"
}

# finish_venv NAME CODE adds the packages of deps.python.requirements, lets the
# modules in CODE be found from any working directory, and compiles. NAME is how
# launchers call the environment.
finish_venv() {
  if [ -s "$RUN/script/requirements.txt" ]; then
    install --requirement "$RUN/script/requirements.txt"
  fi
  site=$venv/lib/python$version/site-packages
  cp "$RUN/script/openhands_user_base.py" "$site/"
  echo 'import openhands_user_base' >"$site/openhands_user_base.pth"
  if [ -n "$2" ]; then
    # A PYTHONPATH would be seen by the base's python as well.
    echo "$2" >"$site/openhands_code.pth"
  fi
  rm -f "$venv"/bin/activate* "$venv"/bin/Activate*
  # For compilers and for readers of manuals.
  rm -rf "$venv/include" "$venv/share/man" "$venv/share/doc"
  # Playwright's wheel has a node of its own, of 120 MB; it drives browsers with
  # ours as well, where that is new enough.
  if [ -n "${NODE:-}" ] && [ -e "$site/playwright/driver/node" ]; then
    ln -sf /openhands/node/bin/node "$site/playwright/driver/node"
  fi
  "$python" "$RUN/script/prune.py" "$site"
  if [ -d "$venv/share" ]; then find "$venv/share" -name '*.map' -delete; fi

  # Last on PATH: for bases that have no python.
  mkdir -p "$OUT/openhands/tools"
  for program in python python3 pip pip3; do
    printf '#!/bin/sh\nexec %s/bin/%s "$@"\n' "$1" "$program" >"$OUT/openhands/tools/$program"
    chmod 755 "$OUT/openhands/tools/$program"
  done
  release_times
  say "compile Python's bytecode"
  # In processes that each get the same files every time: what marshal writes for a
  # constant depends on the files that its process has compiled before. As in
  # compile, files that are no Python of this version stay without.
  find "$site" -mindepth 1 -maxdepth 1 -print0 | sort -z |
    PYTHONHASHSEED=0 xargs -0 -n 16 -P "$(nproc)" "$python" -m compileall -q >/tmp/compile.log 2>&1 || true
}
