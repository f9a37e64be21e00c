# CPython of conda-forge, in the environment that hosts of OpenHands call by name,
# with poetry and the launchers that they call where POETRY_VERSION asks for it.
# micromamba keeps what it has downloaded in a cache of the build.
. /run/openhands/script/common.sh
root=/openhands/micromamba
mkdir -p "$OUT$root/bin" "$OUT$root/libexec" /openhands
ln -s "$OUT$root" "$root"
install -m 755 "$RUN"/archive/* "$root/libexec/micromamba"
export MAMBA_ROOT_PREFIX="$RUN/mamba" MAMBA_NO_RC=true CONDA_PKGS_DIRS="$RUN/mamba/pkgs"
say "install python $VERSION"
case $ARCH in amd64) platform=linux-64 ;; arm64) platform=linux-aarch64 ;; esac
"$RUN"/native/* create --yes --quiet --prefix "$root/envs/openhands" --platform "$platform" \
  --override-channels --channel "$CHANNEL" --always-copy "python=$VERSION" \
  ${POETRY_VERSION:+"poetry=$POETRY_VERSION" poetry-plugin-export}
rm -rf "$root/envs/openhands/conda-meta/history" "$root"/envs/openhands/lib/*.a "$root"/envs/openhands/include
if [ -n "${POETRY_VERSION:-}" ]; then
  mkdir -p "$root/envs/openhands/libexec"
  mv "$root/envs/openhands/bin/poetry" "$root/envs/openhands/libexec/poetry"
  ln -s /openhands/bin/oh-init "$root/envs/openhands/bin/poetry"
  ln -s /openhands/bin/oh-init "$OUT$root/bin/micromamba"
fi
release_times
COMPILER=$root/envs/openhands/bin/python
compile "$root/envs/openhands/lib"
seal
