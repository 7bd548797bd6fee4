package stack

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"hash/fnv"
	"slices"
	"strings"

	"github.com/bellwether-project/bellwether/internal/eco"
	"github.com/bellwether-project/bellwether/internal/eco/jsonin"
	"github.com/bellwether-project/bellwether/internal/fault"
)

// The bounds of profiles. A profile of more nodes is refused: half a tree is none.
const (
	maxNodes   = 50_000
	maxSamples = 2_000_000
	maxPaths   = 24  // stacks kept beside the heaviest
	maxDeep    = 400 // calls of a stack of a profile
)

// Unresponsive is the type of the exceptions that a profile becomes: the heaviest
// path first, and beside it (suppressed) one stack for each way through the code
// that took time. The value of each says its share: see Share.
const Unresponsive = "Unresponsive"

const shareForm = "%.1f%% of %.2f s"

// Share reads how much of how long a stack of a profile was running.
func Share(x *eco.Exception) (percent, seconds float64, ok bool) {
	if x.Type != Unresponsive {
		return 0, 0, false
	}
	n, err := fmt.Sscanf(x.Value, "%f%% of %f s", &percent, &seconds)
	return percent, seconds, err == nil && n == 2 && percent >= 0 && percent <= 100.1 && seconds > 0
}

type profileNode struct {
	f        eco.Frame
	id       int64
	parent   int32 // index; -1
	children []int64
	self     float64 // microseconds
	total    float64
	own      bool // a place in a program, not the engine's (idle), (program) …
	idle     bool
}

// readProfile reads V8's .cpuprofile: the tree of calls, the time of each sample,
// and when it began and ended. Time is what the deltas of samples add up to, else
// hit counts share the whole.
func readProfile(t *tree, text string) (*node, error) {
	r := jsonin.Open([]byte(text), maxJSON)
	defer r.Close()
	var nodes []profileNode
	var samples, deltas []int64
	var start, end float64
	over := ""
	r.Fields(func(name []byte) {
		switch string(name) {
		case "nodes":
			r.Each(maxNodes+1, func(i int) {
				if i == maxNodes {
					over = "more nodes than are read"
					r.Skip()
					return
				}
				nodes = append(nodes, readNode(r))
			})
		case "startTime":
			start, _ = r.Num()
		case "endTime":
			end, _ = r.Num()
		case "samples":
			samples = numbers(r, samples)
		case "timeDeltas":
			deltas = numbers(r, deltas)
		default:
			r.Skip()
		}
	})
	if err := r.End(); err != nil {
		return nil, err
	}
	if over != "" || len(nodes) == 0 {
		return nil, fault.E("stack.profile", fault.Invalid, cmp.Or(over, "it has no nodes"), nil)
	}
	p := profile{nodes: nodes, index: make(map[int64]int32, len(nodes))}
	p.link()
	p.time(samples, deltas, end-start)
	return p.root(t), nil
}

func numbers(r *jsonin.Reader, list []int64) []int64 {
	r.Each(maxSamples, func(int) { list = append(list, r.Int(1<<50)) })
	return list
}

func readNode(r *jsonin.Reader) profileNode {
	n := profileNode{parent: -1}
	r.Fields(func(key []byte) {
		switch string(key) {
		case "id":
			n.id = r.Int(1 << 50)
		case "hitCount":
			n.self = float64(r.Int(1 << 50))
		case "children":
			r.Each(maxNodes, func(int) { n.children = append(n.children, r.Int(1<<50)) })
		case "parent":
			r.Skip() // the children of nodes say the same
		case "callFrame":
			r.Fields(func(key []byte) {
				switch string(key) {
				case "functionName":
					n.f.Function = r.Str(MaxName)
				case "url":
					n.f.File = r.Str(MaxName)
				case "lineNumber":
					n.f.Line = int(r.Int(maxPos)) + 1
				case "columnNumber":
					n.f.Col = int(r.Int(maxPos)) + 1
				default:
					r.Skip()
				}
			})
		default:
			r.Skip()
		}
	})
	n.idle = n.f.Function == "(idle)"
	n.own = n.f.File != "" || !strings.HasPrefix(n.f.Function, "(") && n.f.Function != ""
	if n.f.File == "" {
		n.f.Line, n.f.Col = 0, 0
	}
	return n
}

type profile struct {
	nodes []profileNode
	index map[int64]int32
	order []int32 // parents before children
	whole float64 // microseconds
}

// link makes a tree of what the nodes say of their children. A child of two, or of
// itself, stays with the first: what comes out has no cycles.
func (p *profile) link() {
	for i := range p.nodes {
		if _, twice := p.index[p.nodes[i].id]; !twice {
			p.index[p.nodes[i].id] = int32(i)
		}
	}
	seen := make([]bool, len(p.nodes))
	visit := func(root int32) {
		seen[root] = true
		for queue := []int32{root}; len(queue) > 0; queue = queue[1:] {
			at := queue[0]
			p.order = append(p.order, at)
			for _, id := range p.nodes[at].children {
				if c, ok := p.index[id]; ok && !seen[c] {
					seen[c] = true
					p.nodes[c].parent = at
					queue = append(queue, c)
				}
			}
		}
	}
	visit(0)
	for i := range p.nodes {
		if !seen[i] {
			visit(int32(i))
		}
	}
}

// time gives each node its own time and that of everything below it.
func (p *profile) time(samples, deltas []int64, whole float64) {
	if n := min(len(samples), len(deltas)); n > 0 {
		for i := range p.nodes {
			p.nodes[i].self = 0
		}
		sum := 0.0
		for i := range n {
			sum += float64(deltas[i])
			if at, ok := p.index[samples[i]]; ok {
				p.nodes[at].self += float64(deltas[i])
			}
		}
		p.whole = max(sum, whole)
	} else {
		hits := 0.0
		for i := range p.nodes {
			hits += p.nodes[i].self
		}
		if p.whole = whole; hits > 0 && whole > 0 {
			for i := range p.nodes {
				p.nodes[i].self *= whole / hits
			}
		}
	}
	for i := range p.nodes {
		p.nodes[i].total = p.nodes[i].self
	}
	for i := len(p.order) - 1; i >= 0; i-- {
		if n := &p.nodes[p.order[i]]; n.parent >= 0 {
			p.nodes[n.parent].total += n.total
		}
	}
}

// root makes the exceptions: the heaviest path, and the ways through the code.
func (p *profile) root(t *tree) *node {
	if p.whole <= 0 {
		return nil
	}
	leaf := p.heaviest()
	if leaf < 0 {
		return nil
	}
	n := p.exception(t, leaf, p.nodes[leaf].total)
	n.ex.Mechanism = "unresponsive"
	t.tr.Level = "error"
	t.tag("profile.seconds", fmt.Sprintf("%.2f", p.whole/1e6))
	ways, left := p.ways()
	for _, w := range ways {
		if x := p.exception(t, w.at, w.time); x != nil {
			x.ex.Suppressed = true
			n.beside = append(n.beside, x)
		}
	}
	if left > 0 {
		t.note(fmt.Sprintf("%d lighter ways through the code left out", left))
	}
	return n
}

func (p *profile) exception(t *tree, leaf int32, time float64) *node {
	n := t.add(Unresponsive, fmt.Sprintf(shareForm, min(100, 100*time/p.whole), p.whole/1e6))
	if n == nil {
		return nil
	}
	for at, deep := leaf, 0; at >= 0 && deep < maxDeep; at, deep = p.nodes[at].parent, deep+1 {
		if p.nodes[at].own {
			n.frames.add(p.nodes[at].f)
		}
	}
	return n
}

// heaviest walks from the roots to the call that most time was spent in or below,
// and stops where a call spent more itself than in any other it made.
func (p *profile) heaviest() int32 {
	at := int32(-1)
	best := 0.0
	for i := range p.nodes { // what hangs below no other, or only below the engine's own nodes
		n := &p.nodes[i]
		if n.own && n.total > best && (n.parent < 0 || !p.nodes[n.parent].own) {
			at, best = int32(i), n.total
		}
	}
	for at >= 0 {
		next, most := int32(-1), p.nodes[at].self
		for _, id := range p.nodes[at].children {
			if c, ok := p.index[id]; ok && p.nodes[c].parent == at && p.nodes[c].own && p.nodes[c].total > most {
				next, most = c, p.nodes[c].total
			}
		}
		if next < 0 {
			return at
		}
		at = next
	}
	return at
}

// way is a sequence of places that samples share, with the node of its heaviest one.
type way struct {
	at   int32
	top  float64
	time float64
}

// ways groups the time of samples by the folders their stacks run through, so that
// blame can say whose they are without the tree.
func (p *profile) ways() (list []way, left int) {
	type route struct {
		hash uint64 // of the folders from the outside in
		last string
	}
	routes := make([]route, len(p.nodes))
	by := map[uint64]int{}
	for _, i := range p.order {
		n := &p.nodes[i]
		var r route
		if n.parent >= 0 {
			r = routes[n.parent]
		}
		if n.own {
			if dir := folder(n.f.File); dir != "" && dir != r.last {
				h := fnv.New64a()
				_, _ = h.Write(binary.LittleEndian.AppendUint64([]byte(dir), r.hash))
				r = route{h.Sum64(), dir}
			}
		}
		routes[i] = r
		if n.self <= 0 || r.last == "" || n.idle {
			continue
		}
		at, ok := by[r.hash]
		if !ok {
			at = len(list)
			by[r.hash] = at
			list = append(list, way{at: i})
		}
		w := &list[at]
		w.time += n.self
		if n.self > w.top {
			w.top, w.at = n.self, i
		}
	}
	slices.SortStableFunc(list, func(a, b way) int { return cmp.Compare(b.time, a.time) })
	if len(list) > maxPaths {
		left = len(list) - maxPaths
		list = list[:maxPaths]
	}
	return list, left
}

// folder is the folder of a file, without what lies below a package folder, and
// nothing for the engine's own modules.
func folder(file string) string {
	if file == "" || strings.HasPrefix(file, "node:") {
		return ""
	}
	file = cleanFile(file)
	if i := strings.Index(file, "/node_modules/"); i > 0 {
		return file[:i]
	}
	if i := strings.LastIndexAny(file, `/\`); i > 0 {
		return file[:i]
	}
	return file
}
