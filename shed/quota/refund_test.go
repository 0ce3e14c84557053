package quota

import (
	"fmt"
	"net/netip"
	"syscall"
	"testing"
	"time"
)

// A refund is carried out before whatever is taken after it.
func TestARefundIsHeardBeforeTheNextTake(t *testing.T) {
	n := serve(t)
	s := n.sharing(patient)
	l := New(hourly(s, 1))
	for i := range 200 {
		c, wait := l.Take(t.Context(), TextKey("a"))
		if wait > 0 {
			t.Fatalf("take %d: the refund before was not heard", i)
		}
		c.Refund()
	}
	if st := s.Status(); st.LostRefunds+st.StandIns > 0 {
		t.Errorf("%+v", st)
	}
}

// However many are given back while the store hangs: nobody waits, the queue is bounded, and what is lost is counted.
func TestRefundsNeverBlock(t *testing.T) {
	const many = 5000
	n := serve(t)
	s := n.sharing(patient)
	l := New(hourly(s, many))
	var charges []Charge
	for range many {
		c, wait := l.Take(t.Context(), TextKey("a"))
		if wait > 0 || c.there == nil {
			t.Fatal("not counted there")
		}
		charges = append(charges, c)
	}
	n.signal(syscall.SIGSTOP)
	from := time.Now()
	for i := range charges {
		charges[i].Refund()
		charges[i].Refund()
	}
	if took := time.Since(from); took > brief {
		t.Errorf("took %v", took)
	}
	// One batch is on its way, and as many as the queue holds wait.
	if lost := s.Status().LostRefunds; lost < many-queue-2*batch || lost > many-queue {
		t.Errorf("%d lost", lost)
	}
	if got := take(l, TextKey("a"), many/10); got != many/10 {
		t.Errorf("here %d were given back", got)
	}
	n.signal(syscall.SIGCONT)
}

// Close has the queued refunds carried out.
func TestCloseCarriesOutRefunds(t *testing.T) {
	n := serve(t)
	s := n.sharing(patient)
	l := New(hourly(s, 1000))
	var charges []Charge
	for range 900 {
		c, _ := l.Take(t.Context(), TextKey("a"))
		charges = append(charges, c)
	}
	for i := range charges {
		charges[i].Refund()
	}
	s.Close()
	s.Close()
	if keys := n.keys(); len(keys) > 0 || s.Status().LostRefunds > 0 {
		t.Errorf("%q, %+v", keys, s.Status())
	}
	// From then on this process counts alone.
	if got := take(l, TextKey("a"), 2000); got != 1000 {
		t.Errorf("%d passed", got)
	}
	c, _ := New(hourly(s, 1)).Take(t.Context(), TextKey("b"))
	c.Refund()
	if st := s.Status(); st.Up || st.StandIns < 1000 {
		t.Errorf("%+v", st)
	}
}

// A store that hangs does not hold Close up.
func TestCloseAtAHungStore(t *testing.T) {
	n := serve(t)
	s := n.sharing(50 * time.Millisecond)
	l := New(hourly(s, 1000))
	var charges []Charge
	for range 100 {
		c, _ := l.Take(t.Context(), TextKey("a"))
		charges = append(charges, c)
	}
	n.signal(syscall.SIGSTOP)
	defer n.signal(syscall.SIGCONT)
	for i := range charges {
		charges[i].Refund()
	}
	from := time.Now()
	s.Close()
	if took := time.Since(from); took > brief {
		t.Errorf("took %v", took)
	}
	if lost := s.Status().LostRefunds; lost != 100 {
		t.Errorf("%d of 100 were lost", lost)
	}
}

// What a caller costs in the store. The figure is printed; the bound is generous.
func TestMemoryInTheStore(t *testing.T) {
	const many = 10_000
	n := serve(t)
	l := New(hourly(n.sharing(patient), 10))
	before := n.used()
	for i := range many {
		k := TextKey(fmt.Sprint(i))
		if i%2 == 0 {
			k = AddrKey(netip.AddrFrom4([4]byte{10, 0, byte(i >> 8), byte(i)}))
		}
		take(l, k, 1)
	}
	each := (n.used() - before) / many
	t.Logf("%d callers, %d bytes each", len(n.keys()), each)
	if len(n.keys()) != many || each > 400 {
		t.Errorf("%d keys of %d bytes", len(n.keys()), each)
	}
}

// The end sends what is still queued, in as many batches as it takes.
func TestTheEndSendsWhatIsQueued(t *testing.T) {
	const many = 2*batch + 1
	n := serve(t)
	l := New(hourly(n.sharing(patient), many))
	s := unserved(patient, many)
	s.set = n.sharing(patient).set
	for range many {
		c, _ := l.Take(t.Context(), TextKey("a"))
		s.refund(c.there.key, c.there.sharing.allows)
	}
	link, err := s.connect(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	v := &server{Shared: s, link: link, linked: time.Now(), next: time.NewTimer(time.Hour)}
	v.end()
	if keys := n.keys(); len(keys) > 0 || s.lost.Load() > 0 {
		t.Errorf("%q, %d lost", keys, s.lost.Load())
	}
}
