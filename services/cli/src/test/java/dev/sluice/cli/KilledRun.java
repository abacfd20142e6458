package dev.sluice.cli;

import dev.sluice.process.PidFile;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.stream.IntStream;

/** The processes of a run, and in which order a seed kills them. */
final class KilledRun {
    private final UpProcess up;
    private final Path workerFile;
    private final Random random;

    /** What is killed. */
    enum Victim {
        TRAINER,
        WORKER,
        ENGINE,
        ROLLOUT
    }

    KilledRun(UpProcess up, Path runDirectory, Random random) {
        this.up = up;
        this.workerFile = runDirectory.resolve("worker.json");
        this.random = random;
    }

    /** Each kind as often as every other, in random order: what a stack starts again five times a minute. */
    List<Victim> order(int kills) {
        List<Victim> order = new ArrayList<>(IntStream.range(0, kills)
                .mapToObj(i -> Victim.values()[i % Victim.values().length])
                .toList());
        Collections.shuffle(order, random);
        return order;
    }

    /** Kills as {@code kill -9} does; false where there is no such process at this moment. */
    boolean kill(Victim victim) throws IOException {
        return process(victim).map(ProcessHandle::destroyForcibly).orElse(false);
    }

    private Optional<ProcessHandle> process(Victim victim) throws IOException {
        String rollout = "rollout-" + (1 + random.nextInt(2));
        return switch (victim) {
            case TRAINER -> up.find("trainer-1");
            case ROLLOUT -> up.find(rollout);
            case WORKER -> PidFile.read(workerFile).flatMap(PidFile::process);
            case ENGINE ->
                up.find(rollout).stream()
                        .flatMap(ProcessHandle::descendants)
                        .filter(child ->
                                child.info().commandLine().orElse("").contains(" dev.sluice.cpu.engine.EngineMain "))
                        .filter(child -> child.info().command().orElse("").endsWith("java"))
                        .findFirst();
        };
    }
}
