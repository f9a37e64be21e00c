package check

import (
	"bufio"
	"fmt"
	"net"
	"os"
	"time"
)

// freePort finds a port that nobody has. It stays below the kernel's range for
// outgoing connections, one of which could take it before the server does.
func freePort(from int) (int, error) {
	const many = 1000
	at := os.Getpid() % many // two of us at a time try different ones
	for n := range many {
		port := from + (at+n)%many
		l, err := net.ListenTCP("tcp4", &net.TCPAddr{Port: port})
		if err == nil {
			return port, l.Close()
		}
	}
	return 0, fmt.Errorf("no free port from %d to %d: end what listens there", from, from+many-1)
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
