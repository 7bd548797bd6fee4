package symbol

// vlq reads base 64 numbers of variable length.
type vlq struct {
	s   string
	i   int
	bad bool
}

// more reports whether the segment has another number.
func (v *vlq) more() bool {
	return !v.bad && v.i < len(v.s) && v.s[v.i] != ',' && v.s[v.i] != ';'
}

func (v *vlq) next() int64 {
	var n int64
	for shift := uint(0); shift < 35 && v.more(); shift += 5 {
		digit := digits[v.s[v.i]]
		v.i++
		if digit > 63 {
			break
		}
		n |= int64(digit&31) << shift
		if digit < 32 {
			if n&1 != 0 {
				return -(n >> 1)
			}
			return n >> 1
		}
	}
	v.bad = true
	return 0
}

var digits = func() (t [256]byte) {
	for i := range t {
		t[i] = 255
	}
	for i, c := range []byte("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/") {
		t[c] = byte(i)
	}
	return t
}()
