package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path"
	"strings"

	"github.com/openhands/llb-frontend/llb/seal"
)

// libPackages are the packages of the lib component. Those that hold libraries
// give all of them: some are opened by name at run time (nss, libgcc_s, gconv)
// and appear in no ELF header.
func libPackages() []string {
	return []string{"ca-certificates", "coreutils", "libc-bin", "libc6", "libgcc-s1", "libstdc++6", "libtinfo6", "ncurses-base", "tzdata"}
}

// libData are the data directories of the lib component. The sealed libraries
// look for them here (package seal has the table).
func libData() []move {
	return []move{
		{"/usr/lib/locale/", localeDir + "/"},
		{"/usr/lib/terminfo/", "/openhands/terminfo/"}, // Debian 12 and older
		{"/usr/share/terminfo/", "/openhands/terminfo/"},
		{"/usr/share/zoneinfo/", "/openhands/zoneinfo/"},
	}
}

// envProgram is the one program of the lib component. Scripts of every kind
// begin with its path, and an image without it gets a link to it.
const (
	envProgram = "/usr/bin/env"
	envPlace   = "/openhands/tools/env"
)

// nssConfig names what every libc has built in or the lib component holds.
const nssConfig = `passwd: files
group: files
shadow: files
gshadow: files
hosts: files dns
networks: files
protocols: files
services: files
ethers: files
rpc: files
netgroup: files
`

func placeLib(opt options, t *tree, say func(string, ...any)) (*output, error) {
	o := newOutput(opt.arch)
	for _, pkg := range append(libPackages(), "libc-gconv-modules-extra") { // a part of libc6 that newer Debians keep apart
		for _, e := range t.of(pkg) {
			if err := o.placeLibEntry(e); err != nil {
				return nil, err
			}
		}
	}
	if _, ok := o.items[seal.Interpreter]; !ok {
		return nil, fmt.Errorf("libc6 holds no loader named %s", opt.arch.Loader)
	}
	if _, ok := o.items[envPlace]; !ok {
		return nil, fmt.Errorf("coreutils holds no %s", envProgram)
	}
	o.moveGconvCache()
	if err := o.linkLocales(); err != nil {
		return nil, err
	}
	certificates, err := caBundle(t)
	if err != nil {
		return nil, err
	}
	// The bundle serves images without CAs; certs adds an image's own.
	o.items["/openhands/c/cert.pem"] = item{data: certificates}
	o.madeOf = append(o.madeOf, "ca-certificates")
	o.items["/openhands/c/certs"] = item{link: "/etc/ssl/certs"}
	o.items[seal.NSSConfig] = item{data: []byte(nssConfig)}
	if dropped := o.links(t); len(dropped) > 0 {
		say("leave out links to nothing: %s", strings.Join(dropped, " "))
	}
	added, err := o.closure(t)
	if err != nil {
		return nil, err
	}
	if len(added) > 0 {
		say("libraries added: %s", strings.Join(added, " "))
	}
	return o, nil
}

func (o *output) placeLibEntry(e *entry) error {
	for _, d := range libData() {
		rest, ok := strings.CutPrefix(e.path, d.from)
		if !ok {
			continue
		}
		if _, taken := o.items[d.to+rest]; taken {
			return nil // a link from one terminfo directory to the other
		}
		return o.place(d.to+rest, item{src: e})
	}
	rest, ok := strings.CutPrefix(e.path, "/usr/lib/"+o.arch.Triplet+"/")
	switch {
	case e.path == envProgram:
		return o.place(envPlace, item{src: e})
	case !ok:
		return nil
	case strings.HasPrefix(rest, "gconv/"):
		return o.place(path.Join(o.arch.LibDir(), rest), item{src: e})
	case e.link != "" || strings.Contains(rest, "/"):
		return nil
	}
	return o.placeLibrary(e)
}

// moveGconvCache has the modules' directory replaced in their cache, which
// holds it as a string (iconv/iconvconfig.c), and which libc prefers to the
// text files.
func (o *output) moveGconvCache() {
	p := path.Join(o.arch.LibDir(), "gconv/gconv-modules.cache")
	it, ok := o.items[p]
	if !ok {
		return
	}
	it.moved = true
	o.items[p] = it
	from, to := o.arch.GconvDir()
	o.moves = append(o.moves, move{from, to})
	o.must = append(o.must, hit{it.src.pkg, from})
}

// placeLibrary names a library by its SONAME, by which others ask for it.
func (o *output) placeLibrary(e *entry) error {
	f, err := o.inspect(e)
	if err != nil || f.Kind != seal.Shared && f.Kind != seal.Executable {
		return err
	}
	name := f.Soname
	switch name {
	case o.arch.Loader:
		return o.place(seal.Interpreter, item{src: e, exec: true})
	case "":
		name = path.Base(e.path)
	}
	return o.place(path.Join(o.arch.LibDir(), path.Base(name)), item{src: e})
}

// caBundle concatenates the CA certificates in the order of their names, as
// update-ca-certificates(8) would: dpkg-deb runs no maintainer script.
func caBundle(t *tree) ([]byte, error) {
	var bundle bytes.Buffer
	for _, e := range t.of("ca-certificates") {
		if e.data == nil || !strings.HasPrefix(e.path, "/usr/share/ca-certificates/") || path.Ext(e.path) != ".crt" {
			continue
		}
		pem, err := os.ReadFile(e.data.disk)
		if err != nil {
			return nil, err
		}
		bundle.Write(bytes.TrimRight(pem, "\n"))
		bundle.WriteByte('\n')
	}
	if bundle.Len() == 0 {
		return nil, errors.New("package ca-certificates holds no certificate below /usr/share/ca-certificates")
	}
	return bundle.Bytes(), nil
}
