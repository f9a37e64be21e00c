# CPython of the builder's distribution, moved to /openhands/python: it finds its
# prefix from where its binary is (Modules/getpath.py).
#
# /target is the distribution for ARCH, /native the same for this machine, whose
# python compiles.
. /run/openhands/script/common.sh
native=/target
packages /target python3 python3-venv
if [ "$ARCH" != "$BUILD_ARCH" ]; then
  native=/native
  target=$ARCH ARCH=$BUILD_ARCH
  packages /native python3 python3-venv
  ARCH=$target
fi
version=$(readlink /target/usr/bin/python3) # python3.13
top=$OUT/openhands/python
mkdir -p "$top/bin" "$top/lib" "$top/share"
cp -a "/target/usr/bin/$version" "$top/bin/"
ln -s "$version" "$top/bin/python3"
ln -s "$version" "$top/bin/python"
cp -a "/target/usr/lib/$version" "$top/lib/"
cp -a /target/usr/share/python-wheels "$top/share/"
lib=$top/lib/$version

# Tests, examples and graphical tools, which nothing at run time needs.
rm -rf "$lib/test" "$lib/idlelib" "$lib/turtledemo" "$lib/turtle.py" "$lib/tkinter" \
  "$lib/lib-dynload"/_test*.so "$lib/lib-dynload"/_tkinter*.so "$lib"/config-*
find "$lib" -name '*.py' -type f -exec chmod a-x {} + # scripts for an interpreter elsewhere
find "$top" -xtype l -delete # into Debian's /etc and /usr/share
sed -i -e 's|/usr/share/zoneinfo|/openhands/zoneinfo|g' \
  -e 's|/usr/share/python-wheels|/openhands/python/share/python-wheels|g' "$lib"/_sysconfigdata*.py

release_times
mkdir -p "$native/openhands"
cp -a "$top" "$native/openhands/python"
for wheel in "$native"/openhands/python/share/python-wheels/pip-*.whl; do
  cp "$RUN/script/pip_wheel.py" "$native/openhands/"
  chroot "$native" "/usr/bin/$version" /openhands/pip_wheel.py "${wheel#"$native"}"
done
cp -a "$native/openhands/python/share" "$top/"
say "compile Python's bytecode"
chroot "$native" "/usr/bin/$version" -m compileall -q "/openhands/python/lib/$version" >/tmp/compile.log 2>&1 || true
cp -a "$native/openhands/python/lib" "$top/"
seal --from /target
