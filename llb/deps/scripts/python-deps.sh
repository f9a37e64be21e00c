# The virtual environment of the server: the packages of its lock file and of
# deps.python.requirements.
#
# uv installs what poetry's own export of the lock file lists, with its hashes:
# the same set, in seconds. Wheels for ARCH are chosen by platform, whatever this
# machine is; what has only sources is built here.
. /run/openhands/script/common.sh
poetry=/openhands/poetry env=/openhands/micromamba/envs/openhands
python=$(readlink -f "$HOME_PYTHON")
version=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
mkdir -p "$OUT$poetry" "$OUT/openhands/tools"
ln -s "$OUT$poetry" "$poetry"

name=openhands
if [ -d "$RUN/lock" ]; then
  mkdir -p "$OUT/openhands/code" /tmp/project
  cp "$RUN/lock/pyproject.toml" "$RUN/lock/poetry.lock" "$OUT/openhands/code/"
  cp "$RUN/lock/pyproject.toml" "$RUN/lock/poetry.lock" /tmp/project/
  name=$("$env/bin/python" "$RUN/script/project.py" name /tmp/project/pyproject.toml)
  "$env/bin/python" "$RUN/script/project.py" check /tmp/project/pyproject.toml
  "$env/libexec/poetry" export --quiet --directory /tmp/project --only main,runtime --output /tmp/locked.txt
fi
venv=$poetry/$name-py$version
"$python" -m venv --system-site-packages "$venv"
ln -s "$name-py$version" "$poetry/venv"
# What `poetry env use` writes. Without it poetry takes the environment that
# `micromamba run` activates, its own, for the project's.
patch=$("$python" -c 'import platform; print(platform.python_version())')
printf '["%s"]\nminor = "%s"\npatch = "%s"\n' "$name" "$version" "$patch" >"$OUT$poetry/envs.toml"

install() {
  "$RUN/uv/openhands/uv/uv" pip install --quiet --cache-dir "$RUN/uvcache" --link-mode copy \
    --python "$venv/bin/python" --python-platform "$PLATFORM" "$@"
}
if [ -e /tmp/locked.txt ]; then
  install --no-deps --require-hashes --requirement /tmp/locked.txt
fi
if [ -s "$RUN/script/requirements.txt" ]; then
  install --requirement "$RUN/script/requirements.txt"
fi

site=$venv/lib/python$version/site-packages
cp "$RUN/script/openhands_user_base.py" "$site/"
echo 'import openhands_user_base' >"$site/openhands_user_base.pth"
if [ -d "$RUN/lock" ]; then
  # The server's modules are found from any working directory, without a
  # PYTHONPATH that the base's python would see.
  echo /openhands/code >"$site/openhands_code.pth"
fi
rm -f "$venv"/bin/activate* "$venv"/bin/Activate*

# Last on PATH: for bases that have no python.
for program in python python3 pip pip3; do
  printf '#!/bin/sh\nexec /openhands/poetry/venv/bin/%s "$@"\n' "$program" >"$OUT/openhands/tools/$program"
  chmod 755 "$OUT/openhands/tools/$program"
done

release_times
COMPILER=$python
compile "$venv/lib"
seal ${LIBRARIES:+--from /libraries}
