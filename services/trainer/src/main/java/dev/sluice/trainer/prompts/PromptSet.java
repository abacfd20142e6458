package dev.sluice.trainer.prompts;

import dev.sluice.domain.data.Prompt;
import dev.sluice.domain.data.PromptRow;
import dev.sluice.domain.data.PromptRows;
import dev.sluice.domain.data.RowKeys;
import dev.sluice.events.GroupTask;
import dev.sluice.events.TrainingRequest;
import dev.sluice.trainer.run.TrainingRefusedException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.DigestInputStream;
import java.security.MessageDigest;
import java.util.HexFormat;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The rows of a prompt file, in the file's order, with the file's hash.
 *
 * @param rows at least one
 * @param sha256 of the file, hexadecimal
 * @param applyChatTemplate whether plain prompts become a user's message
 */
public record PromptSet(List<PromptRow> rows, String sha256, boolean applyChatTemplate) {

    /**
     * Reads a prompt file.
     *
     * @throws TrainingRefusedException if it cannot be read, has no usable row, or has broken ones that the request refuses
     */
    public static PromptSet read(String file, TrainingRequest.Data data) {
        MessageDigest digest = FileHash.digest();
        try (InputStream in = new DigestInputStream(Files.newInputStream(Path.of(file)), digest)) {
            PromptRows rows = PromptRows.read(in, RowKeys.of(data));
            in.transferTo(java.io.OutputStream.nullOutputStream());
            refuse(file, rows, data);
            return new PromptSet(rows.rows(), HexFormat.of().formatHex(digest.digest()), data.applyChatTemplate());
        } catch (IOException e) {
            throw new TrainingRefusedException(
                    "the prompts %s cannot be read (%s); make the file visible on this host".formatted(file, e), e);
        }
    }

    private static void refuse(String file, PromptRows rows, TrainingRequest.Data data) {
        PromptRows.Summary summary = rows.summary();
        if (summary.broken() > 0 && data.badRows() == TrainingRequest.BadRows.REFUSE) {
            throw new TrainingRefusedException(
                    "%s has %d broken lines, the first is %s; mend it or set data.badRows to skip"
                            .formatted(
                                    file, summary.broken(), summary.problems().getFirst()));
        }
        if (rows.rows().isEmpty()) {
            throw new TrainingRefusedException(file + " has no usable row; see data.promptKey and data.labelKey");
        }
    }

    /** A row's prompt as a task carries it. */
    public GroupTask.Prompt prompt(int row) {
        return switch (rows.get(row).prompt()) {
            case Prompt.Text plain
            when applyChatTemplate -> new GroupTask.Prompt(null, List.of(new GroupTask.Message("user", plain.text())));
            case Prompt.Text plain -> GroupTask.Prompt.of(plain.text());
            case Prompt.Messages talk ->
                new GroupTask.Prompt(
                        null,
                        talk.messages().stream()
                                .map(message -> new GroupTask.Message(message.role(), message.content()))
                                .toList());
        };
    }

    /** A row's metadata as JSON text, if it has any. */
    public @Nullable String metadata(int row) {
        return rows.get(row).metadata();
    }

    public String label(int row) {
        return rows.get(row).label();
    }
}
