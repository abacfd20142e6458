package dev.sluice.trainer.evaluation;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.sluice.domain.data.Prompt;
import dev.sluice.domain.data.PromptRow;
import dev.sluice.events.EventJson;
import dev.sluice.events.GroupEvent.GroupSampled;
import dev.sluice.events.GroupEvent.Sample;
import dev.sluice.text.Tokenizer;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.io.Writer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Locale;
import java.util.Map;

/** Writes what a set's rows were answered as a file, one sample a line, complete or not at all. */
record SampleFiles(Path directory, Path model) {

    Path file(String set) {
        return directory.resolve(set + ".jsonl");
    }

    /** @param groups results by row, in the file's order; rows that nobody finished are missing */
    void write(String set, Map<PromptRow, GroupSampled> groups) {
        Path file = file(set);
        Path begun = file.resolveSibling(file.getFileName() + ".part");
        try (Tokenizer tokenizer = Tokenizer.open(model)) {
            Files.createDirectories(directory);
            try (Writer lines = Files.newBufferedWriter(begun)) {
                for (Map.Entry<PromptRow, GroupSampled> group : groups.entrySet()) {
                    for (Sample sample : group.getValue().samples()) {
                        lines.write(line(set, group.getKey(), sample, tokenizer));
                        lines.write('\n');
                    }
                }
            }
            Files.move(begun, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        } catch (IOException e) {
            throw new UncheckedIOException("the samples of %s cannot be written to %s".formatted(set, file), e);
        }
    }

    private static String line(String set, PromptRow row, Sample sample, Tokenizer tokenizer) throws IOException {
        ObjectNode line = EventJson.mapper().createObjectNode();
        line.put("set", set).put("line", row.line()).put("index", sample.index());
        switch (row.prompt()) {
            case Prompt.Text plain -> line.put("prompt", plain.text());
            case Prompt.Messages talk -> {
                var messages = line.putArray("prompt");
                for (Prompt.Message message : talk.messages()) {
                    messages.add(
                            message.json() == null
                                    ? EventJson.mapper()
                                            .createObjectNode()
                                            .put("role", message.role())
                                            .put("content", message.content())
                                    : EventJson.mapper().readTree(message.json()));
                }
            }
        }
        line.put("label", row.label());
        line.put("response", tokenizer.decode(sample.tokens().toArray(), true));
        line.put("tokens", sample.tokens().length());
        line.put("finishReason", sample.finishReason().name().toLowerCase(Locale.ROOT));
        line.put("reward", sample.reward());
        if (sample.unscored() != null) {
            line.put("unscored", sample.unscored());
        }
        return line.toString();
    }
}
