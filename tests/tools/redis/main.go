// As much of a Redis as Argo CD's cache needs: miniredis in a process of its own.
package main

import (
	"flag"
	"log"
	"time"

	"github.com/alicebob/miniredis/v2"
)

func main() {
	address := flag.String("address", "127.0.0.1:0", "where to listen")
	flag.Parse()
	server := miniredis.NewMiniRedis()
	if err := server.StartAddr(*address); err != nil {
		log.Fatal(err)
	}
	// miniredis has no clock: entries only expire when the test advances its time.
	for range time.Tick(time.Second) {
		server.FastForward(time.Second)
	}
}
