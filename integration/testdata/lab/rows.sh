# Rows of the seal's matrix: one line "NAME: what came out" each. It runs with
# our bash on a root that may have no other program.
#
# usage: rows.sh SERVER
server=$1
here=${BASH_SOURCE[0]%/*}
cd /workspace || exit 1

row() {
  local name=$1 out
  shift
  if out=$("$@" 2>&1); then echo "$name: $out"; else echo "$name: FAIL exit $? $out"; fi
}

greet() {
  printf '%s %s\n' "${BASH_VERSION%%.*}." "$(printf 'é')"
}

screen() {
  tmux -L rows new-session -d -x 60 -y 5 'printf "grüße, 你好\n"; tmux -L rows wait-for -S done; read -r -t 60' &&
    tmux -L rows wait-for done &&
    tmux -u -L rows capture-pane -p | rg -v '^$' &&
    tmux -L rows kill-server
}

clone() {
  git clone -q "$server/repo.git" cloned && git -C cloned log --format=%s
}

shot() {
  chromium --screenshot=/shots/shot.png --window-size=400,200 "file://$here/page.html" 2>/tmp/chromium.log ||
    { rg -v DEBUG /tmp/chromium.log; return 1; }
  /openhands/venv/bin/python -c 'print(open("/shots/shot.png", "rb").read(4)[1:].decode())'
}

# The loader has written what it tried: never a file of the base. /-oh/ is where
# the seal sends the directories that it takes away: nobody has it.
searched() {
  local count outside
  count=$(rg --no-filename -c 'trying file=' /tmp/loader.* | rg -c '')
  outside=$(rg --no-filename -o 'trying file=(.*)' -r '$1' /tmp/loader.* | rg -v '^/(openhands|workspace|-oh)/')
  [[ $count -gt 10 ]] || { echo "only $count processes have written anything"; return 1; }
  [[ -z $outside ]] || { echo "${outside:0:1000}"; return 1; }
  echo 'inside only'
}

row bash greet
row tmux screen
row git clone
row jq jq -nc '[1, "é"] | {a: .}'
row rg rg -o 'b.d' <<<'abcde'
row node node "$here/rows.js"
[[ -x /openhands/bin/chromium ]] && row chromium shot
/openhands/venv/bin/python "$here/rows.py" "$server" /workspace
row searched searched
