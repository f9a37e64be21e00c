# Chromium with its libraries and fonts, in the layout of Playwright.
#
# The libraries are those that the distribution's chromium depends on, under
# whatever names this release has for them: they are all that Playwright's own
# build needs. Fonts and fontconfig's settings are ours.
. /run/openhands/script/common.sh
python=/openhands/python/bin/python3
top=$OUT/openhands/browser
mkdir -p "$top/fonts" "$OUT/openhands/bin"
[ -n "${LOOK_UP:-}" ] || packages /distribution chromium fonts-dejavu-core fonts-liberation fonts-noto-color-emoji fonts-wqy-zenhei

version=${VERSION:-$(cat "$RUN/version/version" 2>/dev/null || true)}
if [ -n "$version" ]; then
  # The driver knows the revision, and where it is. It runs on this machine, for
  # the target's platform.
  say "download the driver of Playwright $version"
  pip download --quiet --no-deps --only-binary=:all: -d /tmp/playwright "playwright==$version"
  "$python" -m zipfile -e /tmp/playwright/*.whl /tmp/playwright/wheel
  driver=/tmp/playwright/wheel/playwright/driver
  chmod 755 "$driver/node"
fi
case $ARCH in amd64) platform=debian12-x64 directory=chrome-linux ;; arm64) platform=debian12-arm64 directory=chrome-linux ;; esac
export PLAYWRIGHT_HOST_PLATFORM_OVERRIDE=$platform PLAYWRIGHT_BROWSERS_PATH=$top/ms-playwright
# link_browser NAME PROGRAM TO lets the browser stand where this Playwright looks
# for NAME.
link_browser() {
  revision=$("$python" -c 'import json, sys
print(next(b["revision"] for b in json.load(open(sys.argv[1]))["browsers"] if b["name"] == sys.argv[2]))' \
    "$driver/package/browsers.json" "$1")
  dir=$top/ms-playwright/$(echo "$1" | tr - _)-$revision/$directory
  mkdir -p "$dir"
  ln -s "$3" "$dir/$2"
  touch "${dir%/*}/INSTALLATION_COMPLETE"
}
if [ "$PROVIDER" = playwright ]; then
  # A server that drives its browser without a screen needs the headless shell
  # alone, which is smaller by half. Full Chromium is for screens and extensions.
  say "download Chromium for $platform"
  NODE_OPTIONS="--require $RUN/script/netrc.cjs" "$driver/node" "$driver/package/cli.js" install \
    ${HEADLESS:+--only-shell} chromium >/tmp/install.log 2>&1 || { tail -20 /tmp/install.log >&2; exit 1; }
  # Its makers publish no digest of what that downloads, so a lock file has the one
  # of all files.
  files=$(cd "$top/ms-playwright" && find . -path ./.links -prune -o -type f ! -name '*_COMPLETE' -exec sha256sum {} + | LC_ALL=C sort)
  digest=$(printf '%s\n' "$files" | sha256sum)
  digest=sha256:${digest%% *}
  if [ -n "${LOOK_UP:-}" ]; then
    rm -rf "$OUT/openhands"
    printf '%s' "$digest" >"$OUT/digest"
    exit
  fi
  if [ "${DIGEST:-$digest}" != "$digest" ]; then
    echo "the browser that Playwright has downloaded has the digest $digest, in the lock file it is $DIGEST: it is another file" >&2
    exit 1
  fi
  rm -rf /distribution/usr/lib/chromium # of which nothing is taken
  "$python" "$RUN/script/browser_record.py" "$driver/package/browsers.json" "${HEADLESS:+chromium-headless-shell}" >"$top/chromium.spdx.json"
  chrome=$(find "$top/ms-playwright" -path '*/chromium-*' -type f -name chrome -perm -1)
  if [ -n "${HEADLESS:-}" ]; then
    chrome=$(find "$top/ms-playwright" -type f \( -name headless_shell -o -name chrome-headless-shell \) -perm -1)
    case $chrome in */chrome-headless-shell-linux64/*) directory=chrome-linux64 ;; esac
    link_browser chromium chrome "../..${chrome#"$top/ms-playwright"}"
  fi
else
  cp -a /distribution/usr/lib/chromium "$top/"
  rm -rf "$top/chromium/chrome_crashpad_handler.debug"
  chrome=$top/chromium/chromium
  if [ -n "$version" ]; then
    link_browser chromium chrome ../../../chromium/chromium
    link_browser chromium-headless-shell headless_shell ../../../chromium/chromium
  fi
fi
if [ ! -x "$chrome" ]; then
  echo "Playwright $version has installed no chrome where it is looked for" >&2
  exit 1
fi
find "$top" -name 'chrome_sandbox' -delete -o -name 'chrome-sandbox' -delete # setuid, which ours are not
# Translations of menus that nobody sees; English is always wanted.
find "$top" -path '*/locales/*.pak*' ! -name 'en-US.pak*' -delete
# Checks for people who write Vulkan drivers. Pages are drawn by SwiftShader, which
# stays, also for WebGL: no GPU's driver, no Mesa and no LLVM comes along.
find "$top" -name '*VkLayer*' -delete

for font in dejavu/DejaVuSans.ttf dejavu/DejaVuSans-Bold.ttf dejavu/DejaVuSansMono.ttf dejavu/DejaVuSerif.ttf \
  liberation/LiberationSans-Regular.ttf liberation/LiberationSans-Bold.ttf liberation/LiberationSans-Italic.ttf \
  liberation/LiberationMono-Regular.ttf liberation/LiberationSerif-Regular.ttf liberation/LiberationSerif-Bold.ttf \
  noto/NotoColorEmoji.ttf wqy/wqy-zenhei.ttc; do
  cp -L "/distribution/usr/share/fonts/truetype/$font" "$top/fonts/"
done
cp "$RUN/script/fonts.conf" "$top/"
# NSS opens its modules by name.
case $ARCH in amd64) lib=x86_64 ;; arm64) lib=aarch64 ;; esac
mkdir -p "$OUT/openhands/lib/$lib"
for name in softokn3 freebl3 freeblpriv3 nssckbi; do
  find /distribution/usr/lib -name "lib$name.so" -exec cp -L {} "$OUT/openhands/lib/$lib/" ';'
done

# Servers start the browser by its path, so what stands there sets its fonts: the
# variable must not be the image's, whose own programs have other fonts.
find "$top" -type f \( -name chrome -o -name headless_shell -o -name chrome-headless-shell -o -name chromium \) -perm -1 |
  while read -r program; do
    mv "$program" "$program.bin"
    sed "s|@PROGRAM@|${program#"$OUT"}.bin|" "$RUN/script/chrome" >"$program"
    chmod 755 "$program"
  done
sed "s|@CHROME@|${chrome#"$OUT"}|" "$RUN/script/chromium" >"$OUT/openhands/bin/chromium"
if [ -n "${LAUNCHER:-}" ]; then cp "$RUN/script/oh-playwright" "$OUT/openhands/bin/oh-playwright"; fi
chmod 755 "$OUT"/openhands/bin/*
release_times
seal --from /distribution
