package route

import "time"

// Crash is what rules about a family of crashes can ask. Every field is always
// there: what is not known is empty or 0.
type Crash struct {
	Now       time.Time `cel:"now" json:"now"`
	Family    Family    `cel:"family" json:"family"`
	Extension Extension `cel:"extension" json:"extension"`
	Host      string    `cel:"host" json:"host"`
	Blame     Blame     `cel:"blame" json:"blame"`
	Impact    Impact    `cel:"impact" json:"impact"`
	Signature Signature `cel:"signature" json:"signature"`
}

// Family is the family itself.
type Family struct {
	ID        string    `cel:"id" json:"id"`
	Title     string    `cel:"title" json:"title"`
	Type      string    `cel:"type" json:"type" about:"exception type: TypeError"`
	Platform  string    `cel:"platform" json:"platform" about:"javascript, python, java, go, csharp, ruby, php, rust, native, other"`
	State     string    `cel:"state" json:"state" about:"open, resolved, ignored"`
	FirstSeen time.Time `cel:"first_seen" json:"first_seen"`
	LastSeen  time.Time `cel:"last_seen" json:"last_seen"`
	Releases  []string  `cel:"releases" json:"releases" about:"lowest and highest release it was seen in"`
	Kind      string    `cel:"kind" json:"kind" about:"level of its representative: fatal, error, warning"`
	Version   string    `cel:"version" json:"version" about:"rules that made it: fam/1"`
}

// Extension is the one it is attributed to.
type Extension struct {
	ID        string `cel:"id" json:"id" about:"publisher.name; empty when none is blamed"`
	Publisher string `cel:"publisher" json:"publisher"`
	Kind      string `cel:"kind" json:"kind" about:"vscode, obsidian, jetbrains, blender, browser …"`
}

// Blame is what its representative's blame says.
type Blame struct {
	Extension  string  `cel:"extension" json:"extension"`
	Target     string  `cel:"target" json:"target" about:"extension, interaction, host, unknown"`
	Confidence float64 `cel:"confidence" json:"confidence" about:"0 to 1"`
	Step       int     `cel:"step" json:"step" about:"of the blame rules, 1 to 7"`
	Role       string  `cel:"role" json:"role" about:"culprit, caller, callee, owner"`
}

// Impact is what the family did in the last 30 days.
type Impact struct {
	Crashes  int64   `cel:"crashes" json:"crashes"`
	Installs int64   `cel:"installs" json:"installs" about:"distinct installs that had it"`
	Share    float64 `cel:"share" json:"share" about:"of all crashes of its extension or host, 0 to 1"`
	Trend    float64 `cel:"trend" json:"trend" about:"crashes of the last 7 days by those of the 7 days before; 1 = steady"`
	Versions int     `cel:"versions" json:"versions" about:"releases it was seen in"`
}

// Signature is that of its representative.
type Signature struct {
	Hash   string   `cel:"hash" json:"hash"`
	Key    string   `cel:"key" json:"key" about:"what the family is known by, readable"`
	Title  string   `cel:"title" json:"title"`
	Tokens []string `cel:"tokens" json:"tokens" about:"its frames, innermost first"`
	Low    bool     `cel:"low" json:"low" about:"no usable stack"`
}
