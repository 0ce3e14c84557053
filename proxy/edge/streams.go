package edge

type streams struct{}

func (*streams) goAway() {}
