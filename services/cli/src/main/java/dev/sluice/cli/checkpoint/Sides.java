package dev.sluice.cli.checkpoint;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.sluice.checkpoint.CheckpointView;
import java.util.List;
import java.util.Locale;

/** Which two checkpoints were compared. */
final class Sides {
    private Sides() {}

    static List<String> lines(CheckpointPair pair) {
        return List.of("A  " + described(pair.a()), "B  " + described(pair.b()));
    }

    static void json(CheckpointPair pair, ObjectNode json) {
        json.set("a", side(json, pair.a()));
        json.set("b", side(json, pair.b()));
        pair.onlyInA().forEach(json.putArray("onlyInA")::add);
        pair.onlyInB().forEach(json.putArray("onlyInB")::add);
        pair.notes().forEach(json.putArray("notes")::add);
    }

    static String word(Enum<?> constant) {
        return constant.name().toLowerCase(Locale.ROOT);
    }

    private static String described(CheckpointView view) {
        String iteration = view.iteration()
                .map(name -> name.matches("\\d+") ? ", iteration " + name : ", " + name)
                .orElse("");
        return "%s (%s%s)".formatted(view.path(), view.format().title(), iteration);
    }

    private static ObjectNode side(ObjectNode parent, CheckpointView view) {
        ObjectNode side = parent.objectNode();
        side.put("path", view.path().toString());
        side.put("format", word(view.format()));
        view.iteration().ifPresent(iteration -> side.put("iteration", iteration));
        return side;
    }
}
