package eco

// Crash is one report in the house's own model, whatever client sent it. Only
// fields of this struct are ever kept: decoders fill it, nothing passes through
// unknown. Frames are INNERMOST FIRST: Frames[0] is where it happened.
type Crash struct {
	Platform    string            `json:"platform,omitempty"` // javascript, python, java, go, csharp, ruby, php, rust, native, other
	Level       string            `json:"level,omitempty"`    // fatal, error, warning, info, debug
	Handled     *bool             `json:"handled,omitempty"`  // nil: the client did not say
	Mechanism   string            `json:"mechanism,omitempty"`
	Message     string            `json:"message,omitempty"`    // a message beside or instead of exceptions
	Exceptions  []Exception       `json:"exceptions,omitempty"` // outermost first, then its causes, then suppressed ones
	Text        string            `json:"text,omitempty"`       // a text trace (scrubbed) that the pipeline parses into Exceptions
	Thread      string            `json:"thread,omitempty"`
	Breadcrumbs []Breadcrumb      `json:"breadcrumbs,omitempty"` // oldest first, at most 100
	Tags        map[string]string `json:"tags,omitempty"`
	Modules     map[string]string `json:"modules,omitempty"` // dependency -> version
	Active      []Active          `json:"active,omitempty"`  // extensions that were active; evidence for blame, never exported as a row
	Command     string            `json:"command,omitempty"` // command, activation or timer that the host was running
	Owner       ExtensionID       `json:"owner,omitempty"`   // the extension the host says it was running for: blame step 1
	SessionID   string            `json:"session_id,omitempty"`
	DebugImages []DebugImage      `json:"debug_images,omitempty"`
	// Counted is the hash of the signature that the client sent instead of a stack: of
	// such a crash nothing came but that, and where it happened.
	Counted string `json:"counted,omitempty"`
}

// Exception is one throwable with its frames.
type Exception struct {
	Type       string  `json:"type,omitempty"`
	Module     string  `json:"module,omitempty"`
	Value      string  `json:"value,omitempty"`
	Frames     []Frame `json:"frames,omitempty"` // innermost first
	Parent     int     `json:"parent"`           // index of the exception this one caused (its wrapper); -1 for the outermost
	Suppressed bool    `json:"suppressed,omitempty"`
	Grouped    bool    `json:"grouped,omitempty"` // a member of an exception group
	More       int     `json:"more,omitempty"`    // the n of "... n more"
	Mechanism  string  `json:"mechanism,omitempty"`
}

// Frame is one call.
type Frame struct {
	Function string      `json:"function,omitempty"`
	Module   string      `json:"module,omitempty"` // class, package or module name
	File     string      `json:"file,omitempty"`   // path, user names already replaced
	Line     int         `json:"line,omitempty"`
	Col      int         `json:"col,omitempty"`
	InApp    *bool       `json:"in_app,omitempty"` // what the client said
	Package  string      `json:"package,omitempty"`
	Addr     string      `json:"addr,omitempty"`  // as the client sent it; "+0x1a2b": an offset in Package, of the call itself
	Trust    FrameTrust  `json:"trust,omitempty"` // native frames that were unwound here: how the frame was found
	Async    bool        `json:"async,omitempty"`
	Class    FrameClass  `json:"class,omitempty"` // given by blame
	Owner    ExtensionID `json:"owner,omitempty"` // given by blame: the extension whose code it is
	Orig     string      `json:"orig,omitempty"`  // name as it came, when a symbol file renamed the frame
	// The rest of a renamed frame as it came.
	OrigModule string `json:"orig_module,omitempty"`
	OrigFile   string `json:"orig_file,omitempty"`
	OrigLine   int    `json:"orig_line,omitempty"`
	OrigCol    int    `json:"orig_col,omitempty"`
	Renamed    bool   `json:"renamed,omitempty"` // by a symbol file
	Inlined    bool   `json:"inlined,omitempty"` // its code stands in the next frame: no frame of its own came
	Or         string `json:"or,omitempty"`      // what else it may be, when the file left a choice
}

// FrameTrust says how an unwinder found a frame.
type FrameTrust string

// From sure to guessed. Only the first three stand for themselves.
const (
	TrustContext FrameTrust = "context"       // the registers at the crash
	TrustCFI     FrameTrust = "cfi"           // the unwind rules of the module's symbols
	TrustFP      FrameTrust = "frame_pointer" // the chain of frame pointers
	TrustScan    FrameTrust = "scan"          // a word on the stack that looks like a return address
)

// FrameClass says whose code a frame is.
type FrameClass string

const (
	FrameExtension FrameClass = "extension"
	FrameVendored  FrameClass = "vendored" // a library inside an extension
	FrameHost      FrameClass = "host"
	FrameRuntime   FrameClass = "runtime"
	FrameUnknown   FrameClass = "unknown"
)

// Breadcrumb is something that happened before.
type Breadcrumb struct {
	Time     int64  `json:"time,omitempty"` // Unix milliseconds
	Category string `json:"category,omitempty"`
	Message  string `json:"message,omitempty"`
	Level    string `json:"level,omitempty"`
	Type     string `json:"type,omitempty"`
}

// Active is one extension that was active in the host.
type Active struct {
	ID      ExtensionID `json:"id"`
	Version string      `json:"version,omitempty"`
}

// DebugImage names a binary or source artifact that symbols can be found for.
type DebugImage struct {
	Type     string `json:"type,omitempty"`
	CodeFile string `json:"code_file,omitempty"`
	DebugID  string `json:"debug_id,omitempty"`
}

// Signature is the exact key of a crash.
type Signature struct {
	Version string    `json:"version"` // "sig/1"
	Key     string    `json:"key"`     // what is hashed, readable
	Hash    string    `json:"hash"`    // 16 hex digits
	Title   string    `json:"title"`   // for people, at most 255 characters
	Tokens  []string  `json:"tokens,omitempty"`
	Type    string    `json:"type,omitempty"` // the exception type it stands on
	Low     bool      `json:"low,omitempty"`  // low trust: no usable stack
	Why     []WhyStep `json:"why,omitempty"`
}

// WhyStep is one reason in an explanation.
type WhyStep struct {
	Step  string `json:"step"`
	What  string `json:"what,omitempty"`
	Rule  string `json:"rule,omitempty"`
	Place string `json:"place,omitempty"`
}

// Blame says which extensions a crash is attributed to.
type Blame struct {
	Extension  ExtensionID `json:"extension,omitempty"` // the first; "" when none
	Version    string      `json:"version,omitempty"`
	Target     string      `json:"target"` // extension, interaction, host, unknown
	Confidence float64     `json:"confidence"`
	Candidates []Candidate `json:"candidates,omitempty"` // all, the first that is sure first
}

// Candidate is an extension that may be to blame, and why.
type Candidate struct {
	Extension  ExtensionID `json:"extension,omitempty"`
	Version    string      `json:"version,omitempty"`
	Role       string      `json:"role,omitempty"` // culprit, caller, callee, owner
	Step       int         `json:"step"`           // of the blame rules, 1 to 7
	Reason     string      `json:"reason"`
	Confidence float64     `json:"confidence"`
}
