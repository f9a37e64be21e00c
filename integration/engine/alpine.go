package engine

import (
	"context"
	_ "embed" // the musl program's source
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
)

// alpineLayer is an Alpine-like root: busybox with its links, musl as the only
// libc, Alpine's accounts. It is made from Debian's packages busybox-static and
// musl, so that no second archive is needed: it has no apk. A small program
// linked against musl stands for the base's own software; it exists for this
// machine's architecture only, since it is compiled here.
var alpineLayer = layerRecipe{key: "alpine", make: func(ctx context.Context, e *Engine, arch string) (tree, error) {
	packages, err := e.debianPackages(ctx, arch, "trixie", "busybox-static", "musl")
	if err != nil {
		return nil, err
	}
	muslArch := map[string]string{"amd64": "x86_64", "arm64": "aarch64"}[arch]
	busybox, err := packages.text("usr/bin/busybox")
	if err != nil {
		return nil, err
	}
	libc, err := packages.text("usr/lib/" + muslArch + "-linux-musl/libc.so")
	if err != nil {
		return nil, err
	}
	t := tree{}
	t.file("bin/busybox", 0o755, busybox)
	t.file("lib/ld-musl-"+muslArch+".so.1", 0o755, libc)
	t.symlink("lib/libc.musl-"+muslArch+".so.1", "ld-musl-"+muslArch+".so.1")
	if err := e.linkApplets(ctx, t); err != nil {
		return nil, err
	}
	addAlpineFiles(t)
	if arch == runtime.GOARCH {
		program, err := e.compileMusl(ctx, muslProgram)
		if err != nil {
			return nil, err
		}
		t.file("usr/bin/base-program", 0o755, program)
	}
	return t, nil
}}

// linkApplets adds a symlink for every program that busybox can be. It asks the
// busybox of this machine's architecture; the list is the same for all.
func (e *Engine) linkApplets(ctx context.Context, t tree) error {
	applets, err := e.applets(ctx)
	if err != nil {
		return fmt.Errorf("list the applets of busybox: %w", err)
	}
	for _, applet := range applets {
		if _, taken := t[applet]; !taken {
			t.symlink(applet, "/bin/busybox")
		}
	}
	return nil
}

func (e *Engine) applets(ctx context.Context) ([]string, error) {
	cache := e.path("images", recipeVersion, "applets")
	if list, err := os.ReadFile(cache); err == nil {
		return strings.Fields(string(list)), nil
	}
	native, err := e.debianPackages(ctx, runtime.GOARCH, "trixie", "busybox-static")
	if err != nil {
		return nil, err
	}
	busybox, err := native.text("usr/bin/busybox")
	if err != nil {
		return nil, err
	}
	program := e.path("busybox")
	if err := os.WriteFile(program, []byte(busybox), 0o755); err != nil {
		return nil, err
	}
	defer os.Remove(program)
	list, err := exec.CommandContext(ctx, program, "--list-full").Output()
	if err != nil {
		return nil, err
	}
	if _, err := writeIfChanged(cache, string(list)); err != nil {
		return nil, err
	}
	return strings.Fields(string(list)), nil
}

//go:embed musl_program.txt
var muslProgram string

// compileMusl compiles a C source and links it against musl.
func (e *Engine) compileMusl(ctx context.Context, source string, flags ...string) (string, error) {
	if err := e.NeedPrograms(ctx, "musl-gcc"); err != nil {
		return "", err
	}
	dir, err := os.MkdirTemp(e.dir, "musl-")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(dir)
	if err := os.WriteFile(filepath.Join(dir, "program.c"), []byte(source), 0o644); err != nil {
		return "", err
	}
	cmd := exec.CommandContext(ctx, "musl-gcc", append(flags, "-Os", "-s", "-Wl,--build-id=none", "-o", "program", "program.c")...)
	cmd.Dir = dir
	if err := e.run(cmd); err != nil {
		return "", err
	}
	program, err := os.ReadFile(filepath.Join(dir, "program"))
	return string(program), err
}

func addAlpineFiles(t tree) {
	t.file("etc/passwd", 0o644, alpineAccounts)
	t.file("etc/group", 0o644, alpineGroups)
	t.file("etc/shadow", 0o640, alpineShadow()).owned(0, 42)
	t.file("etc/shells", 0o644, "# valid login shells\n/bin/sh\n/bin/ash\n")
	t.file("etc/hostname", 0o644, "localhost\n")
	t.file("etc/alpine-release", 0o644, "3.22.0\n")
	t.file("etc/os-release", 0o644, `NAME="Alpine-like (Debian's busybox and musl)"
ID=alpine-like
ID_LIKE=alpine
VERSION_ID=3.22.0
PRETTY_NAME="Alpine-like root of the OpenHands engine"
`)
	t.file("etc/profile", 0o644, "export PATH=\"/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\"\n")
	for _, dir := range []string{"dev", "home", "mnt", "opt", "proc", "run", "srv", "sys", "usr/lib", "usr/local/bin", "usr/share", "var/cache", "var/lib", "var/log"} {
		t.dir(dir, 0o755)
	}
	t.dir("root", 0o700)
	t.dir("tmp", 0o1777)
	t.dir("var/tmp", 0o1777)
	t.symlink("var/run", "../run")
}

// The accounts of alpine-baselayout, Alpine 3.22.
const alpineAccounts = `root:x:0:0:root:/root:/bin/sh
bin:x:1:1:bin:/bin:/sbin/nologin
daemon:x:2:2:daemon:/sbin:/sbin/nologin
lp:x:4:7:lp:/var/spool/lpd:/sbin/nologin
sync:x:5:0:sync:/sbin:/bin/sync
shutdown:x:6:0:shutdown:/sbin:/sbin/shutdown
halt:x:7:0:halt:/sbin:/sbin/halt
mail:x:8:12:mail:/var/mail:/sbin/nologin
news:x:9:13:news:/usr/lib/news:/sbin/nologin
uucp:x:10:14:uucp:/var/spool/uucppublic:/sbin/nologin
cron:x:16:16:cron:/var/spool/cron:/sbin/nologin
ftp:x:21:21::/var/lib/ftp:/sbin/nologin
sshd:x:22:22:sshd:/dev/null:/sbin/nologin
games:x:35:35:games:/usr/games:/sbin/nologin
ntp:x:123:123:NTP:/var/empty:/sbin/nologin
guest:x:405:100:guest:/dev/null:/sbin/nologin
nobody:x:65534:65534:nobody:/:/sbin/nologin
`

const alpineGroups = `root:x:0:root
bin:x:1:root,bin,daemon
daemon:x:2:root,bin,daemon
sys:x:3:root,bin
adm:x:4:root,daemon
tty:x:5:
disk:x:6:root
lp:x:7:lp
kmem:x:9:
wheel:x:10:root
floppy:x:11:root
mail:x:12:mail
news:x:13:news
uucp:x:14:uucp
cron:x:16:cron
audio:x:18:
cdrom:x:19:
dialout:x:20:root
ftp:x:21:
sshd:x:22:
input:x:23:
tape:x:26:root
video:x:27:root
netdev:x:28:
kvm:x:34:kvm
games:x:35:
shadow:x:42:
www-data:x:82:
users:x:100:games
ntp:x:123:
abuild:x:300:
utmp:x:406:
ping:x:999:
nogroup:x:65533:
nobody:x:65534:
`

// alpineShadow has a locked line for every account.
func alpineShadow() string {
	var b strings.Builder
	for line := range strings.Lines(alpineAccounts) {
		account, _, _ := strings.Cut(line, ":")
		password := "!"
		if account == "root" {
			password = "*"
		}
		fmt.Fprintf(&b, "%s:%s::0:::::\n", account, password)
	}
	return b.String()
}
