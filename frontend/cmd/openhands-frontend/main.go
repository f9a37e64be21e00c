// openhands-frontend is the gateway process that BuildKit starts for
// `# syntax=`. Its standard output is the gRPC connection: nothing else may be
// printed there.
package main

import (
	"flag"
	"fmt"
	"os"

	"github.com/moby/buildkit/frontend/gateway/grpcclient"
	"github.com/moby/buildkit/util/appcontext"
	"github.com/moby/buildkit/util/bklog"

	// The codec that BuildKit's daemon and gateway agree on.
	_ "github.com/moby/buildkit/util/grpcutil/encoding/proto"

	"github.com/openhands/llb-frontend/frontend"
)

// Set by the linker, see Dockerfile.
var (
	version  = "dev"
	revision = "unknown"
)

func main() {
	show := flag.Bool("version", false, "show version and exit")
	flag.Parse()
	if *show {
		fmt.Println("openhands-frontend", version, revision)
		return
	}
	if err := grpcclient.RunFromEnvironment(appcontext.Context(), frontend.Build); err != nil {
		bklog.L.Errorf("fatal error: %+v", err)
		os.Exit(1)
	}
}
