# CPython of python-build-standalone, which is made to be moved. The archive for
# this machine compiles; it is the same one where the target is this machine's
# architecture.
. /run/openhands/script/common.sh
top=$OUT/openhands/python
mkdir -p "$top" /native
untar "$top" "$RUN"/archive/*
untar /native "$RUN"/native/*
rm -rf "$top/include" "$top/share" "$top"/lib/libpython*.a "$top"/lib/pkgconfig \
  "$top"/lib/tcl* "$top"/lib/tk* "$top"/lib/itcl* "$top"/lib/thread* "$top"/lib/libtcl* "$top"/lib/libtk*
for lib in "$top"/lib/python3.*; do
  rm -rf "$lib/test" "$lib/idlelib" "$lib/turtledemo" "$lib/tkinter" "$lib"/config-* "$lib"/lib-dynload/_tkinter*.so
  # Packages are the virtual environment's business; pip stays as ensurepip's wheel.
  find "$lib/site-packages" -mindepth 1 -delete
done
find "$top" -name __pycache__ -prune -exec rm -rf {} +
find "$top" -xtype l -delete
release_times
COMPILER=/native/bin/python3
for lib in "$top"/lib/python3.*; do compile -s "$OUT" "$lib"; done
seal
