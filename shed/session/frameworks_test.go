package session

import (
	"slices"
	"testing"
	"time"
)

var now = time.Date(2026, time.March, 4, 12, 0, 0, 0, time.UTC)

// everything is what an operator would write who runs all of them.
var everything = Marks{
	Cookies: []string{"connect.sid", "PHPSESSID", "_oauth2_proxy*", "SESSION", "JSESSIONID", ".AspNetCore.Session", ".AspNetCore.Cookies*",
		"_app_session", "sessionid", "laravel_session", "wordpress_logged_in_*"},
	Remember: []string{"remember-me", "remember_user_token", "remember_web_*"},
}

// What frameworks send, line by line, and what becomes of the session that came with the request. The lines that are held are
// those with both holds.
var frameworks = []struct {
	name    string
	cookies string
	answer  []string
	want    Effect
	held    []int
}{
	{"express-session, rolling", "connect.sid=s%3Aq1.abc; a=b",
		[]string{"connect.sid=s%3Aq1.abc; Path=/; Expires=Wed, 04 Mar 2026 12:30:00 GMT; HttpOnly"}, Effect{}, nil},
	{"express-session, regenerated", "connect.sid=s%3Aq1.abc",
		[]string{"connect.sid=s%3Aq2.def; Path=/; HttpOnly"}, Effect{Changes: true, Gives: true}, []int{0}},
	{"express, clearCookie", "connect.sid=s%3Aq1.abc",
		[]string{"connect.sid=; Path=/; Expires=Thu, 01 Jan 1970 00:00:00 GMT"}, Effect{Deletes: true}, []int{0}},
	{"express-session, a first visit", "", []string{"connect.sid=s%3Aq2.def; Path=/; HttpOnly"}, Effect{Gives: true}, nil},

	{"PHP, use_strict_mode with an id it cannot find", "PHPSESSID=9v5rdl6c0u5fmv6dq2fkkvbuj1; lang=de",
		[]string{"PHPSESSID=1cr1bqkp2eim8ii3uvmgnmk0c4; path=/; HttpOnly; SameSite=Lax", "lang=de; path=/"},
		Effect{Changes: true, Gives: true}, []int{0}},
	{"PHP, session_destroy", "PHPSESSID=9v5rdl6c0u5fmv6dq2fkkvbuj1",
		[]string{"PHPSESSID=deleted; expires=Thu, 01-Jan-1970 00:00:01 GMT; Max-Age=0; path=/"}, Effect{Deletes: true}, []int{0}},
	{"PHP, session_regenerate_id(true)", "PHPSESSID=old1",
		[]string{"PHPSESSID=deleted; expires=Thu, 01-Jan-1970 00:00:01 GMT; Max-Age=0; path=/", "PHPSESSID=new2; path=/"},
		Effect{Changes: true, Gives: true}, []int{0, 1}},

	{"oauth2-proxy, cleared", "_oauth2_proxy=abc|1|s=; _oauth2_proxy_csrf=x",
		[]string{"_oauth2_proxy=; Path=/; Expires=Wed, 04 Mar 2026 11:00:00 GMT; HttpOnly; Secure"}, Effect{Deletes: true}, []int{0}},
	{"oauth2-proxy, cleared in chunks", "_oauth2_proxy_0=abc; _oauth2_proxy_1=def",
		[]string{"_oauth2_proxy_0=; Path=/; Domain=example.com; Expires=Wed, 04 Mar 2026 11:00:00 GMT; HttpOnly",
			"_oauth2_proxy_1=; Path=/; Domain=example.com; Expires=Wed, 04 Mar 2026 11:00:00 GMT; HttpOnly"},
		Effect{Deletes: true}, []int{0, 1}},
	{"oauth2-proxy, refreshed into fewer chunks", "_oauth2_proxy_0=abc; _oauth2_proxy_1=def",
		[]string{"_oauth2_proxy=xyz; Path=/; HttpOnly", "_oauth2_proxy_0=; Path=/; Expires=Wed, 04 Mar 2026 11:00:00 GMT",
			"_oauth2_proxy_1=; Path=/; Expires=Wed, 04 Mar 2026 11:00:00 GMT"},
		Effect{Changes: true, Gives: true}, []int{0, 1, 2}},
	{"oauth2-proxy, refreshed into more chunks", "_oauth2_proxy_0=abc",
		[]string{"_oauth2_proxy_0=uvw; Path=/; HttpOnly", "_oauth2_proxy_1=xyz; Path=/; HttpOnly"},
		Effect{Changes: true, Gives: true}, []int{0, 1}},

	{"Spring Session, invalidated", "SESSION=MTIz; theme=dark",
		[]string{"SESSION=; Max-Age=0; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Path=/; HttpOnly; SameSite=Lax"}, Effect{Deletes: true}, []int{0}},
	{"Spring Security, remember-me renewed", "JSESSIONID=A1; remember-me=c2VyaWVzOnRvazE",
		[]string{"remember-me=c2VyaWVzOnRvazI; Max-Age=1209600; Expires=Wed, 18 Mar 2026 12:00:00 GMT; Path=/; HttpOnly"}, Effect{}, nil},
	{"Spring Security, signed in by remember-me", "JSESSIONID=A1; remember-me=c2VyaWVzOnRvazE",
		[]string{"remember-me=c2VyaWVzOnRvazI; Max-Age=1209600; Path=/; HttpOnly", "JSESSIONID=B2; Path=/; HttpOnly"},
		Effect{Changes: true, Gives: true}, []int{1}},
	{"Spring Security, remember-me cancelled", "remember-me=c2VyaWVzOnRvazE",
		[]string{"remember-me=; Max-Age=0; Expires=Thu, 01 Jan 1970 00:00:10 GMT; Path=/"}, Effect{Deletes: true}, []int{0}},
	{"Spring Security, cancelled and given an anonymous session", "JSESSIONID=A1; remember-me=c2VyaWVzOnRvazE",
		[]string{"remember-me=; Max-Age=0; Path=/", "JSESSIONID=B2; Path=/; HttpOnly"},
		Effect{Deletes: true, Changes: true, Gives: true}, []int{0, 1}},

	{"ASP.NET Core, session", ".AspNetCore.Session=CfDJ8A",
		[]string{".AspNetCore.Session=; expires=Thu, 01 Jan 1970 00:00:00 GMT; path=/"}, Effect{Deletes: true}, []int{0}},
	{"ASP.NET Core, signed out of chunks", ".AspNetCore.Cookies=chunks-2; .AspNetCore.CookiesC1=aa; .AspNetCore.CookiesC2=bb",
		[]string{".AspNetCore.Cookies=; expires=Thu, 01 Jan 1970 00:00:00 GMT; path=/; secure; samesite=lax; httponly",
			".AspNetCore.CookiesC1=; expires=Thu, 01 Jan 1970 00:00:00 GMT; path=/; secure; samesite=lax; httponly",
			".AspNetCore.CookiesC2=; expires=Thu, 01 Jan 1970 00:00:00 GMT; path=/; secure; samesite=lax; httponly"},
		Effect{Deletes: true}, []int{0, 1, 2}},
	{"ASP.NET Core, sliding expiration in chunks", ".AspNetCore.Cookies=chunks-2; .AspNetCore.CookiesC1=aa; .AspNetCore.CookiesC2=bb",
		[]string{".AspNetCore.Cookies=chunks-2; path=/; secure; samesite=lax; httponly", ".AspNetCore.CookiesC1=cc; path=/; secure; samesite=lax; httponly",
			".AspNetCore.CookiesC2=dd; path=/; secure; samesite=lax; httponly"},
		Effect{Changes: true, Gives: true}, []int{1, 2}},

	{"Rails, reset_session", "_app_session=0b2c; remember_user_token=eyJf",
		[]string{"_app_session=; path=/; max-age=0; expires=Thu, 01 Jan 1970 00:00:00 GMT; HttpOnly; SameSite=Lax"}, Effect{Deletes: true}, []int{0}},
	{"Rails, kept in Redis", "_app_session=0b2c", []string{"_app_session=0b2c; path=/; expires=Thu, 05 Mar 2026 12:00:00 GMT; HttpOnly"}, Effect{}, nil},
	{"Devise, forgets", "_app_session=0b2c; remember_user_token=eyJf",
		[]string{"remember_user_token=; path=/; max-age=0; expires=Thu, 01 Jan 1970 00:00:00 -0000", "_app_session=9f8e; path=/; HttpOnly"},
		Effect{Deletes: true, Changes: true, Gives: true}, []int{0, 1}},

	{"Django, flush", "csrftoken=t; sessionid=8x5ufu",
		[]string{`sessionid=""; expires=Thu, 01 Jan 1970 00:00:00 GMT; Max-Age=0; Path=/; SameSite=Lax`}, Effect{Deletes: true}, []int{0}},
	{"Django, cycle_key", "csrftoken=t; sessionid=8x5ufu",
		[]string{"csrftoken=u; Path=/", "sessionid=pq0zzz; expires=Wed, 18 Mar 2026 12:00:00 GMT; HttpOnly; Max-Age=1209600; Path=/; SameSite=Lax"},
		Effect{Changes: true, Gives: true}, []int{1}},

	// Laravel encrypts the id anew each time, so that every answer looks like a change.
	{"Laravel", "laravel_session=eyJpdiI6IjEifQ%3D%3D; XSRF-TOKEN=e",
		[]string{"XSRF-TOKEN=f; expires=Wed, 04 Mar 2026 14:00:00 GMT; Max-Age=7200; path=/; samesite=lax",
			"laravel_session=eyJpdiI6IjIifQ%3D%3D; expires=Wed, 04 Mar 2026 14:00:00 GMT; Max-Age=7200; path=/; httponly; samesite=lax"},
		Effect{Changes: true, Gives: true}, []int{1}},
	{"Laravel, remember-me forgotten", "laravel_session=e; remember_web_59ba=eyJ",
		[]string{"remember_web_59ba=deleted; expires=Thu, 04 Mar 2021 12:00:00 GMT; Max-Age=0; path=/; httponly"}, Effect{Deletes: true}, []int{0}},

	{"WordPress, wp_clear_auth_cookie", "wordpress_logged_in_1a2b=kim%7C1",
		[]string{"wordpress_1a2b=%20; expires=Tue, 04-Mar-2025 12:00:00 GMT; Max-Age=0; path=/wp-admin",
			"wordpress_logged_in_1a2b=%20; expires=Tue, 04-Mar-2025 12:00:00 GMT; Max-Age=0; path=/",
			"wordpress_logged_in_1a2b=%20; expires=Tue, 04-Mar-2025 12:00:00 GMT; Max-Age=0; path=/; domain=.example.com"},
		Effect{Deletes: true}, []int{1, 2}},
}

func TestFrameworks(t *testing.T) {
	for _, c := range frameworks {
		request, answer := fields{}, fields{"Set-Cookie": c.answer}
		if c.cookies != "" {
			request["Cookie"] = []string{c.cookies}
		}
		if got := everything.Effect(request, answer, now); got != c.want {
			t.Errorf("%s: %+v, want %+v", c.name, got, c.want)
		}
		drop := everything.Held(request, answer, now, Hold{true, true})
		var held []int
		for i, line := range c.answer {
			if drop("set-cookie", line) {
				held = append(held, i)
			}
		}
		if !slices.Equal(held, c.held) {
			t.Errorf("%s: lines %v are held, want %v", c.name, held, c.held)
		}
	}
}
