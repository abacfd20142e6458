package dev.sluice.cli.doctor;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** The Python that a configured command runs in. */
final class PythonProgram {
    private static final String PYTHON = "python\\d*(\\.\\d+)?";

    private PythonProgram() {}

    /** Empty where the command is neither Python nor a script that lies beside one, as torchrun does. */
    static Optional<String> of(List<String> command) {
        Path program = Path.of(command.getFirst());
        if (program.getFileName().toString().matches(PYTHON)) {
            return Optional.of(command.getFirst());
        }
        Path folder = program.isAbsolute() ? program.getParent() : onPath(program);
        return Optional.ofNullable(folder)
                .map(beside -> beside.resolve("python3"))
                .filter(Files::isExecutable)
                .map(Path::toString);
    }

    private static @Nullable Path onPath(Path program) {
        String path = System.getenv("PATH");
        if (path == null || program.getNameCount() > 1) {
            return program.toAbsolutePath().getParent();
        }
        return List.of(path.split(":")).stream()
                .filter(folder -> !folder.isEmpty())
                .map(Path::of)
                .filter(folder -> Files.isExecutable(folder.resolve(program)))
                .findFirst()
                .orElse(null);
    }
}
