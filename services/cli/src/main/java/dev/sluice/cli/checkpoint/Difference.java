package dev.sluice.cli.checkpoint;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.sluice.checkpoint.CheckpointException;
import dev.sluice.cli.CommandFailure;
import dev.sluice.cli.ExitCode;
import dev.sluice.cli.Terminal;
import dev.sluice.cli.TextTable;
import dev.sluice.cli.checkpoint.CheckpointPair.Match;
import dev.sluice.events.EventJson;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/** Which weights changed from one checkpoint to another, and by how much. */
public record Difference(Terminal terminal, int top) {
    /** Those that changed most come first. */
    private static final Comparator<TensorChange> BY_CHANGE = Comparator.comparingDouble(TensorChange::relative)
            .thenComparingDouble(TensorChange::maxAbs)
            .thenComparingLong(TensorChange::notFinite)
            .reversed()
            .thenComparing(TensorChange::name);

    /**
     * Measures and shows.
     *
     * @param config where the model's {@code config.json} lies, if it is needed
     * @throws CommandFailure if one of the two cannot be read
     */
    public int run(Path pathA, Path pathB, @Nullable Path config) {
        if (top < 0) {
            throw CommandFailure.usage("--top is " + top + "; give 0 for all tensors, or how many to show");
        }
        try (CheckpointPair pair = CheckpointPair.open(pathA, pathB, config)) {
            List<Match> matches = pair.matches();
            long total = matches.stream().mapToLong(Match::bytes).sum();
            TransferProgress progress = new TransferProgress(terminal, "comparing", System::nanoTime);
            AtomicLong done = new AtomicLong();
            List<Optional<TensorChange>> measured = TensorPass.over(matches, match -> {
                Optional<TensorChange> change = TensorDifference.of(pair, match);
                progress.at(done.addAndGet(match.bytes()), total);
                return change;
            });
            Outcome outcome = Outcome.of(pair, measured, new Speed(total, progress.elapsed()));
            if (terminal.json()) {
                terminal.result(outcome.json().toPrettyString());
            } else {
                outcome.lines(top).forEach(terminal::result);
            }
            return ExitCode.OK;
        } catch (CheckpointException e) {
            throw CommandFailure.usage(e.getMessage());
        }
    }

    private record Outcome(
            CheckpointPair pair,
            List<TensorChange> changed,
            List<TensorChange> unchanged,
            SortedMap<String, String> incomparable,
            Speed speed) {
        static Outcome of(CheckpointPair pair, List<Optional<TensorChange>> measured, Speed speed) {
            List<TensorChange> all = measured.stream().flatMap(Optional::stream).toList();
            SortedMap<String, String> incomparable = new TreeMap<>();
            for (Match match : pair.matches()) {
                String obstacle = TensorDifference.obstacle(pair, match);
                if (!obstacle.isEmpty()) {
                    incomparable.put(match.name(), obstacle);
                }
            }
            return new Outcome(
                    pair,
                    all.stream().filter(TensorChange::any).sorted(BY_CHANGE).toList(),
                    all.stream().filter(change -> !change.any()).toList(),
                    incomparable,
                    speed);
        }

        List<String> lines(int top) {
            List<String> lines = new ArrayList<>(Sides.lines(pair));
            lines.add("");
            lines.add("%,d of %,d tensors in common changed"
                    .formatted(changed.size(), changed.size() + unchanged.size() + incomparable.size()));
            long shown = top == 0 ? changed.size() : Math.min(top, changed.size());
            if (shown > 0) {
                TextTable table = new TextTable("relative", "max abs", "mean abs", "changed", "tensor", "");
                changed.stream().limit(shown).forEach(change -> row(table, change));
                lines.addAll(table.toString().lines().toList());
            }
            if (shown < changed.size()) {
                lines.add("and %,d that changed less; --top 0 shows all".formatted(changed.size() - shown));
            }
            incomparable.forEach((name, obstacle) -> lines.add("not compared: " + name + ": " + obstacle));
            pair.onlyInA().forEach(name -> lines.add("only in A: " + name));
            pair.onlyInB().forEach(name -> lines.add("only in B: " + name));
            pair.notes().forEach(note -> lines.add("note: " + note));
            lines.add("");
            lines.add("read " + speed);
            return lines;
        }

        private static void row(TextTable table, TensorChange change) {
            String notFinite = change.notFinite() == 0 ? "" : "%,d not finite".formatted(change.notFinite());
            String remark =
                    change.remark() + (notFinite.isEmpty() || change.remark().isEmpty() ? "" : "; ") + notFinite;
            table.row(
                    figure(change.relative()),
                    figure(change.maxAbs()),
                    figure(change.meanAbs()),
                    share(change.share()),
                    change.name(),
                    remark);
        }

        private static String figure(double value) {
            return String.format(Locale.ROOT, "%.3g", value);
        }

        /** Never 0 % for what changed, nor 100 % for what did not wholly. */
        private static String share(double share) {
            double percent = Math.clamp(share * 100, share > 0 ? 0.01 : 0, share < 1 ? 99.99 : 100);
            return String.format(Locale.ROOT, "%.2f %%", percent);
        }

        ObjectNode json() {
            ObjectNode json = EventJson.mapper().createObjectNode();
            Sides.json(pair, json);
            json.put("changed", changed.size());
            json.put("unchanged", unchanged.size());
            ArrayNode list = json.putArray("changes");
            changed.forEach(change -> list.addObject()
                    .put("name", change.name())
                    .put("elements", change.elements())
                    .put("changedElements", change.changed())
                    .put("changedShare", change.share())
                    .put("maxAbs", change.maxAbs())
                    .put("meanAbs", change.meanAbs())
                    .put("relativeL2", change.relative())
                    .put("notFinite", change.notFinite())
                    .put("remark", change.remark()));
            ObjectNode obstacles = json.putObject("notCompared");
            incomparable.forEach(obstacles::put);
            speed.json(json);
            return json;
        }
    }
}
