package faults

import (
	"fmt"
	"net/http"
	"path"
	"slices"
	"strings"
)

// Kind is what happens to a request.
type Kind string

// What can go wrong.
const (
	TooMany     Kind = "429, retry after 1 s"
	ServerError Kind = "500"
	Unavailable Kind = "503"
	Stall       Kind = "nothing for 1 s"
	Reset       Kind = "connection reset"   // in the middle of a body, where there is one
	Lost        Kind = "answer lost"        // the registry did it, and the client is not told
	Truncated   Kind = "body cut off"       // of a length that was announced
	Flipped     Kind = "a wrong byte"       // in what is read, or written, or in the digest of a HEAD
	Garbage     Kind = "no JSON"            // where JSON is expected
	Expired     Kind = "401, token expired" // in the middle of a build
	Nothing     Kind = "nothing"            // the request goes through: for what happens elsewhere meanwhile
)

// Kinds are all that harm a request.
func Kinds() []Kind {
	return []Kind{TooMany, ServerError, Unavailable, Stall, Reset, Lost, Truncated, Flipped, Garbage, Expired}
}

// Phase is a kind of request.
type Phase string

// The requests of a build, in about the order in which they come.
const (
	Token        Phase = "token"
	ManifestHead Phase = "manifest HEAD"
	ManifestGet  Phase = "manifest GET"
	Config       Phase = "config GET"
	Layer        Phase = "layer GET"
	BlobHead     Phase = "blob HEAD"
	Mount        Phase = "mount POST"
	Upload       Phase = "upload POST"
	Patch        Phase = "upload PATCH"
	Blob         Phase = "upload PUT"
	ManifestPut  Phase = "manifest PUT"
)

// Phases are all of them.
func Phases() []Phase {
	return []Phase{Token, ManifestHead, ManifestGet, Config, Layer, BlobHead, Mount, Upload, Patch, Blob, ManifestPut}
}

// Place is where in a build something goes wrong: at requests of a kind for an image.
type Place struct {
	Phase Phase
	Image string // the last part of the repository's name
}

// Fault is planned for the n-th request at a place, counted from 1.
type Fault struct {
	Kind Kind
	Place
	N int
}

func (f Fault) String() string { return fmt.Sprintf("%s: %s %s %d", f.Kind, f.Image, f.Phase, f.N) }

// Possible says whether a kind of fault means anything at a kind of request.
func Possible(k Kind, p Phase) bool {
	reads := []Phase{ManifestGet, Config, Layer, Token}
	switch k {
	case Truncated:
		return slices.Contains(reads, p)
	case Garbage:
		return slices.Contains([]Phase{ManifestGet, Config, Token}, p)
	case Flipped:
		return slices.Contains([]Phase{ManifestHead, ManifestGet, Config, Layer, Blob, ManifestPut}, p)
	case Expired:
		return p != Token
	case Lost:
		return !slices.Contains(reads, p)
	default:
		return true
	}
}

// place says what a request is for. configs are the digests of configs.
func place(r *http.Request, configs map[string]bool) Place {
	if r.URL.Path == tokenPath {
		scope := strings.Split(r.FormValue("scope"), ":")
		if len(scope) < 2 {
			return Place{Phase: Token}
		}
		return Place{Token, path.Base(scope[1])}
	}
	name, rest, blob := strings.Cut(r.URL.Path, "/blobs/")
	if !blob {
		name, rest, _ = strings.Cut(r.URL.Path, "/manifests/")
	}
	return Place{phase(r, blob, configs[rest]), path.Base(name)}
}

func phase(r *http.Request, blob, config bool) Phase {
	byMethod := map[string]Phase{http.MethodHead: ManifestHead, http.MethodGet: ManifestGet, http.MethodPut: ManifestPut}
	if blob {
		byMethod = map[string]Phase{
			http.MethodHead: BlobHead, http.MethodGet: Layer, http.MethodPost: Upload, http.MethodPatch: Patch, http.MethodPut: Blob,
		}
	}
	switch p := byMethod[r.Method]; {
	case p == Layer && config:
		return Config
	case p == Upload && r.URL.Query().Has("mount"):
		return Mount
	default:
		return p
	}
}
