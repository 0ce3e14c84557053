package routing

import (
	"regexp/syntax"
	"slices"
	"strings"
)

// maxLiterals bounds how many beginnings of one expression are told apart.
const maxLiterals = 8

// literals returns folded texts of which every path that the expression takes begins with one, letter case ignored. None of
// them begins with another. Where nothing can be said that is "".
func literals(re *syntax.Regexp) []string {
	found, _ := beginnings(re)
	for i, text := range found {
		found[i] = foldString(text)
	}
	slices.Sort(found)
	kept := found[:0]
	for _, text := range found {
		if len(kept) == 0 || !strings.HasPrefix(text, kept[len(kept)-1]) {
			kept = append(kept, text)
		}
	}
	return kept
}

// beginnings returns texts of which every match begins with one; whole, if it then has nothing behind it. Assertions are
// taken for true, so there may be more texts than matches.
func beginnings(re *syntax.Regexp) (found []string, whole bool) {
	switch re.Op {
	case syntax.OpLiteral:
		return []string{string(re.Rune)}, true
	case syntax.OpCapture:
		return beginnings(re.Sub[0])
	case syntax.OpEmptyMatch, syntax.OpBeginLine, syntax.OpEndLine, syntax.OpBeginText, syntax.OpEndText,
		syntax.OpWordBoundary, syntax.OpNoWordBoundary:
		return []string{""}, true
	case syntax.OpCharClass:
		return members(re.Rune)
	case syntax.OpConcat:
		return inRow(re.Sub)
	case syntax.OpAlternate:
		whole = true
		for _, sub := range re.Sub {
			more, all := beginnings(sub)
			found, whole = append(found, more...), whole && all
		}
		if len(found) <= maxLiterals {
			return found, whole
		}
	case syntax.OpQuest:
		found, whole = beginnings(re.Sub[0])
		return append(found, ""), whole
	case syntax.OpPlus:
		found, _ = beginnings(re.Sub[0])
		return found, false
	case syntax.OpRepeat:
		if re.Min > 0 {
			found, _ = beginnings(re.Sub[0])
			return found, false
		}
	}
	return []string{""}, false
}

// inRow combines the beginnings of what stands in a row, as far as they are whole and few.
func inRow(row []*syntax.Regexp) (found []string, whole bool) {
	found = []string{""}
	for _, re := range row {
		more, all := beginnings(re)
		if len(found)*len(more) > maxLiterals {
			return found, false
		}
		var longer []string
		for _, head := range found {
			for _, tail := range more {
				longer = append(longer, head+tail)
			}
		}
		if found = longer; !all {
			return found, false
		}
	}
	return found, true
}

// members lists a small class of characters, given as pairs of a first and a last one.
func members(class []rune) (found []string, whole bool) {
	for i := 0; i+1 < len(class); i += 2 {
		for r := class[i]; r <= class[i+1]; r++ {
			if len(found) == maxLiterals {
				return []string{""}, false
			}
			found = append(found, string(r))
		}
	}
	return found, true
}
