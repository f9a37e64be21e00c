package engine

import (
	"context"
	"net/http"
)

// Node is the daemon of another machine: it has its own state and its own network,
// and shares with this engine the registry alone. Every request that it makes there
// goes through watch. It runs until Stop; KillDaemon and
// StartDaemon end and start it in between.
func (e *Engine) Node(ctx context.Context, name string, watch func(registry http.Handler) http.Handler) (*Closed, error) {
	return e.closedIn(ctx, e.path("fresh", name), watch)
}
