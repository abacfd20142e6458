package dev.sluice.broker;

import java.util.List;
import java.util.logging.Level;
import java.util.logging.Logger;

/** Kafka tells its whole life at INFO; unless somebody asked for it, only warnings are shown. */
final class QuietLogging {
    // Held, because java.util.logging forgets loggers that nobody holds, and their levels with them.
    private static final List<Logger> KAFKA = List.of(
            Logger.getLogger("kafka"), Logger.getLogger("org.apache.kafka"), Logger.getLogger("state.change.logger"));

    // Warns at each start that it becomes active, as it should.
    private static final Logger CONTROLLER = Logger.getLogger("org.apache.kafka.controller.QuorumController");

    private static final String LOG4J_STATUS_LEVEL = "log4j2.StatusLogger.level";

    private QuietLogging() {}

    static void apply() {
        // Kafka asks log4j only whether its levels could be changed remotely; there is no log4j to configure here.
        if (System.getProperty(LOG4J_STATUS_LEVEL) == null) {
            System.setProperty(LOG4J_STATUS_LEVEL, "OFF");
        }
        if (CONTROLLER.getLevel() == null) {
            CONTROLLER.setLevel(Level.SEVERE);
        }
        KAFKA.stream().filter(logger -> logger.getLevel() == null).forEach(logger -> logger.setLevel(Level.WARNING));
    }
}
