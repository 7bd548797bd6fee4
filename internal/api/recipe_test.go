package api

import (
	"testing"

	"github.com/bellwether-project/bellwether/internal/account"
	"github.com/bellwether-project/bellwether/internal/crash/recipe"
)

func TestRecipe(t *testing.T) {
	h := newHouse(t)
	me := h.as("acme", account.Grant{Role: account.Author, Publisher: "acme"})
	var r recipe.Recipe
	h.want(200, &r, me, "GET", "/api/v1/families/"+h.family["acme"]+"/recipe", "")
	if r.Family != h.family["acme"] || r.Crashes != 1 || r.Enough || len(r.Reasons) == 0 || r.Active == nil {
		t.Errorf("one crash: %+v", r)
	}
	h.want(404, nil, me, "GET", "/api/v1/families/"+h.family["zeta"]+"/recipe", "")
}
