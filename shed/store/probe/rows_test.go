package probe

import (
	"reflect"
	"runtime"
	"strings"
	"testing"
)

// rows says which tests show which failure of a store, by the rows of the table of failures ("How the session store fails").
var rows = map[int][]func(*testing.T){
	1:  {TestRefusals, TestAMonitorOverARealServer}, // a demoted primary, a replica
	2:  {TestRefusals},                              // a replica that refuses stale reads
	3:  {TestRefusals},                              // full
	4:  {TestNearlyFullShowsOnlyInALargeCanary},
	5:  {TestFullOfKeysThatDoNotExpire},
	6:  {TestFullAndEvicting, TestAnEvictedCanaryIsNoLoss},
	7:  {TestPersistenceFails}, // a save fails
	8:  {TestTheDiskOfTheAppendOnlyFileIsFull},
	9:  {TestRefusals}, // too few replicas
	10: {TestAReplicaLags},
	11: {TestLoading},
	12: {TestAScriptHoldsTheServer},
	13: {TestCredentials, TestAPasswordRotates}, // missing, wrong, rotated
	14: {TestRefusals},                          // an ACL without the command, or the keys
	15: {TestNoSlotIsLeft},                      // out of client slots
	16: {TestNobodyListens},
	17: {TestHungAndBack, TestATLSStoreHangs},
	18: {TestABlackHole}, // the connection itself hangs
	19: {TestALateAnswerMakesTimeoutsSlow, TestALongWayToTheStore},
	20: {TestWritesArePausedWhileReadsAnswer},
	21: {TestAClusterWithoutSlots, TestAShardHangs}, // CLUSTERDOWN
	22: {TestAShardIsGone},
	23: {TestACertificateEndsWhileTheLinkHolds},
	24: {TestTLSWhereNoneIsSpoken},
	25: {TestPlainWhereTLSIsSpoken},
	26: {TestAFlippedNameIsFollowed}, // DNS
	27: {TestRestartedEmpty, TestTheCanaryIsLostOnce},
}

func TestEveryRowHasATest(t *testing.T) {
	for row := 1; row <= 27; row++ {
		if len(rows[row]) == 0 {
			t.Errorf("row %d has none", row)
		}
		for _, test := range rows[row] {
			name := runtime.FuncForPC(reflect.ValueOf(test).Pointer()).Name()
			if !strings.Contains(name, ".Test") {
				t.Errorf("row %d: %s is no test", row, name)
			}
		}
	}
}
