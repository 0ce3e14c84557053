package config

import "slices"

// redis reads one node.
func (v value) redis(to *Redis) {
	m := v.fields(slices.Concat(
		[]field{{name: "address", read: func(v value) { v.dialAddress(&to.Address) }}},
		account(&to.Username, &to.Password),
		[]field{database(&to.DB), secured(&to.TLS)},
	)...)
	m.need("address", "address: host:port")
	m.onePassword()
	if to.TLS != nil && to.Address.Network == "unix" {
		m.at("tls").fail("a Unix socket speaks no TLS; an address of host:port, or no tls, is wanted")
	}
}

// account are the keys by which a server is told who is asking.
func account(user *string, password *Secret) []field {
	return []field{
		{name: "username", read: func(v value) {
			if s, ok := v.text("a user's name"); ok {
				*user = s
			}
		}},
		{name: "password_file", read: func(v value) { v.file(&password.File) }},
		{name: "password_env", read: func(v value) { v.environment(&password.Env) }},
		{name: "password", refusal: "a secret does not belong in this file: password_file or password_env is wanted"},
	}
}

func database(to *int) field {
	return field{name: "db", read: func(v value) { v.number(to, 0, 1<<20) }}
}

func secured(to **TLS) field { return field{name: "tls", read: func(v value) { v.tls(to) }} }

// onePassword complains where a password is said to be in two places.
func (m mapping) onePassword() {
	file, one := m.has["password_file"]
	env, other := m.has["password_env"]
	if !one || !other {
		return
	}
	second := env
	if f, e := file.node, env.node; f.Line > e.Line || f.Line == e.Line && f.Column > e.Column {
		second = file
	}
	second.fail("both password_file and password_env; one of them is wanted")
}

// sentinel reads who says where a node is, and who is asking there and at the node.
func (v value) sentinel(node *Redis, to **Sentinel) {
	s := &Sentinel{}
	*to = s
	m := v.fields(slices.Concat(
		[]field{
			{name: "master", read: func(v value) { v.masterName(&s.Master) }},
			{name: "addresses", read: func(v value) { v.sentinels(&s.Addresses) }},
		},
		account(&node.Username, &node.Password),
		[]field{
			database(&node.DB), secured(&node.TLS),
			{name: "access", read: func(v value) {
				a := &s.Access
				v.fields(append(account(&a.Username, &a.Password), secured(&a.TLS))...).onePassword()
			}},
		},
	)...)
	m.need("master", "master: the name under which the Sentinels know the store")
	m.need("addresses", "addresses: [host:port, …] of all Sentinels")
	m.onePassword()
}

// masterName reads the name of a primary, which Sentinel allows these letters.
func (v value) masterName(to *string) {
	s, ok := v.text("the name under which the Sentinels know the store")
	if !ok {
		return
	}
	for _, c := range s {
		if !('0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || c == '.' || c == '-' || c == '_') {
			v.fail("%s; letters, digits, dots, dashes and underscores are wanted", v.shown())
			return
		}
	}
	*to = s
}

// sentinels reads where the Sentinels are.
func (v value) sentinels(to *[]Address) {
	v.servers(to, "a Sentinel", "addresses such as 10.0.0.1:26379")
	if n := len(*to); n == 1 || n == 2 {
		v.warn("the word of %d Sentinels is no majority as soon as one is gone; all of them, at least three, are wanted", n)
	}
}

// servers reads where several servers of one kind are; none of them is at a Unix socket.
func (v value) servers(to *[]Address, kind, wanted string) {
	for _, item := range v.items(wanted) {
		var a Address
		if item.dialAddress(&a); a == (Address{}) {
			continue
		}
		switch {
		case a.Network == "unix":
			item.fail("a Unix socket; host:port of %s is wanted", kind)
		case slices.Contains(*to, a):
			item.fail("%s is in the list already; once is wanted", item.shown())
		default:
			*to = append(*to, a)
		}
	}
	v.some("address")
}
