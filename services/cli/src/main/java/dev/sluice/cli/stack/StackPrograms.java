package dev.sluice.cli.stack;

import java.io.IOException;
import java.util.List;

/** What a stack consists of. */
interface StackPrograms {
    /** Started first, because all others need it. */
    ServiceProgram broker();

    /**
     * Started together once the broker is ready.
     *
     * @param bootstrapServers where the broker listens
     * @param dashboardPort where the dashboard is to listen
     */
    List<ServiceProgram> services(String bootstrapServers, int dashboardPort);

    /** Called when all of them have ended. */
    default void stopped() throws IOException {}
}
