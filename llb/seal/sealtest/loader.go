package sealtest

import "debug/elf"

// The code is copied from the loaders of Debian 13; that of Debian 11, 12 and
// sid, and of Ubuntu 20.04 to 24.04 on amd64, has the same bytes.
const (
	envScanAMD64 = "\x80\x38\x4c\x75\xee\x80\x78\x01\x44\x75\xe8\x80\x78\x02\x5f\x75\xe2"
	envScanARM64 = "\x02\x00\x40\x39\x5f\x30\x01\x71\x81\xff\xff\x54" +
		"\x02\x04\x40\x39\x5f\x10\x01\x71\x21\xff\xff\x54" +
		"\x02\x08\x40\x39\x5f\x7c\x01\x71\xc1\xfe\xff\x54"
)

// Loader returns what the seal looks for in glibc's loader: the code that
// reads LD_ variables, the directories, and the two files. The strings begin
// and end with a NUL.
func Loader(machine elf.Machine) (envScan, dirs, files string) {
	envScan, triplet := envScanAMD64, "x86_64-linux-gnu"
	if machine == elf.EM_AARCH64 {
		envScan, triplet = envScanARM64, "aarch64-linux-gnu"
	}
	dirs = "\x00/lib/" + triplet + "/\x00/usr/lib/" + triplet + "/\x00/lib/\x00/usr/lib/\x00"
	return envScan, dirs, "\x00/etc/ld.so.cache\x00\x00/etc/ld.so.preload\x00"
}
