package item

import "testing"

func TestHostID(t *testing.T) {
	for in, want := range map[string]string{
		"Visual Studio Code": "visual-studio-code", " studio ": "studio", "Electron.app": "electron.app",
		"editor from 203.0.113.7": "", "editor eyJhbGciOiJIUzI1NiJ9.abcdefghij": "", "Studio 2.1": "",
		"a b c d e f g h i j k l m n o p q r s t u v w x y z": "",
	} {
		if got := HostID(in); got != want {
			t.Errorf("HostID(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestVersion(t *testing.T) {
	for in, want := range map[string]string{
		"1.102.3": "1.102.3", " v2.0.0-beta.1+build~3 ": "v2.0.0-beta.1+build~3", "3.1.0 from 203.0.113.7": "3.1.0",
		"<script>": "", "1.0@leak.example": "1.0", "": "",
	} {
		if got := Version(in); got != want {
			t.Errorf("Version(%q) = %q, want %q", in, got, want)
		}
	}
}
