package dev.sluice.converter;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/** Tries to take a target, says so in a file, and holds it until it is killed: {@code HoldingMain TARGET ANSWER}. */
final class HoldingMain {
    private HoldingMain() {}

    public static void main(String[] arguments) throws Exception {
        Path answer = Path.of(arguments[1]);
        Optional<TargetLock> lock = TargetLock.tryAcquire(Path.of(arguments[0]), "child");
        Path written = Files.writeString(answer.resolveSibling("answer.tmp"), lock.isPresent() ? "taken" : "refused");
        Files.move(written, answer);
        Thread.sleep(60_000);
    }
}
