# uv and uvx, static programs, from their wheel.
. /run/openhands/script/common.sh
python=/openhands/python/bin/python3
printf '%s\n' "$REQUIREMENT" >/tmp/uv.txt
pip download --quiet --no-deps --only-binary=:all: --platform "$PLATFORM" --require-hashes -d /tmp/uv -r /tmp/uv.txt
"$python" -m zipfile -e /tmp/uv/*.whl /tmp/uv/wheel
mkdir -p "$OUT/openhands/uv" "$OUT/openhands/tools"
for program in uv uvx; do
  install -m 755 /tmp/uv/wheel/uv-*.data/scripts/$program "$OUT/openhands/uv/"
  sed "s|@PROGRAM@|$program|" "$RUN/script/uv-launcher" >"$OUT/openhands/tools/$program"
  chmod 755 "$OUT/openhands/tools/$program"
done
cp -R /tmp/uv/wheel/uv-*.dist-info "$OUT/openhands/uv/" # says to scanners what it is
seal
