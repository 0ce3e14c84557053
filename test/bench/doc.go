// Bench compares Gatehouse with the reverse proxies that this machine has: make bench builds it, starts everything in front of
// one backend, measures for some four minutes, and prints one table with ratios against nginx. It needs Linux.
//
// # What is measured
//
// CPU is the kernel's accounting of the proxy: the user and system time in /proc/PID/stat of all its processes, threads
// included, the difference over a run divided by the answers that came in it. It counts in steps of 10 ms. The backend and the
// visitors live in this program, whose CPU is nobody's. Two loads are put on each proxy, over 64 keep-alive connections from 64
// addresses of loopback:
//
//   - closed: each connection asks again as soon as it has its answer. CPU for each request, and requests a second.
//   - open: requests come at a fixed mean rate with random (Poisson) gaps, the same gaps for everybody, whether the earlier ones
//     were answered or not. A request's time begins when it was due. The rate is half of what the slowest of Gatehouse, nginx and
//     HAProxy managed in the closed load, so it is half load for none of them but that one, and a proxy that is much slower
//     may be beyond its limit.
//
// wrk is not used even where there is one: our client is the same for both loads, and looks at every answer's status and length.
//
// Four measures have a visitor's connection speak something else, for Gatehouse, nginx, HAProxy and Caddy alone, who are told the
// same: 1 kB over TLS, by HTTP/1.1 and by HTTP/2; a message of 100 bytes that a WebSocket sends back, in the clear; and a gRPC call with
// such a message, by HTTP/2 over TLS in front and in the clear behind, where a real grpc-go server answers. By HTTP/2, too, each of the
// 64 connections asks for one thing at a time: what several at once on one connection would cost is not measured.
//
// Every measure is taken twice (-rounds), all proxies in random order in each round, and the better round counts: noise only
// ever makes figures worse. On a machine that others use, more and shorter rounds say more: go run ./test/bench -rounds 4.
// Memory is the highest resident size (VmHWM) during the runs of that measure, added up over the processes; pages that
// processes share count in each. A program that keeps what it once had brings it along from the measure before.
//
// # What is alike
//
// Each has two workers or threads, keep-alive to visitors and backend, and an access log in a file. Nothing is compressed and nothing
// is cached. Debug features and the peers' own admin interfaces are off. Where TLS is spoken it is 1.3 with one certificate, whose key
// is on P-256, and TLS_AES_128_GCM_SHA256, which our client insists on; handshakes are over before anything is measured.
//
// # What is not alike
//
//   - Gatehouse does what it is for: metrics for each route, a log line of JSON, a session's class, its store's verdict, a limit on
//     each pool, a quota on each route, and the look at each answer for what it does to a session. The peers do nothing of that.
//   - Its limits (256 in flight, quotas and the page's rate at a million a second) are high enough to refuse nothing: every request is
//     counted, none is turned away. By default a pool has no limit, and a client gets two pages a second.
//   - nginx gathers its log lines (buffer=64k flush=1s), since Gatehouse gathers them too. HAProxy and others write each line.
//   - A message of a WebSocket counts as a request here. To a proxy it is none: it logs a WebSocket once, at its end, and Gatehouse
//     does nothing of what it is for with what goes by.
//   - nginx takes a whole answer and a whole POST before it passes them on, and never through a file here; the others relay them.
//   - The page of Gatehouse is HTML in the visitor's language of some kilobytes with a policy and a reference, made for each
//     visitor; the peers' 503 page is their built-in constant of 100 to 200 bytes.
//     Gatehouse gives it since its session store is away; the peers because they are told to, or have no backend there.
//   - Go programs (Gatehouse, Caddy, Traefik) have a heap that grows to twice what lives before it is collected, and give it back
//     late: their peak depends on how long they ran.
//   - Sign-ins at age 0 that come while a check runs wait for the next one and go on together. That saves wake-ups, so they can
//     cost less CPU than those without a store; what they pay is time, in p50.
//   - An idle connection's memory is what the proxy grew by over 2,000 connections that had an answer each, in a process just
//     started. The kernel's own for a socket, some 4 kB, is not in it, for nobody.
//   - The visitors, the backend and the proxy share the machine's cores, so requests a second say less than CPU does.
package main
