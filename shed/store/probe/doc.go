// Package probe tries a Redis-compatible session store with a canary: it writes a value and reads it back, as the apps do.
//
// One probe is one pipeline on one connection: GET of the long-lived canary, SET of a fresh value, GET of it again. What the
// first command meets is what reads meet, what the second meets is what writes meet, so a store that only reads is told
// from one that does neither. Replies are told apart by their first word alone: Valkey and others word the rest differently.
//
// The canary tells a store that came back empty. Each Redis plants its own, under a key with a random part, with a value
// only it knows, once a write is accepted; so several Gatehouses with one prefix, even with one instance name, never see
// each other's. It lives for 30 days, renewed each hour by SET XX, which cannot plant a lost one again. Missing or different,
// it is reported lost once, and a new one is planted by a later probe. What planting meets says nothing of the store's state.
//
// # What the server says of itself
//
// Every two seconds, after the canary has been answered and over the same link (over one of its own where the way there and back
// takes more than 20 ms), one INFO asks for the server's vitals. The
// canary's evidence is settled by then: an answer that does not come by the deadline costs it nothing, and is told by a later
// probe. A server that refuses the question, does not know it or hangs up is asked again in a minute, and none the worse for
// it; one that takes no several sections at once, as Redis before 7.0, is asked for everything. CONFIG is never used.
//
// A canary that is missing is asked about at once: where the same run of the server has evicted keys since, and kept most of
// its own, the canary was evicted and is planted again; anything else is a loss, and so is silence.
//
// # How go-redis is used
//
// go-redis speaks the protocol, and nothing else. Its pool answers from memory after failed dials, its retries hide
// refusals, its reads do not watch a cancelled context, and it logs each failed dial through a global logger. So every
// connection here is a link: dialled by this package, handed to a client of its own that never dials again, and cut by
// closing the socket. Nothing of a failure survives in the library, and it has nothing to log, so the global logger is
// left as it is. (What it could still log is a server that sends more than it was asked for.)
//
// # Late answers
//
// A probe returns at its deadline, whatever DNS, dial or server do. What had not answered by then goes on in the background,
// one at a time and for at most two seconds. If it does answer, the store is slow and not hung, and the link is kept:
// otherwise a store whose connections take longer to set up than the deadline would never be reached again.
//
// # Where the name leads
//
// A host name is resolved anew once a second, in the background, while there is a link. Where the link's address is not among
// the answers any more, the link is renewed; it is also renewed once a minute, and once a second while the store refuses
// writes as a replica. The old link serves until the new one has answered, so neither a resolver that fails nor a password,
// a certificate or a server that has gone bad since takes away a link that works: the evidence then says so in its Err.
// (A name that shows only some of its addresses each time has its link renewed each second, which costs a connection.)
//
// # Newcomers
//
// Greet makes a new link beside the one that serves and, where it is taken, goes on with that: a store without a free slot, or
// whose certificate has ended, serves those who have a connection, us among them, and nobody who comes anew.
//
// # TLS
//
// The files are read anew for each connection. A certificate that is not believed, a server that speaks no TLS and a handshake
// that fails or hangs are the store's failure, by the cause tls; once a handshake has succeeded, one that hangs or is cut
// without a word is taken for the hung or absent server that it mostly is. Files that cannot be read, and a certificate of
// ours that the store refuses, are the prober's own fault. A certificate that ends stops new connections only, so its end is
// told with each evidence, before it comes.
//
// # Sentinels
//
// A Sentinel probes the node that the majority of all Redis Sentinels names: of all that are configured, not of those that
// answer. Each is asked once a second, and all at once when one of them says anything on +switch-master; each over connections
// of its own, so that one which hangs, lies, is cut off or absent changes nothing and holds up nobody. Without a majority the
// last node stays. Only while none is known is one Sentinel's word enough, and it is no failover when the majority overrules
// it. Where none ever answers, nothing is known of the store, and nobody is shed.
//
// After a failover the old primary goes on as one, and takes writes that will be thrown away, until the Sentinels demote it
// ten seconds later; no probe of that node can tell. So when the majority moves, the nodes before are asked for their ROLE, over
// connections of their own, seven times a second for half a minute, and so is the new one until it says that it is a primary.
// As long as one of those before is a primary the evidence is read-only, by the cause stale_primary. One that is dead or hangs
// does no harm, until it is back; one that was frozen answers the question that was put to it meanwhile as soon as it thaws.
//
// Each node has a prober and a canary of its own, so a move is never taken for a loss. What is given up by that: writes that
// a failover lost because they had not been replicated are not seen, nor is a new primary that was empty. And a Gatehouse that
// starts in the middle of a failover knows of no node before.
//
// # Clusters
//
// A Cluster finds the shards of a Redis Cluster, each of which has a prober of its own. The primaries (nine of them, where there
// are more) are asked what the cluster is like, each over a connection of its own, so that one which hangs holds up nobody: once a
// second by CLUSTER INFO, and by CLUSTER SLOTS where that is not what it was, every five seconds, at once when a canary is sent
// elsewhere or fails, and each second as long as one does. CLUSTER SHARDS says nothing more that is needed, and is missing before
// Redis 7 and in many a managed store.
//
// Whose word counts: slot by slot, that of more than half of the primaries that are believed to be, as they elect a new one
// among themselves, too. Config epochs, by which the nodes settle whose claim is the later one, are not looked at: a node that was
// cut off has an old one and is in the minority anyway, and one that lies could name any. Where more than half of the primaries
// have not answered for five seconds (somebody had the replicas of another site take over) the replicas and the addresses in the
// settings are asked, too, and more than half of all that answer are enough. While no shard is known those addresses are the ones
// that are asked, and more than half of those that answer are believed, until the primaries that they name have been heard.
//
// A shard is named by its lowest slot when it was found, as "shard-5461"; where another has that name, "shard-5461-2". It keeps the
// name as long as its primary keeps a slot of it and, where another node took over, if that serves most of what it had: so
// through a failover, and through resharding. A Gatehouse that starts after a resharding may name the shards otherwise.
//
// The keys of a shard's canary have a hash tag behind the prefix, "gatehouse:{42}probe:…", which falls in a slot of the shard.
// When that slot goes, or a node says ASK for it, another is taken, with a new canary, so that nothing is taken for a loss. Where
// MOVED names a node that is no shard's primary, that one is probed at once, and for two seconds without the others' word.
// Nodes that send the canary in a circle, CLUSTERDOWN and TRYAGAIN are the store's failure, by the cause cluster_down.
//
// After a failover the node before is watched as that of Sentinels is, by reading the canary's key there: as long as it answers as
// the one who serves the slot, the evidence is read-only by the cause stale_primary. A node of a cluster stops by itself when it
// sees no majority for the node timeout, so that is mostly a matter of moments. What is given up is the same as with Sentinels.
//
// # Heartbeats
//
// Beat writes when this Gatehouse was at one member of an active-active store, and reads what it wrote at the others as it came
// there. The keys are the prefix, "beat:", the instance, ":" and the member; so the instance must be this Gatehouse's alone.
package probe
