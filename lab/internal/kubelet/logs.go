package kubelet

import (
	"bufio"
	"context"
	"io"
	"os"
	"strings"
	"time"

	"github.com/virtual-kubelet/virtual-kubelet/node/api"
)

const logPoll = 100 * time.Millisecond

// readLog streams a container's log file as kubectl logs wants it; a followed log ends when ended is closed.
func readLog(ctx context.Context, path string, o api.ContainerLogOpts, ended <-chan struct{}) (io.ReadCloser, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	since := o.SinceTime
	if o.SinceSeconds > 0 {
		since = time.Now().Add(-time.Duration(o.SinceSeconds) * time.Second)
	}
	r, w := io.Pipe()
	go func() {
		defer f.Close()
		w.CloseWithError(copyLog(ctx, w, bufio.NewReader(f), o, since, ended))
	}()
	if o.LimitBytes > 0 {
		return struct {
			io.Reader
			io.Closer
		}{io.LimitReader(r, int64(o.LimitBytes)), r}, nil
	}
	return r, nil
}

func copyLog(ctx context.Context, w io.Writer, lines *bufio.Reader, o api.ContainerLogOpts, since time.Time, ended <-chan struct{}) error {
	show := func(line string) error {
		stamp, text, _ := strings.Cut(line, " ")
		if at, err := time.Parse(time.RFC3339Nano, stamp); err == nil && at.Before(since) {
			return nil
		}
		if o.Timestamps {
			text = line
		}
		_, err := io.WriteString(w, text)
		return err
	}
	var tail []string
	partial, over := "", !o.Follow
	for caughtUp := false; ; {
		line, err := lines.ReadString('\n')
		if err != nil && err != io.EOF {
			return err
		}
		partial += line
		if err == nil {
			if !caughtUp && o.Tail > 0 {
				if tail = append(tail, partial); len(tail) > o.Tail {
					tail = tail[1:]
				}
			} else if err := show(partial); err != nil {
				return err
			}
			partial = ""
			continue
		}
		for _, line := range tail {
			if err := show(line); err != nil {
				return err
			}
		}
		tail, caughtUp = nil, true
		if over {
			return nil
		}
		select {
		case <-ctx.Done():
			return nil
		case <-ended: // once more, for what was written since
			over = true
		case <-time.After(logPoll):
		}
	}
}
