package certs

import (
	"encoding/json"
	"errors"
	"log/slog"
	"strings"
	"testing"

	"go.uber.org/zap"
)

// TestSaid has certmagic's words come out of our log: steps for debugging, troubles once in a while, all of them valid.
func TestSaid(t *testing.T) {
	for _, level := range []slog.Level{slog.LevelInfo, slog.LevelDebug} {
		out := new(logged)
		z := zap.New(&core{log: slog.New(slog.NewJSONHandler(out, &slog.HandlerOptions{Level: level})), heard: new(heard)})
		named := z.Named("obtain").With(zap.String("identifier", "a.test\n\"b"))
		for range 5 {
			z.Debug("looking")
			named.Info("acquiring lock")
			named.Error(saidBetter, zap.Error(errors.New("refused")))
			named.Error("unable to unlock", zap.Error(errors.New("gone")), zap.Any("storage", newFolder("/x")))
		}
		lines := strings.Split(strings.TrimSpace(out.String()), "\n")
		want := 1
		if level == slog.LevelDebug {
			want = 11
		}
		if len(lines) != want {
			t.Errorf("at %v %d lines, want %d:\n%s", level, len(lines), want, out)
		}
		for _, line := range lines {
			var said map[string]any
			if err := json.Unmarshal([]byte(line), &said); err != nil || !strings.HasPrefix(said["msg"].(string), "certificates: ") {
				t.Errorf("%s: %v", line, err)
			}
		}
		if out.lines(`"level":"WARN"`) != 1 || out.lines("gone") != 1 || out.lines(`a.test\n\"b`) != want {
			t.Errorf("at %v:\n%s", level, out)
		}
	}
}
