# The virtual environment of the server: the packages of its lock file and of
# deps.python.requirements.
#
# uv installs what poetry's own export of the lock file lists, with its hashes:
# the same set, in seconds. Wheels for ARCH are chosen by platform, whatever this
# machine is; what has only sources is built here.
. /run/openhands/script/common.sh
. /run/openhands/script/venv.sh
poetry=/openhands/poetry env=/openhands/micromamba/envs/openhands
mkdir -p "$OUT$poetry"
ln -s "$OUT$poetry" "$poetry"

name=openhands
if [ -d "$RUN/lock" ]; then
  mkdir -p "$OUT/openhands/code" /tmp/project
  cp "$RUN/lock/pyproject.toml" "$RUN/lock/poetry.lock" "$OUT/openhands/code/"
  cp "$RUN/lock/pyproject.toml" "$RUN/lock/poetry.lock" /tmp/project/
  name=$("$env/bin/python" "$RUN/script/project.py" name /tmp/project/pyproject.toml)
  "$env/bin/python" "$RUN/script/project.py" check /tmp/project/pyproject.toml
  say "read poetry.lock"
  "$env/libexec/poetry" export --quiet --directory /tmp/project --only main,runtime --output /tmp/locked.txt
fi
venv=$poetry/$name-py$version
make_venv "$venv"
ln -s "$name-py$version" "$poetry/venv"
# What `poetry env use` writes. Without it poetry takes the environment that
# `micromamba run` activates, its own, for the project's.
patch=$("$python" -c 'import platform; print(platform.python_version())')
printf '["%s"]\nminor = "%s"\npatch = "%s"\n' "$name" "$version" "$patch" >"$OUT$poetry/envs.toml"

if [ -e /tmp/locked.txt ]; then
  install --no-deps --require-hashes --requirement /tmp/locked.txt
fi
if [ -d "$RUN/lock" ]; then code=/openhands/code; fi
finish_venv "$poetry/venv" "${code:-}"
seal ${LIBRARIES:+--from /libraries}
