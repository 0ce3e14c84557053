//go:build linux

package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// tick is the unit of the times in /proc/PID/stat: the kernel's USER_HZ, 100 on every machine that Go runs on.
const tick = 10 * time.Millisecond

// standing is what /proc/PID/stat says of a process.
type standing struct {
	pid, parent int
	cpu         time.Duration // user and system time, of those of its children that ended, too
}

var errStat = errors.New("not what /proc/PID/stat looks like")

// readStanding reads a line of /proc/PID/stat. The second field is the program's name in parentheses and may hold anything.
func readStanding(line []byte) (standing, error) {
	open, end := bytes.IndexByte(line, '('), bytes.LastIndexByte(line, ')')
	if open < 1 || end < open {
		return standing{}, errStat
	}
	pid, err := strconv.Atoi(string(bytes.TrimSpace(line[:open])))
	fields := bytes.Fields(line[end+1:]) // from the third on
	if err != nil || len(fields) < 15 {
		return standing{}, errStat
	}
	s := standing{pid: pid}
	if s.parent, err = strconv.Atoi(string(fields[1])); err != nil {
		return standing{}, errStat
	}
	for _, f := range fields[11:15] { // utime, stime, cutime, cstime
		n, err := strconv.ParseInt(string(f), 10, 64)
		if err != nil {
			return standing{}, errStat
		}
		s.cpu += time.Duration(n) * tick
	}
	return s, nil
}

// family returns a process and all that descend from it.
func family(pid int) ([]standing, error) {
	paths, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		return nil, err
	}
	children := map[int][]standing{}
	var all []standing
	for _, path := range paths {
		line, err := os.ReadFile(path)
		if err != nil {
			continue // it ended meanwhile
		}
		s, err := readStanding(line)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		if s.pid == pid {
			all = append(all, s)
		}
		children[s.parent] = append(children[s.parent], s)
	}
	if len(all) == 0 {
		return nil, fmt.Errorf("process %d is gone", pid)
	}
	for i := 0; i < len(all); i++ {
		all = append(all, children[all[i].pid]...)
	}
	return all, nil
}

// cpuOf returns the processor time that a process and its descendants have had.
func cpuOf(pid int) (time.Duration, error) {
	all, err := family(pid)
	var sum time.Duration
	for _, s := range all {
		sum += s.cpu
	}
	return sum, err
}

// memoryOf adds up one line of /proc/PID/status, such as VmHWM or VmRSS, over a process and its descendants, in bytes.
func memoryOf(pid int, line string) (int64, error) {
	all, err := family(pid)
	if err != nil {
		return 0, err
	}
	var sum int64
	for _, s := range all {
		text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", s.pid))
		if err != nil {
			continue // it ended meanwhile
		}
		_, after, found := strings.Cut(string(text), "\n"+line+":")
		words := strings.Fields(after)
		if !found || len(words) == 0 {
			continue // a process that has no memory any more
		}
		kilobytes, err := strconv.ParseInt(words[0], 10, 64)
		if err != nil {
			return 0, fmt.Errorf("%s of %d: %w", line, s.pid, err)
		}
		sum += kilobytes << 10
	}
	return sum, nil
}

// forgetPeak has VmHWM begin anew at what is resident now.
func forgetPeak(pid int) error {
	all, err := family(pid)
	if err != nil {
		return err
	}
	for _, s := range all {
		if err := os.WriteFile(fmt.Sprintf("/proc/%d/clear_refs", s.pid), []byte("5"), 0); err != nil {
			return err
		}
	}
	return nil
}
