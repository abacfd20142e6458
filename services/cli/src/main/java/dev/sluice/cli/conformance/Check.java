package dev.sluice.cli.conformance;

/**
 * Something that a client relies on.
 *
 * @param client whose habit it is
 * @param name unique among the client's checks
 * @param disruptive whether it touches what others have running, or the weights
 */
record Check(Client client, String name, boolean disruptive, Probe probe) {

    /** Clients whose requests and readings are known, by their names on the command line. */
    enum Client {
        SLIME,
        VERL,
        AREAL,
        OPENAI
    }

    /** Asks the server. */
    @FunctionalInterface
    interface Probe {
        /**
         * Returns if all is as expected.
         *
         * @throws Mismatch if something is not
         * @throws Skipped if the server cannot be asked
         */
        void run(Target target);
    }

    /** A check that a server with other users can bear: a few tokens and nothing else. */
    static Check of(Client client, String name, Probe probe) {
        return new Check(client, name, false, probe);
    }

    /** A check for a server that has no other users. */
    static Check disruptive(Client client, String name, Probe probe) {
        return new Check(client, name, true, probe);
    }

    /** The server did not do what was expected of it. */
    static final class Mismatch extends RuntimeException {
        private static final long serialVersionUID = 1L;

        private final String sent;
        private final String expected;
        private final String came;

        Mismatch(String sent, String expected, String came) {
            super(expected);
            this.sent = sent;
            this.expected = expected;
            this.came = came;
        }

        String sent() {
            return sent;
        }

        String expected() {
            return expected;
        }

        String came() {
            return came;
        }
    }

    /** The check says nothing about this server; the message says why. */
    static final class Skipped extends RuntimeException {
        private static final long serialVersionUID = 1L;

        Skipped(String reason) {
            super(reason);
        }
    }
}
