package dev.sluice.cli.conformance;

/**
 * What came of a check.
 *
 * @param sent the request; empty where the check passed or was skipped
 * @param expected what should have come, or why the check was skipped; empty where it passed
 * @param came the reply; empty where the check passed or was skipped
 */
record Finding(Check check, Outcome outcome, String sent, String expected, String came) {

    enum Outcome {
        PASSED,
        FAILED,
        SKIPPED
    }

    static Finding passed(Check check) {
        return new Finding(check, Outcome.PASSED, "", "", "");
    }

    static Finding failed(Check check, Check.Mismatch mismatch) {
        return new Finding(check, Outcome.FAILED, mismatch.sent(), mismatch.expected(), mismatch.came());
    }

    static Finding skipped(Check check, String reason) {
        return new Finding(check, Outcome.SKIPPED, "", reason, "");
    }
}
