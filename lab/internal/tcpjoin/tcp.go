// Package tcpjoin joins connections.
package tcpjoin

import (
	"io"
	"net"
	"sync"
)

// Join copies both ways until both sides have ended. When one side has said all, the other is told so, and may go on speaking.
func Join(a, b net.Conn) {
	var both sync.WaitGroup
	both.Go(func() { copyAll(a, b) })
	both.Go(func() { copyAll(b, a) })
	both.Wait()
}

func copyAll(to, from net.Conn) {
	_, _ = io.Copy(to, from)
	if half, ok := to.(interface{ CloseWrite() error }); ok {
		_ = half.CloseWrite()
	}
}
