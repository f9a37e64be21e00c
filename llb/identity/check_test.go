package identity

import (
	"errors"
	"strings"
	"testing"
)

func TestEditErrors(t *testing.T) {
	have := Files{Passwd: some(rootLine + nodeLine), Group: some("docker:x:998:\n")}
	for _, tt := range []struct {
		name string
		want Want
		errs []string // the key, then parts of the text
	}{
		{"no name", Want{}, []string{"name", `""`}},
		{"colon", Want{Name: "a:b"}, []string{"name", `"a:b"`}},
		{"newline", Want{Name: "a\nroot2:x:0:0::/:"}, []string{"name", `\n`}},
		{"NUL", Want{Name: "a\x00"}, []string{"name", `\x00`}},
		{"space", Want{Name: "a b"}, []string{"name", `"a b"`}},
		{"comma", Want{Name: "a,b"}, []string{"name", `"a,b"`}},
		{"NIS", Want{Name: "+a"}, []string{"name", `"+a"`}},
		{"option", Want{Name: "-a"}, []string{"name", `"-a"`}},
		{"hidden", Want{Name: ".a"}, []string{"name", `".a"`}},
		{"parent", Want{Name: ".."}, []string{"name", `".."`}},
		{"path", Want{Name: "a/b"}, []string{"name", `"a/b"`}},
		{"number", Want{Name: "1000"}, []string{"name", `"1000"`, "lower-case"}},
		{"everyone in sudoers", Want{Name: "ALL"}, []string{"name", `"ALL"`}},
		{"uid -1", Want{Name: "a", UID: id(1<<32 - 1)}, []string{"uid", "4294967295"}},
		{"gid -1", Want{Name: "a", GID: id(1<<32 - 1)}, []string{"gid", "4294967295"}},
		{"relative home", Want{Name: "a", Home: "home/a"}, []string{"home", `"home/a"`, "absolute"}},
		{"home with a field separator", Want{Name: "a", Home: "/a:/bin/sh"}, []string{"home", `"/a:/bin/sh"`}},
		{"shell with a newline", Want{Name: "a", Shell: "/bin/sh\nx"}, []string{"shell", `\n`}},
		{"root with another uid", Want{Name: "root", UID: id(5)}, []string{"uid", "is 5", "drop user.uid"}},
		{"uid of the base's account", Want{Name: "node", UID: id(1001)},
			[]string{"uid", "is 1001", `"node" with uid 1000`, "drop user.uid, set it to 1000"}},
		{"gid of the base's account", Want{Name: "node", GID: id(5)}, []string{"gid", "is 5", "gid 1000", "drop user.gid"}},
		{"home of the base's account", Want{Name: "node", Home: "/home/x"}, []string{"home", "/home/x", "/home/node", "drop user.home"}},
		{"shell of the base's account", Want{Name: "node", Shell: "/bin/zsh"}, []string{"shell", "/bin/zsh", "/bin/bash", "drop user.shell"}},
		{"gid of the base's group", Want{Name: "docker", GID: id(5)}, []string{"gid", "is 5", `group "docker" with gid 998`, "drop user.gid"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			account, files, err := Edit(have, tt.want)
			var problem *Error
			if !errors.As(err, &problem) {
				t.Fatalf("error %v, want an *Error", err)
			}
			if problem.Key != tt.errs[0] {
				t.Errorf("key %q, want %q", problem.Key, tt.errs[0])
			}
			for _, part := range tt.errs[1:] {
				if !strings.Contains(err.Error(), part) {
					t.Errorf("error %q does not say %q", err, part)
				}
			}
			if account != (Account{}) || files.Passwd != nil || files.Group != nil {
				t.Error("an account or a file comes with the error")
			}
		})
	}

	t.Run("root that is not 0", func(t *testing.T) {
		_, _, err := Edit(Files{Passwd: some("root:x:5:5::/:\n")}, Want{Name: "root"})
		if err == nil || !strings.Contains(err.Error(), "uid 5") {
			t.Errorf("error %v, want one about uid 5", err)
		}
	})
	t.Run("home that would clear the screen", func(t *testing.T) {
		_, _, err := Edit(Files{Passwd: some("a:x:5:5::/\x1b[2J:/sh\r\x07x\n")}, Want{Name: "a", Home: "/a", Shell: "/b"})
		if err == nil || strings.ContainsAny(err.Error(), "\x1b\r\x07") || !strings.Contains(err.Error(), `home "/\x1b[2J"`) || !strings.Contains(err.Error(), `shell "/sh\r\ax"`) {
			t.Errorf("error %q, want the values quoted", err)
		}
	})
	t.Run("all at once", func(t *testing.T) {
		_, _, err := Edit(have, Want{Name: "node", UID: id(1), GID: id(2), Home: "/x", Shell: "/y"})
		if err == nil || strings.Count(err.Error(), "\n") != 3 {
			t.Errorf("error %v, want four lines", err)
		}
	})
}
