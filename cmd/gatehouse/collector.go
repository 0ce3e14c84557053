package main

// spare is how much memory the collector is told of that nobody uses. The live memory of a proxy is a few megabytes, and the collector
// would come round whenever requests have used as much again: fifty times a second under load. Bytes that were never written to are
// only counted, and not there; what it costs is that up to as much garbage lies about. GOGC and GOMEMLIMIT mean what they always do.
const spare = 16 << 20

// spareCollector has the collector come round less often until what it returns is let go of.
func spareCollector() []byte { return make([]byte, spare) }
