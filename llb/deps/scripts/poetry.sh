# poetry in the environment that hosts of OpenHands call by name, and the
# launchers that stand for micromamba and `poetry run` (oh-init).
. /run/openhands/script/common.sh
root=/openhands/micromamba env=$root/envs/openhands
mkdir -p "$OUT$root/bin"
ln -s "$OUT$root" "$root"
/openhands/python/bin/python3 -m venv --without-pip "$env"
"$RUN/uv/openhands/uv/uv" pip install --quiet --cache-dir "$RUN/uvcache" --link-mode copy \
  --python "$env/bin/python" --python-platform "$PLATFORM" \
  --no-deps --require-hashes --requirement "$RUN/script/poetry.txt"
mkdir "$env/libexec"
mv "$env/bin/poetry" "$env/libexec/poetry"
ln -s /openhands/bin/oh-init "$env/bin/poetry"
ln -s /openhands/bin/oh-init "$root/bin/micromamba"
rm -f "$env"/bin/activate* "$env"/bin/Activate*
rm -rf "$env/include" "$env/share/man"
for site in "$env"/lib/python3.*/site-packages; do /openhands/python/bin/python3 "$RUN/script/prune.py" "$site"; done
release_times
COMPILER=/openhands/python/bin/python3
compile "$env/lib"
seal
