package build

import (
	"fmt"

	"gatehouse/config"
	"gatehouse/shed/session"
)

// planSeal reads the keys of Gatehouse's own cookies. Without a file there is one random key as long as the process lives.
func (p *Plan) planSeal() error {
	seal, err := readSeal(p.cfg)
	if seal == nil {
		seal = p.living.Seal
	}
	p.runtime.Seal = seal
	return err
}

// readSeal returns nil where the file names no keys.
func readSeal(cfg *config.Config) (*session.Seal, error) {
	path := cfg.Session.KeyFile
	if path == "" {
		return nil, nil
	}
	text, err := readFile(path)
	if err != nil {
		return nil, fmt.Errorf("session.key_file: %w", err)
	}
	seal, err := session.ParseKeys(text)
	if err != nil {
		return nil, fmt.Errorf("session.key_file: %s: %w", path, err)
	}
	return seal, nil
}
