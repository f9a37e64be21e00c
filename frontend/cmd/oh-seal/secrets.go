package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/openhands/llb-frontend/llb/secret"
)

// prepareSecrets writes what tools need of the client's secrets into the
// private directory:
//
//	ca.pem      the machine's certificates and the secret ca
//	npmrc       the secret npm, and the password of netrc for npm's registry
//	logins.json the passwords of netrc, for netrc.cjs
//	env         variables, for a shell to read
func prepareSecrets(h handed, env func(string) string) error {
	vars := map[string]string{}
	bundle, err := h.bundle()
	if err != nil {
		return err
	}
	if bundle != "" {
		for _, name := range []string{
			"SSL_CERT_FILE", "PIP_CERT", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "MAMBA_SSL_VERIFY",
			"NODE_EXTRA_CA_CERTS", "NPM_CONFIG_CAFILE", "GIT_SSL_CAINFO",
		} {
			vars[name] = bundle
		}
	}
	logins, err := h.netrc()
	if err != nil {
		return err
	}
	if len(logins) > 0 {
		vars["NETRC"] = h.path(secret.Netrc)
		if err := h.writeLogins(logins); err != nil {
			return err
		}
	}
	if err := h.pip(vars, env); err != nil {
		return err
	}
	if err := h.npm(vars, logins, env("NPM_CONFIG_REGISTRY")); err != nil {
		return err
	}
	var text strings.Builder
	for _, name := range slices.Sorted(maps.Keys(vars)) {
		fmt.Fprintf(&text, "export %s='%s'\n", name, strings.ReplaceAll(vars[name], "'", `'\''`))
	}
	return h.write("env", []byte(text.String()))
}

func (h handed) write(name string, content []byte) error {
	return os.WriteFile(filepath.Join(h.private, name), content, 0o600)
}

func (h handed) writeLogins(logins netrc) error {
	headers := map[string]string{}
	for host, l := range logins {
		headers[host] = l.basic()
	}
	b, err := json.Marshal(headers)
	if err != nil {
		return err
	}
	return h.write("logins.json", b)
}

var (
	pipIndex  = regexp.MustCompile(`(?m)^\s*index[-_]url\s*[=:]\s*(\S+)`)
	pipExtras = regexp.MustCompile(`(?m)^\s*extra[-_]index[-_]url\s*[=:]\s*(.+(?:\n[ \t]+\S.*)*)`)
)

// pip hands pip its configuration, and uv, which reads no pip.conf, the indexes
// in it. What the spec's mirrors say comes first.
func (h handed) pip(vars map[string]string, env func(string) string) error {
	conf, err := h.read(secret.Pip)
	if err != nil || len(conf) == 0 {
		return err
	}
	vars["PIP_CONFIG_FILE"] = h.path(secret.Pip)
	if m := pipIndex.FindSubmatch(conf); m != nil && env("UV_DEFAULT_INDEX") == "" {
		vars["UV_DEFAULT_INDEX"] = string(m[1])
	}
	if m := pipExtras.FindSubmatch(conf); m != nil {
		vars["UV_INDEX"] = strings.Join(strings.Fields(string(m[1])), " ")
	}
	return nil
}

// npm hands npm its configuration. npm reads no netrc, so the password for its
// registry is added in npm's form, unless the configuration has one.
func (h handed) npm(vars map[string]string, logins netrc, registry string) error {
	rc, err := h.read(secret.NPM)
	if err != nil {
		return err
	}
	if u, err := url.Parse(registry); err == nil && registry != "" {
		if l, ok := logins.of(u.Hostname()); ok && !bytes.Contains(rc, []byte("//"+u.Host+"/")) {
			rc = fmt.Appendf(append(bytes.TrimRight(rc, "\n"), '\n'), "//%s/:_auth=%s\n", u.Host, l.encoded())
		}
	}
	if len(rc) == 0 {
		return nil
	}
	vars["NPM_CONFIG_USERCONFIG"] = filepath.Join(h.private, "npmrc")
	return h.write("npmrc", rc)
}
