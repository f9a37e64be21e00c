package seal

import "strings"

// nowhere replaces five-character directories such as /etc/ and /lib/. Only
// root could make it, as with /openhands itself.
const (
	gone    = "/-oh"
	nowhere = gone + "/"
)

// NSSConfig is the nsswitch.conf(5) of a sealed libc. The image's may name
// modules that we lack, and glibc since 2.34 knows no user at all after a
// syntax error in it. Without any file, it would ask DNS before /etc/hosts.
const NSSConfig = "/openhands/ns.conf"

// A linker lets a string be the end of another (-fmerge-constants): ".conf" is
// that of nsswitch.conf in libc. What is used of an old string must be the end
// of the new one too.

// tables returns the name of the software that the library belongs to, for
// messages, and its patches. A library without patches has neither.
//
// All counts were read from Debian 11 (glibc 2.31), 12 (2.36), 13 (2.41) and
// sid (2.43) on both architectures.
func tables(soname string, a Arch) (software string, patches []patch) {
	switch stem, _, _ := strings.Cut(soname, ".so"); {
	case soname == a.Loader:
		return "glibc", loaderPatches(a)
	case soname == "libc.so.6":
		return "glibc", libcPatches(a)
	case soname == "libstdc++.so.6":
		return "GCC", stdcxxPatches()
	case stem == "libtinfo":
		return "ncurses", tinfoPatches()
	case stem == "libcrypto":
		return "OpenSSL", cryptoPatches()
	case stem == "libcurl", stem == "libcurl-gnutls":
		return "curl", curlPatches()
	}
	return "", nil
}

func loaderPatches(a Arch) []patch {
	t := a.Triplet
	return []patch{
		{
			old: "/lib/" + t + "/\x00/usr/lib/" + t + "/\x00/lib/\x00/usr/lib/\x00",
			new: a.LibDir() + "/\x00" + nowhere + "lib/" + t + "/\x00" + nowhere + "\x00" + nowhere + "lib/\x00",
			// glibc 2.33 and later hold a second copy for --list-diagnostics.
			want: 1, each: "path.system_dirs[",
			source: "system_dirs in elf/dl-load.c and elf/dl-diagnostics.c",
		},
		{
			old:    "\x00/etc/ld.so.cache\x00",
			new:    "\x00" + nowhere + "ld.so.cache\x00",
			want:   1,
			source: "LD_SO_CACHE in sysdeps/generic/dl-cache.h",
		},
		{
			old:    "\x00/etc/ld.so.preload\x00",
			new:    "\x00" + nowhere + "ld.so.preload\x00",
			want:   1,
			source: "preload_file in elf/rtld.c",
		},
		{
			old:    a.envScan("LD_"),
			new:    a.envScan(EnvPrefix),
			want:   1,
			what:   "code that compares names of environment variables with LD_",
			source: "_dl_next_ld_env_entry in elf/dl-environ.c",
		},
	}
}

func libcPatches(a Arch) []patch {
	gconvOld, gconvNew := a.GconvDir()
	return []patch{
		{
			old: "\x00/usr/lib/locale\x00", new: "\x00/openhands/i18n\x00", want: 1,
			source: "_nl_default_locale_path in locale/findlocale.c",
		},
		{
			old: "\x00/usr/lib/locale/locale-archive\x00", new: "\x00/openhands/i18n/locale-archive\x00", want: 1,
			source: "archfname in locale/loadarchive.c",
		},
		{
			old: "\x00" + gconvOld + "\x00", new: "\x00" + gconvNew + "\x00", want: 1,
			source: "default_gconv_path in iconv/gconv_conf.c",
		},
		{
			old: "\x00" + gconvOld + "/gconv-modules.cache\x00", new: "\x00" + gconvNew + "/gconv-modules.cache\x00", want: 1,
			source: "GCONV_MODULES_CACHE in iconv/gconv_cache.c",
		},
		{
			old: "\x00/usr/share/zoneinfo\x00", new: "\x00/openhands/zoneinfo\x00", want: 1,
			source: "default_tzdir in time/tzfile.c",
		},
		{
			old: "\x00/etc/nsswitch.conf\x00", new: "\x00" + NSSConfig + "\x00", want: 1,
			source: "_PATH_NSSWITCH_CONF in resolv/netdb.h",
		},
	}
}

// stdcxxPatches serve C++20's time zones, which GCC has since version 13.
func stdcxxPatches() []patch {
	return []patch{{
		old: "\x00/usr/share/zoneinfo\x00", new: "\x00/openhands/zoneinfo\x00", want: 1, optional: true,
		source: "_GLIBCXX_ZONEINFO_DIR in libstdc++-v3/src/c++20/tzdb.cc",
	}}
}

// tinfoPatches put our terminal descriptions first, so that the same terminal
// behaves alike on all images; the image's own remain for other terminals.
func tinfoPatches() []patch {
	return []patch{{
		old:    "\x00/etc/terminfo:/lib/terminfo:/usr/share/terminfo\x00",
		new:    "\x00/openhands/terminfo:/lib/terminfo:/etc/terminfo\x00",
		want:   1,
		source: "TERMINFO_DIRS in ncurses/tinfo/db_iterator.c, as Debian configures it",
	}}
}

// cryptoPatches need no NULs around the path: all six strings that contain it
// (the directory, private, certs, cert.pem, ct_log_list.cnf, and the line that
// "openssl version -d" prints) shall follow.
func cryptoPatches() []patch {
	return []patch{{
		old: "/usr/lib/ssl", new: "/openhands/c", want: 6,
		source: "OPENSSLDIR in include/internal/common.h",
	}}
}

// curlPatches exchange the CA bundle alone: CURL_CA_PATH stays the image's
// /etc/ssl/certs, so that a private CA of the image is trusted too. Debian's
// GnuTLS flavour had no bundle before curl 8.
func curlPatches() []patch {
	return []patch{{
		old:  "\x00/etc/ssl/certs/ca-certificates.crt\x00",
		new:  "\x00/openhands/c//////////////cert.pem\x00",
		want: 1, optional: true,
		source: "CURL_CA_BUNDLE in lib/curl_config.h",
	}}
}
