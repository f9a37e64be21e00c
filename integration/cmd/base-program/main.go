// Command base-program is the one program of the distroless-like base image. It
// is static and says enough about its surroundings for a test to see that the
// base's own program still runs as before.
package main

import (
	"fmt"
	"os"
)

func main() {
	fmt.Printf("hello from the base: uid=%d gid=%d args=%q\n", os.Getuid(), os.Getgid(), os.Args[1:])
	for _, kv := range os.Environ() {
		fmt.Println(kv)
	}
}
