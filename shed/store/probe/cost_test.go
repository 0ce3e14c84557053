package probe

import (
	"context"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"gatehouse/shed"
	"gatehouse/shed/store"
)

// window is how long the store is watched, for each time that a benchmark is run.
const window = 3 * time.Second

// cost is what a store has done since it started.
type cost struct{ commands, bytes, cpu, connections float64 }

func (s *server) cost() cost {
	s.t.Helper()
	of := map[string]float64{}
	for _, section := range []string{"stats", "cpu"} {
		for line := range strings.Lines(s.do("info", section).(string)) {
			if k, v, ok := strings.Cut(strings.TrimSpace(line), ":"); ok {
				of[k], _ = strconv.ParseFloat(v, 64)
			}
		}
	}
	return cost{
		commands: of["total_commands_processed"], connections: of["total_connections_received"],
		bytes: of["total_net_input_bytes"] + of["total_net_output_bytes"],
		cpu:   1000 * (of["used_cpu_user"] + of["used_cpu_sys"]),
	}
}

// BenchmarkStoreCost measures what it costs a store that a Monitor watches it: commands, bytes, connections and milliseconds
// of CPU a second, on the store's side. Each run is one window of three seconds, so -benchtime=1x is enough. A server that
// nobody watches uses some milliseconds of CPU a second itself: nobody shows how many.
func BenchmarkStoreCost(b *testing.B) {
	for _, row := range []struct {
		name    string
		watched bool
		during  func(context.Context, *testing.B, *server, *store.Monitor)
	}{
		{"nobody", false, nil},
		{"idle", true, nil},
		{"forced", true, ask},
		{"hung", true, hang},
	} {
		b.Run(row.name, func(b *testing.B) {
			s := serve(b)
			var m *store.Monitor
			if row.watched {
				m = store.New(New(Settings{Address: s.addr(), Prefix: "gatehouse:"}), store.Settings{
					Interval: 100 * time.Millisecond, Timeout: 100 * time.Millisecond, Payload: 4096, Rise: 3, After: time.Second,
				}, nil)
				defer m.Close()
				m.Start()
				if v := m.First(b.Context()); v.State != shed.Writable {
					b.Fatalf("%+v", v)
				}
			}
			var spent cost
			var took time.Duration
			for b.Loop() {
				before, from := s.cost(), time.Now()
				ctx, cancel := context.WithTimeout(b.Context(), window)
				if row.during != nil {
					row.during(ctx, b, s, m)
				}
				<-ctx.Done()
				cancel()
				after := s.cost()
				took += time.Since(from)
				spent.commands += after.commands - before.commands - 2 // those of cost itself
				spent.bytes += after.bytes - before.bytes
				spent.cpu += after.cpu - before.cpu
				spent.connections += after.connections - before.connections
			}
			seconds := took.Seconds()
			b.ReportMetric(0, "ns/op")
			b.ReportMetric(spent.commands/seconds, "commands/s")
			b.ReportMetric(spent.bytes/seconds, "bytes/s")
			b.ReportMetric(spent.cpu/seconds, "CPU-ms/s")
			b.ReportMetric(spent.connections/seconds, "connections/s")
		})
	}
}

// ask asks as 5,000 sign-ins a second do: each for a verdict from a check that begins after it came.
func ask(ctx context.Context, b *testing.B, _ *server, m *store.Monitor) {
	var all sync.WaitGroup
	defer all.Wait()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	asked := 0
	for from := time.Now(); ; {
		select {
		case <-ctx.Done():
			b.ReportMetric(float64(asked)/time.Since(from).Seconds(), "asked/s")
			return
		case <-tick.C:
		}
		for due := int(5 * time.Since(from).Milliseconds()); asked < due; asked++ {
			all.Go(func() { m.Verdict(ctx, 0) })
		}
	}
}

// hang stops the store for the first half of the window.
func hang(ctx context.Context, b *testing.B, s *server, m *store.Monitor) {
	s.signal(syscall.SIGSTOP)
	select {
	case <-time.After(window / 2):
	case <-ctx.Done():
	}
	if v := m.Current(); v.State != shed.Down {
		b.Errorf("stopped, and %v", v.State)
	}
	s.signal(syscall.SIGCONT)
}
