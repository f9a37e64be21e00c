package main

import "fmt"

// count writes a number with its noun.
func count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// megabytes is the size of packages as they are downloaded.
func megabytes(debs []deb) string {
	var total int64
	for _, d := range debs {
		total += d.size
	}
	return fmt.Sprintf("%.1f MB", float64(total)/1e6)
}
