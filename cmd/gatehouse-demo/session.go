package main

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"net/http"
	"time"

	"github.com/redis/go-redis/v9"
)

const (
	cookieName      = "sid"
	sessionLifetime = time.Hour
	maxNotes        = 20
)

// Session is what the sample app keeps of a member.
type Session struct {
	Name  string    `json:"name"`
	Since time.Time `json:"since"`
	Notes []Note    `json:"notes,omitempty"`
}

// Note is one line that a member wrote.
type Note struct {
	At   time.Time `json:"at"`
	Text string    `json:"text"`
}

// errNoSession says that the store answered, and knows no such session.
var errNoSession = errors.New("no such session")

// sessionKey is where the session with this id is kept.
func sessionKey(id string) string { return "session:" + id }

// Sessions keeps sessions in the store, as a real app does, by a client with a real app's options. Safe for concurrent use.
type Sessions struct{ client *redis.Client }

// OpenSessions returns the sessions kept in the store at addr. It does not connect. Close must be called.
func OpenSessions(addr string) *Sessions {
	return &Sessions{redis.NewClient(&redis.Options{
		Addr:         addr,
		DialTimeout:  time.Second,
		ReadTimeout:  2 * time.Second,
		WriteTimeout: 2 * time.Second,
		PoolSize:     32,
		MaxRetries:   -1,
		// An app reaches its store by the first try or shows its error.
		DialerRetries:   1,
		Protocol:        2,
		DisableIdentity: true,
	})}
}

// Create keeps a new session and returns its id.
func (s *Sessions) Create(ctx context.Context, session Session) (string, error) {
	id := rand.Text()
	return id, s.Save(ctx, id, session)
}

// Load returns a session, errNoSession, or the store's error.
func (s *Sessions) Load(ctx context.Context, id string) (Session, error) {
	raw, err := s.client.Get(ctx, sessionKey(id)).Bytes()
	if errors.Is(err, redis.Nil) {
		return Session{}, errNoSession
	}
	if err != nil {
		return Session{}, err
	}
	var session Session
	return session, json.Unmarshal(raw, &session)
}

// Save keeps a changed session, with a new lifetime.
func (s *Sessions) Save(ctx context.Context, id string, session Session) error {
	raw, err := json.Marshal(session)
	if err != nil {
		return err
	}
	return s.client.Set(ctx, sessionKey(id), raw, sessionLifetime).Err()
}

// End forgets a session.
func (s *Sessions) End(ctx context.Context, id string) error {
	return s.client.Del(ctx, sessionKey(id)).Err()
}

// Close closes the client's connections.
func (s *Sessions) Close() error { return s.client.Close() }

// setSession gives the visitor a session's cookie.
func setSession(w http.ResponseWriter, id string) {
	http.SetCookie(w, &http.Cookie{Name: cookieName, Value: id, Path: "/", HttpOnly: true, SameSite: http.SameSiteLaxMode,
		MaxAge: int(sessionLifetime / time.Second)})
}

// dropSession deletes the visitor's cookie.
func dropSession(w http.ResponseWriter) {
	http.SetCookie(w, &http.Cookie{Name: cookieName, Path: "/", HttpOnly: true, SameSite: http.SameSiteLaxMode, MaxAge: -1})
}
