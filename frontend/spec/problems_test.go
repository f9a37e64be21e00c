package spec

import (
	"strings"
	"testing"
)

// TestLoadProblems lists mistakes with every problem that Load must report for
// them, in order, each as "line:col: a part of the message".
func TestLoadProblems(t *testing.T) {
	tests := []struct {
		name string
		yaml string
		args map[string]string
		want []string
	}{
		// The file.
		{"empty", "", nil, []string{`1:1: base_image is required; add "base_image: debian:trixie-slim" or pass --build-arg BASE_IMAGE=...`}},
		{"only comments", "# syntax=x\n", nil, []string{`1:1: base_image is required`}},
		{"empty build arg", "", map[string]string{"BASE_IMAGE": ""}, []string{`1:1: base_image is required`}},
		{"not UTF-8", base + "labels: {a: \"\xff\"}\n", nil, []string{`2:1: the file is not UTF-8`}},
		{"NUL", base + "  \x00", nil, []string{`2:3: the line holds the control character U+0000`}},
		{"line separator", base + "labels: {a: \"\u2028\"}\n", nil, []string{`2:1: the line holds the control character U+2028`}},
		{"carriage return", "a: b\rc: d", nil, []string{`1:1: the line holds a carriage return`}},
		{"too large", strings.Repeat("#", maxSize+1), nil, []string{`1:1: the file has 1048577 bytes`}},
		{"two documents", base + "---\nbase_image: x\n", nil, []string{`2:1: a spec file holds one YAML document`}},
		{"no mapping", "just text\n", nil, []string{`1:1: a spec must be a mapping of keys to values, is a string`}},
		{"list", "- a\n", nil, []string{`1:1: a spec must be a mapping of keys to values, is a list`}},
		{"unclosed list", base + "platforms: [linux/amd64\nuser: x\n", nil, []string{`2:1: invalid YAML`}},
		{"unclosed quote", base + "user: \"x\nserver: none\nlabels: {}\n", nil, []string{`2:1: invalid YAML`}},
		{"tab", "deps:\n\tbuilder: x\n", nil, []string{`2:2: invalid YAML: found character that cannot start any token; indent with spaces, not with tabs`}},
		{"unquoted colon", "base_image: a: b\n", nil, []string{`1:1: invalid YAML: mapping values are not allowed in this context; put the value in quotes`}},
		{"braces in flow", base + "user: {uid: ${UID}}\n", nil, []string{`2:1: invalid YAML`}},
		{"deep nesting", base + "labels: " + strings.Repeat("[", 20000), nil, []string{`2:1: invalid YAML: exceeded max depth`}},

		// Keys.
		{"unknown key", base + "platfroms: [linux/amd64]\n", nil, []string{`2:1: unknown key "platfroms", did you mean "platforms"?`}},
		{"upper case", base + "User: root\n", nil, []string{`2:1: unknown key "User", did you mean "user"?`}},
		{"other tool's key", base + "env: {}\ndeps: {image: x}\n", nil, []string{
			`2:1: unknown key "env", did you mean "environment"?`,
			`3:8: unknown key "image"; the keys here are builder, tools, python, browser, vscode, node, uv, acp`}},
		{"key elsewhere", base + "packages: [curl]\nuser: {platforms: []}\n", nil, []string{
			`2:1: unknown key "packages" here; it belongs to "extra_deps"`,
			`3:8: unknown key "platforms" here; it belongs to the top level`}},
		{"free key", "x-mine: &a {any: [thing, *a, 1]}\nx-other: !!set {}\n" + base, nil, nil},
		{"free key below", base + "deps: {x-mine: 1}\n", nil, []string{`2:8: unknown key "x-mine"`}},
		{"duplicate key", base + "user: a\n" + base, nil, []string{`3:1: duplicate key "base_image", first given on line 1`}},
		{"duplicate name", base + "environment:\n  A: 1\n  A: 2\n", nil, []string{`4:3: duplicate key "A", first given on line 3`}},
		{"merge key", "x-a: &a {b: c}\n" + base + "labels:\n  <<: *a\n", nil, []string{`4:3: YAML merge keys are not supported`}},
		{"anchor and alias", "base_image: &a debian\nlabels:\n  x: *a\n", nil, []string{
			`1:13: YAML anchors are not supported; remove "&a"`,
			`3:6: YAML aliases are not supported`}},
		{"tag", "base_image: !!str 12\n", nil, []string{`1:13: YAML tags are not supported; remove "!!str"`}},
		{"complex key", base + "labels:\n  ? [a]\n  : b\n", nil, []string{`3:5: a key must be a string, is a list`}},
		{"empty key", base + "labels: {\"\": x}\n", nil, []string{`2:10: a key must not be empty`}},

		// Types.
		{"types", "base_image: 3.22\nplatforms: linux/amd64\nuser: [a]\nenvironment: [A=b]\ndeps: x\n", nil, []string{
			`1:13: base_image must be a string, is a number; put it in quotes`,
			`2:12: platforms must be a list of strings, is a string; write [linux/amd64]`,
			`3:7: user must be a string or a mapping with the keys name, uid`,
			`4:14: environment must be a mapping of names to values, is a list; write it as {NAME: value}`,
			`5:7: deps must be a mapping with the keys builder`}},
		{"no value", "base_image:\nplatforms: ~\nenvironment: {A: }\ncommand: [a, null]\n", nil, []string{
			`1:12: base_image has no value; give it one or remove the key`,
			`2:12: platforms has no value`,
			`3:18: environment.A has no value; write "" for an empty one`,
			`4:14: command[1] has no value; give it one or remove the item`}},
		{"empty strings", "base_image: \"\"\ndeps: {tools: [bash, \" \"]}\nentrypoint: [\"\"]\nextra_deps: \"\"\n", nil, []string{
			`1:13: base_image must not be empty`,
			`2:22: deps.tools[1] must not be empty`,
			`3:14: entrypoint[0] must not be empty`,
			`4:13: extra_deps must not be empty`}},
		{"list items", base + "command: [a, 1, [b], true]\n", nil, []string{
			`2:14: command[1] must be a string, is a number; put it in quotes`,
			`2:17: command[2] must be a string, is a list`,
			`2:22: command[3] must be a string, is a boolean; put it in quotes`}},
		{"command line", base + "command: bash -c x\n", nil, []string{`2:10: command must be a list of strings, is a string`}},
		{"nested map value", base + "labels: {a: {b: c}}\n", nil, []string{`2:13: labels.a must be a string, is a mapping`}},
		{"control character", base + "labels: {a: \"\\e[1m\"}\nworking_dir: \"/a\\0\"\n", nil, []string{
			`2:13: labels.a holds the control character U+001B`,
			`3:14: working_dir holds the control character U+0000`}},
		{"booleans", base + "user: {sudo: yes}\n", nil, []string{`2:14: user.sudo must be true or false, without quotes, is a string "yes"`}},

		// Images and platforms.
		{"references", "base_image: Debian:12\ndeps_image: docker://a/b\n", nil, []string{
			`1:13: base_image "Debian:12" is not an image reference (repository name (library/Debian) must be lowercase); write name`,
			`2:13: deps_image "docker://a/b" is not an image reference (invalid reference format); write it without the scheme: a/b`}},
		{"digest", "base_image: debian@sha256:12\n", nil, []string{`1:13: base_image "debian@sha256:12" is not an image reference`}},
		{"scratch", "base_image: scratch\n", nil, nil},
		{"scratch deps", base + "deps_image: scratch\n", nil, []string{`2:13: deps_image must hold /openhands`}},
		{"scratch builder", base + "deps: {builder: scratch}\n", nil, []string{`2:17: deps.builder must be a Debian or Ubuntu image`}},
		{"deps twice", base + "deps_image: a\ndeps:\n  builder: b\n  tools: [bash]\n", nil, []string{
			`4:12: deps.builder has no effect with deps_image`,
			`5:10: deps.tools has no effect with deps_image`}},
		{"platforms", base + "platforms: [linux/arm64, linux/aarch64, linux/arm/v7, windows/amd64, arm64, linux, linux/amd46, 'linux/*', linux/amd64/v2]\n", nil, []string{
			`2:26: platforms[1] "linux/arm64" is listed already as platforms[0]`,
			`2:41: platform "linux/arm/v7" is not supported; the supported ones are linux/amd64 and linux/arm64`,
			`2:55: platform "windows/amd64" is not supported`,
			`2:70: platform "arm64" is not supported, did you mean "linux/arm64"?`,
			`2:77: platform "linux" is not supported`,
			`2:84: platform "linux/amd46" is not supported, did you mean "linux/amd64"?`,
			`2:97: platform "linux/*" is not supported`,
			`2:108: platform "linux/amd64/v2" is not supported`}},
		{"no platforms", base + "platforms: []\n", nil, []string{`2:12: platforms must not be empty`}},

		// The server.
		{"server typo", base + "server: {name: agent-servre}\n", nil, []string{`2:16: server "agent-servre" is unknown, did you mean "agent-server"?`}},
		{"server unknown", base + "server: nginx\n", nil, []string{`2:9: server "nginx" is unknown; use one of none, action-execution-server, agent-server`}},
		{"server without name", base + "server: {version: \"1\"}\n", nil, []string{`2:9: server.name is required`}},
		{"server none with version", base + "server: {name: none, version: \"1\", source: .}\n", nil, []string{
			`2:31: server.version has no meaning with server "none"`,
			`2:44: server.source has no meaning with server "none"`}},
		{"server type", base + "server: 1\n", nil, []string{`2:9: server must be a string or a mapping with the keys name, version, source, is a number`}},
		{"server version", base + "server: {name: action-execution-server, version: \"0.62 --index-url x\"}\n", nil, []string{
			`2:50: server.version "0.62 --index-url x" is not a version`}},
		{"server source", base + "server: {name: action-execution-server, source: ../checkout}\n", nil, []string{
			`2:49: server.source "../checkout" is not the name of a build context; use "." for the build context`}},
		{"agents of ACP", base + "deps:\n  acp:\n    agents: [codx, codex, codex-acp, codex, none]\n    node: none\n", nil, []string{
			`4:14: ACP agent "codx" is unknown, did you mean "codex"?`,
			`4:27: ACP agent "codex-acp" is unknown, did you mean "codex"?`,
			`4:38: deps.acp.agents[3] "codex" is listed already as deps.acp.agents[1]; remove one`,
			`4:45: deps.acp.agents[4] "none" stands for no agent at all; write it alone, or remove it`,
			`5:11: the agents of deps.acp run on a node of their own`}},
		{"no agents of ACP", base + "deps: {acp: {node: \"24.21.0\"}}\n", nil, []string{`2:13: deps.acp needs agents; add some of claude-code, codex, gemini-cli, or write "none"`}},
		{"ACP in short", base + "deps: {acp: claude}\n", nil, []string{`2:13: ACP agent "claude" is unknown; use one of claude-code, codex, gemini-cli`}},
		{"one agent of ACP", base + "deps: {acp: codex}\n", nil, nil},
		{"none of ACP", base + "deps: {acp: none}\n", nil, nil},
		{"ACP with a deps image", base + "deps_image: a\ndeps: {acp: codex}\n", nil, []string{`3:13: deps.acp has no effect with deps_image`}},
		{"agent-server source", base + "server: {name: agent-server, source: .}\n", nil, nil},
		{"agent-server with a browser of Playwright", base + "server: agent-server\ndeps: {browser: playwright}\n", nil, []string{
			`3:17: deps.browser needs a version of Playwright where no server's lock file names one`}},
		{"agent-server without needs", base + "server: agent-server\ndeps: {tools: [bash, git]}\n", nil, []string{
			`3:15: server "agent-server" needs the tool "tmux"; add it to deps.tools`}},
		{"agent-server with an account at start", base + "server: agent-server\nuser: {create: start}\n", nil, []string{
			`3:16: user.create "start" does not go together with server "agent-server"`}},
		{"server version and source", base + "server: {name: action-execution-server, version: 0.61.0, source: .}\n", nil, []string{
			`2:50: server.version has no effect with server.source`}},
		{"server without needs", base + server + "deps: {python: none, tools: [jq]}\n", nil, []string{
			`3:16: server "action-execution-server" needs Python; remove deps.python or use one of builder, uv, micromamba`,
			`3:29: server "action-execution-server" needs the tool "bash"; add it to deps.tools`}},
		{"server with broken needs", base + server + "deps: {python: pyhton, tools: bash}\n", nil, []string{
			`3:16: deps.python "pyhton" is unknown`,
			`3:31: deps.tools must be a list`}},

		// Components.
		{"components", base + "deps:\n  python: \"3.12\"\n  browser: chromium\n  vscode: {version: 1 9}\n  node: 22\n  uv: latest\n", nil, []string{
			`3:11: deps.python "3.12" is unknown; use one of builder, uv, micromamba, none`,
			`4:12: deps.browser "chromium" is unknown; use one of playwright, builder, none`,
			`5:21: deps.vscode.version "1 9" is not a version`,
			`6:9: deps.node must be a string or a mapping with the keys version, digests, is a number`,
			`7:7: deps.uv must be true or false`}},
		{"short versions", base + "deps: {vscode: v/1, node: \"../1\"}\n", nil, []string{
			`2:16: deps.vscode.version "v/1" is not a version; it holds only letters, digits and .+_-`,
			`2:27: deps.node.version "../1" is not a version`}},
		{"no provider", base + "deps:\n  python: {version: \"3.12\"}\n  browser: {version: \"1.55.0\"}\n  node: {digests: {}}\n", nil, []string{
			`3:11: deps.python needs a provider; add one of builder, uv, micromamba, none`,
			`4:12: deps.browser needs a provider; add one of playwright, builder, none`,
			`5:9: deps.node needs a version; add one, or write "none"`}},
		{"python provider", base + "deps: {python: {provider: vu}}\n", nil, []string{`2:27: deps.python "vu" is unknown, did you mean "uv"?`}},
		{"python version", base + "deps: {python: {provider: builder, version: \"3.12\"}}\n", nil, []string{
			`2:45: deps.python.version has no effect with provider "builder"`}},
		{"python version by default", base + server + "deps: {python: {version: \"3.12\"}}\n", nil, []string{
			`3:26: deps.python.version has no effect with provider "builder"`}},
		{"python version of uv", base + "deps: {python: {provider: uv, version: \"3.12\"}}\n", nil, []string{
			`2:40: deps.python.version "3.12" names no release; of provider "uv" it is as "3.13.9+20251120"`}},
		{"playwright without a lock file", base + "deps: {browser: playwright}\n", nil, []string{
			`2:17: deps.browser needs a version of Playwright where no server's lock file names one; write {provider: playwright, version: ...}`}},
		{"requirements", base + "deps: {python: {provider: builder, requirements: [numpy, --index-url=x, \"a # b\", \"a\\nb\", \"\"]}}\n", nil, []string{
			`2:58: deps.python.requirements[1] "--index-url=x" is not a requirement in pip's form`,
			`2:73: deps.python.requirements[2] "a # b" is not a requirement`,
			`2:82: deps.python.requirements[3] "a\nb" is not a requirement`,
			`2:90: deps.python.requirements[4] must not be empty`}},
		{"digests", base + "deps: {node: {version: \"1\", digests: {x64: " + sum + ", amd64: " + strings.TrimPrefix(sum, "sha256:") + ", arm64: \"sha512:" + strings.Repeat("0", 128) + "\"}}}\n", nil, []string{
			`2:44: architecture "x64" is unknown; use one of amd64, arm64`,
			`2:124: deps.node.digests.amd64 "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef" is not a digest; write sha256: and 64 hexadecimal digits`,
			`2:197: deps.node.digests.arm64 "sha512:000`}},
		{"digests type", base + "deps: {python: {provider: uv, digests: sha256:00}}\n", nil, []string{`2:40: deps.python.digests must be a mapping of names to values`}},
		{"components with deps image", base + "deps_image: a\n" + server + "deps: {python: uv, browser: none, vscode: none, node: none, uv: false}\n", nil, []string{
			`4:16: deps.python has no effect with deps_image`,
			`4:29: deps.browser has no effect with deps_image`,
			`4:43: deps.vscode has no effect with deps_image`,
			`4:55: deps.node has no effect with deps_image`,
			`4:65: deps.uv has no effect with deps_image`}},

		// Mirrors.
		{"mirrors", base + "mirrors: {apt: \"mirror.example.com/debian\", npm: m.example.com}\n", nil, []string{
			`2:16: mirrors.apt "mirror.example.com/debian" must be an address that begins with https:// or http://`,
			`2:50: mirrors.npm "m.example.com" must be an address`}},
		{"mirror queries", base + "mirrors: {npm: \"https://m/npm?token=a\", apt: \"https://m/#b\", pypi: \"https://m/?\", node: \"https://m/a;b\"}\n", nil, []string{
			`2:16: mirrors.npm must be a host and a path, without ? or #; hand over a password as the secret "netrc" (--secret id=netrc,src=...)`,
			`2:46: mirrors.apt must be a host and a path, without ? or #`,
			`2:68: mirrors.pypi must be a host and a path, without ? or #`,
			`2:89: mirrors.node "https://m/a;b" must be a host and a path of letters, digits and`}},
		{"mirror names", base + "mirrors: {nod: \"https://m.example.com\", pip: \"https://m.example.com\"}\n", nil, []string{
			`2:16: mirror "nod" is unknown, did you mean "node"?`,
			`2:46: mirror "pip" is unknown`}},
		{"mirror addresses", base + "mirrors: {pypi: m.example.com, conda: \"ftp://m\", github: \"https:///x\", node: \"https://m:x\"}\n", nil, []string{
			`2:17: mirrors.pypi "m.example.com" must be an address that begins with https:// or http://`,
			`2:39: mirrors.conda "ftp://m" must be`,
			`2:58: mirrors.github "https:///x" must be`,
			`2:78: mirrors.node "https://m:x" must be`}},
		{"mirror passwords", base + "mirrors: {pypi: \"https://me:secret@m\", conda: \"https://token@m\", github: \"me:secret@m\", node: \"https://me:se cret@m\"}\n", nil, []string{
			`2:17: mirrors.pypi must not hold a password; hand it over as the secret "netrc"`,
			`2:47: mirrors.conda must not hold a password`,
			`2:74: mirrors.github must not hold a password`,
			`2:95: mirrors.node must not hold a password`}},

		// User.
		{"user colon", base + "user: {name: \"a:b\"}\n", nil, []string{`2:14: user name "a:b" must not hold a colon or a newline`}},
		{"user newline", base + "user: \"a\\nb\"\n", nil, []string{`2:7: user name "a\nb" must not hold a colon or a newline`}},
		{"user name and group", base + "user: a:b\n", nil, []string{`2:7: user must be a name, a uid or "uid:gid"`}},
		{"user upper case", base + "user: Bob\n", nil, []string{`2:7: user name "Bob" must begin with a-z`}},
		{"user too long", base + "user: " + strings.Repeat("a", 33) + "\n", nil, []string{`2:7: user name "aaa`}},
		{"user number as name", base + "user: {name: \"1000\"}\n", nil, []string{`2:14: user name "1000" must not be a number; for a mere uid write "user: 1000"`}},
		{"user gid missing", base + "user: \"1000:\"\n", nil, []string{`2:7: user has a gid that must be a whole number`}},
		{"user octal", base + "user: 0755\n", nil, []string{`2:7: user has a uid that must be a whole number from 0 to 4294967294, written in decimal, is "0755"`}},
		{"user float", base + "user: 1.5\n", nil, []string{`2:7: user must be a string or a mapping`}},
		{"uid", base + "user: {uid: -1, gid: 4294967295}\n", nil, []string{
			`2:13: user.uid must be a whole number from 0 to 4294967294, written in decimal, is "-1"`,
			`2:22: user.gid must be a whole number`}},
		{"uid hex and text", base + "user: {uid: 0x10, gid: \"5\"}\n", nil, []string{
			`2:13: user.uid must be a whole number from`,
			`2:24: user.gid must be a whole number, without quotes, is a string "5"`}},
		{"root with another uid", base + "user: {name: root, uid: 5, gid: 6, home: /r, shell: /s, sudo: true}\n", nil, []string{
			`2:25: user.uid of root must be 0, is 5`,
			`2:33: user.gid of root must be 0, is 6`,
			`2:42: user.home cannot be set for root`,
			`2:53: user.shell cannot be set for root`,
			`2:63: user.sudo has no meaning for root`}},
		{"uid 0 for another name", base + "user: {uid: 0}\n", nil, []string{`2:13: user.uid 0 is root's; write "user: root"`}},
		{"user paths", base + "user: {home: \"/a:b\", shell: sh}\n", nil, []string{
			`2:14: user.home "/a:b" must not hold a colon`,
			`2:29: user.shell "sh" must be an absolute path; use e.g. "/sh"`}},
		{"user shell space", base + "user: {shell: \"/sh \"}\n", nil, []string{`2:15: user.shell "/sh " must not end with a space`}},
		{"user home root", base + "user: {home: /}\n", nil, []string{`2:14: user.home must not be "/"`}},

		{"create typo", base + "user: {create: biuld}\n", nil, []string{`2:16: user.create "biuld" is unknown, did you mean "build"?`}},
		{"create root at start", base + "user: {name: root, create: start}\n", nil, []string{`2:28: user.create "start" needs a user with a name; remove it or name one`}},
		{"create uid 0 at start", base + "user: {uid: 0, create: start}\n", nil, []string{`2:13: user.uid 0 is root's`}},
		{"create at start with a server", base + server + "user: {create: start}\n", nil, []string{
			`3:16: user.create "start" does not go together with server "action-execution-server": its hosts replace the entrypoint and would run as root; remove one`}},
		{"create typo with a server", base + server + "user: {create: satrt}\n", nil, []string{`3:16: user.create "satrt" is unknown, did you mean "start"?`}},

		// Other values.
		{"relative path", base + "working_dir: work\n", nil, []string{`2:14: working_dir "work" must be an absolute path`}},
		{"unclean path", base + "working_dir: /a/../b/\n", nil, []string{`2:14: working_dir "/a/../b/" must be a clean path; use "/b"`}},
		{"path newline", base + "working_dir: \"/a\\nb\"\n", nil, []string{`2:14: working_dir "/a\nb" must not hold control characters`}},
		{"environment name", base + "environment: {A-B: 1, 1A: x}\n", nil, []string{
			`2:20: environment name "A-B" must consist of letters, digits and _`,
			`2:27: environment name "1A"`}},
		{"label key", base + "labels: {\"a\\nb\": x}\n", nil, []string{`2:18: label key "a\nb" must not hold control characters`}},
		{"tools", base + "deps: {tools: [-y, git, Git, git]}\n", nil, []string{
			`2:16: deps.tools[0] "-y" is not the name of a Debian package`,
			`2:25: deps.tools[2] "Git" is not the name of a Debian package`,
			`2:30: deps.tools[3] "git" is listed already as deps.tools[1]`}},
		{"packages", base + "extra_deps: {packages: [--allow-untrusted, \"a b\", \"curl=8.0~1\", \"$(x)\"]}\n", nil, []string{
			`2:25: extra_deps.packages[0] "--allow-untrusted" is not a package name`,
			`2:44: extra_deps.packages[1] "a b" is not a package name`,
			`2:65: extra_deps.packages[3] "$(x)" is not a package name`}},
		{"extra deps type", base + "extra_deps: [a]\n", nil, []string{`2:13: extra_deps must be a string or a mapping with the keys packages, run, is a list`}},
		{"run type", base + "extra_deps: {run: {a: b}}\n", nil, []string{`2:19: extra_deps.run must be a string or a list of strings, is a mapping`}},

		// Args.
		{"undeclared", "args: {VERSION: 12}\nbase_image: debian:${VERSOIN}\nlabels: {a: $OTHER, b: $5}\n", nil, []string{
			`2:13: base_image uses the arg "VERSOIN", which is not declared, did you mean "VERSION"?`,
			`3:13: labels.a uses the arg "OTHER", which is not declared; add it to args`,
			`3:24: labels.b holds "$5", which names no arg; write \$ for a dollar sign`}},
		{"required arg", "args:\n  VERSION:\nbase_image: debian:$VERSION\n", nil, []string{
			`2:11: arg "VERSION" has no value; pass --build-arg VERSION=... or give it a default`}},
		{"message", "base_image: ${BASE_IMAGE:?name a base with --build-arg BASE_IMAGE}\n", nil, []string{
			`1:13: base_image: BASE_IMAGE: name a base with --build-arg BASE_IMAGE`}},
		{"no base arg", "base_image: ${BASE_IMAGE}\n", nil, []string{
			`1:13: base_image uses the arg "BASE_IMAGE", which has no value; pass --build-arg BASE_IMAGE=... or write ${BASE_IMAGE:-default}`}},
		{"platform args", base + "labels: {a: $TARGETARCH, b: $TARGETARHC}\nargs: {TARGETOS: x, A: $TARGETOS, B: $BUILDOS}\nplatforms: [linux/$TARGETARCH]\n",
			map[string]string{"TARGETOS": "linux", "TARGETARCH": "arm64", "BUILDOS": "linux"}, []string{
				`2:29: labels.b uses the arg "TARGETARHC", which is not declared, did you mean "TARGETARCH"?`,
				`3:8: arg "TARGETOS" is always there, with the value of the platform; remove it, or choose another name`,
				`3:24: args.A uses "TARGETOS", which differs from platform to platform, but args are the same for all; use it in the value that needs it`,
				`4:13: platforms[0] uses "TARGETARCH", which differs from platform to platform, but platforms are the same for all`}},
		{"bad substitution", base + "labels: {a: \"${X\", b: \"${}\"}\n", nil, []string{
			`2:13: labels.a: invalid substitution: missing '}'; write \$ for a dollar sign`,
			`2:23: labels.b: invalid substitution: bad substitution`}},
		{"arg names", base + "args: {1A: x, a-b: y}\n", nil, []string{
			`2:8: arg name "1A" must consist of letters`,
			`2:15: arg name "a-b" must consist of letters`}},
		{"args type", base + "args: [A]\n", nil, []string{`2:7: args must be a mapping of names to default values, is a list`}},
		{"args null", base + "args:\n", nil, []string{`2:6: args has no value`}},
		{"arg value type", base + "args: {A: [x]}\n", map[string]string{"A": "b"}, []string{`2:11: args.A must be a string, is a list`}},
		{"bad build arg", "args: {A: debian}\nbase_image: $A\n", map[string]string{"A": "De bian"}, []string{
			`2:13: base_image "De bian" is not an image reference`}},
		{"base image arg", "# syntax=x\n", map[string]string{"BASE_IMAGE": "a b"}, []string{`1:1: base_image "a b" is not an image reference`}},
		{"empty after substitution", "args: {A: \"\"}\n" + base + "working_dir: ${A}\n", nil, []string{
			`3:14: working_dir is empty after substitution of "${A}"`}},
		{"arg of itself", "args: {A: $A}\n" + base, nil, []string{`1:11: args.A uses the arg "A"`}},
		{"later arg", "args: {A: $B, B: x}\n" + base, nil, []string{`1:11: args.A uses the arg "B", which is not declared`}},
		{"large arg", "args: {A: \"\"}\n" + base, map[string]string{"A": strings.Repeat("a", maxArg+1)}, []string{`1:11: arg "A" has a value of 4097 bytes`}},
		{"growing args", "args: {A: " + strings.Repeat("a", 2000) + ", B: $A$A$A$A$A}\n" + base + "labels: {a: $B}\n", nil, []string{
			`1:2016: args.B has 10000 bytes after substitution; at most 8192 are allowed`}},
		{"uid arg", "args: {A: abc}\n" + base + "user: {uid: $A, sudo: $A}\n", nil, []string{
			`3:13: user.uid must be a whole number from 0 to 4294967294, written in decimal, is "abc"`,
			`3:23: user.sudo must be true or false, without quotes, is a string "abc"`}},

		// Everything at once, in file order.
		{"three mistakes", "platfroms: [x]\nuser: {name: \"a:b\"}\nworking_dir: work\n", nil, []string{
			`1:1: unknown key "platfroms"`,
			`1:1: base_image is required`,
			`2:14: user name "a:b"`,
			`3:14: working_dir "work"`}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := Load("openhands.yaml", []byte(tt.yaml), tt.args)
			got := messages(t, err)
			if err != nil && strings.Contains(err.Error(), "cret@") {
				t.Errorf("the error holds a password: %v", err)
			}
			if len(got) != len(tt.want) {
				t.Fatalf("got %d problems, want %d:\n%s", len(got), len(tt.want), strings.Join(got, "\n"))
			}
			for i, want := range tt.want {
				place, part, _ := strings.Cut(want, ": ")
				if !strings.HasPrefix(got[i], place+": ") || !strings.Contains(got[i], part) {
					t.Errorf("problem %d:\n got %s\nwant %s", i, got[i], want)
				}
			}
		})
	}
}
