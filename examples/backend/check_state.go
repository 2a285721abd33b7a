// SPDX-License-Identifier: Apache-2.0

// Before a back end sends an event (Conversions API, Measurement Protocol): has this visitor agreed?
//
//	go run check_state.go SERVER SITE VENDOR PURPOSE…
//
// reads one Cookie header a line and answers each with true or false. See docs/formats/cookie.md, section 4.
package main

import (
	"bufio"
	"crypto/ed25519"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"os"
	"strings"
	"sync"
	"time"
)

const (
	longestToken  = 512
	longestChoice = 395 * 86400 // no site file may ask for more
	clockSkew     = 60
	// How long keys are kept, and how soon they may be asked for again when a token names one that is not among them.
	keep     = 24 * time.Hour
	askAgain = 5 * time.Minute
)

// Strict, so that one token has one spelling: the last character may not hold bits that decoders pass over.
var base64url = base64.RawURLEncoding.Strict()

var errDenied = errors.New("no state token that holds")

// StateCheck checks the choices of one site's visitors offline. In doubt the answer is no.
type StateCheck struct {
	server, site string

	mutex              sync.Mutex
	keys               map[string]publicKey
	fetchedAt, askedAt time.Time
}

// A key, and since when it signs no more, in Unix seconds.
type publicKey struct {
	ed25519.PublicKey
	retiredAt int64
}

// Claims are what a state token says. Pointers tell what is missing from what is 0.
type Claims struct {
	Site    string
	Grants  map[string]bool
	Vendors map[string]bool
	Iat     *int64
	Exp     *int64
}

// Allows says whether the Cookie header of a request lets an event for these purposes go to this vendor.
func (check *StateCheck) Allows(cookies, vendor string, purposes []string) bool {
	claims, err := check.claims(cookies)
	if err != nil {
		return false
	}
	// A vendor that the visitor answered for itself goes by that answer, any other by its purposes.
	if granted, answered := claims.Vendors[vendor]; answered {
		return granted
	}
	for _, purpose := range purposes {
		if claims.Grants[purpose] {
			return true
		}
	}
	return false
}

func (check *StateCheck) claims(cookies string) (*Claims, error) {
	parts, err := readToken(cookies)
	if err != nil {
		return nil, err
	}
	var decoded [3][]byte
	for i, part := range parts {
		// The decoder passes over line ends.
		if decoded[i], err = base64url.DecodeString(part); err != nil || strings.ContainsAny(part, "\r\n") {
			return nil, errDenied
		}
	}
	var header map[string]string
	if json.Unmarshal(decoded[0], &header) != nil || len(header) != 3 {
		return nil, errDenied
	}
	// The algorithm is named here and never taken from the token: the token must not choose how it is checked.
	if header["alg"] != "EdDSA" || header["typ"] != "consent-state+jwt" {
		return nil, errDenied
	}
	key, err := check.key(header["kid"])
	if err != nil || !ed25519.Verify(key.PublicKey, []byte(parts[0]+"."+parts[1]), decoded[2]) {
		return nil, errDenied
	}
	var claims Claims
	if json.Unmarshal(decoded[1], &claims) != nil || claims.Site != check.site || claims.Iat == nil || claims.Exp == nil {
		return nil, errDenied
	}
	now := time.Now().Unix()
	if *claims.Iat > now+clockSkew || *claims.Iat > key.retiredAt+clockSkew {
		return nil, errDenied
	}
	if *claims.Exp <= now || *claims.Exp-*claims.Iat > longestChoice {
		return nil, errDenied
	}
	return &claims, nil
}

func (check *StateCheck) key(kid string) (publicKey, error) {
	check.mutex.Lock()
	defer check.mutex.Unlock()
	now := time.Now()
	if now.Sub(check.fetchedAt) > keep {
		check.keys = nil
	}
	if check.keys[kid].PublicKey == nil && now.Sub(check.askedAt) > askAgain {
		check.askedAt = now
		keys, err := fetchKeys(check.server)
		if err != nil {
			return publicKey{}, err
		}
		check.keys, check.fetchedAt = keys, now
	}
	if check.keys[kid].PublicKey == nil {
		return publicKey{}, errDenied
	}
	return check.keys[kid], nil
}

func fetchKeys(server string) (map[string]publicKey, error) {
	client := http.Client{Timeout: 5 * time.Second}
	answer, err := client.Get(strings.TrimRight(server, "/") + "/.well-known/jwks.json")
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	var listed struct {
		Keys []struct {
			Kty, Crv, Alg, Kid, X string
			Exp                   *int64
			Revoked               json.RawMessage
		}
	}
	if answer.StatusCode != http.StatusOK {
		return nil, errDenied
	}
	if err := json.NewDecoder(io.LimitReader(answer.Body, 1<<20)).Decode(&listed); err != nil {
		return nil, err
	}
	keys := map[string]publicKey{}
	for _, key := range listed.Keys {
		public, err := base64url.DecodeString(key.X)
		retiredAt := int64(math.MaxInt64 - clockSkew)
		if key.Exp != nil {
			retiredAt = *key.Exp
		}
		// Of a revoked key nothing holds.
		good := key.Kty == "OKP" && key.Crv == "Ed25519" && key.Alg == "EdDSA" && key.Revoked == nil
		if err == nil && good && len(public) == ed25519.PublicKeySize {
			keys[key.Kid] = publicKey{public, retiredAt}
		}
	}
	return keys, nil
}

func readToken(cookies string) ([]string, error) {
	// Once, and with one state in it: of two, nobody can tell which is the visitor's.
	cookie, err := only(strings.Split(cookies, ";"), "eu-consent=")
	if err != nil {
		return nil, err
	}
	token, err := only(strings.Split(cookie, "&"), "s=")
	parts := strings.Split(token, ".")
	if err != nil || len(token) > longestToken || len(parts) != 3 {
		return nil, errDenied
	}
	return parts, nil
}

// The rest of the only one of these that begins so.
func only(texts []string, beginning string) (string, error) {
	rest, count := "", 0
	for _, text := range texts {
		if text = strings.TrimLeft(text, " \t"); strings.HasPrefix(text, beginning) {
			rest, count = text[len(beginning):], count+1
		}
	}
	if count != 1 {
		return "", errDenied
	}
	return rest, nil
}

func main() {
	if len(os.Args) < 4 {
		fmt.Fprintln(os.Stderr, "Usage: check_state SERVER SITE VENDOR PURPOSE…")
		os.Exit(2)
	}
	check := &StateCheck{server: os.Args[1], site: os.Args[2]}
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		fmt.Println(check.Allows(strings.TrimSpace(lines.Text()), os.Args[3], os.Args[4:]))
	}
}
