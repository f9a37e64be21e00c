package engine

import (
	"context"
	"fmt"
	"net"
	"runtime"

	"golang.org/x/sys/unix"
)

// namespace is a network namespace that has only a loopback device. It lives as
// long as a thread, a process or a socket of it does.
type namespace struct {
	work chan func()
}

// newNamespace makes a namespace on a thread that belongs to nobody else.
func newNamespace() (*namespace, error) {
	n := &namespace{work: make(chan func())}
	made := make(chan error)
	go func() {
		// Never unlocked: the thread ends with this goroutine, instead of going
		// back to others with a strange network.
		runtime.LockOSThread()
		err := unix.Unshare(unix.CLONE_NEWNET)
		if err == nil {
			err = loopbackUp()
		}
		made <- err
		if err != nil {
			return
		}
		for f := range n.work {
			f()
		}
	}()
	if err := <-made; err != nil {
		return nil, fmt.Errorf("make a network namespace: %w", err)
	}
	return n, nil
}

func loopbackUp() error {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	lo, err := unix.NewIfreq("lo")
	if err != nil {
		return err
	}
	lo.SetUint16(unix.IFF_UP | unix.IFF_RUNNING)
	return unix.IoctlIfreq(fd, unix.SIOCSIFFLAGS, lo)
}

// do runs f on the namespace's thread: sockets that it opens and processes that
// it starts are in the namespace. What answers on the sockets may run anywhere.
func (n *namespace) do(f func() error) error {
	done := make(chan error)
	n.work <- func() { done <- f() }
	return <-done
}

func (n *namespace) listen(ctx context.Context, addr string) (l net.Listener, err error) {
	return l, n.do(func() error {
		var lc net.ListenConfig
		l, err = lc.Listen(ctx, "tcp", addr)
		return err
	})
}

func (n *namespace) close() { close(n.work) }
