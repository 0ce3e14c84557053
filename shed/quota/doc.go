// Package quota bounds how often each caller may ask, in memory that is bounded however many callers come.
//
// Every key has a bucket (golang.org/x/time/rate): it holds Burst events and fills at Rate. A full bucket says nothing that
// a new one would not, so dropping it loses nothing; only full buckets are ever dropped. Therefore nobody can get rid of his
// own limit, or of anybody else's, by coming under many names: where the table is full of buckets that still hold a debt,
// new keys share a few spill buckets until places fall free, and known keys keep their own.
//
// The table is cut into shards, each with its own lock. The keys of one IPv6 /48 fall into one shard and share one spill
// bucket, so that whoever owns one network can fill a sixteenth of the table and no more.
package quota
