package probe

import "strings"

// Slots is how many hash slots a cluster has.
const Slots = 16384

// nibbles is the table of CRC-16/XMODEM for four bits at a time.
var nibbles = [16]uint16{
	0x0000, 0x1021, 0x2042, 0x3063, 0x4084, 0x50a5, 0x60c6, 0x70e7,
	0x8108, 0x9129, 0xa14a, 0xb16b, 0xc18c, 0xd1ad, 0xe1ce, 0xf1ef,
}

// Slot is the hash slot of a key in a cluster, 0 to Slots-1: by what is between the first "{" and the next "}" where there is
// something, else by the whole key. It does not allocate.
func Slot(key string) int {
	if open := strings.IndexByte(key, '{'); open >= 0 {
		if tag := strings.IndexByte(key[open+1:], '}'); tag > 0 {
			key = key[open+1 : open+1+tag]
		}
	}
	var sum uint16
	for i := range len(key) {
		sum = sum<<4 ^ nibbles[sum>>12^uint16(key[i]>>4)]
		sum = sum<<4 ^ nibbles[sum>>12^uint16(key[i]&15)]
	}
	return int(sum % Slots)
}

// tagged is the prefix of keys that fall in the slot of tag. The tag stands behind the prefix, so that an ACL which names the
// prefix allows them; but before a prefix that holds a brace, which would count in its place.
func tagged(prefix, tag string) string {
	if strings.Contains(prefix, "{") {
		return "{" + tag + "}" + prefix
	}
	return prefix + "{" + tag + "}"
}
