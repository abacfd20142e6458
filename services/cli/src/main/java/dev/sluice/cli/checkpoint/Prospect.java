package dev.sluice.cli.checkpoint;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.sluice.checkpoint.CheckpointException;
import dev.sluice.checkpoint.ConversionPreview;
import dev.sluice.cli.CommandFailure;
import dev.sluice.cli.Terminal;
import dev.sluice.events.EventJson;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * What a conversion will do and whether it can.
 *
 * @param freeBytes of the disk that it writes to
 */
record Prospect(Copying copying, ConversionPreview preview, long freeBytes) {
    private static final int NAMES_SHOWN = 5;

    static Prospect of(Copying copying) {
        try {
            return new Prospect(
                    copying, copying.preview(), freeBytes(copying.order().out()));
        } catch (CheckpointException e) {
            throw CommandFailure.usage(e.getMessage());
        }
    }

    boolean possible() {
        return problems().isEmpty();
    }

    /** Everything that keeps the conversion from starting. */
    List<String> problems() {
        List<String> problems = new ArrayList<>(preview.problems());
        if (!preview.missing().isEmpty()) {
            problems.add(
                    "%,d tensors of the model are neither in %s nor in %s: %s; give --config with the model that the training started from"
                            .formatted(
                                    preview.missing().size(),
                                    copying.order().in(),
                                    copying.order().source(),
                                    some(preview.missing())));
        }
        if (preview.diskBytes() > freeBytes) {
            problems.add("%s needs %s, but its disk has %s free; free %s or choose another disk"
                    .formatted(
                            copying.order().out(),
                            ByteFigures.bytes(preview.diskBytes()),
                            ByteFigures.bytes(freeBytes),
                            ByteFigures.bytes(preview.diskBytes() - freeBytes)));
        }
        return problems;
    }

    void show(Terminal terminal, boolean dryRun) {
        if (terminal.json()) {
            terminal.result(json(dryRun).toPrettyString());
        } else if (preview.problems().isEmpty()) {
            lines().forEach(terminal::result);
        }
        problems().forEach(terminal::error);
        if (!terminal.json()) {
            terminal.result(possible() ? "it can be converted; nothing was written" : "nothing was written");
        }
    }

    /** Which tensors the trained checkpoint lacks and the model it started from supplies. */
    List<String> carriedOver(List<String> names) {
        return names.isEmpty()
                ? List.of()
                : List.of("%,d tensors that were not trained come from %s: %s"
                        .formatted(names.size(), copying.order().source(), some(names)));
    }

    ObjectNode json(boolean dryRun) {
        ConversionOrder order = copying.order();
        ObjectNode json = EventJson.mapper().createObjectNode();
        json.put("direction", Sides.word(order.direction()));
        json.put("in", order.in().toString());
        json.put("out", order.out().toString());
        if (order.source() != null) {
            json.put("config", order.source().toString());
        }
        json.put("dryRun", dryRun);
        json.put("possible", possible());
        json.put("tensors", preview.tensors());
        json.put("bytes", preview.bytes());
        json.put("diskBytes", preview.diskBytes());
        json.put("freeBytes", freeBytes);
        preview.carriedOver().forEach(json.putArray("carriedOver")::add);
        preview.missing().forEach(json.putArray("missing")::add);
        problems().forEach(json.putArray("problems")::add);
        return json;
    }

    private List<String> lines() {
        ConversionOrder order = copying.order();
        List<String> lines = new ArrayList<>();
        lines.add(
                "%s to %s: %s".formatted(order.in(), order.direction().target().title(), order.out()));
        if (order.source() != null) {
            lines.add("  names and assets from " + order.source());
        }
        lines.add("  %,d tensors, %s".formatted(preview.tensors(), ByteFigures.bytes(preview.bytes())));
        lines.add("  about %s on a disk with %s free"
                .formatted(ByteFigures.bytes(preview.diskBytes()), ByteFigures.bytes(freeBytes)));
        carriedOver(preview.carriedOver()).forEach(line -> lines.add("  " + line));
        return lines;
    }

    private static String some(List<String> names) {
        String first = String.join(", ", names.subList(0, Math.min(NAMES_SHOWN, names.size())));
        return names.size() > NAMES_SHOWN ? first + ", ..." : first;
    }

    private static long freeBytes(Path out) {
        Path existing = out.toAbsolutePath().normalize();
        while (existing.getParent() != null && !Files.isDirectory(existing)) {
            existing = existing.getParent();
        }
        try {
            return Files.getFileStore(existing).getUsableSpace();
        } catch (IOException e) {
            throw new CheckpointException("cannot ask for the free space at " + existing + ": " + e, e);
        }
    }
}
