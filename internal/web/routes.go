package web

import (
	"context"
	"net/http"
	"slices"

	"github.com/bellwether-project/bellwether/internal/account"
	"github.com/bellwether-project/bellwether/internal/door"
)

func sortStrings(s []string) { slices.Sort(s) }

// Routes is the table of pages, readable from top to bottom: what is asked, which
// action it takes, who answers. What a route is about (whose family, whose key)
// its handler asks beside the action.
func (s *Server) Routes() []door.Route {
	get := func(pattern string, a account.Action, h pageFunc, doc string) door.Route {
		return door.Route{Method: "GET", Pattern: pattern, Action: string(a), Doc: doc, Handler: s.page(a, h)}
	}
	post := func(pattern string, a account.Action, h pageFunc, doc string) door.Route {
		return door.Route{Method: "POST", Pattern: pattern, Action: string(a), Doc: doc, Handler: s.page(a, h)}
	}
	open := func(method, pattern string, h door.Handler, doc string) door.Route {
		return door.Route{Method: method, Pattern: pattern, Public: true, Doc: doc, Handler: s.open(h)}
	}
	return append(s.publicRoutes(), []door.Route{
		open("GET", "/static/{file}", s.assets.serve, "Style sheet, script and icon, under a hash of their content."),
		open("GET", "/favicon.ico", s.favicon, "The icon, for browsers that do not read the page."),

		open("GET", "/sign-in", s.showSignIn, "The sign-in form."),
		open("POST", "/sign-in", s.signIn, "Signs in."),
		open("POST", "/sign-out", s.signOut, "Ends the session."),
		open("GET", "/setup", s.showSetUp, "The first account, by the one-time link of the start."),
		open("POST", "/setup", s.setUp, "Makes the first account."),
		open("GET", "/invitation", s.showInvitation, "What an invitation is good for."),
		open("POST", "/invitation", s.acceptInvitation, "Accepts an invitation."),
		open("GET", "/reset", s.showReset, "A new password, by a one-time link."),
		open("POST", "/reset", s.reset, "Sets the new password."),
		open("GET", "/forgot", s.showForgot, "Asks for the address that a link for a new password is mailed to."),
		open("POST", "/forgot", s.forgot, "Mails the link, when there is such an account."),
		open("GET", "/unsubscribe", s.showUnsubscribe, "Asks whether somebody wants no more mails of a kind."),
		open("POST", "/unsubscribe", s.unsubscribe, "Ends them, by the button or by a mail program's one click."),

		get("/{$}", account.MeRead, s.overview, "Health of the ecosystem, as far as the viewer sees it."),
		get("/search", account.MeRead, s.search, "Ids, extensions and families."),
		get("/search/complete", account.FamilyRead, s.complete, "How a search that is being typed may go on."),

		get("/extensions", account.ExtensionRead, s.extensions, "Extensions with their health."),
		get("/claims", account.ClaimEdit, s.claims, "One's own claims to extensions, and how to prove a new one."),
		post("/claims", account.ClaimEdit, s.newClaim, "Claims an extension."),
		post("/claims/{id}", account.ClaimEdit, s.settleClaim, "Looks for the proof of a claim, or withdraws it."),
		get("/extensions/new", account.ExtensionCreate, s.newExtension, "The form of a new extension."),
		post("/extensions", account.ExtensionCreate, s.createExtension, "Registers an extension, with a project and a key."),
		get("/extensions/{id}", account.ExtensionRead, s.extension, "An extension: the author's home."),
		get("/extensions/{id}/setup", account.ProjectRead, s.extensionSetup, "Keys, snippets, and the first event arriving."),
		get("/extensions/{id}/edit", account.ExtensionEdit, s.editExtension, "The register entry of an extension."),
		post("/extensions/{id}/edit", account.ExtensionEdit, s.saveExtension, "Changes the register entry."),
		get("/hosts/{id}/setup", account.ProjectRead, s.hostSetup, "Keys and snippets of a host."),
		post("/projects", account.ProjectEdit, s.addProject, "Makes a project."),
		post("/projects/{id}/policy", account.ProjectPolicy, s.setPolicy, "Says what a project's users were asked."),
		post("/projects/{id}/dumps", account.ProjectPolicy, s.setDumps, "Says for how long minidumps are kept."),
		post("/projects/{id}/quarantine", account.ProjectEdit, s.setRule, "Says when a burst is held."),
		post("/projects/{id}/keys", account.KeyEdit, s.addKey, "Makes a key."),
		post("/projects/{id}/test", account.KeyEdit, s.sendTest, "Sends a test event through the real door."),
		post("/keys/{key}", account.KeyEdit, s.changeKey, "Rotates or revokes a key."),

		get("/projects/{id}/held", account.CrashRead, s.showHeld, "Crashes that are held because a burst looked forged."),
		post("/projects/{id}/held", account.CrashRelease, s.settleHeld, "Releases or discards what is held."),
		get("/symbols", account.SymbolRead, s.symbols, "Symbol files: what is missing, and what is kept."),
		post("/symbols", account.SymbolEdit, s.uploadSymbols, "Uploads symbol files."),
		post("/symbols/{id}", account.SymbolEdit, s.changeSymbol, "Deletes a symbol file or brings it back."),
		get("/feedback", account.FeedbackRead, s.feedback, "What users wrote."),

		get("/crashes", account.FamilyRead, s.crashes, "Crash families with filters."),
		post("/crashes/state", account.FamilyEdit, s.bulkState, "Changes the state of several families."),
		post("/crashes/triage", account.FamilyComment, s.bulkTriage, "Assigns, labels or watches several families."),
		post("/crashes/filters", account.FamilyComment, s.saveFilter, "Keeps a filter of the list."),
		post("/crashes/filters/{id}", account.FamilyComment, s.dropFilter, "Drops one's own filter."),
		post("/crashes/undo", account.FamilyComment, s.undoTriage, "Takes back what was done together."),
		get("/crashes/list", account.CrashRead, s.crashList, "Single crashes, newest first."),
		get("/crashes/merge", account.FamilyEdit, s.mergeForm, "What merging families would do."),
		post("/crashes/merge", account.FamilyEdit, s.merge, "Merges families."),
		get("/crashes/{id}", account.CrashRead, s.crash, "One crash report."),
		get("/crashes/{id}/dump", account.DumpRead, s.dumpFile, "Downloads a minidump that is kept."),
		get("/families/{id}", account.FamilyRead, s.family, "One family."),
		get("/families/{id}/recipe.zip", account.CrashRead, s.recipeZip, "Files that may make a family's crashes happen again."),
		post("/families/{id}/state", account.FamilyEdit, s.setState, "Changes the state of a family."),
		post("/families/{id}/answer", account.FamilyEdit, s.sayAnswer, "Changes what reporters are told."),
		post("/families/{id}/publish", account.FamilyEdit, s.publishFamily, "Puts a family into the public log, or takes it out."),
		post("/families/{id}/triage", account.FamilyComment, s.setTriage, "Assigns, labels or watches a family."),
		post("/families/{id}/comments", account.FamilyComment, s.addComment, "Comments on a family."),
		post("/families/{id}/comments/{comment}", account.FamilyComment, s.changeComment, "Changes or deletes one's own comment."),
		post("/families/{id}/undo", account.FamilyEdit, s.undoState, "Takes the last change back."),

		get("/families/{id}/split", account.FamilyEdit, s.splitForm, "What splitting a family would do."),
		post("/families/{id}/split", account.FamilyEdit, s.split, "Splits signatures off a family."),
		post("/families/{id}/priority", account.FamilyEdit, s.overrule, "Sets a family's priority by hand."),
		post("/families/{id}/apart", account.FamilyEdit, s.keepApart, "Says that two families have not one cause, or takes that back."),
		post("/families/{id}/regroup/undo", account.FamilyEdit, s.undoRegroup, "Takes a merge or split back."),

		get("/intake", account.IntakeRead, s.intake, "What came in and what became of it."),
		get("/intake/letters", account.IntakeRead, s.letters, "Dead letters."),
		get("/intake/letters/{id}", account.IntakeRead, s.letter, "One dead letter."),
		post("/intake/letters/{id}", account.IntakeReplay, s.settleLetter, "Replays or discards a dead letter."),
		post("/intake/jobs/{name}/run", account.JobRun, s.runJob, "Runs a job now."),

		get("/settings", account.MeRead, s.toProfile, "Leads to the profile."),
		get("/settings/profile", account.MeRead, s.profile, "One's own account and sessions."),
		post("/settings/profile/password", account.MeEdit, s.changePassword, "Changes one's own password."),
		post("/settings/profile/sessions/{id}", account.MeEdit, s.endSession, "Ends one of one's own sessions."),
		get("/settings/notifications", account.MeRead, s.notifications, "How one is told of news, and the channels one sees."),
		post("/settings/notifications", account.MeEdit, s.saveNotifications, "Changes how one is told."),
		post("/settings/notifications/test", account.MeEdit, s.testMail, "Mails a test message to oneself."),
		get("/settings/channels/new", account.ChannelEdit, s.newChannel, "The form of a new channel."),
		post("/settings/channels", account.ChannelEdit, s.createChannel, "Makes a channel."),
		get("/settings/channels/{id}", account.ChannelRead, s.channel, "One channel with what was sent there."),
		post("/settings/channels/{id}", account.ChannelEdit, s.changeChannel, "Changes, tests or removes a channel, or gives it a new secret."),
		get("/settings/deliveries", account.MeRead, s.deliveries, "What was sent to whom, and what was answered."),
		post("/settings/deliveries/{id}", account.MeEdit, s.resend, "Sends a message again."),
		get("/settings/tokens", account.TokenEdit, s.tokens, "One's own API tokens."),
		post("/settings/tokens", account.TokenEdit, s.createToken, "Makes an API token."),
		post("/settings/tokens/{id}", account.TokenEdit, s.revokeToken, "Revokes an API token."),
		get("/settings/members", account.AccountRead, s.members, "Accounts and open invitations."),
		post("/settings/members", account.AccountEdit, s.invite, "Invites a person."),
		post("/settings/invitations/{id}", account.AccountEdit, s.withdraw, "Withdraws an invitation."),
		get("/settings/members/{id}", account.AccountRead, s.member, "One account."),
		post("/settings/members/{id}", account.AccountEdit, s.changeMember, "Changes grants, disables, or makes a reset link."),
		get("/settings/register", account.PublisherRead, s.register, "Publishers, hosts and teams."),
		post("/settings/register/publishers", account.PublisherEdit, s.putPublisher, "Adds or changes a publisher."),
		post("/settings/register/hosts", account.HostEdit, s.putHost, "Adds or changes a host."),
		post("/settings/register/teams", account.TeamEdit, s.putTeam, "Adds or changes a team."),
		get("/settings/routing", account.RuleRead, s.routing, "Rules that send families to teams."),
		post("/settings/routing", account.RuleEdit, s.saveRouting, "Shows what edited rules would change, or saves them."),
		get("/settings/labels", account.FamilyRead, s.labels, "The vocabulary of labels."),
		post("/settings/labels", account.FamilyEdit, s.saveLabel, "Makes or changes a label."),
		post("/settings/labels/{id}", account.FamilyEdit, s.changeLabel, "Merges a label into another one, deletes it, or brings it back."),
		get("/settings/permissions", account.PlaybookRead, s.permissions, "Who may do what."),
		get("/settings/audit", account.AuditRead, s.auditLog, "The audit log."),
		post("/settings/audit/verify", account.AuditRead, s.verifyAudit, "Verifies the audit log."),

		open("", "/", s.missing, "The page for addresses that nobody answers."),
	}...)
}

func (s *Server) toProfile(w http.ResponseWriter, r *http.Request, _ viewer) error {
	return redirect(w, r, "/settings/profile")
}

func (s *Server) favicon(w http.ResponseWriter, r *http.Request) error {
	w.Header().Set("Cache-Control", "public, max-age=86400")
	http.Redirect(w, r, s.assets.url("icon.png"), http.StatusFound)
	return nil
}

// missing answers addresses that nobody else does.
func (s *Server) missing(_ http.ResponseWriter, r *http.Request) error {
	if p, err := s.principal(r); err == nil {
		*r = *r.WithContext(context.WithValue(r.Context(), viewerKey{}, viewer{p: p, now: s.o.Now()}))
	}
	return notFound("web", "There is nothing at this address.")
}
