package dev.sluice.cli.checkpoint;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.sluice.checkpoint.CheckpointException;
import dev.sluice.checkpoint.ConversionPlan;
import dev.sluice.checkpoint.ConversionPreview;
import dev.sluice.checkpoint.UnfinishedConversion;
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
 * @param bytesKept what an attempt that broke off has written already
 * @param unfinished what attempts from other sources have left at the same target
 * @param freeBytes of the disk that it writes to
 */
record Prospect(
        Copying copying,
        ConversionPreview preview,
        long bytesKept,
        List<UnfinishedConversion> unfinished,
        long freeBytes) {
    private static final int NAMES_SHOWN = 5;

    static Prospect of(Copying copying) {
        try {
            ConversionPreview preview = copying.preview();
            long free = freeBytes(copying.order().out());
            if (!preview.problems().isEmpty() || !preview.missing().isEmpty()) {
                return new Prospect(copying, preview, 0, List.of(), free);
            }
            ConversionPlan plan = copying.plan();
            return new Prospect(copying, preview, plan.bytesKept(), plan.unfinished(), free);
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
        long bytesToWrite = preview.diskBytes() - bytesKept;
        if (bytesToWrite > freeBytes) {
            problems.add("%s needs %s, but its disk has %s free; free %s or choose another disk"
                    .formatted(
                            copying.order().out(),
                            ByteFigures.bytes(bytesToWrite),
                            ByteFigures.bytes(freeBytes),
                            ByteFigures.bytes(bytesToWrite - freeBytes)));
        }
        return problems;
    }

    void show(Terminal terminal, boolean dryRun) {
        if (terminal.json()) {
            terminal.result(json(dryRun).toPrettyString());
        } else if (preview.problems().isEmpty()) {
            lines().forEach(terminal::result);
        }
        leftovers().forEach(terminal::remark);
        problems().forEach(terminal::error);
        if (!terminal.json()) {
            terminal.result(possible() ? "it can be converted; nothing was written" : "nothing was written");
        }
    }

    /** What takes room and what to do with it: only the person knows whether that conversion shall go on one day. */
    List<String> leftovers() {
        return unfinished.stream()
                .map(left ->
                        ("%s holds %s of an unfinished conversion of another source, or with other settings; it goes when "
                                        + "this one is done, and to free the room before, unless a process still writes it: rm -r '%s'")
                                .formatted(left.directory(), ByteFigures.bytes(left.bytes()), left.directory()))
                .toList();
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
        json.put("bytesKept", bytesKept);
        json.put("freeBytes", freeBytes);
        ArrayNode left = json.putArray("unfinished");
        unfinished.forEach(one ->
                left.addObject().put("directory", one.directory().toString()).put("bytes", one.bytes()));
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
