package dev.sluice.cli.checkpoint;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.sluice.checkpoint.CheckpointException;
import dev.sluice.checkpoint.CheckpointView;
import dev.sluice.cli.CommandFailure;
import dev.sluice.cli.ExitCode;
import dev.sluice.cli.Terminal;
import dev.sluice.events.EventJson;
import java.nio.file.Path;
import java.util.List;

/** Shows what a checkpoint holds, reading headers and metadata only. */
public record Inspection(Terminal terminal, Detail detail) {
    /** How much is shown. */
    public enum Detail {
        /** A tree in which layers and experts that look alike are one. */
        FOLDED,
        /** The whole tree. */
        TREE,
        /** Every tensor, state, item, argument and file by its full name. */
        ALL
    }

    /**
     * Shows it.
     *
     * @return 0, or 2 if something is wrong with it
     * @throws CommandFailure if it is no checkpoint or cannot be opened
     */
    public int run(Path path) {
        try (CheckpointView view = CheckpointView.open(path)) {
            List<String> problems = view.problems();
            if (terminal.json()) {
                terminal.result(InspectionDocument.of(view, problems, detail == Detail.ALL)
                        .toPrettyString());
            } else {
                new InspectionPage(view, detail, terminal.columns()).lines().forEach(terminal::result);
                problems.forEach(terminal::error);
            }
            return problems.isEmpty() ? ExitCode.OK : ExitCode.USAGE;
        } catch (CheckpointException e) {
            List<String> problems = OpenedCheckpoint.problems(path, e);
            if (terminal.json()) {
                ObjectNode json = EventJson.mapper().createObjectNode().put("path", path.toString());
                problems.forEach(json.putArray("problems")::add);
                terminal.result(json.toPrettyString());
            }
            problems.forEach(terminal::error);
            return ExitCode.USAGE;
        }
    }
}
