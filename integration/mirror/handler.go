package mirror

import (
	"net/http"
)

// Handler serves the files of a directory to whoever asks; it writes nothing
// and logs nothing. Wrap it to ask for more.
func Handler(dir string) http.Handler {
	return http.FileServer(http.Dir(dir))
}
