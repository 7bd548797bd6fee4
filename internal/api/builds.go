package api

import (
	"compress/gzip"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/bellwether-project/bellwether/internal/account"
	"github.com/bellwether-project/bellwether/internal/crash/symbols"
	"github.com/bellwether-project/bellwether/internal/door"
	"github.com/bellwether-project/bellwether/internal/eco"
	"github.com/bellwether-project/bellwether/internal/fault"
)

// Bounds of the build addresses.
const (
	buildRequest = 32 << 20 // bytes of a request with pieces
	buildBody    = 1 << 20  // of any other
	buildFiles   = 500      // files asked for at once
)

// build is a request of sentry-cli.
type build struct {
	*call
	w http.ResponseWriter
	r *http.Request
}

// Builds serves sentry-cli, and the plugins of bundlers that stand on it, below
// /api/0/: people's build steps work with another address and one of our tokens
// (scope symbols:write). The project is an extension's id, a host's, or the number of
// a project; the organization is never looked at. What they say of releases and deploys
// is answered and has no effect: releases are seen in reports.
func (s *Server) Builds() http.Handler {
	mux := http.NewServeMux()
	for pattern, do := range map[string]func(build) error{
		"GET /api/0/{$}": buildInfo,
		"GET /api/0/organizations/{org}/chunk-upload/{$}":                buildHow,
		"POST /api/0/organizations/{org}/chunk-upload/{$}":               buildParts,
		"POST /api/0/organizations/{org}/artifactbundle/assemble/{$}":    buildBundle,
		"POST /api/0/projects/{org}/{project}/files/difs/assemble/{$}":   buildAssemble,
		"POST /api/0/organizations/{org}/releases/{$}":                   buildRelease,
		"PUT /api/0/organizations/{org}/releases/{version}/{$}":          buildRelease,
		"POST /api/0/projects/{org}/{project}/releases/{$}":              buildRelease,
		"PUT /api/0/projects/{org}/{project}/releases/{version}/{$}":     buildRelease,
		"POST /api/0/organizations/{org}/releases/{version}/deploys/{$}": buildDeploy,
	} {
		mux.Handle(pattern, s.build(do))
	}
	mux.Handle("/", s.build(func(build) error {
		return fault.E("api.builds", fault.NotFound, "This part of the protocol is not served.", nil)
	}))
	return mux
}

// build is what stands before each: who asks, how often, and that they may upload.
func (s *Server) build(do func(build) error) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "no-store")
		err := func() error {
			p, err := s.principal(r)
			if err != nil {
				if lerr := s.spend(w, r, account.Public()); lerr != nil {
					return lerr
				}
				return err
			}
			if err := s.spend(w, r, p); err != nil {
				return err
			}
			if err := s.o.Accounts.Check("api.builds", p, account.SymbolEdit, account.List("symbol")); err != nil {
				return err
			}
			if s.o.Symbols == nil {
				return fault.E("api.builds", fault.Unavailable, "Symbol files are not kept here.", nil)
			}
			r.Body = http.MaxBytesReader(w, r.Body, buildRequest+buildBody)
			return do(build{&call{s: s, p: p, ctx: r.Context()}, w, r})
		}()
		if err == nil {
			return
		}
		door.InfoOf(r.Context()).SetError(err)
		if after, ok := door.RetryAfter(err); ok {
			door.SetRetryAfter(w.Header(), after)
		}
		_ = answerBuild(w, door.StatusOf(err), map[string]string{"detail": fault.TextOf(err)})
	})
}

func answerBuild(w http.ResponseWriter, status int, body any) error {
	b, err := json.Marshal(body)
	if err != nil {
		return fault.E("api.builds", fault.Internal, "", err)
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(b)
	return nil
}

func (b *build) read(into any) error {
	body, err := io.ReadAll(io.LimitReader(b.r.Body, buildBody+1))
	if err != nil || len(body) > buildBody {
		return fault.E("api.builds", fault.TooLarge, "The request has at most 1 MB.", err)
	}
	if err := json.Unmarshal(body, into); err != nil {
		return fault.E("api.builds", fault.Invalid, "The request is not the JSON of this protocol.", err)
	}
	return nil
}

// subject is whose symbols a project of the protocol means.
func (b *build) subject(project string) (x symbols.Subject, err error) {
	const op = "api.builds"
	switch n, nerr := strconv.ParseInt(project, 10, 64); {
	case nerr == nil:
		p, ok := b.s.o.Registry.ProjectByID(n)
		if !ok {
			return x, fault.E(op, fault.NotFound, "There is no such project, or it is not yours.", nil)
		}
		x = p.Subject
	case strings.Contains(project, "."):
		x.Extension, err = eco.ParseExtensionID(project)
	default:
		x.Host, err = eco.ParseSlug(project)
	}
	if err != nil {
		return x, err
	}
	return x, b.s.o.Accounts.Check(op, b.p, account.SymbolEdit, resourceOf("symbol", "", x))
}

func buildInfo(b build) error {
	return answerBuild(b.w, http.StatusOK, map[string]any{"version": "0", "user": nil, "auth": map[string]any{"scopes": []string{"project:releases", "project:write", "org:read"}}})
}

// buildHow tells how files are sent.
func buildHow(b build) error {
	url := "http://" + b.r.Host
	if base := b.s.o.Base; base != nil {
		url = strings.TrimRight(base.String(), "/")
	}
	return answerBuild(b.w, http.StatusOK, map[string]any{
		"url": url + b.r.URL.EscapedPath(), "chunkSize": symbols.MaxPart, "chunksPerRequest": 64, "maxFileSize": symbols.MaxUpload, "maxRequestSize": buildRequest,
		"concurrency": 1, "hashAlgorithm": "sha1", "compression": []string{"gzip"}, "accept": []string{"debug_files", "release_files", "artifact_bundles", "artifact_bundles_v2", "proguard"},
	})
}

// buildParts keeps pieces of files.
func buildParts(b build) error {
	const op = "api.builds"
	kind, params, _ := mime.ParseMediaType(b.r.Header.Get("Content-Type"))
	if kind != "multipart/form-data" {
		return fault.E(op, fault.Invalid, "Pieces come as a form.", nil)
	}
	parts := multipart.NewReader(b.r.Body, params["boundary"])
	for {
		part, err := parts.NextPart()
		if err == io.EOF {
			return answerBuild(b.w, http.StatusOK, struct{}{})
		}
		if err != nil {
			return fault.E(op, fault.Invalid, "The form cannot be read.", err)
		}
		var r io.Reader = part
		if part.FormName() == "file_gzip" {
			if r, err = gzip.NewReader(part); err != nil {
				return fault.E(op, fault.Invalid, "A piece cannot be unpacked.", err)
			}
		}
		data, err := io.ReadAll(io.LimitReader(r, symbols.MaxPart+1))
		if err != nil {
			return fault.E(op, fault.Invalid, "A piece cannot be read.", err)
		}
		if err := b.s.o.Symbols.PutPart(b.ctx, b.actor(), part.FileName(), data); err != nil {
			return err
		}
	}
}

// state is what became of a file that is put together.
type buildState struct {
	State   string         `json:"state"` // ok, not_found, error
	Missing []string       `json:"missingChunks"`
	Detail  *string        `json:"detail"`
	Dif     map[string]any `json:"dif,omitzero"`
}

// assemble puts pieces together. Faults of the file are a state, others an error.
func (b *build) assemble(u symbols.Upload, whole string, sums []string) (buildState, []symbols.Outcome, error) {
	u.Actor = b.actor()
	out, missing, err := b.s.o.Symbols.PutParts(b.ctx, u, b.actor(), whole, sums)
	fail := func(text string) (buildState, []symbols.Outcome, error) {
		return buildState{State: "error", Missing: []string{}, Detail: &text}, nil, nil
	}
	switch code := fault.CodeOf(err); {
	case err != nil && (code == fault.Invalid || code == fault.TooLarge):
		return fail(fault.TextOf(err))
	case err != nil:
		return buildState{}, nil, err
	case len(missing) > 0 || len(sums) == 0:
		if missing == nil {
			missing = []string{}
		}
		return buildState{State: "not_found", Missing: missing}, nil, nil
	}
	why := "Nothing in it names a frame."
	for _, o := range out {
		if o.Kept != nil {
			return buildState{State: "ok", Missing: []string{}}, out, nil
		}
		if o.Skipped != "" {
			why = o.Skipped
		}
	}
	return fail(why)
}

// buildBundle keeps the source maps of an artifact bundle.
func buildBundle(b build) error {
	var in struct {
		Checksum string   `json:"checksum"`
		Chunks   []string `json:"chunks"`
		Projects []string `json:"projects"`
		Version  string   `json:"version"`
	}
	if err := b.read(&in); err != nil {
		return err
	}
	if len(in.Projects) == 0 || len(in.Projects) > 20 {
		return fault.E("api.builds", fault.Invalid, "Say which project: an extension's id or a host's.", nil)
	}
	var list []symbols.Subject
	for _, p := range in.Projects {
		x, err := b.subject(p)
		if err != nil {
			return err
		}
		list = append(list, x)
	}
	var st buildState
	for _, x := range list {
		var err error
		if st, _, err = b.assemble(symbols.Upload{Subject: x, Name: "bundle.zip", Release: releaseOf(in.Version)}, in.Checksum, in.Chunks); err != nil {
			return err
		}
		if st.State != "ok" {
			break
		}
	}
	return answerBuild(b.w, http.StatusOK, st)
}

// releaseOf is the version in a release's name ("webview@2.0.1", "2.0.1"), as reports
// of the same client are placed.
func releaseOf(s string) string {
	if i := strings.LastIndexByte(s, '@'); i > 0 {
		s = s[i+1:]
	}
	v, _, _ := strings.Cut(s, "+")
	return v
}

// buildAssemble keeps debug files and mappings.
func buildAssemble(b build) error {
	x, err := b.subject(b.r.PathValue("project"))
	if err != nil {
		return err
	}
	var in map[string]struct {
		Name    string   `json:"name"`
		DebugID string   `json:"debug_id"`
		Chunks  []string `json:"chunks"`
	}
	if err := b.read(&in); err != nil {
		return err
	}
	if len(in) > buildFiles {
		return fault.E("api.builds", fault.TooLarge, "At most 500 files are asked for at once.", nil)
	}
	all := map[string]buildState{}
	for whole, f := range in {
		st, out, err := b.assemble(symbols.Upload{Subject: x, Name: f.Name, DebugID: f.DebugID}, whole, f.Chunks)
		if err != nil {
			return err
		}
		if st.State == "ok" {
			for _, o := range out {
				if k := o.Kept; k != nil {
					st.Dif = map[string]any{"id": k.ID, "uuid": k.DebugID, "debugId": k.DebugID, "objectName": k.Name, "cpuName": "any", "sha1": whole, "data": map[string]any{"features": []string{"symtab"}}}
					break
				}
			}
		}
		all[whole] = st
	}
	return answerBuild(b.w, http.StatusOK, all)
}

func buildRelease(b build) error {
	var in struct {
		Version string `json:"version"`
	}
	if err := b.read(&in); err != nil {
		return err
	}
	if in.Version == "" {
		in.Version = b.r.PathValue("version")
	}
	status := http.StatusOK
	if b.r.Method == http.MethodPost {
		status = http.StatusCreated
	}
	return answerBuild(b.w, status, map[string]any{"version": eco.Clean(in.Version, 128), "url": nil, "dateCreated": b.s.o.Now().UTC().Format(time.RFC3339), "dateReleased": nil, "lastEvent": nil, "newGroups": 0, "projects": []any{}})
}

func buildDeploy(b build) error {
	var in struct {
		Environment string `json:"environment"`
		Name        string `json:"name"`
	}
	if err := b.read(&in); err != nil {
		return err
	}
	return answerBuild(b.w, http.StatusCreated, map[string]any{"id": "0", "environment": eco.Clean(in.Environment, 64), "name": eco.Clean(in.Name, 64), "url": nil, "dateStarted": nil, "dateFinished": b.s.o.Now().UTC().Format(time.RFC3339)})
}
