package record

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"gatehouse/shed"
)

// RetryResult is what became of the wish to send a request to another backend. The zero value is RetrySent. Its words are a
// metric label.
type RetryResult uint8

const (
	RetrySent     RetryResult = iota // it was sent again
	RetryNoBudget                    // it would have been safe, and the pool's budget was used up; a RetryResult out of range counts as this
	retryResults
)

var retryWords = [retryResults]string{RetrySent: "sent", RetryNoBudget: "no_budget"}

// String returns the word of the surface.
func (r RetryResult) String() string {
	if r < retryResults {
		return retryWords[r]
	}
	return retryWords[RetryNoBudget]
}

// QuotaResult is what a quota said to one request. The zero value is QuotaPassed. Its words are a metric label.
type QuotaResult uint8

const (
	QuotaPassed      QuotaResult = iota // within the quota
	QuotaRefused                        // beyond it; a QuotaResult out of range counts as this
	QuotaWouldRefuse                    // beyond it, and let through, since the quota only counts (dry_run)
	quotaResults
)

var quotaWords = [quotaResults]string{QuotaPassed: "passed", QuotaRefused: "refused", QuotaWouldRefuse: "would_refuse"}

// String returns the word of the surface.
func (q QuotaResult) String() string {
	if q < quotaResults {
		return quotaWords[q]
	}
	return quotaWords[QuotaRefused]
}

// shedReasons are why a pool sheds. They are a closed set; any other reason counts as the first.
var shedReasons = [...]shed.Reason{"pool_full", "queue_timeout", "displaced"}

func shedReason(reason shed.Reason) int {
	for i, r := range shedReasons {
		if r == reason {
			return i
		}
	}
	return 0
}

// poolCounts is what a pool turned away and sent again. Everything in it is resolved, so that counting hashes no label.
type poolCounts struct {
	shed    [shed.NumClasses][len(shedReasons)]prometheus.Counter
	tax     prometheus.Counter
	retries [retryResults]prometheus.Counter

	// The last minute, for the admin page.
	shedLately [shed.NumClasses]window
	taxLately  window
}

type quotaCounts [quotaResults]prometheus.Counter

type sheddingMetrics struct {
	shed, tax, retries, quota *prometheus.CounterVec

	pools  roll[poolCounts]
	quotas roll[quotaCounts]
}

func (m *sheddingMetrics) init() {
	counter := func(name, help string, labels ...string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, labels)
	}
	m.shed = counter("gatehouse_shed_total",
		"Requests that a pool turned away for want of room, by how much they matter and why.", "pool", "class", "reason")
	m.tax = counter("gatehouse_isolation_tax_total",
		"Sign-ins that their pool refused while another pool had room. It should stay at 0: raise the pool's limit, or name an overflow.", "pool")
	m.retries = counter("gatehouse_retries_total",
		"Requests that could safely go to another backend: sent there, or not, since the pool's budget for that was used up.", "pool", "result")
	m.quota = counter("gatehouse_quota_total",
		"Requests that a quota counted: passed, refused, or let through where it only counts (dry_run) and would have refused.", "quota", "result")
}

// Pools names every pool there is from now on: to be called at each reload, before the first request of a new pool. All that
// is counted by pool here is there at once, at 0; what a pool had counted that stays is kept, and that of one that is gone is
// forgotten. Until a pool is named, and after it is gone, nothing is counted for it, so that requests which outlive a reload
// bring back no label that it took away.
func (r *Recorder) Pools(names []string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	m := &r.shedding
	m.pools.call(names, m.newPool, func(name string) {
		of := prometheus.Labels{"pool": name}
		m.shed.DeletePartialMatch(of)
		m.tax.DeletePartialMatch(of)
		m.retries.DeletePartialMatch(of)
	})
}

// Quotas is Pools for the quotas.
func (r *Recorder) Quotas(names []string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	m := &r.shedding
	m.quotas.call(names, m.newQuota, func(name string) { m.quota.DeletePartialMatch(prometheus.Labels{"quota": name}) })
}

func (m *sheddingMetrics) newPool(name string) *poolCounts {
	p := &poolCounts{tax: m.tax.WithLabelValues(name)}
	for _, class := range shed.Classes {
		for i, reason := range shedReasons {
			p.shed[class][i] = m.shed.WithLabelValues(name, class.String(), string(reason))
		}
	}
	for i, word := range retryWords {
		p.retries[i] = m.retries.WithLabelValues(name, word)
	}
	return p
}

func (m *sheddingMetrics) newQuota(name string) *quotaCounts {
	var q quotaCounts
	for i, word := range quotaWords {
		q[i] = m.quota.WithLabelValues(name, word)
	}
	return &q
}

// Shed counts a request that a pool turned away: pool_full, queue_timeout or displaced. A class out of range counts as
// Background, any other reason as pool_full. Like all the counting here it waits for nobody and allocates nothing.
func (r *Recorder) Shed(pool string, c shed.Class, reason shed.Reason) {
	p := r.shedding.pools.find(pool)
	if p == nil {
		return
	}
	c = min(c, shed.Background)
	p.shed[c][shedReason(reason)].Inc()
	p.shedLately[c].add(r.second(time.Now()))
}

// IsolationTax counts a sign-in that its pool refused while another pool had room for it.
func (r *Recorder) IsolationTax(pool string) {
	if p := r.shedding.pools.find(pool); p != nil {
		p.tax.Inc()
		p.taxLately.add(r.second(time.Now()))
	}
}

// Retry counts one wish to send a request to another backend of the pool.
func (r *Recorder) Retry(pool string, result RetryResult) {
	if result >= retryResults {
		result = RetryNoBudget
	}
	if p := r.shedding.pools.find(pool); p != nil {
		p.retries[result].Inc()
	}
}

// Quota counts what a quota said to one request.
func (r *Recorder) Quota(name string, result QuotaResult) {
	if result >= quotaResults {
		result = QuotaRefused
	}
	if q := r.shedding.quotas.find(name); q != nil {
		q[result].Inc()
	}
}
