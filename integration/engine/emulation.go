package engine

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

const binfmtDir = "/proc/sys/fs/binfmt_misc"

// emulated are the architectures that qemu's user mode can run here, with the
// ELF header by which the kernel knows their programs: magic, then mask
// (qemu, scripts/qemu-binfmt-conf.sh).
var emulated = map[string]struct{ qemu, magic, mask string }{
	"arm64": {
		qemu:  "qemu-aarch64-static",
		magic: `\x7fELF\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\xb7\x00`,
		mask:  `\xff\xff\xff\xff\xff\xff\xff\x00\xff\xff\xff\xff\xff\xff\xff\xff\xfe\xff\xff\xff`,
	},
}

// Emulate lets the kernel run programs of another architecture, in containers
// too, until stop is called. It is a setting of the whole machine; if the
// machine has it already, nothing is done.
func (e *Engine) Emulate(ctx context.Context, arch string) (stop func() error, err error) {
	em, ok := emulated[arch]
	if !ok {
		return nil, fmt.Errorf("architecture %q cannot be emulated", arch)
	}
	if err := e.NeedPrograms(ctx, em.qemu); err != nil {
		return nil, err
	}
	register := filepath.Join(binfmtDir, "register")
	if _, err := os.Stat(register); errors.Is(err, fs.ErrNotExist) {
		if err := unix.Mount("binfmt_misc", binfmtDir, "binfmt_misc", 0, ""); err != nil {
			return nil, fmt.Errorf("mount binfmt_misc: %w", err)
		}
	}
	name := filepath.Join(binfmtDir, "openhands-"+arch)
	for _, taken := range []string{name, filepath.Join(binfmtDir, "qemu-aarch64")} {
		if _, err := os.Stat(taken); err == nil {
			return func() error { return nil }, nil
		}
	}
	// F opens qemu now: a container has none (Documentation/admin-guide/binfmt-misc.rst).
	rule := fmt.Sprintf(":%s:M::%s:%s:/usr/bin/%s:F", filepath.Base(name), em.magic, em.mask, em.qemu)
	if err := os.WriteFile(register, []byte(rule), 0); err != nil {
		return nil, fmt.Errorf("register %s: %w", em.qemu, err)
	}
	return func() error { return os.WriteFile(name, []byte("-1"), 0) }, nil
}
