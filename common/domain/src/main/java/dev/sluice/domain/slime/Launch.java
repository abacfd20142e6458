package dev.sluice.domain.slime;

import dev.sluice.domain.shell.Command;
import dev.sluice.domain.shell.Field;
import dev.sluice.domain.shell.Place;
import dev.sluice.domain.shell.ShellReading;
import dev.sluice.domain.slime.Finding.Kind;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * The command that starts training.
 *
 * @param asynchronous whether it is {@code train_async.py}
 * @param arguments what follows the program
 * @param environment variables that the command sets for it
 * @param runtimeEnvironment Ray's description of the environment, as JSON
 * @param gpusOfNode what {@code ray start --num-gpus} says
 */
record Launch(
        Place place,
        boolean asynchronous,
        List<Field> arguments,
        Map<String, Field> environment,
        @Nullable Field runtimeEnvironment,
        Optional<Field> gpusOfNode) {
    private static final Pattern PROGRAM = Pattern.compile("(.*/)?train(_async)?\\.py");
    private static final Pattern PYTHON = Pattern.compile("(.*/)?(python[0-9.]*|torchrun)");
    private static final String RUNTIME = "--runtime-env-json";

    /** The launch of this script; empty where it has none or several, which is then found. */
    static Optional<Launch> find(ShellReading reading, Place script, Findings findings) {
        List<Launch> launches = new ArrayList<>();
        List<Field> lost = new ArrayList<>();
        Optional<Field> gpus = Optional.empty();
        for (Command command : reading.commands()) {
            gpus = gpus.isPresent() ? gpus : gpusOfNode(command);
            of(command).ifPresent(launches::add);
            if (beginsWithFlag(command)) {
                lost(command, findings);
                lost.addAll(command.arguments());
            }
        }
        if (launches.size() == 1) {
            Launch only = launches.getFirst();
            // What the line has lost is read as part of it, so that its mistakes are found too.
            lost.addAll(0, only.arguments);
            return Optional.of(
                    new Launch(only.place, only.asynchronous, lost, only.environment, only.runtimeEnvironment, gpus));
        }
        if (launches.size() > 1) {
            findings.error(
                    Kind.SYNTAX,
                    launches.get(1).place,
                    null,
                    "the script starts training %d times, first in line %d"
                            .formatted(
                                    launches.size(), launches.getFirst().place.line()),
                    "leave one launch line, or decide between them with --env");
        } else if (!reading.broken()) {
            findings.error(
                    Kind.SYNTAX,
                    script,
                    null,
                    "the script starts no training: no command runs train.py or train_async.py",
                    "give the launch script of a run, such as scripts/run-qwen3-4B.sh");
        }
        return Optional.empty();
    }

    private static Optional<Launch> of(Command command) {
        List<Field> all = command.arguments();
        boolean python = false;
        Map<String, Field> environment = new LinkedHashMap<>(command.environment());
        Field runtime = null;
        for (int i = 0; i < all.size(); i++) {
            String text = all.get(i).text();
            if (python && PROGRAM.matcher(text).matches()) {
                return Optional.of(new Launch(
                        command.place(),
                        text.endsWith("_async.py"),
                        all.subList(i + 1, all.size()),
                        environment,
                        runtime,
                        Optional.empty()));
            }
            python |= PYTHON.matcher(text).matches();
            if (text.startsWith(RUNTIME + "=")) {
                runtime = without(all.get(i), RUNTIME.length() + 1);
            } else if (text.equals(RUNTIME) && i + 1 < all.size()) {
                runtime = all.get(i + 1);
            } else if (text.matches("(?s)[A-Za-z_][A-Za-z0-9_]*=.*")) {
                int equals = text.indexOf('=');
                environment.put(text.substring(0, equals), without(all.get(i), equals + 1));
            }
        }
        return Optional.empty();
    }

    private static Field without(Field field, int start) {
        return new Field(field.text().substring(start), field.place(), field.gaps(), field.doubt());
    }

    private static Optional<Field> gpusOfNode(Command command) {
        List<Field> all = command.arguments();
        boolean start = command.program().equals("ray")
                && all.size() > 1
                && all.get(1).text().equals("start");
        for (int i = 2; start && i < all.size(); i++) {
            String text = all.get(i).text();
            if (text.startsWith("--num-gpus=")) {
                return Optional.of(without(all.get(i), "--num-gpus=".length()));
            }
            if (text.equals("--num-gpus") && i + 1 < all.size()) {
                return Optional.of(all.get(i + 1));
            }
        }
        return Optional.empty();
    }

    /** Such a line is a command of its own, because the line before it does not go on. */
    private static boolean beginsWithFlag(Command command) {
        String first = command.arguments().isEmpty()
                ? ""
                : command.arguments().getFirst().text();
        return first.startsWith("--") && FlagTable.find(first).isPresent();
    }

    private static void lost(Command command, Findings findings) {
        findings.error(
                Kind.SYNTAX,
                command.place(),
                null,
                "the line begins a command of its own with %s, so the launch line never gets its %d words"
                        .formatted(
                                command.arguments().getFirst().text(),
                                command.arguments().size()),
                "end the line before it with a backslash");
    }
}
