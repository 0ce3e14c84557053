// Package certs holds the certificates that listeners show: those of files, read again when they change, and those that an ACME
// directory issues (RFC 8555), by certmagic.
//
//	Keeper      all certificates of a process; a reload changes it in place
//	Plan        reads what a file's settings name, and says every mistake; Commit puts it into force
//	Config      what one listener needs of crypto/tls: certificates by name, client certificates, tickets
//	renewer     when the directory is asked, and when again: the only one who asks
//	authority   the directory, and where certificates are kept: certmagic, with an issuer of our own
//
// No socket is opened here. The directory looks for its challenges where visitors come in: http-01 (RFC 8555 section 8.3) is
// answered by Challenge, which plain listeners ask, and tls-alpn-01 (RFC 8737) by the configuration that Config makes. certmagic's
// own issuer opens listeners for them wherever it finds a port free, and asks whoever sits at the terminal for an email address;
// hence ours, on the same library beneath (acmez). Its maintenance is off too: it asks again after one, two, two and five minutes
// whatever went wrong, which is late after an outage of the directory and too much after a failed challenge, of which Let's
// Encrypt allows five in an hour. What certmagic is here for: which certificate is due (RFC 9773 included), keys, what is kept and
// how, and that of several processes one asks.
//
// OCSP is not stapled: the public authorities have given it up, and asking responders would be one more thing that hangs offline.
//
// Where several Gatehouses show the same names, they keep certificates, account and open challenges in one Redis, so that any of
// them can answer what another asked for: hence go-redis. In a folder they are for one machine's processes, old and new one
// during a takeover included.
package certs
