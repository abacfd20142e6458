package dev.sluice.cli.stack;

import java.util.List;
import java.util.Map;

/**
 * How one service of the stack is started.
 *
 * @param name its instance id, and the name of its log and state file
 * @param environment added to this process's own
 */
record ServiceProgram(
        String name, StopTurn stopTurn, Ready ready, List<String> command, Map<String, String> environment) {

    ServiceProgram {
        command = List.copyOf(command);
        environment = Map.copyOf(environment);
    }

    /** Whose turn it is to stop; the later ones are still there for the earlier ones to say goodbye to. */
    enum StopTurn {
        TRAINER,
        ROLLOUT,
        REST,
        BROKER
    }

    /** What says that a service is ready. */
    enum Ready {
        /** It has written its state file. */
        STATE_FILE,
        /** {@code /q/health/ready} on the port in its state file answers 200. */
        HEALTH
    }
}
