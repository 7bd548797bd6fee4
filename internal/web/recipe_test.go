package web

import (
	"archive/zip"
	"bytes"
	"io"
	"strings"
	"testing"

	"github.com/bellwether-project/bellwether/internal/account"
	"github.com/bellwether-project/bellwether/internal/crash/recipe"
)

func fixRecipe() *recipeView {
	return recipeViewOf(recipe.Recipe{Family: "F-7kq2mdx4", Title: "TypeError in ruleRange", Kind: recipe.VSCode, Enough: true, Crashes: 60, Host: "studio", HostVersion: recipe.Choice{Value: "1.95.1", Share: .82},
		Extension: "acme.markdown-lint", Version: recipe.Choice{Value: "2.5.0", Share: .97}, OS: recipe.Choice{Value: "windows", Share: .6},
		Active:   []recipe.Addon{{ID: "acme.markdown-lint", Version: "2.5.0", Why: "It is blamed for the crashes."}, {ID: "rival.icons", Version: "1.4.0", Why: "Active in 95 % of the crashes, where 12 % were expected."}, {ID: "some.other", Version: "1.0.0", Why: "Its code is on the stack of 3 of 20 crashes.", Unknown: true}},
		Settings: []recipe.Setting{{Key: "editor.wordWrap", Value: "<on>", Share: .9}},
		Steps:    []recipe.Crumb{{Category: "file", Message: "opened <path>", Share: 1}, {Category: "command", Message: "Lint the workspace", Share: .8}},
		Reasons:  []string{"82 % of the crashes ran version 1.95.1 of the host."}, Sure: "Good: from 60 crashes that have host, extensions and steps in common."}, period{Days: 14})
}

// The page shows the recipe, and the files it leads to say the same; they are for
// those who see the family.
func TestRecipe(t *testing.T) {
	h := newHouse(t)
	b := h.setUp()
	h.furnish()
	theirs := first(t, b.get("/crashes?extension=rival.theme").is(200).body, `href="(/families/[^"?]+)"`)
	b.get(theirs).is(200).well().has("Reproduce it", "It is blamed for the crashes.", "sh launch.sh", theirs+"/recipe.zip")
	a := b.get(theirs + "/recipe.zip").is(200)
	if got := a.Header.Get("Content-Disposition"); !strings.HasPrefix(got, `attachment; filename="recipe-F-`) {
		t.Errorf("Content-Disposition %q", got)
	}
	z, err := zip.NewReader(bytes.NewReader([]byte(a.body)), int64(len(a.body)))
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, f := range z.File {
		names = append(names, f.Name)
		if f.Name != "launch.sh" {
			continue
		}
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(r)
		if f.Mode().Perm() != 0o755 || !strings.Contains(string(body), "--install-extension 'rival.theme@1.2.0'") {
			t.Errorf("%v %s", f.Mode(), body)
		}
	}
	if got := strings.Join(names, " "); got != "README.md recipe.json launch.sh launch.ps1" {
		t.Errorf("files %s", got)
	}
	author := h.member("author@acme.example", account.Grant{Role: account.Author, Publisher: "acme"})
	author.get(theirs + "/recipe.zip").is(404)
	author.get(theirs).is(404)
	b.get("/families/F-nothing/recipe.zip").is(404)
}
