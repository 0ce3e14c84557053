// Package sim puts the real code of shed, the Gate and the Line, into simulated sites and lets time run by itself: minutes of an
// outage take seconds. There are four:
//
//   - Overload: a pool that is asked for three times what it can do, by requests of all classes.
//   - Adaptive: the same where nobody said how much the pool can do.
//   - Herd: a store that comes back before 5,000 visitors who want to sign in.
//   - Metastable: an outage of half a minute after which retries alone keep the login servers busy.
//
// Each runs with the protection and without it, on the same visitors, and is judged by the same figures. The tests assert what
// Gatehouse promises, and that the run without the protection breaks the promise: a model in which nothing can go wrong proves
// nothing. `make sim` draws them.
//
// # What is real and what is model
//
// Real: shed.Gate with its queue, classes and shares; line.Line with its ramp, order and waits; page.Backlog. They run in a
// testing/synctest bubble, with one goroutine for each visitor who is there, as in a server.
//
// Model: the visitors, the login servers, and the path between them. It leaves out much:
//
//   - The store is open or closed, and Gatehouse knows at once. What it takes to find out is the subject of `make faults`.
//   - The path of a request is the store, the line, the gate, the servers. Quotas, the page's own rate, retries to another
//     backend, cookies as bytes and their seals, and the cost of Gatehouse itself are not there: nobody here wants for CPU but the
//     login servers. A real site loses a part of it to the page, which is why the page has a rate.
//   - Login servers are cores that are shared evenly by the jobs in work, a little slower with each job too many, and a backlog
//     behind. They never crash, do not run out of memory, and lose no connections.
//   - Signing in is one request. The journeys of several steps that an admission covers are not here.
//   - Visitors come independently of each other but for the storm in which the herd begins. They honour what they are told to
//     the second, or not at all. Nobody closes the page and comes back after lunch, which would make it easier.
//   - One Gatehouse. With two, each has its own ramp.
//
// # Chance
//
// Everything that a model does by chance comes from its seed, and no two things happen in the same nanosecond but by accident,
// so that a run repeats itself but for what the code under test draws by chance itself, such as the waits that it spreads.
package sim
