package dev.sluice.cli.stack;

import dev.sluice.cli.stack.ServiceProgram.Ready;
import dev.sluice.cli.stack.ServiceProgram.StopTurn;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** A stack of small services instead of the packaged ones. */
record SmallPrograms(Path workDirectory, Map<String, StopTurn> names) implements StackPrograms {
    Path journal() {
        return workDirectory.resolve("journal");
    }

    @Override
    public ServiceProgram broker() {
        return program("broker", StopTurn.BROKER, Ready.STATE_FILE);
    }

    @Override
    public List<ServiceProgram> services(String bootstrapServers, int dashboardPort) {
        List<ServiceProgram> programs = new ArrayList<>();
        names.forEach((name, turn) -> programs.add(program(name, turn, Ready.HEALTH)));
        return programs;
    }

    private ServiceProgram program(String name, StopTurn turn, Ready ready) {
        return new ServiceProgram(
                name,
                turn,
                ready,
                List.of(
                        JavaFlags.java(),
                        "-Xmx32m",
                        "-XX:+UseSerialGC",
                        "-XX:TieredStopAtLevel=1",
                        "-cp",
                        System.getProperty("java.class.path"),
                        SmallService.class.getName(),
                        name,
                        workDirectory.resolve("run/" + name + ".json").toString(),
                        journal().toString()),
                Map.of());
    }
}
