package dev.sluice.cli.stack;

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
}
