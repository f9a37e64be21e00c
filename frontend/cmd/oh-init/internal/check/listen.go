package check

import (
	"bufio"
	"fmt"
	"net"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// freePort finds a port that nobody has. It stays below the kernel's range for
// outgoing connections, one of which could take it before the server does.
func freePort(from int) (int, error) {
	const many = 1000
	at := os.Getpid() % many // two of us at a time try different ones
	for n := range many {
		port := from + (at+n)%many
		if bindable(port) {
			return port, nil
		}
	}
	return 0, fmt.Errorf("no free port from %d to %d: end what listens there", from, from+many-1)
}

// bindable tries a port as servers do, which net.Listen does not: it would also
// take one whose last connections wait for their end (SO_REUSEADDR), as those of
// the editor that was tried before.
func bindable(port int) bool {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return false
	}
	defer unix.Close(fd)
	return unix.Bind(fd, &unix.SockaddrInet4{Port: port}) == nil
}

// servePage answers whatever is asked on loopback with a page, until stop.
func servePage(html string) (port int, stop func(), err error) {
	l, err := net.ListenTCP("tcp4", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		return 0, nil, err
	}
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go answer(conn, html) // browsers open connections ahead
		}
	}()
	return l.Addr().(*net.TCPAddr).Port, func() { l.Close() }, nil
}

func answer(conn net.Conn, html string) {
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(10 * time.Second))
	r := bufio.NewReader(conn)
	for {
		line, err := readLine(r)
		if err != nil {
			return
		}
		if line == "" {
			break
		}
	}
	fmt.Fprintf(conn, "HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s",
		len(html), html)
}
