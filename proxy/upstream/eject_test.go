package upstream

import (
	"context"
	"fmt"
	"io"
	"testing"
	"time"
)

func TestWhatAResultSays(t *testing.T) {
	for _, tt := range []struct {
		r    Result
		want judgement
	}{
		{Result{}, silent},
		{Result{Status: 200}, good},
		{Result{Status: 101}, good},
		{Result{Status: 404}, good},
		{Result{Status: 401, RetryAfter: true}, good},
		{Result{Status: 501}, good},
		{Result{Status: 500}, bad},
		{Result{Status: 502}, bad},
		{Result{Status: 503}, bad},
		{Result{Status: 504}, bad},
		{Result{Status: 500, RetryAfter: true}, silent},
		{Result{Status: 502, RetryAfter: true}, silent},
		{Result{Status: 503, RetryAfter: true}, silent},
		{Result{Status: 504, RetryAfter: true}, silent},
		{Result{Err: fmt.Errorf("%w: x", ErrConnect)}, bad},
		{Result{Err: fmt.Errorf("%w: x", ErrBroken)}, bad},
		{Result{Err: ErrBroken, Status: 200}, bad},
		{Result{Err: ErrLate}, bad},
		{Result{Err: ErrLate, Status: 200}, good}, // not late, only long
		{Result{Err: ErrLate, Status: 500}, bad},
		{Result{Err: fmt.Errorf("%w: %w: %w", ErrLate, errUpload, context.DeadlineExceeded)}, silent},
		{Result{Err: ErrCancelled}, silent},
		{Result{Err: ErrCancelled, Status: 200}, good}, // the visitor left after the head
		{Result{Err: ErrCancelled, Status: 503}, bad},
		{Result{Err: ErrVisitor}, silent},
		{Result{Err: ErrRequest}, silent},
		{Result{Err: ErrNoBackend}, silent},
		{Result{Err: io.EOF}, silent},
		{Result{Excused: true}, silent},
		{Result{Status: 200, Excused: true}, silent},
		{Result{Status: 500, Excused: true}, silent},
		{Result{Err: ErrBroken, Excused: true}, silent},
		{Result{Err: ErrConnect, Excused: true}, silent},
		{Result{Err: ErrLate, Excused: true}, silent},
	} {
		if got := tt.r.judge(); got != tt.want {
			t.Errorf("%+v says %d, want %d", tt.r, got, tt.want)
		}
	}
}

func TestDecide(t *testing.T) {
	s := *(&EjectSettings{}).withDefaults()
	tenth := s
	tenth.Most = 0.1
	whole := s
	whole.Most = 1
	for _, tt := range []struct {
		name string
		s    EjectSettings
		st   standing
		want Why
	}{
		{"the row is short", s, standing{row: 4, backends: 2, well: 1}, WhyFew},
		{"it fails and the other does not", s, standing{row: 5, backends: 2, well: 1}, WhyFailures},
		{"the row went on meanwhile", s, standing{row: 50, backends: 2, well: 1}, WhyFailures},
		{"alone", s, standing{row: 5, backends: 1}, WhyShared},
		{"alone, and all may be out", whole, standing{row: 5, backends: 1}, WhyShared},
		{"the other fails as well", s, standing{row: 5, backends: 2, failing: 1}, WhyShared},
		{"all others fail as well", s, standing{row: 5, backends: 10, failing: 9}, WhyShared},
		{"those that are left fail", s, standing{row: 5, backends: 10, out: 4, ejected: 4, failing: 5}, WhyShared},
		{"nobody is left", s, standing{row: 5, backends: 2, out: 1, ejected: 1}, WhyShared},
		{"nothing was heard of the other", s, standing{row: 5, backends: 2}, WhyUnproved},
		{"nothing was heard of one of many", s, standing{row: 5, backends: 10, failing: 8}, WhyUnproved},
		{"some fail, one is well", s, standing{row: 5, backends: 10, failing: 8, well: 1}, WhyFailures},
		{"as many are out as may be", s, standing{row: 5, backends: 4, out: 2, ejected: 2, well: 1}, WhyMost},
		{"the checks took them out", s, standing{row: 5, backends: 4, out: 2, well: 1}, WhyMost},
		{"one more may be out", s, standing{row: 5, backends: 4, out: 1, ejected: 1, well: 1}, WhyFailures},
		{"a half of three is one", s, standing{row: 5, backends: 3, out: 1, ejected: 1, well: 1}, WhyMost},
		{"a tenth of nine is none", tenth, standing{row: 5, backends: 9, well: 8}, WhyMost},
		{"a tenth of ten is one", tenth, standing{row: 5, backends: 10, well: 9}, WhyFailures},
		{"one always stays", whole, standing{row: 5, backends: 3, out: 1, ejected: 1, well: 1}, WhyFailures},
	} {
		if got := tt.s.decide(tt.st); got != tt.want {
			t.Errorf("%s: %s, want %s", tt.name, got, tt.want)
		}
	}
}

func TestHowManyMayBeOut(t *testing.T) {
	for _, tt := range []struct {
		most float64
		n    int
		want int
	}{
		{0.5, 0, 0}, {0.5, 1, 0}, {0.5, 2, 1}, {0.5, 3, 1}, {0.5, 4, 2}, {0.1, 10, 1}, {0.1, 9, 0}, {0.3, 10, 3},
		{1, 1, 0}, {1, 2, 1}, {1, 10, 9}, {7, 10, 9}, {0.7, 10, 7}, {0.29, 100, 29},
	} {
		if got := (EjectSettings{Most: tt.most}).allowed(tt.n); got != tt.want {
			t.Errorf("%v of %d: %d may be out, want %d", tt.most, tt.n, got, tt.want)
		}
	}
}

func TestHowLongAnEjectionLasts(t *testing.T) {
	for _, tt := range []struct {
		each time.Duration
		n    int
		want time.Duration
	}{
		{10 * time.Second, 1, 10 * time.Second}, {10 * time.Second, 3, 30 * time.Second}, {10 * time.Second, 30, maxEjection},
		{10 * time.Second, 31, maxEjection}, {10 * time.Second, 1 << 40, maxEjection}, {7 * time.Second, 42, 294 * time.Second},
		{7 * time.Second, 43, maxEjection}, {time.Hour, 1, maxEjection}, {time.Nanosecond, 5, 5 * time.Nanosecond},
	} {
		if got := (EjectSettings{For: tt.each}).term(tt.n); got != tt.want {
			t.Errorf("%v, number %d: %v, want %v", tt.each, tt.n, got, tt.want)
		}
	}
	for _, tt := range []struct {
		n    int
		used time.Duration
		want int
	}{{3, 0, 3}, {3, 59 * time.Second, 3}, {3, time.Minute, 2}, {3, 2*time.Minute + 1, 1}, {3, 24 * time.Hour, 0}} {
		if got := forgiven(tt.n, tt.used); got != tt.want {
			t.Errorf("%d ejections, %v in use: %d count, want %d", tt.n, tt.used, got, tt.want)
		}
	}
}
