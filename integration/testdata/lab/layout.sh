# Lays out /out/openhands from /distribution, /downloads and /lab.
top=/out/openhands
mkdir -p "$top/bin" "$top/tools"

# CPython finds its prefix from where it is (Modules/getpath.py).
mkdir -p "$top/python/bin" "$top/python/lib"
cp -a /distribution/usr/bin/python3.13 "$top/python/bin/"
cp -a /distribution/usr/lib/python3.13 "$top/python/lib/"
find "$top/python" -xtype l -delete # into Debian's /etc and /usr/share
sed -i 's|/usr/share/zoneinfo|/openhands/zoneinfo|g' "$top"/python/lib/python3.13/_sysconfigdata*.py

mkdir -p "$top/venv/bin" "$top/venv/lib/python3.13"
printf '%s\n' 'home = /openhands/python/bin' 'include-system-site-packages = false' 'version = 3.13' > "$top/venv/pyvenv.cfg"
ln -s /openhands/python/bin/python3.13 "$top/venv/bin/python"
cp -a /downloads/site-packages "$top/venv/lib/python3.13/"

cp -a /downloads/node "$top/"
chmod 755 "$top/node/bin/node"
ln -s ../node/bin/node "$top/tools/node"

[ -d /distribution/usr/lib/chromium ] || exit 0
mkdir -p "$top/browser" "$top/lib/x86_64"
cp -a /distribution/usr/lib/chromium "$top/browser/"
cp -aL /distribution/usr/share/fonts/truetype/dejavu "$top/browser/fonts"
cp /lab/fonts.conf "$top/browser/"
install -m 755 /lab/chromium "$top/bin/chromium"
# NSS opens its modules by name.
for name in softokn3 freebl3 freeblpriv3 nssckbi; do
  find /distribution/usr/lib -name "lib$name.so" -exec cp {} "$top/lib/x86_64/" ';'
done
