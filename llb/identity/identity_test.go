package identity

import (
	"strings"
	"testing"
)

// Lines of a small Debian and a small Alpine image.
const (
	rootLine   = "root:x:0:0:root:/root:/bin/bash\n"
	daemonLine = "daemon:x:1:1:daemon:/usr/sbin:/usr/sbin/nologin\n"
	nodeLine   = "node:x:1000:1000::/home/node:/bin/bash\n"
	nobodyLine = "nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n"
	ourLine    = "openhands:x:1000:1000::/home/openhands:/bin/bash\n"
	ourGroup   = "openhands:x:1000:\n"
)

func id(n uint32) *uint32 { return &n }

// some is a file that is there, also when it is empty.
func some(s string) []byte { return append([]byte{}, s...) }

func TestEditPasswd(t *testing.T) {
	long := "# " + strings.Repeat("long ", 100_000) + "\n"
	for _, tt := range []struct {
		name string
		have []byte
		want string
	}{
		{"append", some(rootLine + daemonLine), rootLine + daemonLine + ourLine},
		{"no file", nil, "root:x:0:0:root:/root:/bin/sh\n" + ourLine},
		{"empty file", some(""), ourLine},
		{"no final newline", some(strings.TrimSuffix(rootLine, "\n")), rootLine + ourLine},
		{"only a newline", some("\n"), "\n" + ourLine},
		{"id taken", some(rootLine + nodeLine + nobodyLine), rootLine + ourLine + nodeLine + nobodyLine},
		{"id taken on the last line, no final newline", some(rootLine + strings.TrimSuffix(nodeLine, "\n")),
			rootLine + ourLine + strings.TrimSuffix(nodeLine, "\n")},
		{"id taken on the first line", some(nodeLine + rootLine), ourLine + nodeLine + rootLine},
		{"id taken twice", some(nodeLine + rootLine + "pn:x:1000:1000::/:\n"), ourLine + nodeLine + rootLine + "pn:x:1000:1000::/:\n"},
		{"id taken in a line that only some read", some(rootLine + " node : x:+01000\n"), rootLine + ourLine + " node : x:+01000\n"},
		{"id taken in a comment, which runtimes read", some(rootLine + "#" + nodeLine), rootLine + ourLine + "#" + nodeLine},
		{"id as another number", some("a:x:10000:1000::/:\nb:x:100:1000::/:\nc:x:1000x:1::/:\n"),
			"a:x:10000:1000::/:\nb:x:100:1000::/:\nc:x:1000x:1::/:\n" + ourLine},
		{"id beyond 32 bits", some("a:x:4294968296:1::/:\n"), "a:x:4294968296:1::/:\n" + ourLine},
		{"name in a malformed line", some(rootLine + "openhands:x:77\n" + daemonLine), rootLine + ourLine + "openhands:x:77\n" + daemonLine},
		{"name without a uid", some("openhands:x::5::/:\n"), ourLine + "openhands:x::5::/:\n"},
		{"name is a prefix", some("openhands2:x:5:5::/:\n"), "openhands2:x:5:5::/:\n" + ourLine},
		{"name elsewhere", some("a:x:5:5:openhands:/:\n"), "a:x:5:5:openhands:/:\n" + ourLine},
		{"NIS compat", some(rootLine + "+::::::\n"), rootLine + ourLine + "+::::::\n"},
		{"NIS netgroup, no final newline", some(rootLine + "+@staff"), rootLine + ourLine + "+@staff"},
		{"NIS exclusion before the same id", some("-openhands\n" + nodeLine), ourLine + "-openhands\n" + nodeLine},
		{"comments and empty lines", some("# x: 1000\n\n" + rootLine + "\n# end"), "# x: 1000\n\n" + rootLine + "\n# end\n" + ourLine},
		{"CRLF", some("root:x:0:0::/:/bin/sh\r\nnode:x:1000:1000::/:/bin/sh\r\n"),
			"root:x:0:0::/:/bin/sh\r\n" + ourLine + "node:x:1000:1000::/:/bin/sh\r\n"},
		{"malformed lines", some(":::\nfoo\n\x00\xff\n::x:1000\n"), ":::\nfoo\n\x00\xff\n::x:1000\n" + ourLine},
		{"very long line", some(long + nodeLine), long + ourLine + nodeLine},
	} {
		t.Run(tt.name, func(t *testing.T) {
			before := string(tt.have)
			account, files, err := Edit(Files{Passwd: tt.have}, Want{Name: "openhands"})
			if err != nil {
				t.Fatal(err)
			}
			wantAccount := Account{Name: "openhands", UID: 1000, GID: 1000, Home: "/home/openhands", Shell: "/bin/bash"}
			if account != wantAccount {
				t.Errorf("account %+v, want %+v", account, wantAccount)
			}
			if got := string(files.Passwd); got != tt.want {
				t.Errorf("passwd\n%q, want\n%q", short(got), short(tt.want))
			}
			if string(tt.have) != before {
				t.Error("Edit changed its argument")
			}
		})
	}
}

func short(s string) string { return s[max(0, len(s)-300):] }

func TestEditFiles(t *testing.T) {
	debian := Files{
		Passwd:  some(rootLine + nodeLine),
		Group:   some("root:x:0:\nnode:x:1000:\n"),
		Shadow:  some("root:*:19000:0:99999:7:::\nnode:!:19000:0:99999:7:::\n"),
		GShadow: some("root:*::\nnode:!::\n"),
	}
	for _, tt := range []struct {
		name        string
		have        Files
		want        Want
		wantAccount Account
		wantFiles   map[string]string // only the files that change
	}{
		{
			name:        "nothing there",
			want:        Want{Name: "openhands"},
			wantAccount: Account{Name: "openhands", UID: 1000, GID: 1000, Home: "/home/openhands", Shell: "/bin/bash"},
			wantFiles: map[string]string{
				"passwd": "root:x:0:0:root:/root:/bin/sh\n" + ourLine,
				"group":  "root:x:0:\n" + ourGroup,
			},
		},
		{
			name:        "all four, ids shared with node",
			have:        debian,
			want:        Want{Name: "openhands"},
			wantAccount: Account{Name: "openhands", UID: 1000, GID: 1000, Home: "/home/openhands", Shell: "/bin/bash"},
			wantFiles: map[string]string{
				"passwd":  rootLine + ourLine + nodeLine,
				"group":   "root:x:0:\n" + ourGroup + "node:x:1000:\n",
				"shadow":  string(debian.Shadow) + "openhands:*:::::::\n",
				"gshadow": string(debian.GShadow) + "openhands:!::\n",
			},
		},
		{
			name:        "everything fixed",
			have:        debian,
			want:        Want{Name: "dev", UID: id(2000), GID: id(3000), Home: "/srv/dev", Shell: "/bin/sh"},
			wantAccount: Account{Name: "dev", UID: 2000, GID: 3000, Home: "/srv/dev", Shell: "/bin/sh"},
			wantFiles: map[string]string{
				"passwd":  rootLine + nodeLine + "dev:x:2000:3000::/srv/dev:/bin/sh\n",
				"group":   "root:x:0:\nnode:x:1000:\ndev:x:3000:\n",
				"shadow":  string(debian.Shadow) + "dev:*:::::::\n",
				"gshadow": string(debian.GShadow) + "dev:!::\n",
			},
		},
		{
			name:        "gid follows a fixed uid, and is shared",
			have:        Files{Passwd: some(rootLine), Group: some("root:x:0:\nusers:x:100:a,b\n")},
			want:        Want{Name: "dev", UID: id(100)},
			wantAccount: Account{Name: "dev", UID: 100, GID: 100, Home: "/home/dev", Shell: "/bin/bash"},
			wantFiles: map[string]string{
				"passwd": rootLine + "dev:x:100:100::/home/dev:/bin/bash\n",
				"group":  "root:x:0:\ndev:x:100:\nusers:x:100:a,b\n",
			},
		},
		{
			name:        "group of that name",
			have:        Files{Passwd: some(rootLine), Group: some("docker:x:998:\n"), GShadow: some("docker:!::\n")},
			want:        Want{Name: "docker"},
			wantAccount: Account{Name: "docker", UID: 1000, GID: 998, Home: "/home/docker", Shell: "/bin/bash"},
			wantFiles:   map[string]string{"passwd": rootLine + "docker:x:1000:998::/home/docker:/bin/bash\n"},
		},
		{
			name:        "root keeps the name of 0",
			have:        Files{Passwd: some(rootLine), Group: some("root:x:0:\n")},
			want:        Want{Name: "toor", UID: id(0)},
			wantAccount: Account{Name: "toor", Home: "/home/toor", Shell: "/bin/bash"},
			wantFiles: map[string]string{
				"passwd": rootLine + "toor:x:0:0::/home/toor:/bin/bash\n",
				"group":  "root:x:0:\ntoor:x:0:\n",
			},
		},
		{
			name: "stale shadow lines are not doubled",
			have: Files{Passwd: some(rootLine), Group: some("+\n"), Shadow: some("openhands:!:1::::::"), GShadow: some("openhands:!::\n")},
			want: Want{Name: "openhands"},
			wantAccount: Account{Name: "openhands", UID: 1000, GID: 1000,
				Home: "/home/openhands", Shell: "/bin/bash"},
			wantFiles: map[string]string{"passwd": rootLine + ourLine, "group": ourGroup + "+\n"},
		},
		{
			name: "shadow files that are empty, or end in NIS lines",
			have: Files{Passwd: some(rootLine), Group: some("x:x:1:"), Shadow: some("root:*:::::::\n+::::::::\n"), GShadow: some("")},
			want: Want{Name: "openhands"},
			wantAccount: Account{Name: "openhands", UID: 1000, GID: 1000,
				Home: "/home/openhands", Shell: "/bin/bash"},
			wantFiles: map[string]string{
				"passwd": rootLine + ourLine, "group": "x:x:1:\n" + ourGroup,
				"shadow": "root:*:::::::\nopenhands:*:::::::\n+::::::::\n", "gshadow": "openhands:!::\n",
			},
		},
		{
			name:        "account of the base",
			have:        debian,
			want:        Want{Name: "node"},
			wantAccount: Account{Name: "node", UID: 1000, GID: 1000, Home: "/home/node", Shell: "/bin/bash", Existed: true},
		},
		{
			name:        "account of the base, asked for as it is",
			have:        debian,
			want:        Want{Name: "node", UID: id(1000), GID: id(1000), Home: "/home/node/", Shell: "/bin/bash"},
			wantAccount: Account{Name: "node", UID: 1000, GID: 1000, Home: "/home/node", Shell: "/bin/bash", Existed: true},
		},
		{
			name:        "account of the base without group, home and shell, CRLF",
			have:        Files{Passwd: some("dev:x:7:8:::\r\n"), Shadow: some("")},
			want:        Want{Name: "dev", Shell: "/bin/sh"},
			wantAccount: Account{Name: "dev", UID: 7, GID: 8, Home: "/", Shell: "/bin/sh", Existed: true},
		},
		{
			name:        "root of the base",
			have:        debian,
			want:        Want{Name: "root", UID: id(0)},
			wantAccount: Account{Name: "root", Home: "/root", Shell: "/bin/bash", Existed: true},
		},
		{
			name:        "root without account files",
			want:        Want{Name: "root", UID: id(0), GID: id(0)},
			wantAccount: Account{Name: "root", Home: "/root", Shell: "/bin/sh"},
		},
		{
			name:        "root with a home, without account files",
			want:        Want{Name: "root", Home: "/data"},
			wantAccount: Account{Name: "root", Home: "/data", Shell: "/bin/bash"},
			wantFiles:   map[string]string{"passwd": "root:x:0:0::/data:/bin/bash\n", "group": "root:x:0:\n"},
		},
		{
			name:        "root goes before others of id 0",
			have:        Files{Passwd: some("admin:x:0:0::/:\n"), Group: some("wheel:x:0:\n")},
			want:        Want{Name: "root", Shell: "/bin/sh"},
			wantAccount: Account{Name: "root", Home: "/root", Shell: "/bin/sh"},
			wantFiles:   map[string]string{"passwd": "root:x:0:0::/root:/bin/sh\nadmin:x:0:0::/:\n", "group": "root:x:0:\nwheel:x:0:\n"},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			account, files, err := Edit(tt.have, tt.want)
			if err != nil {
				t.Fatal(err)
			}
			if account != tt.wantAccount {
				t.Errorf("account %+v, want %+v", account, tt.wantAccount)
			}
			for file, got := range map[string][]byte{
				"passwd": files.Passwd, "group": files.Group, "shadow": files.Shadow, "gshadow": files.GShadow,
			} {
				want, changed := tt.wantFiles[file]
				if (got != nil) != changed || string(got) != want {
					t.Errorf("%s: %q (changed: %t), want %q (changed: %t)", file, got, got != nil, want, changed)
				}
			}
		})
	}
}

func TestLookup(t *testing.T) {
	passwd := some("# 1000:x:7:7::/:\n" + rootLine + "broken:x:1000\n" + ourLine + nodeLine + "1000:x:8:8::/:\n+\n")
	for _, tt := range []struct{ key, want string }{
		{"openhands", "openhands"},
		{"node", "node"},
		{"1000", "openhands"}, // a number is a uid, and the first one counts
		{"0", "root"},
		{"broken", ""},
		{"8888", ""},
		{"+", ""},
		{"", ""},
	} {
		a, ok := Lookup(passwd, tt.key)
		if a.Name != tt.want || ok != (tt.want != "") || a.Existed != ok {
			t.Errorf("Lookup(%q) = %+v, %t, want %q", tt.key, a, ok, tt.want)
		}
	}
}

func TestSudoers(t *testing.T) {
	if got, want := string(Sudoers("openhands")), "openhands ALL=(ALL:ALL) NOPASSWD:ALL\n"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}
