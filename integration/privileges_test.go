package integration

import (
	"archive/tar"
	"strings"
	"testing"
)

// Nothing that an image gets from us gives anybody a power: the layers of /openhands,
// and what composing adds for a user, with the fill-ins of an empty base.
// TestAgentServerAsArbitraryUser looks at the components of a server.
func TestNoPrivilegesInLayers(t *testing.T) {
	for _, base := range []string{"alpine:3.22", "distroless:latest"} {
		t.Run(base, func(t *testing.T) {
			image := imageName(t)
			res := buildAs(t, image, "base_image: "+base+"\ndeps_image: "+prebuilt(t)+"\n")
			img := pulled(t, res.Ref, "amd64")
			below := len(layers(t, pulled(t, eng.BaseImage(base), "amd64")))
			seen := 0
			for i := below; i < len(layers(t, img)); i++ {
				for name, h := range files(t, img, i) {
					seen++
					// It has the sticky bit: nobody removes what is another's.
					if name == "/tmp" && h.Mode&0o7777 == 0o1777 {
						continue
					}
					if problem := power(h); problem != "" {
						t.Errorf("layer %d: %s %s (mode %o, type %c)", i, name, problem, h.Mode, h.Typeflag)
					}
				}
			}
			if seen < 200 {
				t.Errorf("only %d files are in the layers above the base", seen)
			}
		})
	}
}

// power says what an entry of a layer lets people do, or nothing.
func power(h *tar.Header) string {
	switch {
	case h.Typeflag == tar.TypeChar, h.Typeflag == tar.TypeBlock, h.Typeflag == tar.TypeFifo:
		return "is a device or a pipe"
	case h.Typeflag == tar.TypeSymlink:
		return ""
	case h.Mode&0o6000 != 0:
		return "is setuid or setgid"
	case h.Mode&0o002 != 0:
		return "can be written by anybody"
	}
	for key := range h.PAXRecords {
		if strings.HasPrefix(key, "SCHILY.xattr.security.") {
			return "has the attribute " + key
		}
	}
	return ""
}
