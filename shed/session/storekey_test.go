package session

import "testing"

func TestStoreKey(t *testing.T) {
	for _, c := range []struct{ template, value, want string }{
		{"sess:{id}", "abc", "sess:abc"},
		{"sess:{id}", "s%3Aabc-1.x2FhLA%2Bz", "sess:abc-1"},
		{"sess:{id}", "s:a.b.sig", "sess:a.b"},
		{"sess:{id}", "s:nosignature", "sess:nosignature"},
		{"PHPREDIS_SESSION:{id}", "t0k3n%ZZ", "PHPREDIS_SESSION:t0k3n%ZZ"},
		{"{id}", "", ""},
		{"a{id}b", "x", "axb"},
		{"spring:session:sessions:{id_base64}", "ZGVhZGJlZWY=", "spring:session:sessions:deadbeef"},
		{"spring:session:sessions:{id_base64}", "not base64!", "spring:session:sessions:not base64!"},
	} {
		k, err := NewStoreKey(c.template)
		if err != nil {
			t.Errorf("%q: %v", c.template, err)
			continue
		}
		if got := k.Of(c.value); got != c.want {
			t.Errorf("%q of %q is %q, want %q", c.template, c.value, got, c.want)
		}
	}
	for _, template := range []string{"", "sess:", "{id}{id}", "{id}{id_base64}", "{ID}"} {
		if _, err := NewStoreKey(template); err == nil {
			t.Errorf("%q was taken", template)
		}
	}
}
