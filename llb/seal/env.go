package seal

import "encoding/binary"

// EnvPrefix takes the place of LD_ in the names of the environment variables
// that a sealed loader obeys: oh_DEBUG=libs shows what LD_DEBUG=libs would.
// Mixed case keeps out of the way of names in use: OH_ is OpenHands' own.
const EnvPrefix = "oh_"

// envScanAMD64 is the loop body that gcc makes of the comparison of three
// characters in glibc's _dl_next_ld_env_entry.
func envScanAMD64(prefix string) string {
	return "\x80\x38" + prefix[0:1] + "\x75\xee" + // cmpb $L, (%rax);  jne
		"\x80\x78\x01" + prefix[1:2] + "\x75\xe8" + // cmpb $D, 1(%rax); jne
		"\x80\x78\x02" + prefix[2:3] + "\x75\xe2" // cmpb $_, 2(%rax); jne
}

// envScanARM64 is the same in AArch64 code.
func envScanARM64(prefix string) string {
	var code []byte
	for i, branch := range []uint32{0x54ffff81, 0x54ffff21, 0x54fffec1} { // b.ne
		code = binary.LittleEndian.AppendUint32(code, 0x39400002|uint32(i)<<10)         // ldrb w2, [x0, #i]
		code = binary.LittleEndian.AppendUint32(code, 0x7100005f|uint32(prefix[i])<<10) // cmp w2, #prefix[i]
		code = binary.LittleEndian.AppendUint32(code, branch)
	}
	return string(code)
}
