package main

import (
	"bytes"
	"maps"
	"slices"
	"strings"
)

// outsidePaths returns the paths of the distribution that a program's bytes
// name and that an image is not known to provide.
func outsidePaths(b []byte) []string {
	found := map[string]bool{}
	for _, root := range []string{"/etc/", "/usr/lib/", "/usr/libexec/", "/usr/share/"} {
		for at := 0; ; at += len(root) {
			next := bytes.Index(b[at:], []byte(root))
			if next < 0 {
				break
			}
			at += next
			if p := pathAt(b, at, len(root)); p != "" && !accepted(p) {
				found[p] = true
			}
		}
	}
	return slices.Sorted(maps.Keys(found))
}

// pathAt returns the path that begins at b[at] with a directory of so many
// bytes, or "" if it is part of another, of code, or nothing but the directory.
func pathAt(b []byte, at, dir int) string {
	if at > 0 && b[at-1] != 0 && !strings.ContainsRune(" \t\n\"'`=:;,(<[", rune(b[at-1])) {
		return ""
	}
	end := at + dir
	for end < len(b) && (b[end] == '/' || nameByte(b[end])) {
		end++
	}
	p := strings.TrimRight(string(b[at:end]), "/.")
	if len(p) <= dir {
		return ""
	}
	return p
}

func nameByte(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.IndexByte("_-+.%@", c) >= 0
}

// accepted says whether programs may name a path: an image provides it, or
// they do well without.
func accepted(p string) bool {
	for _, list := range []string{systemFiles, settings, optionalData} {
		for _, a := range strings.Fields(list) {
			if p == a || strings.HasPrefix(p, a+"/") {
				return true
			}
		}
	}
	return false
}

const (
	// systemFiles are the image's own: users, names, networks, time, trust.
	// The C library has an answer to each that is missing.
	systemFiles = `/etc/passwd /etc/group /etc/shadow /etc/gshadow /etc/.pwd.lock /etc/shells
		/etc/hosts /etc/host.conf /etc/hosts.equiv /etc/hostid /etc/resolv.conf /etc/gai.conf
		/etc/services /etc/protocols /etc/networks /etc/netgroup /etc/ethers /etc/rpc /etc/aliases /etc/hesiod.conf
		/etc/bindresvport.blacklist /etc/publickey /etc/suid-debug /etc/ld.so.cache
		/etc/fstab /etc/mtab /etc/ttys /etc/localtime /etc/timezone /etc/sysconfig/clock /etc/machine-id
		/etc/ssl/certs /etc/terminfo`
	// settings are an administrator's wishes for a program of the image, which
	// ours obey as well, and which need not be there.
	settings = `/etc/profile /etc/bash.bashrc /etc/bash.bash_logout /etc/inputrc /etc/gitconfig /etc/gitattributes
		/etc/mailname /etc/tmux.conf /etc/gnutls /etc/gcrypt /etc/krb5.conf /etc/krb5.keytab /etc/krb5 /etc/krb5kdc
		/etc/gss /etc/ldap /etc/malloc.conf /etc/pkcs11 /etc/sasl /etc/sasl2 /etc/systemd /etc/udev
		/etc/credstore /etc/credstore.encrypted`
	// optionalData are translations (English without), the copy in libpsl of
	// what it has built in, what libsystemd tells systemd's own programs, the
	// configuration of modules that the seal keeps from being found, bash's
	// loadable commands and debugger, and names of source and debug files.
	optionalData = `/usr/share/locale /usr/share/publicsuffix /usr/lib/systemd /usr/share/systemd /usr/lib/binfmt.d
		/usr/lib/modules-load.d /usr/lib/sysctl.d /usr/lib/sysusers.d /usr/lib/tmpfiles.d /usr/lib/udev
		/usr/share/factory /usr/share/p11-kit/modules /usr/lib/sasl2 /usr/lib/bash /usr/share/bashdb /usr/lib/getconf
		/usr/lib/debug /usr/share/cargo/registry`
)
