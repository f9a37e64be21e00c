// Command mirror serves a directory that the package mirror has filled. The
// engine starts it.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/openhands/llb-frontend/integration/mirror"
)

func main() {
	if err := serve(); err != nil {
		fmt.Fprintln(os.Stderr, "mirror:", err)
		os.Exit(1)
	}
}

func serve() error {
	addr := flag.String("listen", "127.0.0.1:0", "`address` to listen on")
	dir := flag.String("dir", ".", "`directory` to serve")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	server := &http.Server{Addr: *addr, Handler: mirror.Handler(*dir), ReadHeaderTimeout: time.Minute}
	go func() {
		<-ctx.Done()
		_ = server.Close() // nothing is lost: whoever downloads asks again
	}()
	if err := server.ListenAndServe(); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}
