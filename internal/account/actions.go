package account

import "slices"

// Action is something one can do here: "noun.verb". The list is closed; each
// route and each query names its action.
type Action string

// The actions, grouped by noun. ActionList describes them.
const (
	ExtensionRead   Action = "extension.read"
	ExtensionCreate Action = "extension.create"
	ExtensionEdit   Action = "extension.edit"
	ExtensionImport Action = "extension.import"
	ClaimEdit       Action = "claim.edit"
	PublisherRead   Action = "publisher.read"
	PublisherEdit   Action = "publisher.edit"
	HostRead        Action = "host.read"
	HostEdit        Action = "host.edit"
	TeamRead        Action = "team.read"
	TeamEdit        Action = "team.edit"
	ReleaseRead     Action = "release.read"
	ReleaseEdit     Action = "release.edit"
	ProjectRead     Action = "project.read"
	ProjectEdit     Action = "project.edit"
	ProjectPolicy   Action = "project.policy"
	KeyRead         Action = "key.read"
	KeyEdit         Action = "key.edit"
	FamilyRead      Action = "family.read"
	FamilyEdit      Action = "family.edit"
	FamilyComment   Action = "family.comment"
	RuleRead        Action = "rule.read"
	RuleEdit        Action = "rule.edit"
	ChannelRead     Action = "channel.read"
	ChannelEdit     Action = "channel.edit"
	CrashRead       Action = "crash.read"
	CrashRelease    Action = "crash.release"
	SymbolRead      Action = "symbol.read"
	SymbolEdit      Action = "symbol.edit"
	DumpRead        Action = "dump.read"
	FeedbackRead    Action = "feedback.read"
	FeedbackContact Action = "feedback.contact"
	FactsQuery      Action = "facts.query"
	IntakeRead      Action = "intake.read"
	IntakeReplay    Action = "intake.replay"
	TicketRead      Action = "ticket.read"
	TicketEdit      Action = "ticket.edit"
	ReceiptRead     Action = "receipt.read"
	PrivacyRead     Action = "privacy.read"
	PrivacyErase    Action = "privacy.erase"
	AuditRead       Action = "audit.read"
	JobRead         Action = "job.read"
	JobRun          Action = "job.run"
	SettingsRead    Action = "settings.read"
	AccountRead     Action = "account.read"
	AccountEdit     Action = "account.edit"
	PlaybookRead    Action = "playbook.read"
	MeRead          Action = "me.read"
	MeEdit          Action = "me.edit"
	TokenEdit       Action = "token.edit"
	PublicRead      Action = "public.read"
	PublicSubmit    Action = "public.submit"
)

// ActionInfo describes an action for pages and documents.
type ActionInfo struct {
	Action Action `json:"action"`
	Noun   string `json:"noun"`
	Scope  Scope  `json:"scope"` // what a token needs for it; "" = none
	About  string `json:"about"`
}

// ActionList is the closed list, in the order it is shown.
var ActionList = []ActionInfo{
	{ExtensionRead, "extension", ScopeRead, "See an extension and its register entry."},
	{ExtensionCreate, "extension", ScopeRegistry, "Register an extension."},
	{ExtensionEdit, "extension", ScopeRegistry, "Change an extension's entry."},
	{ExtensionImport, "extension", ScopeRegistry, "Register or change many extensions from a file."},
	{ClaimEdit, "claim", ScopeRegistry, "Claim an extension for one's own publisher, with a proof."},
	{PublisherRead, "publisher", ScopeRead, "See a publisher."},
	{PublisherEdit, "publisher", ScopeRegistry, "Register or change a publisher."},
	{HostRead, "host", ScopeRead, "See a host application."},
	{HostEdit, "host", ScopeRegistry, "Register or change a host application."},
	{TeamRead, "team", ScopeRead, "See a team and what it owns."},
	{TeamEdit, "team", ScopeRegistry, "Register or change a team and what it owns."},
	{ReleaseRead, "release", ScopeRead, "See releases."},
	{ReleaseEdit, "release", ScopeRegistry, "Declare a release."},
	{ProjectRead, "project", ScopeRead, "See a project, its consent policy and its limits."},
	{ProjectEdit, "project", ScopeRegistry, "Create a project or change its name and limits."},
	{ProjectPolicy, "project", ScopeRegistry, "Change what a project's users were asked and which tiers that covers."},
	{KeyRead, "key", ScopeRead, "See a project's keys."},
	{KeyEdit, "key", ScopeRegistry, "Create, rotate, limit or revoke a project's keys."},
	{FamilyRead, "family", ScopeRead, "See crash families."},
	{FamilyEdit, "family", ScopeFamilies, "Change the state of a crash family, assign or merge it."},
	{FamilyComment, "family", ScopeFamilies, "Comment on a crash family, watch it, keep filters of the list."},
	{RuleRead, "rule", ScopeRead, "See the rules that send crash families to teams, with their versions."},
	{RuleEdit, "rule", ScopeFamilies, "Change the rules that send crash families to teams."},
	{ChannelRead, "channel", ScopeRead, "See where a publisher, a team or everybody is told of news, and what was sent there."},
	{ChannelEdit, "channel", ScopeRegistry, "Make, change, test or remove such a channel."},
	{CrashRead, "crash", ScopeRead, "Read one crash report."},
	{CrashRelease, "crash", ScopeFamilies, "Release or discard crashes that are held because a burst looked forged."},
	{SymbolRead, "symbol", ScopeRead, "See which symbol files there are, and which are missing."},
	{SymbolEdit, "symbol", ScopeSymbols, "Upload and delete source maps, mappings and symbol files."},
	{DumpRead, "dump", ScopePrivacy, "Download a minidump that is kept: the raw memory of somebody's process."},
	{FeedbackRead, "feedback", ScopeRead, "Read what users wrote about a crash or an extension."},
	{FeedbackContact, "feedback", ScopeTickets, "See how the user who wrote can be reached."},
	{FactsQuery, "facts", ScopeRead, "Ask the explorer for counts."},
	{IntakeRead, "intake", ScopeRead, "See what came in, what was dropped and why, and the queue."},
	{IntakeReplay, "intake", ScopeIntake, "Replay or discard dead letters."},
	{TicketRead, "ticket", ScopeRead, "Read tickets."},
	{TicketEdit, "ticket", ScopeTickets, "Answer and sort tickets."},
	{ReceiptRead, "receipt", ScopeRead, "Look up receipts of consent, erasure and crash reports."},
	{PrivacyRead, "privacy", ScopeRead, "See retention, erasure requests and the lineage of data."},
	{PrivacyErase, "privacy", ScopePrivacy, "Erase or export a subject's data."},
	{AuditRead, "audit", ScopeAudit, "Read and verify the audit log."},
	{JobRead, "job", ScopeRead, "See recurring jobs and their last runs."},
	{JobRun, "job", ScopeAdmin, "Run a recurring job now."},
	{SettingsRead, "settings", ScopeRead, "See how the server is set up."},
	{AccountRead, "account", ScopeAdmin, "See accounts, their grants and open invitations."},
	{AccountEdit, "account", ScopeAdmin, "Invite people, change grants, disable accounts, hand out reset links."},
	{PlaybookRead, "playbook", ScopeRead, "Read the playbook and who may do what."},
	{MeRead, "me", "", "See one's own account, sessions and tokens."},
	{MeEdit, "me", ScopeAdmin, "Change one's own password, name and sessions."},
	{TokenEdit, "token", ScopeTokens, "Create and revoke one's own API tokens."},
	{PublicRead, "public", "", "Read what is published to everybody."},
	{PublicSubmit, "public", "", "Send reports and telemetry with a project key, or use a one-time link."},
}

// Info returns the description of an action.
func (a Action) Info() (ActionInfo, bool) {
	i := slices.IndexFunc(ActionList, func(x ActionInfo) bool { return x.Action == a })
	if i < 0 {
		return ActionInfo{}, false
	}
	return ActionList[i], true
}

// readOf is the action that shows a thing of the same noun at all: who may not do
// that must not learn that the thing exists.
func (a Action) readOf() Action {
	info, _ := a.Info()
	read := Action(info.Noun + ".read")
	if _, ok := read.Info(); ok {
		return read
	}
	return a
}

// Scope narrows what an API token may do within its owner's grants.
type Scope string

const (
	ScopeRead     Scope = "read"           // whatever its owner may see, but the audit log and accounts
	ScopeFamilies Scope = "families:write" // states of crash families
	ScopeTickets  Scope = "tickets:write"  // tickets
	ScopeSymbols  Scope = "symbols:write"  // symbol files: what a build needs
	ScopeRegistry Scope = "registry:write" // extensions, publishers, hosts, teams, releases, projects, keys
	ScopeIntake   Scope = "intake:write"   // dead letters
	ScopePrivacy  Scope = "privacy:write"  // erasure and export
	ScopeAudit    Scope = "audit:read"     // the audit log
	ScopeTokens   Scope = "tokens"         // further tokens, with no more scopes than its own
	ScopeAdmin    Scope = "admin"          // accounts, jobs, the owner's own sessions
)

// Scopes lists every scope in the order it is shown.
var Scopes = []Scope{ScopeRead, ScopeFamilies, ScopeTickets, ScopeSymbols, ScopeRegistry, ScopeIntake, ScopePrivacy, ScopeAudit, ScopeTokens, ScopeAdmin}
