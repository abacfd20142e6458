package dev.sluice.cli.checkpoint;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.sluice.checkpoint.CheckpointException;
import dev.sluice.cli.CommandFailure;
import dev.sluice.cli.ExitCode;
import dev.sluice.cli.Terminal;
import dev.sluice.cli.checkpoint.CheckpointPair.Match;
import dev.sluice.cli.checkpoint.TensorVerdict.Kind;
import dev.sluice.events.EventJson;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** Whether two checkpoints hold the same weights, in whatever format each is. */
public record Verification(Terminal terminal) {
    private static final int SHOWN = 20;

    /**
     * Compares and says what came of it.
     *
     * @param config where the model's {@code config.json} lies, if it is needed
     * @return 0 if all tensors are equal, 1 if not
     * @throws CommandFailure if one of the two cannot be read
     */
    public int run(Path pathA, Path pathB, @Nullable Path config) {
        try (CheckpointPair pair = CheckpointPair.open(pathA, pathB, config)) {
            List<Match> matches = pair.matches();
            long total = matches.stream().mapToLong(Match::bytes).sum();
            TransferProgress progress = new TransferProgress(terminal, "comparing", System::nanoTime);
            AtomicLong done = new AtomicLong();
            List<TensorVerdict> verdicts = TensorPass.over(matches, match -> {
                TensorVerdict verdict = TensorCheck.of(pair, match);
                progress.at(done.addAndGet(match.bytes()), total);
                return verdict;
            });
            Outcome outcome = new Outcome(pair, verdicts, new Speed(total, progress.elapsed()));
            if (terminal.json()) {
                terminal.result(outcome.json().toPrettyString());
            } else {
                outcome.lines().forEach(terminal::result);
            }
            return outcome.equal() ? ExitCode.OK : ExitCode.FAILED;
        } catch (CheckpointException e) {
            throw CommandFailure.usage(e.getMessage());
        }
    }

    private record Outcome(CheckpointPair pair, List<TensorVerdict> verdicts, Speed speed) {
        /** Two checkpoints without a tensor in common are not equal, they have nothing to do with each other. */
        boolean equal() {
            return !verdicts.isEmpty()
                    && verdicts.stream().allMatch(TensorVerdict::equal)
                    && pair.onlyInA().isEmpty()
                    && pair.onlyInB().isEmpty();
        }

        List<String> lines() {
            List<String> lines = new ArrayList<>(Sides.lines(pair));
            List<TensorVerdict> different = of(Kind.DIFFERENT);
            lines.add("");
            lines.add("%,d of %,d tensors in common are equal%s"
                    .formatted(verdicts.size() - different.size(), verdicts.size(), kinds()));
            listed(
                    lines,
                    "%,d differ:",
                    different.stream()
                            .map(verdict -> verdict.name() + "  " + verdict.detail())
                            .toList());
            listed(lines, "%,d are only in A:", pair.onlyInA());
            listed(lines, "%,d are only in B:", pair.onlyInB());
            verdicts.stream()
                    .filter(verdict -> verdict.equal() && verdict.detail().contains("rows"))
                    .forEach(verdict -> lines.add("note: " + verdict.name() + ": " + verdict.detail()));
            pair.notes().forEach(note -> lines.add("note: " + note));
            lines.add("");
            lines.add((equal() ? "equal; read " : "not equal; read ") + speed);
            return lines;
        }

        /** In which ways tensors are equal, if in more than one. */
        private String kinds() {
            String ways = Arrays.stream(Kind.values())
                    .filter(kind -> kind != Kind.DIFFERENT && !of(kind).isEmpty())
                    .map(kind -> "%,d %s".formatted(of(kind).size(), kind.words()))
                    .collect(Collectors.joining(", "));
            return ways.isEmpty() ? "" : ": " + ways;
        }

        private static void listed(List<String> lines, String heading, List<String> names) {
            if (!names.isEmpty()) {
                lines.add(heading.formatted(names.size()));
                names.stream().limit(SHOWN).forEach(name -> lines.add("  " + name));
                if (names.size() > SHOWN) {
                    lines.add("  and %,d more; --json lists all".formatted(names.size() - SHOWN));
                }
            }
        }

        private List<TensorVerdict> of(Kind kind) {
            return verdicts.stream().filter(verdict -> verdict.kind() == kind).toList();
        }

        ObjectNode json() {
            ObjectNode json = EventJson.mapper().createObjectNode();
            json.put("equal", equal());
            Sides.json(pair, json);
            json.put("tensors", verdicts.size());
            ObjectNode counts = json.putObject("counts");
            for (Kind kind : Kind.values()) {
                counts.put(Sides.word(kind), of(kind).size());
            }
            ArrayNode notable = json.putArray("notEqualByteForByte");
            verdicts.stream()
                    .filter(verdict -> verdict.kind() != Kind.EQUAL)
                    .forEach(verdict -> notable.addObject()
                            .put("name", verdict.name())
                            .put("kind", Sides.word(verdict.kind()))
                            .put("detail", verdict.detail()));
            speed.json(json);
            return json;
        }
    }
}
