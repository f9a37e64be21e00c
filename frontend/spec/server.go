package spec

// Names of servers.
const (
	// ServerNone leaves the server out.
	ServerNone = "none"
	// ServerActionExecution is OpenHands' V0 server, of the package openhands-ai.
	ServerActionExecution = "action-execution-server"
	// ServerAgent is OpenHands' V1 server, of the package openhands-agent-server.
	ServerAgent = "agent-server"
)

// Server is an OpenHands server, by name and, when it is not the default one,
// by version or source.
//
//spec:short string the name of the server
type Server struct {
	// Name is the name of the server: `action-execution-server` of OpenHands V0,
	// `agent-server` of V1; `none` leaves it out.
	//
	//spec:enum none action-execution-server agent-server
	//spec:example server: {name: agent-server}
	Name string `yaml:"name"`

	// Version is the released version of the server. The defaults are 0.62.0 of
	// `action-execution-server` and 1.58.2 of `agent-server`, which this frontend
	// was tested with and whose packages it knows by digest. What another version
	// of `agent-server` requires is resolved when it is built, without digests.
	//
	//spec:example server: {name: action-execution-server, version: "0.62.0"}
	Version string `yaml:"version"`

	// Source is where the server's code comes from instead of a release: `.` for
	// the build context, or the name of another one (`--build-context NAME=...`).
	// For `action-execution-server` it is a checkout of OpenHands V0, with
	// `pyproject.toml`, `poetry.lock` and the package `openhands`; for
	// `agent-server` one of software-agent-sdk, with `uv.lock` and the directories
	// of its four packages. The Python dependencies follow the lock file and each
	// `pyproject.toml` alone.
	//
	//spec:example server: {name: action-execution-server, source: .}
	Source string `yaml:"source"`
}

// Wanted reports whether the image gets a server.
func (s Server) Wanted() bool {
	return s.Name != "" && s.Name != ServerNone
}

func (s *Server) setShort(text string) error {
	s.Name = text
	return nil
}
