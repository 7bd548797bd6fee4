package family

// lookup reads a crash without learning: tokens the block does not know weigh,
// but are not kept.
func (b *block) lookup(in *Input) query { return b.read(in, false) }

func (b *block) shrink(to int64)    {}
func (x *Index) shrink(keep string) {}
