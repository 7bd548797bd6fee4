package scrub

import "strings"

// keyKind says what a field's name tells about its value.
type keyKind uint8

const (
	keyPlain    keyKind = iota
	keySecret           // a secret, whatever it is
	keyWeak             // a secret when it looks like one
	keyHeader           // a header whose whole line goes
	keyIdentity         // names a person, a device, an installation
	keyScheme           // "Bearer x": the word itself announces a secret
)

// maxKey is how much of a name is looked at.
const maxKey = 40

// foldKey appends the letters and digits of a name, in lower case: "X-Api-Key",
// "apiKey" and "API_KEY" are one name.
func foldKey(b []byte, k string) []byte {
	if len(k) > maxKey {
		k = k[len(k)-maxKey:]
	}
	for i := range len(k) {
		if c := lower(k[i]); isAlnum(c) || c >= 0x80 {
			b = append(b, c)
		}
	}
	return b
}

// ends are the endings of names, by kind. A name is what its end says:
// "dbPassword", "client_secret", "X-Auth-Token".
var ends = map[byte][]struct {
	word string
	kind keyKind
	all  bool // the whole name, not an ending
}{}

func init() {
	add := func(kind keyKind, all bool, words ...string) {
		for _, w := range words {
			c := w[len(w)-1]
			ends[c] = append(ends[c], struct {
				word string
				kind keyKind
				all  bool
			}{w, kind, all})
		}
	}
	add(keySecret, false, "password", "passwd", "passwort", "kennwort", "contrasena", "motdepasse", "senha", "pwd", "passphrase", "passcode",
		"secret", "token", "apikey", "accesskey", "secretkey", "privatekey", "authkey", "accountkey", "sharedaccesskey", "encryptionkey", "signingkey", "masterkey", "subscriptionkey", "storagekey",
		"accesskeyid", "secretaccesskey", "connectionstring", "credentials", "credential", "jwt", "clientassertion", "authcode", "verificationcode", "facode", "smscode", "secretkeybase",
		"recoverycode", "onetimecode", "otp", "totp", "cvv", "cvc", "cardnumber", "creditcard", "iban", "ssn", "socialsecuritynumber", "socialsecurity", "taxid", "privkey", "seedphrase", "mnemonic",
		"instrumentationkey", "passwordhash", "pswd", "psw", "pword", "apitoken", "csrf", "xsrf", "licensekey", "productkey", "webhookurl", "hmac", "пароль", "密码", "密碼", "パスワード", "비밀번호", "hasło", "heslo", "lösenord", "salasana", "wachtwoord", "adgangskode", "contraseña", "şifre", "recoveryphrase", "recoverykey", "becomepass", "dbpass", "userpass", "rootpass", "adminpass", "loginpass", "sshpass", "authpass", "ftppass", "smtppass", "mailpass", "sudopass", "vaultpass", "apisecret", "sastoken", "refreshtokens", "tokens", "passwords", "secrets", "apikeys")
	add(keySecret, true, "pass", "pw", "bearer", "pin", "sshkey", "pgpkey", "gpgkey", "dsn")
	add(keyPlain, true, "publickeytoken")
	add(keyWeak, false, "key", "sessionid", "sessionkey", "signature", "session")
	add(keyWeak, true, "sid", "auth", "code", "state", "sig", "nonce", "sessid", "phpsessid", "jsessionid", "connectsid", "oauth", "assertion", "samlresponse", "perm", "ga", "gid", "fbp", "fbc", "hash", "credentialid", "authkeyid")
	add(keyHeader, false, "sharedaccesssignature", "authorization", "cookie", "cookies", "setcookie", "cookie2", "useragent", "forwardedfor", "xrealip", "wwwauthenticate", "proxyauthenticate", "xforwarded", "cfconnectingip", "trueclientip", "referer", "referrer")
	add(keyHeader, true, "forwarded", "ua")
	add(keyIdentity, false, "machineid", "machineguid", "deviceid", "hardwareid", "hwid", "deviceserial", "serialnumber", "imei", "imsi", "meid", "iccid", "idfa", "idfv", "advertisingid", "androidid", "udid", "gaid", "sqmid",
		"installationid", "installid", "distinctid", "anonymousid", "anonid", "macaddress", "macaddr", "computername", "machinename", "devicename", "hostname", "servername", "nodename",
		"username", "userid", "loginname", "accountname", "userprincipalname", "samaccountname", "displayname", "fullname", "firstname", "lastname", "givenname", "familyname", "surname", "realname", "nickname", "screenname", "useremail", "emailaddress", "email", "ipaddress", "ipaddr", "clientip", "remoteip", "remoteaddr", "clientaddress", "peerip", "hostip", "serverip", "userip", "phonenumber", "mobilenumber", "telephone", "phone", "streetaddress", "homeaddress", "dateofbirth", "birthdate", "birthday", "passportnumber", "passport", "driverlicense", "nationalid", "hostmac", "crashreporterkey", "sleepwakeuuid", "bootsessionuuid", "anonymousuuid", "hardwareuuid", "platformuuid", "deviceuuid", "machineuuid", "authorname", "committername", "sudouser", "pguser", "dbuser", "postgresuser", "mysqluser", "smtpuser", "ftpuser", "remoteuser", "runasuser", "sessionmanager", "bssid", "ssid", "logonserver", "userdomain", "userdnsdomain", "clientname", "latitude", "longitude", "geolocation", "githublogin")
	add(keyIdentity, true, "user", "usr", "cn", "whoami", "login", "logname", "uid", "dob", "serial", "host", "author", "owner", "lat", "lon", "lng", "ip", "mac", "processowner", "enduserid", "enduser", "server", "gecos")
}

// kindOf looks a name up. Further holds the operator's own names.
func kindOf(name string, further map[string]bool) keyKind {
	var buf [maxKey]byte
	k := foldKey(buf[:0], name)
	if len(k) < 2 {
		return keyPlain
	}
	if len(further) > 0 && further[string(k)] {
		return keySecret
	}
	best, length := keyPlain, 0
	for _, e := range ends[k[len(k)-1]] {
		if len(e.word) > len(k) || len(e.word) <= length || e.all && len(e.word) != len(k) {
			continue
		}
		if string(k[len(k)-len(e.word):]) == e.word {
			best, length = e.kind, len(e.word)
		}
	}
	return best
}

// SensitiveKey reports whether a field of this name loses its value whatever it
// is: secrets, headers that identify, names of people and devices. Decoders ask
// it before they copy a field.
func (r *Rules) SensitiveKey(name string) bool {
	if strings.IndexByte(name, '<') >= 0 {
		return false // a name that was scrubbed
	}
	switch kindOf(name, r.keys) {
	case keySecret, keyHeader, keyIdentity:
		return !plainField(name)
	case keyWeak:
		var buf [maxKey]byte
		switch string(foldKey(buf[:0], name)) {
		case "sid", "sessid", "sessionid", "sessionkey", "phpsessid", "jsessionid", "connectsid", "oauth", "auth", "assertion", "samlresponse":
			return true
		}
		// "key", "code", "session": common names of harmless dimensions; the
		// value is scrubbed as text
	}
	return false
}

// plainField: names that sound like the others and are dimensions.
func plainField(name string) bool {
	var buf [maxKey]byte
	switch string(foldKey(buf[:0], name)) {
	case "host", "server", "owner", "author", "serial", "pin":
		return true
	}
	return false
}
