package session

import (
	"net/netip"
	"testing"
	"time"
)

func BenchmarkSeal(b *testing.B) {
	s := NewSeal()
	id := "8x5ufuv5mqv1c7wv3fjz9k2h"
	at := time.Now()
	from := netip.MustParseAddr("203.0.113.7")
	proof, admission := s.Proof(id, at), s.Admission(from, at)
	b.Run("Proves", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if good, _ := s.Proves(proof, id, at); !good {
				b.Fatal("no proof")
			}
		}
	})
	b.Run("ProvesParallel", func(b *testing.B) {
		b.ReportAllocs()
		b.SetParallelism(8)
		b.RunParallel(func(pb *testing.PB) {
			for pb.Next() {
				s.Proves(proof, id, at)
			}
		})
	})
	b.Run("ForgedProof", func(b *testing.B) {
		b.ReportAllocs()
		forged := proof[:len(proof)-1] + "A"
		for b.Loop() {
			s.Proves(forged, id, at)
		}
	})
	b.Run("Admitted", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			s.Admitted(admission, from, at)
		}
	})
	b.Run("Proof", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			s.Proof(id, at)
		}
	})
	b.Run("StripOwn", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			StripOwn("a=1; theme=dark; lang=de; sid=8x5ufuv5mqv1c7wv3fjz9k2h")
		}
	})
}
